"""Spots of an overlay that light up: where they are, and how lit each is in every frame.

Without knowing the skin, pixels that leave their resting colour together, again and again, belong
to one control. A spot is read like a known button, by a template of its own (pressed minus
released); `roles` tells which button it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]

MOST = 48
"""Spots kept, the largest first."""

_CONTRAST = 16.0
"""Smallest change that counts, in 0..255."""
_STILL = 8
"""Usual change of a pixel, in 0..255, up to which no game is seen moving through it."""
_ALIKE = 0.6
"""Share of common frames from which neighbours belong to one spot."""
_SMALLEST = 6
"""Pixels."""


class _Spot(NamedTuple):
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    template: Gray
    """(pixels, 3): lit minus resting, divided by its energy."""


class Spots:
    """The spots of one video's overlay."""

    def __init__(self, pictures: NDArray[np.uint8], rest: NDArray[np.int16]) -> None:
        """pictures: (N, H, W, 3) samples from all over the video; rest: their median."""
        self._size = rest.shape[:2]
        change = pictures.astype(np.int16) - rest
        size = np.abs(change).max(axis=3)
        usual = np.median(size, axis=0)
        height, width = usual.shape
        inner = usual[height // 4 : -height // 4, width // 5 : -width // 5]
        self.opaque = bool((inner < _STILL).mean() > 0.7)
        """Whether the game does not shine through, so that every press that lights shows."""
        lit = size > np.maximum(_CONTRAST, 4 * usual + 4)
        share = lit.mean(axis=0)
        wanted = (lit.sum(axis=0) >= 2) & (share < 0.6)
        labels = grown(lit & wanted, wanted)
        names, counts = np.unique(labels[wanted], return_counts=True)
        order = np.argsort(-counts)[:MOST]
        self._spots = [
            spot
            for name, count in zip(names[order], counts[order], strict=True)
            if count >= _SMALLEST and (spot := _learned(change, lit, labels == name)) is not None
        ]

    def __len__(self) -> int:
        """How many there are, at most MOST."""
        return len(self._spots)

    @property
    def places(self) -> Gray:
        """Centres, (S, 2): x and y in shares of the picture's size."""
        size = np.array(self._size[::-1])
        centres = [(spot.columns.mean() + 0.5, spot.rows.mean() + 0.5) for spot in self._spots]
        return np.asarray(np.array(centres).reshape(-1, 2) / size, np.float32)

    @property
    def sizes(self) -> Gray:
        """Pixels of each, (S,)."""
        return np.array([len(spot.rows) for spot in self._spots], np.float32)

    def level(self, change: NDArray[np.int16]) -> Gray:
        """How lit each spot is, nominally 0 to 1, in N pictures minus the rest: (N, MOST)."""
        levels = np.zeros((len(change), MOST), np.float32)
        for index, spot in enumerate(self._spots):
            pixels = change[:, spot.rows, spot.columns].reshape(len(change), -1)
            levels[:, index] = pixels.astype(np.float32) @ spot.template.ravel()
        return levels


def _learned(
    change: NDArray[np.int16], lit: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> _Spot | None:
    rows, columns = np.nonzero(inside)
    on = lit[:, rows, columns].mean(axis=1) > 0.5
    if on.sum() < 2 or on.all():
        return None
    pixels = change[:, rows, columns].astype(np.float32)
    template = pixels[on].mean(axis=0) - pixels[~on].mean(axis=0)
    energy = float((template**2).sum())
    return _Spot(rows, columns, template / energy) if energy > 0 else None


def grown(
    lit: NDArray[np.bool_], wanted: NDArray[np.bool_], least: float = _ALIKE
) -> NDArray[np.intp]:
    """Labels (H, W): neighbours that are lit in the same frames get the same one.

    least: share of common frames, of those in which either is lit.
    """
    height, width = wanted.shape
    labels = np.arange(height * width).reshape(height, width)
    across = _alike(lit[:, :, :-1], lit[:, :, 1:], least) & wanted[:, :-1] & wanted[:, 1:]
    down = _alike(lit[:, :-1], lit[:, 1:], least) & wanted[:-1] & wanted[1:]
    for _ in range(height + width):
        before = labels.copy()
        for one, other, joined in (
            (labels[:, :-1], labels[:, 1:], across),
            (labels[:-1], labels[1:], down),
        ):
            lower = np.minimum(one, other)
            one[joined] = lower[joined]
            other[joined] = np.minimum(other, lower)[joined]
        if np.array_equal(before, labels):
            break
    return labels


def _alike(one: NDArray[np.bool_], other: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    both, either = (one & other).sum(axis=0), (one | other).sum(axis=0)
    return np.asarray(both >= least * np.maximum(either, 1))
