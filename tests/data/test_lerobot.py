import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from numbered import metadata, number, write_video

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.data import frames, store
from nitrogen.data.lerobot import VIDEO_KEY, Stats, export
from nitrogen.data.lerobot_import import import_lerobot, is_lerobot
from nitrogen.data.prepare import VideoFolder, prepare
from nitrogen.errors import DataError
from nitrogen.video.reading import read

SIZE = 64


def played(rows, seed):
    rng = np.random.default_rng(seed)
    buttons = (rng.random((rows, len(BUTTONS))) < 0.2).astype(np.float32)
    return Actions(buttons, rng.uniform(-1, 1, (rows, len(STICKS))).astype(np.float32))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two stretches of one video (70 rows, 30 rows), one of another, all prepared."""
    root = tmp_path_factory.mktemp("data")
    write_video(root / "videos" / "one.mp4", 150)
    write_video(root / "videos" / "two.mp4", 45)
    chunks = root / "chunks"
    for video_id, index, start, rows in (
        ("one", 0, 0, 40), ("one", 1, 40, 30), ("one", 2, 110, 30), ("two", 0, 5, 40),
    ):  # fmt: skip
        facts = metadata(video_id, index, rows, start=start)
        store.write_chunk(chunks, facts, played(rows, len(video_id) + index))
    prepare(store.list_chunks(chunks), VideoFolder(root / "videos"), size=SIZE)
    return root


@pytest.fixture(scope="module")
def exported(data):
    return export(store.list_chunks(data / "chunks"), data / "lerobot", size=SIZE)


def test_the_layout_is_the_documented_one(exported):
    root = exported.folder
    found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert found == [
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        f"videos/{VIDEO_KEY}/chunk-000/file-000.mp4",
    ]
    info = json.loads((root / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["fps"], info["total_episodes"], info["total_frames"]) == (30, 3, 140)
    assert info["features"]["action"]["names"] == [*BUTTONS, *STICKS]
    assert info["features"][VIDEO_KEY]["shape"] == [SIZE, SIZE, 3]
    rows = pq.read_table(root / "data/chunk-000/file-000.parquet")
    assert rows["index"].to_pylist() == list(range(140))
    assert rows["frame_index"].to_pylist() == [*range(70), *range(30), *range(40)]
    episodes = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [one["length"] for one in episodes] == [70, 30, 40]
    assert [one["dataset_from_index"] for one in episodes] == [0, 70, 100]
    assert episodes[2][f"videos/{VIDEO_KEY}/from_timestamp"] == pytest.approx(100 / 30)
    stats = json.loads((root / "meta/stats.json").read_text())
    assert np.array(stats[VIDEO_KEY]["mean"]).shape == (3, 1, 1)
    flat = np.stack(rows["action"].to_numpy())
    np.testing.assert_allclose(stats["action"]["mean"], flat.mean(0), atol=1e-6)
    np.testing.assert_allclose(stats["action"]["std"], flat.std(0), atol=1e-5)
    assert stats["action"]["count"] == [140]


def test_row_k_shows_frame_k(exported):
    shown = read(exported.folder / f"videos/{VIDEO_KEY}/chunk-000/file-000.mp4")

    wanted = [*range(70), *range(110, 140), *range(5, 45)]
    assert [number(picture.pixels) for picture in shown] == wanted


def test_there_and_back(data, exported, tmp_path):
    done = import_lerobot(exported.folder, tmp_path / "back")
    assert done.skips == ()
    chunks = store.list_chunks(tmp_path / "back")
    results = prepare(chunks, VideoFolder(done.videos), size=SIZE)
    assert sum(one.done for one in results) == len(chunks) == 3

    before = frames.stretches(store.list_chunks(data / "chunks"))
    after = frames.stretches(chunks)
    assert len(after) == 3
    for old, new in zip(before, after, strict=True):
        old_frames, old_actions = frames.joined(old, SIZE)
        new_frames, new_actions = frames.joined(new, SIZE)
        np.testing.assert_array_equal(old_actions.buttons, new_actions.buttons)
        np.testing.assert_array_equal(old_actions.sticks, new_actions.sticks)
        wanted = [number(frame) for frame in np.asarray(old_frames)]
        assert [number(frame) for frame in np.asarray(new_frames)] == wanted
        assert new[0].metadata.game == "counting"


def test_what_cannot_be_exported_is_named(data, tmp_path):
    chunks = store.list_chunks(data / "chunks")
    with pytest.raises(DataError, match="exists"):
        export(chunks, data, size=SIZE)
    with pytest.raises(DataError, match=r"none of 4 chunks can be exported.*nitrogen prepare"):
        export(chunks, tmp_path / "a", size=32)
    with pytest.raises(DataError, match="has 30 Hz, not 60 Hz"):
        export(chunks, tmp_path / "a", size=SIZE, rate_hz=60.0)
    assert list(tmp_path.iterdir()) == []


def copy_of(exported, folder):
    for path in exported.folder.rglob("*"):
        target = folder / path.relative_to(exported.folder)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_what_cannot_be_imported_is_named(exported, tmp_path):
    assert is_lerobot(exported.folder)
    assert not is_lerobot(tmp_path)
    broken = copy_of(exported, tmp_path / "broken")
    info = json.loads((broken / "meta/info.json").read_text())

    def rewrite(change):
        (broken / "meta/info.json").write_text(json.dumps(info | change))

    rewrite({"codebase_version": "v2.1"})
    with pytest.raises(DataError, match=r"version v2\.1; convert"):
        import_lerobot(broken, tmp_path / "out")
    arm = {"dtype": "float32", "shape": [2], "names": ["shoulder", "elbow"]}
    rewrite({"features": info["features"] | {"action": arm}})
    with pytest.raises(DataError, match=r"no gamepad's.*shoulder"):
        import_lerobot(broken, tmp_path / "out")
    rewrite({})
    with pytest.raises(DataError, match="no camera 'wrist'; cameras: observation"):
        import_lerobot(broken, tmp_path / "out", video_key="wrist")
    clip = broken / f"videos/{VIDEO_KEY}/chunk-000/file-000.mp4"
    clip.write_bytes(clip.read_bytes()[:300])
    with pytest.raises(DataError, match=r"no episode of .* cannot be cut"):
        import_lerobot(broken, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_statistics_of_parts_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(size=(90, 3))
    whole, parts = Stats.of(rows), Stats.joined([Stats.of(rows[:50]), Stats.of(rows[50:])])

    for name in ("min", "max", "mean", "std"):
        np.testing.assert_allclose(parts.values[name], whole.values[name])
    assert parts.count == 90
