import pytest

from nitrogen import files


def test_text_is_replaced_whole(tmp_path):
    path = tmp_path / "note.json"
    files.write_text(path, "one")
    files.write_text(path, "zwei – drei")
    assert path.read_text(encoding="utf-8") == "zwei – drei"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_survives_a_failure(tmp_path):
    path = tmp_path / "note"
    files.write_text(path, "old")
    with pytest.raises(IsADirectoryError), files.replacing(path) as partial:
        tmp_path.write_text(str(partial.write_text("ne")))  # fails after the first write
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
