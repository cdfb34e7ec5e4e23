import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from numbered import OVERLAY, metadata, number, write_video

from nitrogen.actions import Actions
from nitrogen.data import frames, store
from nitrogen.data.curate import mask_overlay, scale_box
from nitrogen.data.prepare import LEDGER, PART, VideoFolder, causes, prepare
from nitrogen.errors import DataError, VideoError


def write_chunk(root, video_id, index, rows=30, **how):
    actions = Actions.of("south", length=rows)
    return store.write_chunk(root, metadata(video_id, index, rows, **how), actions)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "one.mp4", 130)
    write_video(folder / "sixty.mkv", 130, rate_hz=60.0)
    write_video(folder / "deep" / "A title [two].mp4", 100, size=(640, 360))
    return folder


def shown(chunk, size):
    return [number(frame) for frame in np.asarray(frames.load(chunk, size))]


@pytest.mark.parametrize("kept", ["h264", "raw"])
@pytest.mark.parametrize("size", [64, 256])
def test_row_i_is_frame_start_plus_i(tmp_path, videos, kept, size):
    for index in (0, 1, 3):
        write_chunk(tmp_path, "one", index)
    write_chunk(tmp_path, "one", 9, start=97)

    results = prepare(store.list_chunks(tmp_path)[:3], VideoFolder(videos), size=size, store=kept)

    assert [(one.done, one.present, one.skips) for one in results] == [(3, 0, ())]
    for chunk in store.list_chunks(tmp_path)[:3]:
        assert shown(chunk, size) == list(range(chunk.start_frame, chunk.start_frame + 30))


def test_rows_far_into_a_video(tmp_path):
    write_video(tmp_path / "videos" / "long.mp4", 700, size=(160, 90))
    write_chunk(tmp_path / "chunks", "long", 0, start=601, size=(160, 90))

    prepare(store.list_chunks(tmp_path / "chunks"), VideoFolder(tmp_path / "videos"), size=64)

    assert shown(store.list_chunks(tmp_path / "chunks")[0], 64) == list(range(601, 631))


def test_each_chunk_has_its_own_rate(tmp_path, videos):
    write_chunk(tmp_path, "one", 0)
    write_chunk(tmp_path, "sixty", 0, rate_hz=60.0)
    write_chunk(tmp_path, "sixty", 1, rate_hz=59.94)
    write_chunk(tmp_path, "one", 2, rate_hz=60.0)

    results = prepare(store.list_chunks(tmp_path), VideoFolder(videos), size=64)

    assert [(one.video_id, one.done) for one in results] == [("one", 1), ("sixty", 2)]
    assert results[0].skips[0].chunk == "one_chunk_0002"
    assert "labels at 60 Hz, but the video has 30" in results[0].skips[0].cause


def test_no_label_survives_whatever_the_size_of_the_copy(tmp_path):
    """The user's copy has twice the resolution that the labels tell of."""
    pictures = []
    for name, colour in (("dark", 0), ("light", 255)):
        write_video(tmp_path / f"{name}.mp4", 30, overlay=colour)
        write_chunk(tmp_path, name, 0)
        chunk = store.list_chunks(tmp_path / name)[0]
        prepare([chunk], VideoFolder(tmp_path), size=256, store="raw")
        pictures.append(np.asarray(frames.load(chunk, 256)).astype(int))

    box = scale_box(OVERLAY, (320, 180), (256, 256))
    inside = mask_overlay(np.zeros((256, 256, 3), np.uint8), box, 0.05)[..., 0] == 127
    assert np.abs(pictures[0] - pictures[1]).max() <= 12
    assert (np.abs(pictures[0][:, inside] - 127) <= 1).all()


def test_the_mask_follows_the_size_of_the_copy(tmp_path, videos):
    write_chunk(tmp_path, "two", 0, size=(320, 180))
    chunk = store.list_chunks(tmp_path)[0]

    prepare([chunk], VideoFolder(videos), size=256, store="raw")

    box = scale_box(OVERLAY, (320, 180), (256, 256))
    picture = np.asarray(frames.load(chunk, 256))[0]
    grey = (picture == 127).all(axis=2)
    assert grey[box[1] : box[1] + box[3], box[0] : box[0] + box[2]].all()
    assert not grey[: box[1] - 20].any()


def test_what_cannot_be_prepared_is_recorded_with_its_cause(tmp_path, videos):
    chunks = tmp_path / "chunks"
    for index in range(6):
        write_chunk(chunks, "one", index)
    write_chunk(chunks, "gone", 0)
    write_chunk(chunks, "broken", 0)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "videos" / "one.mp4").symlink_to(videos / "one.mp4")
    (chunks / "one" / "one_chunk_0001" / "actions_raw.parquet").write_bytes(b"PAR1")
    idle = store.write_chunk(chunks, metadata("one", 2, 30), Actions.released(30))

    results = prepare(
        store.list_chunks(chunks),
        VideoFolder(tmp_path / "videos"),
        size=64,
        min_density=0.5,
        workers=2,
        ledger=chunks / LEDGER,
    )

    found = {skip.chunk: skip.cause for one in results for skip in one.skips}
    assert "cannot be opened" in found["broken_chunk_0000"]
    assert "no video gone in" in found["gone_chunk_0000"]
    assert "actions_raw.parquet cannot be read" in found["one_chunk_0001"]
    assert found[idle.name].startswith("idle")
    assert "ends 20 frames before" in found["one_chunk_0004"]
    assert "ends 20 frames before the labels of one_chunk_0004" in found["one_chunk_0005"]
    assert sum(one.done for one in results) == 2
    assert causes(results).total() == 6
    lines = [json.loads(line) for line in (chunks / LEDGER).read_text().splitlines()]
    assert {line["video_id"] for line in lines} == {"one", "gone", "broken"}
    assert sum(len(line["skips"]) for line in lines) == 6


def test_again_does_only_what_is_missing_and_changes_nothing(tmp_path, videos):
    for index in range(3):
        write_chunk(tmp_path, "one", index)
    listed = store.list_chunks(tmp_path)
    prepare(listed, VideoFolder(videos), size=64)
    paths = [frames.frames_path(chunk, 64, "h264") for chunk in listed]
    before = [path.read_bytes() for path in paths]
    paths[1].with_suffix(".json").unlink()
    kept = paths[0].stat().st_mtime_ns

    (again,) = prepare(listed, VideoFolder(videos), size=64)

    assert (again.done, again.present) == (1, 2)
    assert paths[0].stat().st_mtime_ns == kept
    assert [path.read_bytes() for path in paths] == before
    assert not list(tmp_path.rglob(".*"))


def test_a_long_video_is_shared_among_workers(tmp_path, videos):
    for index in range(PART + 3):
        write_chunk(tmp_path, "one", index, rows=7)

    results = prepare(store.list_chunks(tmp_path), VideoFolder(videos), size=64, workers=2)

    assert [one.done for one in results] == [PART, 3]
    shown_rows = [row for chunk in store.list_chunks(tmp_path) for row in shown(chunk, 64)]
    assert shown_rows == list(range(7 * (PART + 3)))


@pytest.mark.parametrize("kept", ["h264", "raw"])
def test_a_full_disk_stops_and_leaves_nothing_half_done(tmp_path, videos, kept):
    """Files of this process may not grow beyond a limit, as on a full disk."""
    write_chunk(tmp_path, "one", 0)
    code = f"""
import resource
from pathlib import Path
from nitrogen.data.prepare import VideoFolder, prepare
from nitrogen.data.store import list_chunks
from nitrogen.errors import DataError
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    prepare(list_chunks(Path({str(tmp_path)!r})), VideoFolder(Path({str(videos)!r})), size=64,
            store={kept!r})
except DataError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert "cannot be written" in done.stdout, done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "actions_raw.parquet",
        "metadata.json",
    ]


def test_labels_of_another_length_are_refused(tmp_path, videos):
    folder = write_chunk(tmp_path, "one", 0)
    path = folder / "actions_raw.parquet"
    pq.write_table(pq.read_table(path).slice(0, 20), path)

    (result,) = prepare(store.list_chunks(tmp_path), VideoFolder(videos), size=64)

    assert "20 rows, its metadata says 30" in result.skips[0].cause


def test_videos_are_found_by_id_and_never_guessed(tmp_path):
    for name in ("a.mp4", "x/b.webm", "Some title [c].mkv", "x/a.mkv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    find = VideoFolder(tmp_path)

    assert find("b").name == "b.webm"
    assert find("c").name == "Some title [c].mkv"
    with pytest.raises(VideoError, match="several videos are called a"):
        find("a")
    with pytest.raises(VideoError, match=r"put d\.mp4 there"):
        find("d")
    with pytest.raises(DataError, match="no folder"):
        VideoFolder(tmp_path / "none")


def test_bad_sizes_and_missing_frames_are_named(tmp_path, videos):
    write_chunk(tmp_path, "one", 0)
    (chunk,) = store.list_chunks(tmp_path)

    with pytest.raises(DataError, match="8 to 256"):
        prepare([chunk], VideoFolder(videos), size=512)
    with pytest.raises(DataError, match="nitrogen prepare"):
        frames.load(chunk, 64)
    np.save(frames.frames_path(chunk, 64, "raw"), np.zeros((7, 64, 64, 3), np.uint8))
    with pytest.raises(DataError, match="7 frames of 64 px for 30 rows"):
        frames.load(chunk, 64)
