import hashlib

import pytest

from nitrogen.errors import DataError
from nitrogen.extract.batch import extract_all, find_videos, read_ledger
from nitrogen.extract.pipeline import ExtractConfig
from nitrogen.overlay.skin import SHIPPED

CONFIG = ExtractConfig(chunk_s=4.0, min_density=0.0)
SKINS = [SHIPPED / "nitrogen"]


@pytest.fixture(scope="module")
def folder(recording, tmp_path_factory):
    videos = tmp_path_factory.mktemp("videos")
    (videos / "good.mp4").write_bytes(recording.video.read_bytes())
    (videos / "cut.mp4").write_bytes(recording.video.read_bytes()[:20_000])
    (videos / "notes.txt").write_text("not a video")
    return videos


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file() and path.name != "ledger.jsonl"
    }


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    return out, extract_all(find_videos(folder), out, skins=SKINS, config=CONFIG)


def test_broken_videos_are_recorded_and_skipped(alone):
    cut, good = alone[1]

    assert cut.chunks == 0
    assert "cut.mp4" in cut.cause
    assert good.chunks == 4
    assert (good.cause, good.skin) == ("", "nitrogen")
    assert read_ledger(alone[0]) == alone[1]


def test_workers_come_to_the_same_result(folder, alone, tmp_path):
    seen = []
    extract_all(
        find_videos(folder), tmp_path, skins=SKINS, config=CONFIG, workers=2,
        on_done=lambda entry, done, total: seen.append((done, total)),
    )  # fmt: skip

    assert digest(tmp_path) == digest(alone[0])
    assert seen == [(1, 2), (2, 2)]


def test_finished_videos_are_not_done_again(folder, alone):
    again = []
    entries = extract_all(
        find_videos(folder), alone[0], skins=SKINS, config=CONFIG,
        on_done=lambda entry, done, total: again.append(entry),
    )  # fmt: skip

    assert entries == alone[1]
    assert again == []


def test_a_torn_ledger_line_is_done_again(folder, alone, tmp_path):
    lines = (alone[0] / "ledger.jsonl").read_text().splitlines()
    (tmp_path / "ledger.jsonl").write_text(lines[1] + "\n" + lines[0][:30])
    again = []
    extract_all(
        find_videos(folder), tmp_path, skins=SKINS, config=CONFIG,
        on_done=lambda entry, done, total: again.append(entry.video_id),
    )  # fmt: skip

    assert again == ["cut"]
    assert len(read_ledger(tmp_path)) == 2


def test_a_spoiled_ledger_is_an_error(tmp_path):
    (tmp_path / "ledger.jsonl").write_text("nonsense\n{}\n")
    with pytest.raises(DataError, match="line 1"):
        read_ledger(tmp_path)


def test_what_to_look_at(folder, tmp_path):
    assert [path.name for path in find_videos(folder)] == ["cut.mp4", "good.mp4"]
    assert find_videos(folder / "good.mp4") == [folder / "good.mp4"]
    with pytest.raises(DataError, match="no videos"):
        find_videos(tmp_path)
    with pytest.raises(DataError, match="no video or folder"):
        find_videos(tmp_path / "none")


def test_two_videos_of_one_name(tmp_path):
    with pytest.raises(DataError, match="several videos"):
        extract_all([tmp_path / "a/x.mp4", tmp_path / "b/x.mkv"], tmp_path, skins=SKINS)
