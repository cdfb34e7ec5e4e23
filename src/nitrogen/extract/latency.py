"""How far the overlay runs ahead of the game, or behind it: an estimate, never applied.

A stick that is pushed moves the picture some frames later. The lag at which changes of the sticks
and buttons agree best with changes of the game's picture (its shift, or how much of it changes) is
that of the game's answer plus that of the overlay. How far the answer differs when it is asked of
other parts of the video gives its uncertainty.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions

_EARLIEST_S, _LATEST_S = -0.2, 0.5
_BLOCK_S = 10.0
_DRAWS = 200
_CLEAR = 5.0
"""A peak counts if it stands this many standard deviations above what chance gives."""

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Latency:
    """By how much the game's picture answers after the overlay shows the input."""

    seconds: float
    """Positive: the overlay shows the input first. Includes the game's own time to answer."""
    low_s: float
    """With `high_s`: 95 % of the estimates from resampled parts of the video lie between."""
    high_s: float
    clarity: float
    """Height of the correlation's peak in standard deviations of chance."""
    signal: str
    """What was compared, for example `right_x and shift_x`."""


def estimate(
    actions: Actions, motion: NDArray[np.float32], valid: NDArray[np.bool_], rate_hz: float
) -> Latency | None:
    """The latency of T rows; None if nothing in the picture answers clearly.

    motion: (T, 3) as `trace.Scan` has it; valid: (T,), rows that may be used.
    """
    first, last = round(_EARLIEST_S * rate_hz), round(_LATEST_S * rate_hz)
    block = round(_BLOCK_S * rate_hz)
    if len(actions) < 2 * block:
        return None
    lags = np.arange(first, last + 1)
    best: tuple[float, str, NDArray[np.float64]] | None = None
    for name, cause, effect in _pairs(actions, motion, valid):
        sums = _block_products(cause, effect, lags, block)
        total = sums[0].sum(axis=0)
        spread = np.sqrt(max(sums[1].sum(), 1e-12))
        clarity = float(np.abs(total).max() / spread)
        if best is None or clarity > best[0]:
            best = clarity, name, sums[0]
    if best is None or best[0] < _CLEAR:
        return None
    clarity, name, blocks = best
    sign = np.sign(blocks.sum(axis=0)[np.abs(blocks.sum(axis=0)).argmax()])
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(blocks), (_DRAWS, len(blocks)))
    answers = [_peak(sign * blocks[draw].sum(axis=0), lags) / rate_hz for draw in draws]
    low, high = np.percentile(answers, [2.5, 97.5])
    half = 0.5 / rate_hz
    return Latency(
        seconds=round(_peak(sign * blocks.sum(axis=0), lags) / rate_hz, 4),
        low_s=round(float(low) - half, 4),
        high_s=round(float(high) + half, 4),
        clarity=round(clarity, 1),
        signal=name,
    )


def _pairs(
    actions: Actions, motion: NDArray[np.float32], valid: NDArray[np.bool_]
) -> list[tuple[str, Signal, Signal]]:
    """Changes of what is played, each beside the change that it may cause; 0 where not valid."""
    known = valid & np.isfinite(motion).all(axis=1)
    both = known & np.roll(known, 1)
    both[0] = False
    causes = {name: actions.stick(name) for name in ("left_x", "left_y", "right_x", "right_y")}
    shift = {"shift_x": motion[:, 1], "shift_y": motion[:, 2]}
    pairs = [
        (f"{cause} and {effect}", _change(causes[cause], both), _change(shift[effect], both))
        for cause in causes
        for effect in shift
        if cause[-1] == effect[-1]
    ]
    pressed = np.abs(np.diff(actions.pressed().astype(np.float64), axis=0, prepend=0)).sum(axis=1)
    moved = np.abs(np.diff(actions.sticks, axis=0, prepend=0)).sum(axis=1)
    stir = np.abs(np.diff(np.nan_to_num(motion[:, 0]), prepend=0))
    for name, cause in (("buttons", pressed), ("sticks", moved)):
        pairs.append((f"{name} and change", _centred(cause, both), _centred(stir, both)))
    return [pair for pair in pairs if pair[1].any() and pair[2].any()]


def _change(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> Signal:
    return _centred(np.diff(np.nan_to_num(values).astype(np.float64), prepend=0), valid)


def _centred(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> Signal:
    """Without its mean, outliers drawn in, and 0 where not valid."""
    if not valid.any():
        return np.zeros(len(values))
    rest = values - values[valid].mean()
    limit = 4 * rest[valid].std()
    return np.where(valid, np.clip(rest, -limit, limit), 0.0)


def _block_products(
    cause: Signal, effect: Signal, lags: NDArray[np.int64], block: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per block of rows: products at every lag, (B, L), and their variance by chance, (B,)."""
    count = len(cause) // block
    products = np.empty((count, len(lags)))
    chance = np.empty(count)
    for number in range(count):
        rows = np.arange(number * block, (number + 1) * block)
        chance[number] = (cause[rows] ** 2).sum() * (effect[rows] ** 2).mean()
        for place, lag in enumerate(lags):
            later = rows + lag
            inside = (later >= 0) & (later < len(effect))
            products[number, place] = cause[rows[inside]] @ effect[later[inside]]
    return products, chance


def _peak(curve: NDArray[np.float64], lags: NDArray[np.int64]) -> float:
    """The lag of the highest point, with a parabola's fraction."""
    best = int(curve.argmax())
    if not 0 < best < len(curve) - 1:
        return float(lags[best])
    left, middle, right = curve[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(lags[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0))
