"""Honest numbers: success rates with intervals, and how well actions were read.

Pure functions on arrays; knows nothing of games or networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Rate:
    """A success rate and its 95 % Wilson score interval."""

    successes: int
    episodes: int

    @property
    def rate(self) -> float:
        """Share of successes; NaN without episodes."""
        return self.successes / self.episodes if self.episodes else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval (Wilson 1927, JASA 22); (0, 1) without episodes."""
        n, z = self.episodes, Z95
        if not n:
            return 0.0, 1.0
        centre = (self.rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(self.rate * (1 - self.rate) / n + z * z / (4 * n * n))
        return max(0.0, min(self.rate, centre - half)), min(1.0, max(self.rate, centre + half))

    def is_above(self, other: "Rate") -> bool:
        """Whether the whole interval lies above the other's."""
        return self.interval[0] > other.interval[1]

    def __str__(self) -> str:
        """For tables: `0.97 [0.83, 0.99]`."""
        low, high = self.interval
        return f"{self.rate:.2f} [{low:.2f}, {high:.2f}]"


@dataclass(frozen=True)
class Mean:
    """A mean over episodes and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], *, resamples: int = 2_000) -> "Mean":
        """The percentile bootstrap (Efron 1979), drawn from a fixed seed; values: one or more."""
        array = np.asarray(values, np.float64)
        drawn = np.random.default_rng(0).integers(len(array), size=(resamples, len(array)))
        low, high = np.quantile(array[drawn].mean(axis=1), [0.025, 0.975])
        return cls(float(array.mean()), float(low), float(high))

    def __str__(self) -> str:
        """For tables: `0.41 [0.36, 0.47]`."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Gain:
    """How much more often a treatment succeeds than a control, relative to the control."""

    gain: float
    """0.5 is half as often again; NaN, with the interval, if the control never succeeds."""
    low: float
    high: float
    """95 % bootstrap interval."""

    def __str__(self) -> str:
        """For tables: `+52 % [+10 %, +98 %]`, or `not defined`."""
        if isnan(self.gain):
            return "not defined"
        return f"{self.gain:+.0%} [{self.low:+.0%}, {self.high:+.0%}]".replace("%", " %")


@dataclass(frozen=True)
class Difference:
    """How much more often a treatment succeeds than a control, as a difference of rates."""

    difference: float
    low: float
    high: float
    """95 % bootstrap interval."""

    def __str__(self) -> str:
        """For tables: `+0.09 [+0.04, +0.14]`."""
        return f"{self.difference:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def relative_gain(
    treated: NDArray[np.bool_],
    control: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    resamples: int = 10_000,
) -> Gain:
    """The relative gain in success, with a two-level bootstrap interval (Davison & Hinkley 1997).

    treated, control: (trainings, episodes), the same episodes for all. Trainings are resampled
    within each arm, episodes for both arms together. A resample in which only the control fails
    throughout counts as an infinite gain, one in which both do as none.
    """
    means = _resampled(treated, control, rng, resamples)
    if not control.any():
        return Gain(nan, nan, nan)
    sampled = _ratio(*means)
    low, high = np.quantile(sampled, [0.025, 0.975], method="nearest")
    gain = _ratio(np.array([treated.mean()]), np.array([control.mean()]))[0]
    return Gain(float(gain), float(low), float(high))


def difference(
    treated: NDArray[np.bool_],
    control: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    resamples: int = 10_000,
) -> Difference:
    """The difference in success rates, with the bootstrap interval of `relative_gain`.

    It is defined where the control never succeeds.
    """
    more, less = _resampled(treated, control, rng, resamples)
    low, high = np.quantile(more - less, [0.025, 0.975])
    return Difference(float(treated.mean() - control.mean()), float(low), float(high))


def _resampled(
    treated: NDArray[np.bool_], control: NDArray[np.bool_], rng: np.random.Generator, resamples: int
) -> list[NDArray[np.floating]]:
    """Success rates of both arms in each resample, (resamples,) each."""
    episodes = treated.shape[1]
    if control.shape[1] != episodes:
        raise ValueError(f"{episodes} episodes against {control.shape[1]}")
    columns = rng.integers(episodes, size=(resamples, 1, episodes))
    means = []
    for won in (treated, control):
        rows = rng.integers(len(won), size=(resamples, len(won), 1))
        means.append(won[rows, columns].mean(axis=(1, 2)))
    return means


def _ratio(treated: NDArray[np.floating], control: NDArray[np.floating]) -> NDArray[np.floating]:
    gain = np.where(treated > 0, np.inf, 0.0)
    some = control > 0
    gain[some] = treated[some] / control[some] - 1
    return gain


def r2(truth: NDArray[np.floating], read: NDArray[np.floating]) -> float:
    """Coefficient of determination of `read` against `truth`; NaN if the truth is constant."""
    truth, read = truth.astype(np.float64), read.astype(np.float64)
    spread = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - read) ** 2).sum() / spread) if spread > 0 else float("nan")


def f1(truth: NDArray[np.bool_], read: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall; NaN if nothing is true and nothing was read."""
    hits, total = int((truth & read).sum()), int(truth.sum()) + int(read.sum())
    return 2 * hits / total if total else float("nan")
