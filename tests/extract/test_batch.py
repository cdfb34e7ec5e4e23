import hashlib
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from nitrogen.errors import DataError
from nitrogen.extract.batch import extract_all, find_videos, local, read_ledger
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
        if path.is_file() and path.name not in ("ledger.jsonl", "settings.json")
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
        find_videos(folder), tmp_path, skins=SKINS, config=CONFIG, run=local(2),
        on_done=lambda entry, progress: seen.append((progress.done, progress.total)),
    )  # fmt: skip

    assert digest(tmp_path) == digest(alone[0])
    assert seen == [(1, 2), (2, 2)]


def test_finished_videos_are_not_done_again(folder, alone):
    again = []
    entries = extract_all(
        find_videos(folder), alone[0], skins=SKINS, config=CONFIG,
        on_done=lambda entry, progress: again.append(entry),
    )  # fmt: skip

    assert entries == alone[1]
    assert again == []


def test_a_torn_ledger_line_is_done_again(folder, alone, tmp_path):
    lines = (alone[0] / "ledger.jsonl").read_text().splitlines()
    (tmp_path / "ledger.jsonl").write_text(lines[1] + "\n" + lines[0][:30])
    again = []
    extract_all(
        find_videos(folder), tmp_path, skins=SKINS, config=CONFIG,
        on_done=lambda entry, progress: again.append(entry.video_id),
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


def test_other_settings_need_another_folder(folder, alone):
    with pytest.raises(DataError, match=r"min_density was 0\.0, is 0\.9"):
        extract_all(
            find_videos(folder), alone[0], skins=SKINS,
            config=ExtractConfig(chunk_s=4.0, min_density=0.9),
        )  # fmt: skip


@pytest.mark.parametrize("unknown", [True, False])
def test_videos_without_a_known_skin_are_tried_again_with_other_skins(folder, tmp_path, unknown):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/good.mp4").write_bytes((folder / "good.mp4").read_bytes())
    videos, out = find_videos(tmp_path / "videos"), tmp_path / "out"

    config = replace(CONFIG, unknown=unknown)
    first = extract_all(videos, out, skins=[SHIPPED / "retro_grey"], config=config)
    again = extract_all(videos, out, skins=SKINS, config=config)

    assert first[0].reader == ("network" if unknown else "")
    assert ("no known overlay" in first[0].cause) != unknown
    assert (again[0].cause, again[0].chunks, again[0].reader) == ("", 4, "matched")


KILLED = """
import sys
from pathlib import Path
from nitrogen.extract.batch import extract_all, find_videos
from nitrogen.extract.pipeline import ExtractConfig
extract_all(
    find_videos(Path(sys.argv[1])), Path(sys.argv[2]), skins=[Path(sys.argv[3])],
    config=ExtractConfig(chunk_s=4.0, min_density=0.0),
)
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_complete(folder, alone, tmp_path):
    """Killed when the work has begun, a stretch lies on disk, a chunk has appeared."""
    marks = [".work/good/key.json", ".work/good/s00_000001.npy", "good/good_chunk_0002"]
    for mark in marks:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), str(tmp_path), str(SKINS[0])]
        )
        while not (tmp_path / mark).exists() and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
    extract_all(find_videos(folder), tmp_path, skins=SKINS, config=CONFIG)

    assert digest(tmp_path) == digest(alone[0])
    assert sorted(entry.video_id for entry in read_ledger(tmp_path)) == ["cut", "good"]
