import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.errors import ConfigError, DataError
from nitrogen.experiments.labels import (
    SMALL,
    TRUE_LOG,
    Arm,
    agreement,
    delayed,
    labels,
    with_errors,
)


def actions(length=400):
    rng = np.random.default_rng(0)
    buttons = np.zeros((length, 17), np.float32)
    buttons[:, [0, 3]] = np.repeat(rng.random((length // 4, 2)) < 0.5, 4, axis=0)
    sticks = np.zeros((length, 4), np.float32)
    sticks[:, :2] = rng.uniform(-1, 1, (length, 2))
    return Actions(buttons, sticks)


def test_errors_hit_their_share_of_what_is_used():
    true = actions()
    wrong = with_errors(true, 0.2, np.random.default_rng(1))
    flipped = wrong.buttons != true.buttons
    assert 0.15 < flipped[:, [0, 3]].mean() < 0.25
    assert not flipped[:, 1].any()
    assert not wrong.sticks[:, 2:].any()
    assert 0.15 < (wrong.sticks[:, 0] != true.sticks[:, 0]).mean() < 0.25


def test_no_errors_and_no_delay_change_nothing():
    true = actions()
    same = delayed(with_errors(true, 0.0, np.random.default_rng(1)), 0)
    np.testing.assert_array_equal(same.buttons, true.buttons)
    np.testing.assert_array_equal(same.sticks, true.sticks)


@given(frames=st.integers(1, 8))
def test_a_delay_moves_rows(frames):
    true = actions(40)
    late = delayed(true, frames)
    np.testing.assert_array_equal(late.sticks[frames:], true.sticks[:-frames])


def test_agreement_falls_with_errors():
    from nitrogen.data.samples import Run

    true = actions()
    frames = np.zeros((len(true), 8, 8, 3), np.uint8)
    found = [
        agreement([Run("a", frames, true)], [Run("a", frames, with_errors(true, rate, rng))])
        for rate, rng in ((0.0, np.random.default_rng(0)), (0.3, np.random.default_rng(0)))
    ]
    assert found[0] == {"f1": 1.0, "stick_r2": 1.0}
    assert found[1]["f1"] < 0.85
    assert found[1]["stick_r2"] < 0.7


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match="between 0 and 1"):
        replace(SMALL, errors=(1.0,))
    with pytest.raises(ConfigError, match="one frame or more"):
        replace(SMALL, late=(0,))
    with pytest.raises(ConfigError, match="the last is held out"):
        replace(SMALL, chain=replace(SMALL.chain, videos=1))


def test_a_last_video_of_which_nothing_was_kept_is_said(tmp_path, monkeypatch):
    from nitrogen.data.samples import Run

    first = Run("video_00_chunk_0000", np.zeros((40, 8, 8, 3), np.uint8), actions(40))
    monkeypatch.setattr("nitrogen.experiments.labels.labelled_runs", lambda *_: [first])
    with pytest.raises(DataError, match="record more episodes"):
        Arm(tmp_path, SMALL, TRUE_LOG, 0).run()


@pytest.mark.slow
def test_the_small_form_runs(tmp_path):
    found = labels(tmp_path, SMALL)
    assert [row.labels for row in found.rows] == [
        "true log", "extracted", "5 % wrong", "2 frames late",
    ]  # fmt: skip
    by_name = {row.labels: row for row in found.rows}
    assert by_name["true log"].f1 == 1.0
    assert by_name["extracted"].f1 > by_name["5 % wrong"].f1
    assert by_name["true log"].success.episodes == 4
    assert by_name["true log"].difference is None
    late = by_name["2 frames late"]
    rates = [row.success.rate for row in (late, by_name["true log"])]
    assert late.difference.difference == pytest.approx(rates[0] - rates[1])
    assert late.difference.low <= late.difference.difference <= late.difference.high
    assert 0 < late.plan_f1 < 1
    kept = json.loads(found.as_json())
    assert kept["baselines"]["expert"]["rate"] > 0.5
    assert kept["trainings"] == 1
    assert "2 frames late" in found.report.read_text()
