import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, Actions
from nitrogen.errors import DataError
from nitrogen.extract.tally import SUMMARY, Tally, intervals, plain, score_of, tally
from nitrogen.overlay.synth import motion
from nitrogen.stats import f1, r2


def pair(seed, rows=400, flip=0.02):
    """Motion and a noisy reading of it."""
    rng = np.random.default_rng(seed)
    truth = motion(rng, rows, rate_hz=30)
    wrong = rng.random((rows, len(BUTTONS))) < flip
    buttons = np.where(wrong, 1 - truth.pressed(), truth.pressed()).astype(np.float32)
    sticks = np.clip(truth.sticks + rng.normal(0, 0.1, (rows, 4)), -1, 1)
    return truth, Actions(buttons, sticks)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), block=st.integers(1, 500))
def test_scores_do_not_depend_on_the_blocks_and_agree_with_their_definitions(seed, block):
    truth, read = pair(seed)
    result = score_of(tally(truth, read, block=block))

    assert result.rows == 400
    assert result.accuracy == pytest.approx((truth.pressed() == read.pressed()).mean())
    assert result.f1 == pytest.approx(f1(truth.pressed(), read.pressed()))
    for index, name in enumerate(("left_x", "left_y", "right_x", "right_y")):
        moves = truth.sticks[:, index].std() > 0.02
        expected = r2(truth.sticks[:, index], read.sticks[:, index]) if moves else math.nan
        assert result.sticks[name] == pytest.approx(expected, nan_ok=True)
    for name, one in result.buttons.items():
        true, found = truth.pressed(), read.pressed()
        column = BUTTONS.index(name)
        assert one.f1 == pytest.approx(f1(true[:, column], found[:, column]), nan_ok=True)
        assert one.accuracy == pytest.approx((true[:, column] == found[:, column]).mean())


def test_videos_are_joined_row_by_row():
    (a, b), (c, d) = pair(1, 300), pair(2, 700)
    joined = score_of(Tally.join([tally(a, b), tally(c, d)]))
    together = score_of(tally(Actions.concatenate([a, c]), Actions.concatenate([b, d])))

    assert joined.accuracy == pytest.approx(together.accuracy)
    assert joined.stick_r2 == pytest.approx(together.stick_r2)
    with pytest.raises(DataError, match="no rows"):
        Tally.join([])


def test_intervals_hold_the_score_and_shrink_with_more_blocks():
    short, long = (tally(*pair(3, rows), block=50) for rows in (500, 8000))
    spans = [intervals(counts, np.random.default_rng(0)) for counts in (short, long)]

    for name in SUMMARY:
        low, high = spans[1][name]
        assert low <= getattr(score_of(long), name) <= high
    widths = [span["accuracy"][1] - span["accuracy"][0] for span in spans]
    assert widths[1] < 0.6 * widths[0]


def test_events():
    truth = Actions.concatenate([Actions.released(20), Actions.of("south", length=5),
                                 Actions.released(25)])  # fmt: skip
    late = Actions.concatenate([Actions.released(2), truth[:-2]])
    lost = Actions.of("east", length=50)
    near, far = (score_of(tally(truth, read)) for read in (late, lost))

    assert (near.recall, near.precision, near.timing_rows) == (1, 1, 2)
    assert (far.recall, far.precision) == (0, 0)
    assert math.isnan(far.timing_rows)


def test_a_trembling_stick_is_not_judged():
    rng = np.random.default_rng(0)
    truth = Actions(np.zeros((500, 17)), rng.normal(0, 0.005, (500, 4)))
    read = Actions(np.zeros((500, 17)), np.zeros((500, 4)))

    assert math.isnan(score_of(tally(truth, read)).stick_r2)


def test_undefined_scores_become_none():
    values = plain(score_of(tally(Actions.released(5), Actions.released(5))))

    assert values["f1"] is None
    assert values["stick_r2"] is None
    assert values["accuracy"] == 1.0
    assert values["buttons"] == {}
    span = intervals(tally(Actions.released(5), Actions.released(5)), np.random.default_rng(0))
    assert plain(span["f1"]) == [None, None]
