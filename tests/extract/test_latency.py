import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.extract.latency import estimate
from nitrogen.overlay.synth import motion

RATE_HZ = 60
ROWS = 60 * RATE_HZ


def answered(lag, *, noise=0.3, seed=0):
    """A pad whose right stick turns the view `lag` rows later, among the game's own movement."""
    rng = np.random.default_rng(seed)
    actions = motion(rng, ROWS, rate_hz=RATE_HZ)
    seen = np.roll(actions.stick("right_x"), lag) * -0.02
    drift = np.cumsum(rng.normal(0, 1, ROWS)) * 1e-4
    seen = seen + drift + rng.normal(0, noise * 0.02, ROWS)
    motions = np.stack([np.abs(seen) * 100, seen, rng.normal(0, 0.01, ROWS)], axis=1)
    return actions, motions.astype(np.float32)


@settings(deadline=None, max_examples=6)
@given(lag=st.integers(-6, 20))
def test_a_known_lag_lies_in_the_interval(lag):
    actions, motions = answered(lag)

    found = estimate(actions, motions, np.ones(ROWS, np.bool_), RATE_HZ)

    assert found is not None
    assert "right_x" in found.signal
    assert found.low_s <= lag / RATE_HZ <= found.high_s
    assert found.seconds == pytest.approx(lag / RATE_HZ, abs=1 / RATE_HZ)


def test_nothing_answers_nothing_is_said():
    actions, _ = answered(3)
    _, motions = answered(3, seed=9)

    assert estimate(actions, motions, np.ones(ROWS, np.bool_), RATE_HZ) is None


def test_rows_that_are_not_valid_do_not_count():
    actions, motions = answered(5)
    valid = np.ones(ROWS, np.bool_)
    valid[1000:2000] = False
    motions[1000:2000] = np.random.default_rng(1).normal(0, 10, (1000, 3))
    motions[0] = np.nan

    found = estimate(actions, motions, valid, RATE_HZ)

    assert found is not None
    assert found.seconds == pytest.approx(5 / RATE_HZ, abs=1 / RATE_HZ)


def test_a_short_clip_says_nothing():
    assert (
        estimate(Actions.released(100), np.zeros((100, 3), np.float32), np.ones(100, bool), 60)
        is None
    )
