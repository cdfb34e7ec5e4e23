import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import metadata, number, write_video

from nitrogen.actions import Actions
from nitrogen.data import store
from nitrogen.data.curate import split_of
from nitrogen.data.prepare import VideoFolder, prepare
from nitrogen.data.sets import FORMAT, Source, open_sets, parse_sources
from nitrogen.errors import DataError

ASKED = {"size": 32, "rate_hz": 30.0, "horizon": 4, "shift": 1}


def video_in(split, number=0):
    """A video id that falls into that split."""
    names = (f"v{i}" for i in range(1000))
    return [name for name in names if split_of(name) == split][number]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Chunks of a training video with a gap, at 30 and 60 Hz, and a held-out one; prepared."""
    root = tmp_path_factory.mktemp("sets")
    train, fast, held = video_in("train"), video_in("train", 1), video_in("validation")
    write_video(root / "videos" / f"{train}.mp4", 100)
    write_video(root / "videos" / f"{held}.mp4", 40)
    write_video(root / "videos" / f"{fast}.mp4", 60, rate_hz=60.0)
    for video_id, index, start, rate in (
        (train, 0, 0, 30.0), (train, 1, 20, 30.0), (train, 3, 60, 30.0),
        (held, 0, 10, 30.0), (fast, 0, 30, 60.0),
    ):  # fmt: skip
        facts = metadata(video_id, index, 20, start=start, rate_hz=rate)
        actions = Actions.released(20)
        actions.sticks[:, 0] = np.arange(start, start + 20) / 1000
        store.write_chunk(root / "chunks", facts, actions)
    prepare(store.list_chunks(root / "chunks"), VideoFolder(root / "videos"), size=32)
    return root


@pytest.mark.parametrize("in_memory", [False, True])
def test_windows_of_all_videos_none_across_a_gap(root, in_memory):
    opened = open_sets([Source(root / "chunks")], **ASKED, in_memory=in_memory)

    assert opened.skips == ()
    frames, actions = opened.train.batch(np.arange(len(opened.train)))
    plans = (actions.stick("left_x") * 1000).round().astype(int).reshape(-1, 4).tolist()
    numbers = [number(frame) for frame in frames.numpy()]
    slow = [*range(36), *range(60, 76)]
    fast = list(range(30, 42))
    assert sorted(numbers) == sorted(slow + fast)
    for first, plan in zip(numbers, plans, strict=True):
        step = plan[1] - plan[0]
        assert step in (1, 2)
        assert plan == [first + step * (1 + k) for k in range(4)]
    assert opened.validation is not None
    assert [number(f) for f in opened.validation.frames(np.arange(16))] == list(range(10, 26))
    assert opened.test is None
    assert opened.train.is_video is not in_memory


def test_other_rates_and_sizes_are_left_out_with_a_cause(root):
    opened = open_sets([Source(root / "chunks")], **(ASKED | {"rate_hz": 60.0}))

    assert len(opened.train) == 16
    ((cause, count),) = opened.causes().items()
    assert count == 4
    assert "labels at 30 Hz cannot teach a policy that acts at 60 Hz" in cause
    with pytest.raises(DataError, match=r"nothing to train on.*1 x no frames of 64 px"):
        open_sets([Source(root / "chunks")], **(ASKED | {"size": 64}))
    with pytest.raises(DataError, match="shorter than 61 actions"):
        open_sets([Source(root / "chunks")], **(ASKED | {"horizon": 60}))


def test_broken_chunks_are_left_out_with_a_cause(root, tmp_path):
    chunks = tmp_path / "chunks"
    for path in (root / "chunks").rglob("*"):
        if path.is_file():
            target = chunks / path.relative_to(root / "chunks")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    train = video_in("train")
    (chunks / train / f"{train}_chunk_0001" / "actions_raw.parquet").write_bytes(b"PAR1")
    (chunks / train / f"{train}_chunk_0003" / "metadata.json").write_text("{}")
    clip = chunks / train / f"{train}_chunk_0000" / "frames_32.h264"
    clip.write_bytes(clip.read_bytes()[:-5])

    opened = open_sets([Source(chunks)], **ASKED)

    found = {skip.chunk: skip.cause for skip in opened.skips}
    assert "actions_raw.parquet cannot be read" in found[f"{train}_chunk_0001"]
    assert "missing key" in found[f"{train}_chunk_0003"]
    assert "cut off" in found[f"{train}_chunk_0000"]
    assert len(opened.train) == 12


def test_weights_from_the_command_line_and_from_a_file(root, tmp_path):
    chunks = root / "chunks"
    listed = {"format": FORMAT, "sets": [{"path": str(chunks), "weight": 2}]}
    (tmp_path / "sets.json").write_text(json.dumps(listed))
    (tmp_path / "a=b").mkdir()

    assert parse_sources([f"{chunks}=0.5", str(tmp_path / "sets.json")]) == [
        Source(chunks, 0.5), Source(chunks, 2.0)
    ]  # fmt: skip
    assert parse_sources([str(tmp_path / "a=b")]) == [Source(tmp_path / "a=b")]
    opened = open_sets([Source(chunks, 0.5), Source(chunks, 1.5)], **ASKED)
    one = open_sets([Source(chunks)], **ASKED)
    assert len(opened.train) == 2 * len(one.train)
    drawn = opened.train.order(1024, step=0, seed=0) >= len(one.train)
    assert drawn.mean() == 0.75


def test_bad_lists_are_named(tmp_path):
    (tmp_path / "sets.json").write_text("[]")
    with pytest.raises(DataError, match="no list of data sets"):
        parse_sources([str(tmp_path / "sets.json")])
    (tmp_path / "sets.json").write_text('{"format": "x", "sets": []}')
    with pytest.raises(DataError, match="expected format"):
        parse_sources([str(tmp_path / "sets.json")])
    with pytest.raises(DataError, match="number above zero, not 'much'"):
        parse_sources(["a=much"])
    with pytest.raises(DataError, match="or none of them"):
        parse_sources(["a=1", "b"])
    with pytest.raises(DataError, match="no folder"):
        open_sets([Source(tmp_path / "none")], **ASKED)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no chunks in"):
        open_sets([Source(tmp_path / "empty")], **ASKED)


@settings(deadline=None, max_examples=15)
@given(
    chunks=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12)), min_size=1, max_size=6),
    horizon=st.integers(1, 6),
    shift=st.integers(0, 3),
)
def test_windows_are_those_of_rows_without_a_gap(tmp_path_factory, chunks, horizon, shift):
    """chunks: (rows missing before it, its rows)."""
    root = tmp_path_factory.mktemp("gaps")
    name, start, labelled = video_in("train"), 0, set()
    for index, (missing, rows) in enumerate(chunks):
        start += missing
        actions = Actions.released(rows)
        actions.sticks[:, 0] = np.arange(start, start + rows) / 1000
        folder = store.write_chunk(root, metadata(name, index, rows, start=start), actions)
        shown = np.arange(start, start + rows, dtype=np.uint8)[:, None, None, None]
        np.save(folder / "frames_8.npy", np.broadcast_to(shown, (rows, 8, 8, 3)))
        labelled |= set(range(start, start + rows))
        start += rows
    wanted = [
        row for row in sorted(labelled)
        if set(range(row, row + shift + horizon)) <= labelled
    ]  # fmt: skip
    asked = {"size": 8, "rate_hz": 30.0, "horizon": horizon, "shift": shift}
    if not wanted:
        with pytest.raises(DataError, match="no video to train on"):
            open_sets([Source(root)], **asked)
        return

    train = open_sets([Source(root)], **asked).train

    frames, actions = train.batch(np.arange(len(train)))
    assert frames[:, 0, 0, 0].tolist() == wanted
    plans = (actions.stick("left_x") * 1000).round().astype(int).reshape(-1, horizon)
    assert plans.tolist() == [
        list(range(row + shift, row + shift + horizon)) for row in wanted
    ]  # fmt: skip
