import json
import math

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.data.schema import ChunkMetadata, SourceVideo, chunk_uuid
from nitrogen.data.store import write_chunk
from nitrogen.data.truth import write_truth
from nitrogen.errors import DataError
from nitrogen.extract.evaluate import compare, evaluate, family_of, judge_all, score, summarize
from nitrogen.extract.scorecard import write_html, write_json
from nitrogen.overlay.synth import motion


def played():
    parts = [Actions.released(10), Actions.of("south", length=5, left_x=1.0), Actions.released(10)]
    return Actions.concatenate(parts)


def test_a_perfect_reading():
    result = score(played(), played())

    assert result.accuracy == result.f1 == 1.0
    assert result.buttons["south"].recall == result.buttons["south"].precision == 1.0
    assert result.sticks["left_x"] == 1.0
    assert math.isnan(result.sticks["right_x"])


def test_reading_nothing_looks_accurate_and_has_no_f1():
    result = compare(played(), Actions.released(25))

    assert result.read.accuracy > 0.98
    assert result.read.f1 == 0.0
    assert result.read.buttons["south"].balanced_accuracy == 0.5
    assert result.as_dict()["read"]["sticks"]["right_x"] is None


def test_late_presses_are_found_and_timed():
    late = Actions.concatenate([Actions.released(2), played()[:-2]])

    assert score(played(), late).buttons["south"].timing_rows == 2.0


def test_nothing_to_compare():
    with pytest.raises(DataError, match="nothing to compare"):
        score(Actions.released(0), Actions.released(0))


def test_copying_the_last_row_is_a_baseline():
    result = compare(played(), played())

    assert 0 < result.copy_last.f1 < 1
    assert np.isclose(result.always_off.f1, 0)


def write_video(root, name, truth, read, *, skin="", shown=None, rows=60):
    """A truth file and chunks that hold `read`."""
    facts = {"rate_hz": 30.0, "skin": skin}
    write_truth(root / f"{name}.pad.parquet", truth, facts, {"shown": shown} if shown is not None
                else None)  # fmt: skip
    for number in range(len(read) // rows):
        start = number * rows
        video = SourceVideo(
            video_id=name, source="local", url="", resolution=(180, 320), start_time=start / 30,
            end_time=(start + rows) / 30, duration=rows / 30, start_frame=start,
            end_frame=start + rows,
        )  # fmt: skip
        metadata = ChunkMetadata(
            uuid=chunk_uuid(name, f"{number:04d}"), chunk_id=f"{number:04d}", chunk_size=rows,
            game="other", controller_type="other", bbox_controller_overlay=(0, 0, 10, 10),
            original_video=video,
        )  # fmt: skip
        write_chunk(root / "chunks", metadata, read[start : start + rows])


def test_folders_are_judged_by_family(tmp_path):
    truth = motion(np.random.default_rng(0), 200, rate_hz=30)
    write_video(tmp_path, "good", truth, truth, skin="io_dualsense")
    write_video(tmp_path, "bad", truth, Actions.released(200), skin="ojd_xbone_flat")
    write_video(tmp_path, "gone", truth, truth[:0], skin="io_ds3")
    summary = summarize(judge_all(tmp_path / "chunks", tmp_path))

    assert summary["videos"] == 3
    assert summary["unread"] == {"gone": "no chunks were written"}
    assert set(summary["families"]) == {"PS5", "Xbox One"}
    assert summary["families"]["PS5"]["read"]["accuracy"] == 1.0
    assert summary["families"]["Xbox One"]["read"]["f1"] == 0.0
    assert summary["all"]["coverage"] == pytest.approx(0.9)
    for name in ("read", "always_off", "copy_last"):
        low, high = summary["all"][name]["intervals"]["accuracy"]
        assert low <= summary["all"][name]["accuracy"] <= high


def test_reading_is_judged_by_what_is_on_screen(tmp_path):
    truth = motion(np.random.default_rng(0), 120, rate_hz=30)
    shown = np.maximum(np.arange(120) - 4, 0).astype(np.int32)
    late = Actions(truth.buttons[shown], truth.sticks[shown])
    write_video(tmp_path, "late", truth, late, shown=shown)

    assert evaluate(tmp_path / "chunks", tmp_path / "late.pad.parquet").read.accuracy == 1.0


@pytest.mark.parametrize(
    ("skin", "family"),
    [
        ("io_dualsense_white", "PS5"), ("io_ds3", "PS3"), ("ojd_scuf_black", "PS4"),
        ("ojd_xbone_purple", "Xbox One"), ("offset_series", "Xbox Series X"), ("io_nes", "retro"),
        ("io_xbox_clear", "Xbox"), ("ojd_switch_pro", "Switch"), ("mystery", "other"),
    ],
)  # fmt: skip
def test_families(skin, family):
    assert family_of(skin) == family


def test_scorecard(tmp_path):
    truth = motion(np.random.default_rng(0), 200, rate_hz=30)
    write_video(tmp_path, "good", truth, truth, skin="io_dualsense")
    write_video(tmp_path, "gone", truth, truth[:0])
    summary = summarize(judge_all(tmp_path / "chunks", tmp_path))
    write_html(summary, tmp_path / "page.html")
    write_json(summary, tmp_path / "a" / "page.json")
    text = (tmp_path / "page.html").read_text()

    assert "always off" in text
    assert "0.77" in text  # published R² of the PS5
    assert "no chunks were written" in text
    assert json.loads((tmp_path / "a" / "page.json").read_text()) == summary


def test_nothing_to_judge(tmp_path):
    with pytest.raises(DataError, match="no truth"):
        judge_all(tmp_path, tmp_path)
    truth = motion(np.random.default_rng(0), 100, rate_hz=30)
    write_video(tmp_path, "one", truth, truth)
    (tmp_path / "one.pad.parquet").rename(tmp_path / "other.pad.parquet")
    assert judge_all(tmp_path / "chunks", tmp_path / "other.pad.parquet")[0].coverage == 0.6
