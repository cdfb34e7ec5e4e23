"""Counts of what a reader got right, from which every score and its interval follow.

Rows are counted in blocks of some seconds. Blocks of any number of videos can be joined, and drawn
again with repetition (bootstrap) for 95 % intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.errors import DataError

NEAR = 3
"""Rows by which a press may be off and still count as found."""

_STILL = 0.02
"""An axis whose deviation is smaller only trembles; R² would judge the tremble."""

Counts = NDArray[np.float64]

_DRAWS = 400


@dataclass(frozen=True)
class ButtonScore:
    """One button over all rows."""

    accuracy: float
    f1: float
    """NaN if the button is neither pressed nor read."""
    balanced_accuracy: float
    """Mean of the rates for pressed and released rows; NaN if one of them does not occur."""
    presses: int
    """Presses that really happened."""
    recall: float
    """Share of them that were found within 3 rows."""
    precision: float
    """Share of the presses read that really happened."""
    timing_rows: float
    """Mean distance in rows of the presses found."""


@dataclass(frozen=True)
class Score:
    """One reader against the truth."""

    rows: int
    accuracy: float
    """Over all 17 buttons and rows."""
    f1: float
    """Over all buttons together."""
    balanced_accuracy: float
    """Mean over the buttons for which it is defined."""
    presses: int
    recall: float
    """Presses found within 3 rows, over all buttons together; likewise the next two."""
    precision: float
    timing_rows: float
    buttons: dict[str, ButtonScore]
    """Those that were pressed or read at least once."""
    sticks: dict[str, float]
    """R² per axis; NaN where the truth hardly moves (a deviation below 0.02)."""
    stick_r2: float
    """Mean R² of the axes that move; NaN if none does."""


SUMMARY = (
    "stick_r2", "accuracy", "f1", "balanced_accuracy", "recall", "precision", "timing_rows",
)  # fmt: skip
"""The scores that are single numbers, in the order of tables."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts by block; the first axis of each array is the block."""

    rows: Counts
    """(n,)"""
    buttons: Counts
    """(n, 17, 3): rows rightly read as pressed, wrongly read as pressed, missed."""
    presses: Counts
    """(n, 17, 5): presses, those found, presses read, those real, rows of distance of the found."""
    sticks: Counts
    """(n, 4, 3): sum of the truth, of its square, of the squared error."""

    @classmethod
    def join(cls, parts: Sequence["Tally"]) -> "Tally":
        """All blocks of all parts. Raises DataError without any."""
        if not parts:
            raise DataError("nothing to compare: no rows were read")
        fields = ("rows", "buttons", "presses", "sticks")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))

    def total(self) -> "Tally":
        """All blocks as one."""
        return Tally(*(value.sum(axis=0, keepdims=True) for value in vars(self).values()))


def tally(truth: Actions, read: Actions, *, block: int = 300) -> Tally:
    """Count `read` against `truth`, (T rows) each, in blocks of `block` rows.

    Raises DataError if their lengths differ or there are none.
    """
    if len(truth) != len(read) or not len(truth):
        raise DataError(f"nothing to compare: {len(truth)} rows of truth, {len(read)} rows read")
    starts = np.arange(0, len(truth), block)
    true, found = truth.pressed(), read.pressed()
    hits = np.stack([true & found, ~true & found, true & ~found], axis=2).astype(np.float64)
    events = np.stack([_events(true[:, i], found[:, i]) for i in range(len(BUTTONS))], axis=1)
    wanted = truth.sticks.astype(np.float64)
    moved = np.stack([wanted, wanted**2, (wanted - read.sticks) ** 2], axis=2)
    sums = [np.add.reduceat(values, starts, axis=0) for values in (hits, events, moved)]
    return Tally(np.diff(np.append(starts, len(truth))).astype(np.float64), *sums)


def score_of(counts: Tally) -> Score:
    """The scores of all blocks together."""
    total = counts.total()
    values = {name: value[0] for name, value in _metrics(*vars(total).values()).items()}
    used = total.buttons[0].sum(axis=1) > 0
    return Score(
        rows=int(total.rows[0]),
        presses=int(total.presses[0, :, 0].sum()),
        buttons={name: _button(total, index) for index, name in enumerate(BUTTONS) if used[index]},
        sticks={name: float(values["axes"][index]) for index, name in enumerate(STICKS)},
        **{name: float(values[name]) for name in SUMMARY},
    )


def intervals(
    counts: Tally, rng: np.random.Generator, *, draws: int = _DRAWS
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the SUMMARY scores, by drawing blocks with repetition; NaN if undefined."""
    blocks = len(counts.rows)
    weights = rng.multinomial(blocks, np.full(blocks, 1 / blocks), draws).astype(np.float64)
    sums = [np.tensordot(weights, value, axes=1) for value in vars(counts).values()]
    values = _metrics(*sums)
    result = {}
    for name in SUMMARY:
        drawn = values[name][~np.isnan(values[name])]
        low, high = np.percentile(drawn, (2.5, 97.5)) if len(drawn) else (math.nan, math.nan)
        result[name] = (float(low), float(high))
    return result


def plain(value: Any) -> Any:
    """Scores as values for JSON; NaN becomes None."""
    if isinstance(value, Score | ButtonScore):
        return plain(vars(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 5)
    return value


def _metrics(rows: Counts, buttons: Counts, presses: Counts, sticks: Counts) -> dict[str, Counts]:
    """Scores from sums with any leading axes."""
    good, wrong, missed = np.moveaxis(buttons, -1, 0)
    happened, found, reads, real, late = np.moveaxis(presses.sum(axis=-2), -1, 0)
    total, square, error = np.moveaxis(sticks, -1, 0)
    count = rows[..., None]
    released = count - good - missed
    balanced = (_share(good, good + missed) + _share(released - wrong, released)) / 2
    spread = square - total**2 / count
    axes = 1 - _share(error, np.where(spread > _STILL**2 * count, spread, 0))
    pooled = [part.sum(axis=-1) for part in (good, wrong, missed)]
    return {
        "accuracy": 1 - (pooled[1] + pooled[2]) / (rows * len(BUTTONS)),
        "f1": _share(2 * pooled[0], 2 * pooled[0] + pooled[1] + pooled[2]),
        "balanced_accuracy": _mean(balanced),
        "recall": _share(found, happened),
        "precision": _share(real, reads),
        "timing_rows": _share(late, found),
        "stick_r2": _mean(axes),
        "axes": axes,
    }


def _button(total: Tally, index: int) -> ButtonScore:
    """One button's scores from the sums over all blocks."""
    one = Tally(total.rows, total.buttons[:, [index]], total.presses[:, [index]], total.sticks)
    values = {name: float(v[0]) for name, v in _metrics(*vars(one).values()).items()
              if name != "axes"}  # fmt: skip
    _, wrong, missed = total.buttons[0, index]
    return ButtonScore(
        accuracy=float(1 - (wrong + missed) / total.rows[0]),
        presses=int(total.presses[0, index, 0]),
        **{name: values[name]
           for name in ("f1", "balanced_accuracy", "recall", "precision", "timing_rows")},
    )  # fmt: skip


def _events(true: NDArray[np.bool_], found: NDArray[np.bool_]) -> Counts:
    """Per row: press, found, read, real, and the distance of a press that was found."""
    starts, reads = _presses(true), _presses(found)
    distance, back = _nearest(starts, reads), _nearest(reads, starts)
    counts = np.zeros((len(true), 5))
    counts[starts, 0], counts[starts, 1] = 1, distance <= NEAR
    counts[reads, 2], counts[reads, 3] = 1, back <= NEAR
    counts[starts, 4] = np.where(distance <= NEAR, distance, 0)
    return counts


def _presses(pressed: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(pressed.astype(np.int8), prepend=0) == 1)


def _nearest(places: NDArray[np.int64], others: NDArray[np.int64]) -> Counts:
    if not len(others) or not len(places):
        return np.full(len(places), np.inf)
    after = np.clip(np.searchsorted(others, places), 0, len(others) - 1)
    before = np.clip(after - 1, 0, None)
    nearer = np.minimum(np.abs(others[after] - places), np.abs(others[before] - places))
    return np.asarray(nearer, np.float64)


def _share(part: Counts, whole: Counts) -> Counts:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean(values: Counts) -> Counts:
    """Mean over the last axis of what is defined."""
    known = ~np.isnan(values)
    return _share(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))
