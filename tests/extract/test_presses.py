import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.extract.presses import presses
from nitrogen.stats import f1


def column(spans, *, rows=600, level=4.5, seed=0, busy=0.0):
    """Logits of one button, pressed in the spans (start, stop); `busy` lifts a drifting game."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-3, 1, rows) + busy * np.maximum(0, np.sin(np.arange(rows) / 9))
    truth = np.zeros(rows, np.bool_)
    for start, stop in spans:
        truth[start:stop] = True
    logits[truth] = rng.normal(level, 0.4, int(truth.sum()))
    return logits.astype(np.float32)[:, None], truth[:, None]


@pytest.mark.parametrize("busy", [0.0, 3.0])
def test_presses_stand_out_from_a_busy_game(busy):
    logits, truth = column([(50, 52), (100, 130), (400, 403)], busy=busy)
    assert f1(truth, presses(logits)) == 1.0
    assert (logits[~truth] > 1).any() == bool(busy)


def test_a_press_may_falter_but_must_be_reached_by_the_rest():
    logits, truth = column([(100, 130), (300, 320)])
    logits[110:113] = 1.8  # above half of the way from -3 to 4.5
    logits[200:220] = 1.8  # as high, and never higher
    found = presses(logits)
    np.testing.assert_array_equal(found, truth)


@given(rows=st.integers(1, 40), seed=st.integers(0, 9))
def test_what_is_never_high_is_never_pressed(rows, seed):
    logits = np.random.default_rng(seed).uniform(-8, 0, (rows, 3)).astype(np.float32)
    assert not presses(logits).any()


def test_buttons_are_judged_one_by_one():
    one, first = column([(10, 40)], level=6.0, seed=1)
    other, second = column([(200, 204)], level=2.0, seed=2)
    logits = np.concatenate([one, other], axis=1)
    found = presses(logits)
    np.testing.assert_array_equal(found, np.concatenate([first, second], axis=1))
