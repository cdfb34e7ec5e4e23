import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import actions

from nitrogen.actions import BUTTONS, Actions
from nitrogen.data import schema, store, truth
from nitrogen.errors import DataError


def metadata(rows, index=0, video_id="abc"):
    chunk_id = f"{index:04d}"
    return schema.ChunkMetadata(
        uuid=schema.chunk_uuid(video_id, chunk_id),
        chunk_id=chunk_id,
        chunk_size=rows,
        game="celeste",
        controller_type="xboxone",
        bbox_controller_overlay=(-5, 400, 300, 400),
        original_video=schema.SourceVideo(
            video_id=video_id,
            source="local",
            url="clip.mp4",
            resolution=(720, 1280),
            start_time=index * 20.0,
            end_time=index * 20.0 + 20,
            duration=20.0,
            start_frame=index * rows,
            end_frame=(index + 1) * rows,
        ),
    )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None
)
@given(played=actions(min_length=1))
def test_round_trip(played, tmp_path):
    folder = store.write_chunk(tmp_path, metadata(len(played)), played, played)
    chunk = store.read_chunk(folder)
    back = chunk.actions()

    assert chunk.metadata == metadata(len(played))
    np.testing.assert_array_equal(back.buttons, played.pressed())
    np.testing.assert_array_equal(back.sticks, played.sticks)


def test_columns_are_the_published_ones(tmp_path):
    folder = store.write_chunk(tmp_path, metadata(3), Actions.of("south", length=3, left_x=0.5))
    table = pq.read_table(folder / "actions_raw.parquet")

    assert table.column_names == [*BUTTONS, "j_left", "j_right"]
    assert table["south"].to_pylist() == [True] * 3
    assert table["j_left"].to_pylist() == [[0.5, 0.0]] * 3
    assert folder.name == "abc_chunk_0000"
    assert folder.parent.name == "abc"
    assert list(json.loads((folder / "metadata.json").read_text())) == [
        "uuid", "chunk_id", "chunk_size", "game", "controller_type", "bbox_controller_overlay",
        "original_video",
    ]  # fmt: skip


def test_published_files_with_integers_are_read(tmp_path):
    folder = store.write_chunk(tmp_path, metadata(2), Actions.released(2))
    columns = {name: pa.array([0, 1]) for name in BUTTONS}
    columns |= {name: pa.array([[0, -1], [1, 0]]) for name in ("j_left", "j_right")}
    pq.write_table(pa.table(columns), folder / "actions_raw.parquet")

    back = store.read_chunk(folder).actions()
    assert back.buttons[1].all()
    np.testing.assert_array_equal(back.sticks[0], [0, -1, 0, -1])


def test_the_rate_is_derived_and_the_box_clamped():
    facts = metadata(600)

    assert facts.rate_hz == 30
    assert facts.overlay_box() == (0, 400, 295, 320)


def test_chunks_are_listed_in_order(tmp_path):
    for video_id, index in (("b", 1), ("a", 2), ("b", 0)):
        store.write_chunk(tmp_path, metadata(2, index, video_id), Actions.released(2))
    (tmp_path / ".work").mkdir()

    listed = [chunk.metadata.folder_name for chunk in store.list_chunks(tmp_path)]
    assert listed == ["a_chunk_0002", "b_chunk_0000", "b_chunk_0001"]


def test_writing_again_replaces_and_leaves_nothing_behind(tmp_path):
    store.write_chunk(tmp_path, metadata(2), Actions.of("south", length=2))
    folder = store.write_chunk(tmp_path, metadata(2), Actions.released(2))

    assert not store.read_chunk(folder).actions().buttons.any()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: (f / "metadata.json").unlink(), r"no metadata\.json"),
        (lambda f: (f / "metadata.json").write_text("{}"), "missing key"),
        (lambda f: (f / "metadata.json").write_text("nonsense"), "cannot be read"),
        (lambda f: (f / "actions_raw.parquet").write_bytes(b"PAR1"), "cannot be read"),
        (lambda f: (f / "actions_raw.parquet").unlink(), "cannot be read"),
        (
            lambda f: pq.write_table(pa.table({"south": [0, 1]}), f / "actions_raw.parquet"),
            "missing columns",
        ),
        (
            lambda f: pq.write_table(
                schema.actions_to_table(Actions.released(5)), f / "actions_raw.parquet"
            ),
            "5 rows",
        ),
    ],
)
def test_damage_is_named(tmp_path, break_it, message):
    folder = store.write_chunk(tmp_path, metadata(2), Actions.released(2))
    break_it(folder)

    with pytest.raises(DataError, match=message):
        store.read_chunk(folder).actions()


def test_lengths_must_agree(tmp_path):
    with pytest.raises(DataError, match="3 rows got 2"):
        store.write_chunk(tmp_path, metadata(3), Actions.released(2))


def test_no_chunks(tmp_path):
    with pytest.raises(DataError, match="no chunks"):
        store.list_chunks(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        store.list_chunks(tmp_path / "none")


def test_truth_round_trip(tmp_path):
    played = Actions.of("south", length=4, left_trigger=0.25, right_y=-0.5)
    path = truth.truth_path(tmp_path / "clip.mp4")
    truth.write_truth(path, played, {"skin": "x"}, {"episode": np.arange(4, dtype=np.int32)})
    back = truth.read_truth(path)

    assert path.name == "clip.pad.parquet"
    np.testing.assert_array_equal(back.actions.buttons, played.buttons)
    np.testing.assert_array_equal(back.actions.sticks, played.sticks)
    assert back.facts["skin"] == "x"
    assert back.episode is not None
    assert back.episode.tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match="no file"):
        truth.read_truth(tmp_path / "none.parquet")
