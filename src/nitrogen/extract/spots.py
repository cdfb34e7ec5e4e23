"""Spots of an overlay that light up: where they are, and how lit each is in every frame.

Without knowing the skin, pixels that leave their resting colour together, again and again, belong
to one control. A spot is read like a known button, by a template of its own (pressed minus
released); `roles` tells which button it is.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.roles import is_switch

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


_MIRRORED = 0.1
"""Share of the width by which the middle of a pad may be off the picture's."""
_HELD_SMALLEST, _HELD_STILL, _HELD_CHROMA, _HELD_BETWEEN = 20, 20, 48, 0.4
"""What may be a control that is held most of the time: so many pixels, with this usual change at
most, of a colour, not a grey, and with so large a share of half-lit samples."""
_OTHER, _NEARER = 24.0, 0.5
"""How far the resting colour must be from that of the other side, and how much nearer the other
picture must be to it, for a control that is held most of the time."""


_HALF, _SELDOM, _LIKE = 0.35, 0.2, 1.6
"""Share of the time from which a spot may rest as held, and up to which another tells, if neither
is so many times as large as the other."""


class _Spot(NamedTuple):
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    template: Gray
    """(pixels, 3): lit minus resting, divided by its energy."""
    lit: Gray
    """(pixels, 3)."""
    held: bool = False
    """Whether it rests as held, and what is called lit is its release."""


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
        large = [
            _learned(change, lit, labels == name, rest)
            for name, count in zip(names[order], counts[order], strict=True)
            if count >= _SMALLEST
        ]
        found = [spot for spot in large if spot is not None]
        steady = np.array([
            len(spot.rows) >= _HELD_SMALLEST
            and bool(np.median(usual[spot.rows, spot.columns]) < _HELD_STILL)
            and _chroma(spot, rest) > _HELD_CHROMA
            and is_switch(_level(spot, change), _HELD_BETWEEN)
            for spot in found
        ], np.bool_)  # fmt: skip
        held = (_held(found, rest) & steady) | _swapped(found, rest, change)
        self._spots = [spot._replace(held=bool(one)) for spot, one in zip(found, held, strict=True)]
        self.released = rest.copy()
        """The resting picture with the controls that are held most of the time released."""
        for spot in self._spots:
            if spot.held:
                self.released[spot.rows, spot.columns] = spot.lit

    def __len__(self) -> int:
        """How many there are, at most MOST."""
        return len(self._spots)

    @property
    def places(self) -> Gray:
        """Centres, (S, 2): x and y in shares of the picture's size."""
        return centres(self._spots, self._size)

    @property
    def sizes(self) -> Gray:
        """Pixels of each, (S,)."""
        return np.array([len(spot.rows) for spot in self._spots], np.float32)

    def level(self, change: NDArray[np.int16]) -> Gray:
        """How pressed each spot is, nominally 0 to 1, in N pictures minus the rest: (N, MOST)."""
        levels = np.zeros((len(change), MOST), np.float32)
        for index, spot in enumerate(self._spots):
            level = _level(spot, change)
            levels[:, index] = 1 - level if spot.held else level
        return levels


class Patch(Protocol):
    """Pixels of a picture."""

    @property
    def rows(self) -> NDArray[np.intp]:
        """Of each pixel."""

    @property
    def columns(self) -> NDArray[np.intp]:
        """Of each pixel."""


def centres(patches: Sequence[Patch], size: tuple[int, ...]) -> Gray:
    """Of patches, (S, 2): x and y in shares of the size (height, width) of the picture."""
    middles = [(patch.columns.mean() + 0.5, patch.rows.mean() + 0.5) for patch in patches]
    return np.asarray(np.array(middles).reshape(-1, 2) / np.array(size[::-1]), np.float32)


def _learned(
    change: NDArray[np.int16],
    lit: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    rest: NDArray[np.int16],
) -> _Spot | None:
    rows, columns = np.nonzero(inside)
    on = lit[:, rows, columns].mean(axis=1) > 0.5
    if on.sum() < 2 or on.all():
        return None
    pixels = change[:, rows, columns].astype(np.float32)
    template = pixels[on].mean(axis=0) - pixels[~on].mean(axis=0)
    energy = float((template**2).sum())
    picture = pixels[on].mean(axis=0) + rest[rows, columns]
    return _Spot(rows, columns, template / energy, picture) if energy > 0 else None


def _level(spot: _Spot, change: NDArray[np.int16]) -> Gray:
    """How lit a spot is in pictures minus the rest (N, H, W, 3), (N,)."""
    pixels = change[:, spot.rows, spot.columns].reshape(len(change), -1)
    return np.asarray(pixels.astype(np.float32) @ spot.template.ravel(), np.float32)


def _held(spots: list[_Spot], rest: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which spots rest as held: controls have a counterpart on the other side of the pad.

    A median shows what a control looks like most of the time, which in a race is held down. Its
    counterpart then looks like what the median takes for the exception.
    """
    axis = _axis(rest)
    flags = np.zeros(len(spots), np.bool_)
    others = []
    for index, spot in enumerate(spots):
        columns = axis - spot.columns
        inside = (columns >= 0) & (columns < rest.shape[1])
        others.append({*zip(spot.rows[inside].tolist(), columns[inside].tolist(), strict=True)})
        if not inside.any():
            continue
        other = rest[spot.rows[inside], columns[inside]].mean(axis=0)
        resting = np.linalg.norm(rest[spot.rows, spot.columns].mean(axis=0) - other)
        lit = np.linalg.norm(spot.lit.mean(axis=0) - other)
        flags[index] = resting > _OTHER and lit < _NEARER * resting
    for one, other in product(np.flatnonzero(flags), np.flatnonzero(flags)):
        both = {*zip(spots[other].rows.tolist(), spots[other].columns.tolist(), strict=True)}
        if others[one] & both and _chroma(spots[one], rest) < _chroma(spots[other], rest):
            flags[one] = False  # one lit, one held: the stronger colour is that of a press
    return flags


def _swapped(
    spots: list[_Spot], rest: NDArray[np.int16], change: NDArray[np.int16]
) -> NDArray[np.bool_]:
    """Which spots rest as held: another of their size looks the other way round, and seldom so."""
    resting = [rest[spot.rows, spot.columns].mean(axis=0) for spot in spots]
    lit = [spot.lit.mean(axis=0) for spot in spots]
    often = [float((_level(spot, change) > 0.5).mean()) for spot in spots]
    flags = np.zeros(len(spots), np.bool_)
    for one, other in product(range(len(spots)), repeat=2):
        size = len(spots[one].rows) / len(spots[other].rows)
        if often[one] < _HALF or often[other] > _SELDOM or not 1 / _LIKE < size < _LIKE:
            continue
        crossed = np.linalg.norm(resting[one] - lit[other])
        crossed += np.linalg.norm(lit[one] - resting[other])
        flags[one] |= bool(crossed < _NEARER * np.linalg.norm(resting[one] - lit[one]))
    return flags


def _axis(rest: NDArray[np.int16]) -> int:
    """The sum of a pixel's column and that of its mirror image."""
    gray = rest.astype(np.float32).mean(axis=2)
    edges = np.hypot(*np.gradient(gray))
    edges -= edges.mean()
    width = edges.shape[1]
    sums = range(width - 1 - round(_MIRRORED * width), width + round(_MIRRORED * width))

    def alike(total: int) -> float:
        columns = np.arange(max(0, total - width + 1), min(width, total + 1))
        one, other = edges[:, columns], edges[:, total - columns]
        return float((one * other).sum() / len(columns))

    return max(sums, key=alike)


def _chroma(spot: _Spot, rest: NDArray[np.int16]) -> float:
    colour = rest[spot.rows, spot.columns].mean(axis=0)
    return float(colour.max() - colour.min())


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
