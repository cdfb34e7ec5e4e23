import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import OVERLAY, number, write_video

from nitrogen.actions import Actions
from nitrogen.data import frames, padlogs, store
from nitrogen.data.prepare import VideoFolder, prepare
from nitrogen.data.truth import truth_path, write_truth
from nitrogen.errors import DataError

RATE_HZ = 30.0
FRAMES = 150


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("v") / "clip.mkv", FRAMES, rate_hz=RATE_HZ)


def write_log(path, times_s, *, stick=lambda t: t / 10, pressed=lambda t: t >= 1.0):
    """A log as the recorder writes it: microseconds, SDL's names, 16-bit axes."""
    times_s = np.asarray(times_s)
    columns = {"time": (times_s * 1e6).astype(np.int64)}
    columns |= {name: np.zeros(len(times_s), bool) for name in padlogs.SDL_BUTTONS}
    axes = (*padlogs.SDL_STICKS, *padlogs.SDL_TRIGGERS)
    columns |= {name: np.zeros(len(times_s), np.int16) for name in axes}
    columns["SOUTH"] = pressed(times_s)
    columns["LEFTX"] = np.round(stick(times_s) * 32767).astype(np.int16)
    columns["RIGHTY"] = np.full(len(times_s), -32768, np.int16)
    columns["RIGHT_TRIGGER"] = np.full(len(times_s), 32767, np.int16)
    columns["MISC1"] = np.zeros(len(times_s), bool)
    pq.write_table(pa.table(columns), path)
    return path


def beside(clip, tmp_path):
    """The clip in a folder of its own."""
    link = tmp_path / clip.name
    link.symlink_to(clip)
    return link


def test_one_action_per_frame(clip, tmp_path):
    link = beside(clip, tmp_path)
    write_log(link.with_suffix(".parquet"), np.arange(0, 5.01, 0.002))

    folders = padlogs.import_log(link, tmp_path / "chunks", game="counting")

    (chunk,) = store.list_chunks(tmp_path / "chunks")
    assert [chunk.folder] == folders
    actions = chunk.actions()
    times = np.arange(FRAMES) / RATE_HZ
    assert (chunk.metadata.chunk_size, chunk.rate_hz) == (FRAMES, RATE_HZ)
    np.testing.assert_allclose(actions.stick("left_x"), times / 10, atol=1e-3)
    np.testing.assert_array_equal(actions.button("south"), times >= 1.0)
    assert (actions.stick("right_y") == -1).all()
    assert (actions.button("right_trigger") == 1).all()
    prepare([chunk], VideoFolder(tmp_path), size=64)
    assert [number(f) for f in np.asarray(frames.load(chunk, 64))] == list(range(FRAMES))


def test_the_offset_shifts_the_log(clip, tmp_path):
    link = beside(clip, tmp_path)
    write_log(link.with_suffix(".parquet"), np.arange(0, 5, 0.002))

    padlogs.import_log(link, tmp_path / "chunks", offset_s=0.5)

    (chunk,) = store.list_chunks(tmp_path / "chunks")
    south = chunk.actions().button("south")
    assert (chunk.start_frame + np.flatnonzero(south)[0]) / RATE_HZ == 1.5
    assert chunk.start_frame == 12


def test_no_stretch_reaches_across_an_unplugged_pad(clip, tmp_path):
    link = beside(clip, tmp_path)
    times = np.r_[np.arange(0.0, 1.5, 0.002), np.arange(3.0, 5.0, 0.002)]
    write_log(link.with_suffix(".parquet"), times)

    padlogs.import_log(link, tmp_path / "chunks")

    groups = frames.stretches(store.list_chunks(tmp_path / "chunks"))
    spans = [(g[0].start_frame, g[-1].start_frame + g[-1].metadata.chunk_size) for g in groups]
    assert len(spans) == 2
    assert spans[0][0] == 0
    assert spans[0][1] <= 46
    assert spans[1][0] >= 90


def test_our_own_recordings_keep_episodes_apart(clip, tmp_path):
    link = beside(clip, tmp_path)
    actions = Actions.of("south", length=FRAMES)
    episode = np.repeat(np.array([0, 1], np.int32), [60, 90])
    write_truth(truth_path(link), actions, {"box": list(OVERLAY)}, {"episode": episode})

    padlogs.import_log(link, tmp_path / "chunks")

    chunks = store.list_chunks(tmp_path / "chunks")
    assert [(c.start_frame, c.metadata.chunk_size) for c in chunks] == [(0, 59), (60, 90)]
    assert len(frames.stretches(chunks)) == 2
    assert chunks[0].overlay_box == (220, 130, 90, 40)


@settings(deadline=None, max_examples=50)
@given(
    times=st.lists(st.floats(0, 20), min_size=1, max_size=40, unique=True),
    asked=st.lists(st.floats(-1, 21), min_size=1, max_size=20),
)
def test_values_hold_or_lie_between_neighbours(times, asked):
    times = np.sort(np.array(times))
    rng = np.random.default_rng(0)
    actions = Actions.released(len(times))
    actions.buttons[:, 14] = rng.integers(0, 2, len(times))
    actions.sticks[:] = rng.uniform(-1, 1, actions.sticks.shape)
    log = padlogs.PadLog(times, actions)

    found, covered = log.at(np.array(asked))

    for t, button, stick, known in zip(
        asked, found.buttons[:, 14], found.sticks[:, 0], covered, strict=True
    ):
        before = max(0, np.searchsorted(times, t, side="right") - 1)
        after = min(len(times) - 1, np.searchsorted(times, t, side="right"))
        assert button == actions.buttons[before, 14]
        low, high = sorted(actions.sticks[[before, after], 0])
        assert low - 1e-6 <= stick <= high + 1e-6
        if known:
            assert np.abs(times - t).min() <= padlogs.LONGEST_GAP_S


def test_what_cannot_be_used_is_named(clip, tmp_path):
    link = beside(clip, tmp_path)
    log = link.with_suffix(".parquet")
    assert padlogs.beside_videos(tmp_path) == []
    with pytest.raises(DataError, match="no pad log beside"):
        padlogs.import_log(link, tmp_path / "c")
    log.write_bytes(b"PAR1")
    assert padlogs.beside_videos(tmp_path) == [link]
    with pytest.raises(DataError, match="cannot be read as parquet"):
        padlogs.import_log(link, tmp_path / "c")
    pq.write_table(pa.table({"time": [0]}), log)
    with pytest.raises(DataError, match="missing columns"):
        padlogs.import_log(link, tmp_path / "c")
    write_log(log, [1.0, 0.5])
    with pytest.raises(DataError, match="ascend"):
        padlogs.import_log(link, tmp_path / "c")
    write_log(log, np.arange(100, 105, 0.002))
    with pytest.raises(DataError, match="covers no frame"):
        padlogs.import_log(link, tmp_path / "c")
    write_truth(truth_path(link), Actions.released(7), {})
    with pytest.raises(DataError, match="7 rows"):
        padlogs.import_log(link, tmp_path / "c")
