from pathlib import Path

from nitrogen.simulator.game import LineReader
from nitrogen.simulator.home import HomeFiles


def test_a_line_reader_gives_whole_new_lines_once(tmp_path: Path):
    path = tmp_path / "log"
    reader = LineReader()
    assert reader.read(path) == []
    path.write_bytes(b"old\n")
    reader.skip(path)
    with path.open("ab") as file:
        file.write(b"one\ntw")
    assert reader.read(path) == ["one"]
    with path.open("ab") as file:
        file.write(b"o\n\0\0\0three\n")  # what writing on after going back leaves behind
    assert reader.read(path) == ["two", "three"]
    assert reader.read(path) == []


def test_home_and_log_go_back_without_being_replaced(tmp_path: Path):
    home, log = tmp_path / "home", tmp_path / "log"
    (home / "saves").mkdir(parents=True)
    (home / "saves" / "one").write_text("as it was")
    (home / "link").symlink_to("saves/one")
    log.write_text("started\n")
    files = HomeFiles.of(home, tmp_path / "kept", log=log)
    number = (home / "saves" / "one").stat().st_ino

    (home / "saves" / "one").write_text("later and longer")
    (home / "new" / "folder").mkdir(parents=True)
    (home / "new" / "folder" / "file").write_text("new")
    (home / "link").unlink()
    log.write_text("started\nwent on\n")
    for _ in range(2):
        files.put_back()
        assert sorted(path.name for path in home.rglob("*")) == ["link", "one", "saves"]
        assert (home / "link").read_text() == "as it was"
        assert (home / "saves" / "one").stat().st_ino == number
        assert log.read_text() == "started\n"
