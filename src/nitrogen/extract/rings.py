"""Find the caps of sticks by their round edge, whatever is inside it.

Nearly every cap is a disc or a ring. Its edge shows where nothing else does: a faint line over a
game, a dark cap on a dark pad, a ring whose inside looks like its surroundings. It is looked for in
the change against the resting picture, so that wells and buttons, which are round too but stay, do
not count. What the game shows by chance wanders to the end of the reach; a stick stays in its gate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.caps import APART, MARGINS, Cap, Places

Gray = NDArray[np.float32]

_RADII = range(5, 13)
"""Pixels, sideways."""
_LINE = 1.0
"""Standard deviation of a line, in pixels; what is compared reaches three times as far."""
_BOUND = 25.0
"""Change beyond which it counts no more: a cap is often fainter than the game."""
_GRAIN = 2.0
"""Variance of the change below which a ring is not made out."""
_LOOKED_AT = 60
"""Samples in which places are compared."""
_WANDER = 7
"""Pixels round a place in which a ring is looked for to compare places."""
_RESTING = 0.25
"""Share of the samples that do not count there, as the stick rests."""
_PLACES = 4
"""Places that are looked at closely."""
_REACH = 10
"""Pixels that a ring is followed sideways."""
_FAINT = 0.5
"""Share of the usual likeness below which a ring was not found."""
_SURE = 0.75
"""Share of the usual likeness from which it was."""
_ENOUGH = 8
"""Samples in which the ring is elsewhere that tell what is behind it."""
_ALIKE = 0.42
"""Likeness, three samples of four below it, from which a ring is a stick's ..."""
_COMPACT = 9.6
"""... if 95 of 100 times it is within so many pixels of its middle ..."""
_AT_THE_END = 0.03
"""... and no larger share of the time at the end of the reach."""
_LOW = 0.25
"""Share of the samples that are seen worst: how well these are seen decides on the way to look."""
_BETTER = 1.2
"""How many times as much they must look like the ring for what is behind it to be taken."""
_EVENLY = 0.6
"""Share of the usual likeness that these must reach: else something at rest is seen, not a ring."""
_ROUGHLY = (11.0, 0.1)
"""The same two while what is behind the ring is not known yet."""
_ENDS = (3, 97)
"""Percentiles of the places on an axis that are its ends."""
_ASKEW = 2.5
"""Pixels between a rest and the middle of these from which it is not believed."""
_SAME = 0.7
"""Pixels between places that are taken for one: most are where the stick rests."""


@dataclass(frozen=True, eq=False)
class RingCap:
    """A cap that is known by its edge."""

    centre: tuple[int, int]
    radius: int
    edge: Cap
    """The ring as a cap, to be found in changes."""
    behind: Gray
    """(H, W): what is seen where the cap is not; changes are taken from it."""
    hides: bool
    """Nothing of it is to be seen in the changes where it rests."""
    home: tuple[float, float]
    """Pixels from the centre at which it rests."""
    explained: float
    """The likeness that three samples of four stay below."""

    def find(self, pictures: Gray) -> Places:
        """Its place in each of the high-passed pictures (N, H, W), in pixels from its home."""
        at, match = self.edge.find(_changes(pictures, self.behind))
        at -= np.array(self.home, np.float32)
        if self.hides:
            rests = match < _FAINT * self.explained
            at[rests], match[rests] = 0, self.explained
        return Places(at, np.minimum(match, np.float32(_ALIKE)))


def rings(pictures: Gray, flat: float) -> list[RingCap]:
    """The caps that are found so, most likely first.

    pictures: (N, H, W) high-passed samples; flat: height over width of a circle in the pictures.
    """
    rest: Gray = np.median(pictures, axis=0)
    changes = _changes(pictures, rest)
    every = max(1, len(pictures) // _LOOKED_AT)
    found = []
    for centre, radius, sign in _places(changes[::every], flat):
        line, near = _ring(radius, flat)
        edge = Cap(centre, (_REACH, max(4, round(_REACH * flat))), sign * line, near)
        hidden = edge.find(changes)
        if not _is_stick(hidden, edge.reach, flat, *_ROUGHLY):
            continue
        behind = _behind(pictures, rest, edge, hidden)
        shown = edge.find(_changes(pictures, behind))
        low, better = (np.quantile(places.match, _LOW) for places in (hidden, shown))
        hides = better < _BETTER * low
        places = hidden if hides else shown
        if not hides and better < _EVENLY * _usual(shown):
            continue
        if _is_stick(places, edge.reach, flat, _COMPACT, _AT_THE_END):
            home = _home(places, edge.find(rest[None]).at[0], flat)
            ground = rest if hides else behind
            found.append(RingCap(centre, radius, edge, ground, bool(hides), home, _usual(places)))
    return found


def _usual(places: Places) -> float:
    return float(np.quantile(places.match, 0.75))


def _is_stick(
    places: Places, reach: tuple[int, int], flat: float, compact: float, at_the_end: float
) -> bool:
    """Whether there is a ring, and it is held at its place."""
    usual = _usual(places)
    if usual < _ALIKE:
        return False
    at = places.at[places.match > _FAINT * usual]
    away = np.hypot(*((at - np.median(at, axis=0)) / (1, flat)).T)
    ends = (np.abs(at) > np.subtract(reach, 0.6)).any(axis=1)
    return bool(np.percentile(away, 95) <= compact and ends.mean() <= at_the_end)


def _behind(pictures: Gray, rest: Gray, edge: Cap, places: Places) -> Gray:
    """(H, W): the median of the samples in which the ring is elsewhere for sure."""
    sure = places.match > _SURE * _usual(places)
    height, width = rest.shape
    hidden = (edge.weight > np.exp(-0.5)).astype(np.float32)
    corner = np.subtract(edge.centre, (hidden.shape[1] // 2, hidden.shape[0] // 2))
    samples = pictures[sure].copy()
    for sample, at in zip(samples, places.at[sure], strict=True):
        (x, y) = corner + at
        move = np.array([[1, 0, x], [0, 1, y]], np.float32)
        sample[cv2.warpAffine(hidden, move, (width, height)) > 0.5] = np.nan
    told = np.isfinite(samples).sum(axis=0) >= _ENOUGH
    behind = rest.copy()
    behind[told] = np.nanmedian(samples[:, told], axis=0)
    return behind


def _home(places: Places, resting: Gray, flat: float) -> tuple[float, float]:
    """Where it rests: most of the time, or as the resting picture has it, or in the middle.

    The middle of its places decides which of the first two; it is taken where both are far from it.
    """
    at = places.at[places.match > _SURE * _usual(places)]
    apart = np.hypot(*np.moveaxis((at[:, None] - at[None]) / (1, flat), 2, 0))
    near = apart < _SAME
    often = at[near[near.sum(axis=1).argmax()]].mean(axis=0)
    middle = np.percentile(at, _ENDS, axis=0).mean(axis=0)
    off = [np.hypot(*((one - middle) / (1, flat))) for one in (often, resting)]
    x, y = (often, resting)[int(np.argmin(off))] if min(off) < _ASKEW else middle
    return float(x), float(y)


def _places(changes: Gray, flat: float) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Centre, radius and sign of the rings that most is like, apart from each other."""
    wander = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * _WANDER + 1, 2 * round(_WANDER * flat) + 1)
    )
    height, width = changes.shape[1:]
    left, above, right, below = MARGINS
    inside = np.zeros((height, width), np.float32)
    inside[above : height - below, left : width - right] = 1
    scored = []
    for radius, sign in product(_RADII, (1, -1)):
        ring = sign * _unit(_ring(radius, flat)[0])
        near = np.stack([cv2.dilate(_likeness(change, ring), wander) for change in changes])
        clear = np.sort(near, axis=0)[round(_RESTING * len(near)) :].mean(axis=0) * inside
        for _ in range(2):
            y, x = (int(v) for v in np.unravel_index(clear.argmax(), clear.shape))
            scored.append((float(clear[y, x]), (x, y), radius, sign))
            cv2.ellipse(clear, (x, y), (APART, round(APART * flat)), 0, 0, 360, 0, -1)
    chosen = list[tuple[int, int]]()
    for _, centre, radius, sign in sorted(scored, reverse=True):
        apart = [np.hypot(*(np.subtract(centre, other) / (1, flat))) for other in chosen]
        if min(apart, default=np.inf) > APART and len(chosen) < _PLACES:
            chosen.append(centre)
            yield centre, radius, sign


def _changes(pictures: Gray, rest: Gray) -> Gray:
    return np.asarray(np.clip(pictures - rest, -_BOUND, _BOUND), np.float32)


def _likeness(change: Gray, ring: Gray) -> Gray:
    """Correlation of a picture (H, W) with the ring at every place, at most 1."""
    size = (ring.shape[1], ring.shape[0])
    shared = cv2.filter2D(change, -1, ring, borderType=cv2.BORDER_CONSTANT)
    power = cv2.boxFilter(
        change * change, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(shared / np.sqrt(power + _GRAIN * ring.size), np.float32)


def _ring(radius: float, flat: float) -> tuple[Gray, Gray]:
    """A line round an ellipse, and its neighbourhood."""
    half = (int(np.ceil(radius)) + 3, int(np.ceil(radius * flat)) + 3)
    y, x = np.mgrid[-half[1] : half[1] + 1, -half[0] : half[0] + 1]
    off = np.hypot(x, y / flat) - radius
    line, near = (np.exp(-0.5 * np.square(off / width)) for width in (_LINE, 3 * _LINE))
    return np.asarray(line, np.float32), np.asarray(near, np.float32)


def _unit(line: Gray) -> Gray:
    """Without what is even, and of length 1."""
    even = line - line.mean()
    return np.asarray(even / np.linalg.norm(even), np.float32)
