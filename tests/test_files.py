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


def test_a_folder_takes_the_place_of_the_old_one_only_when_it_is_complete(tmp_path):
    folder = tmp_path / "chunk"
    with files.replacing_folder(folder) as partial:
        (partial / "a").write_text("1")
    with pytest.raises(FileNotFoundError), files.replacing_folder(folder) as partial:
        (partial / "b" / "a").write_text("2")

    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]
    assert (folder / "a").read_text() == "1"


def test_what_a_killed_process_left_of_a_folder_is_removed(tmp_path):
    (tmp_path / ".chunk.partial").mkdir()
    (tmp_path / ".chunk.partial" / "half").write_text("x")
    with files.replacing_folder(tmp_path / "chunk") as partial:
        (partial / "a").write_text("1")

    assert [path.name for path in (tmp_path / "chunk").iterdir()] == ["a"]
