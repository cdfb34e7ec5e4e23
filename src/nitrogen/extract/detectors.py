"""Linear detectors: one weight picture per control, applied to many crops in one product.

A detector answers "how much of this difference is in the crop?". Its weights are the difference
between pressed and released, whitened by what else varies there (Fisher's linear discriminant): on
an opaque skin it looks at the sprite, over a busy picture it learns which pixels can be trusted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]

_NOISE = 12.0
"""Variance that compression leaves on a still picture, in grey levels squared."""


@dataclass(frozen=True, eq=False)
class Detector:
    """A patch of the crop and the weights on it; response 1 is the modelled difference."""

    rows: slice
    columns: slice
    weights: Gray
    """(h, w)"""
    spread: float
    """Standard deviation of the response on released samples."""


def fit(difference: Gray, samples: Gray, level: float) -> Detector | None:
    """The detector of `difference`, (H, W), from `samples`, (N, H, W), minus their median.

    level: the response that a press is expected to give; samples beyond half of it are left out of
    the statistics, so that a slightly wrong difference does not cancel itself. None if the
    difference cannot be seen.
    """
    seen = np.abs(difference) > 1.0
    if seen.sum() < 4:
        return None
    rows, columns = _patch(seen, margin=4)
    wanted = difference[rows, columns].ravel().astype(np.float64)
    rest = samples[:, rows, columns].reshape(len(samples), -1).astype(np.float64)
    plain = rest @ wanted / (wanted @ wanted)
    still = rest[np.abs(plain) < 0.5 * level]
    if len(still) >= 8:
        still = still - still.mean(axis=0)
    weights = _whiten(wanted, still)
    response = still @ weights
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return Detector(
        rows,
        columns,
        weights.reshape(shape).astype(np.float32),
        float(response.std()) + 1e-6 if len(still) else 1.0,
    )


def apply(detectors: list[Detector], crops: Gray) -> Gray:
    """Responses of all detectors to (N, H, W) crops minus the median: (N, D)."""
    result = np.empty((len(crops), len(detectors)), np.float32)
    for index, detector in enumerate(detectors):
        patch = crops[:, detector.rows, detector.columns].reshape(len(crops), -1)
        result[:, index] = patch @ detector.weights.ravel()
    return result


def _whiten(wanted: NDArray[np.float64], rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """(covariance of rest + noise)^-1 wanted, scaled to respond 1 to `wanted`."""
    count = max(len(rest), 1)
    load = _NOISE + 0.1 * float((rest**2).mean()) if len(rest) else _NOISE
    inner = rest @ rest.T / count
    inner[np.diag_indices(len(rest))] += load
    weights = wanted - rest.T @ np.linalg.solve(inner, rest @ wanted) / count
    return np.asarray(weights / (weights @ wanted))


def _patch(seen: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), min(int(rows[-1]) + margin + 1, seen.shape[0])),
        slice(max(int(columns[0]) - margin, 0), min(int(columns[-1]) + margin + 1, seen.shape[1])),
    )


def threshold(trace: NDArray[np.float32], level: float, *, absolute: float) -> tuple[float, float]:
    """Where to cut a trace of responses into released and pressed: the two levels.

    trace: responses against the median picture, (T,); level: expected height of a press; absolute:
    response of the median picture against the drawn released skin, which tells a button that is
    held nearly always from one that never is.
    """
    low, high = trace < -0.5 * level, trace > 0.5 * level
    held = low.sum() > 3 * high.sum() and (low.mean() > 0.05 or absolute > 0.3 * level)
    held = held and low.mean() > 0.01
    held |= absolute > 0.7 * level and high.mean() < 0.01
    released = -level if held else 0.0
    pressed = released + level
    for _ in range(10):
        cut = (released + pressed) / 2
        above, below = trace[trace > cut], trace[trace <= cut]
        if len(below) >= 5:
            released = float(np.median(below))
        if len(above) >= 3:
            pressed = float(np.median(above))
        pressed = max(pressed, released + 0.5 * level)
    return released, pressed
