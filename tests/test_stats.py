import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.stats import Difference, Gain, Mean, Rate, difference, f1, r2, relative_gain


@given(st.integers(0, 200), st.integers(1, 200))
def test_interval_holds_the_rate_and_stays_in_range(successes, episodes):
    rate = Rate(min(successes, episodes), episodes)
    low, high = rate.interval

    assert 0 <= low <= rate.rate <= high <= 1


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.93])
def test_interval_covers_the_truth_at_about_the_stated_rate(truth):
    rng = np.random.default_rng(0)
    covered = 0
    for successes in rng.binomial(40, truth, size=4000):
        low, high = Rate(int(successes), 40).interval
        covered += low <= truth <= high

    assert 0.92 < covered / 4000 < 0.985


def test_known_interval():
    low, high = Rate(8, 10).interval  # Brown, Cai and DasGupta 2001, Wilson interval

    assert (low, high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(9, 10).is_above(Rate(1, 10))
    assert not Rate(6, 10).is_above(Rate(4, 10))
    assert str(Rate(8, 10)) == "0.80 [0.49, 0.94]"


def test_mean_interval_covers_the_truth_at_about_the_stated_rate():
    rng = np.random.default_rng(0)
    covered = 0
    for values in rng.beta(2, 5, size=(400, 40)):
        mean = Mean.of(values.tolist(), resamples=500)
        covered += mean.low <= 2 / 7 <= mean.high

    assert 0.89 < covered / 400 < 0.98
    assert Mean.of([0.5, 0.5]) == Mean(0.5, 0.5, 0.5)
    assert str(Mean.of([0.25])) == "0.25 [0.25, 0.25]"


def test_r2():
    truth = np.array([0.0, 1.0, 2.0])

    assert r2(truth, truth) == 1
    assert r2(truth, np.ones(3)) == 0
    assert r2(truth, -truth) < 0
    assert np.isnan(r2(np.ones(3), truth))


def test_f1():
    truth = np.array([True, True, False, False])

    assert f1(truth, truth) == 1
    assert f1(truth, ~truth) == 0
    assert f1(truth, np.array([True, False, True, False])) == pytest.approx(0.5)
    assert np.isnan(f1(np.zeros(3, bool), np.zeros(3, bool)))


def test_relative_gain_tells_chance_from_effect():
    rng = np.random.default_rng(0)
    weak, strong = rng.random((4, 60)) < 0.2, rng.random((4, 60)) < 0.6
    gain = relative_gain(strong, weak, rng)
    assert 1.0 < gain.gain < 4.0
    assert 0.5 < gain.low < gain.gain < gain.high
    chance = relative_gain(weak, rng.random((4, 60)) < 0.2, rng)
    assert chance.low < 0 < chance.high
    assert str(Gain(0.52, 0.1, 0.98)) == "+52 % [+10 %, +98 %]"


def test_difference_is_defined_where_the_control_never_succeeds():
    rng = np.random.default_rng(0)
    some, none = rng.random((3, 60)) < 0.2, np.zeros((3, 60), bool)
    found = difference(some, none, rng)
    assert found.difference == some.mean()
    assert 0 < found.low < found.difference < found.high
    assert difference(none, none, rng) == Difference(0.0, 0.0, 0.0)
    assert str(Difference(0.09, 0.04, 0.14)) == "+0.09 [+0.04, +0.14]"


def test_relative_gain_without_any_success():
    none, all_won = np.zeros((2, 5), bool), np.ones((2, 5), bool)
    rng = np.random.default_rng(0)
    assert str(relative_gain(none, none, rng)) == "not defined"
    assert np.isnan(relative_gain(all_won, none, rng).low)
    assert relative_gain(none, all_won, rng) == Gain(-1.0, -1.0, -1.0)
    with pytest.raises(ValueError, match="5 episodes against 4"):
        relative_gain(none, none[:, :4], rng)
