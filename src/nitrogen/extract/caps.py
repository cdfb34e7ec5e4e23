"""Follow the cap of a stick, and tell how far the stick is pushed.

A cap is a small picture that moves as a whole; `cap_search` learns it from the video. It is found
by normalised correlation of high-passed luma, to fractions of a pixel, so that neither brightness
nor what shines through round it matters.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]

_SPREAD = 5.0
"""Standard deviation, in pixels, of the blur that the high-pass takes off."""
_FAINT = 4.0
"""Variance below which there is nothing to compare."""
_AGREED = 0.4
"""Agreement with the network from which a followed cap is believed."""
EXPLAINED = 0.3
"""Share of the change that a cap must explain to be believed without the network."""
UNCLEAR = 0.3
"""Agreement below which cap and network do not see the same."""
_AGREED_OPAQUE = 0.85
"""The same on opaque pads, where the network itself is good and resting things mislead."""
TRAVELS = (1.5, 11.0)
"""Travels, in pixels, that are believed: the least and the most."""
MARGINS = (8, 14, 8, 6)
"""Pixels left, above, right and below in which no stick is looked for."""
APART = 18
"""Pixels between two places that may be sticks."""
_ENOUGH = 20
"""Samples from which the middle of the resting places is taken."""
_RESTS = (0.12, 0.3)
"""Share of the time that a cap must be at its rest to tell where that is: usually, and if askew."""
_ASKEW = 1.25
"""Travel from the rest, in radii of the circle round all places, from which the rest is doubted."""
_GAP = np.radians(150)
"""Largest gap between the directions of full deflections that are taken for a whole circle."""
_LOST = 0.6
"""Share of the usual correlation below which the cap is lost."""
_FAR = 0.25
"""Share of rows further away than sticks go, from which the cap is not believed at all."""
_BRIDGED = 15
"""Rows of a lost cap that are led straight over."""


class Places(NamedTuple):
    """Where a cap is in N pictures."""

    at: Gray
    """(N, 2): x and y in pixels from the cap's usual place."""
    match: Gray
    """(N,): correlation, at most 1."""


@dataclass(frozen=True, eq=False)
class Cap:
    """A cap: its usual place, its picture, and how much each of its pixels counts."""

    centre: tuple[int, int]
    reach: tuple[int, int]
    picture: Gray
    weight: Gray
    explained: float = 0.0
    """Share of the change where it is found that it explains, at most 1; see `cap_search`."""

    def find(self, pictures: Gray) -> Places:
        """The best place in each of the high-passed pictures (N, H, W)."""
        down, across = (size // 2 for size in self.picture.shape)
        parts = cut(pictures, self.centre, (across + self.reach[0], down + self.reach[1]))
        total = float(self.weight.sum())
        mean = float((self.weight * self.picture).sum()) / total
        form = self.weight * (self.picture - mean)
        size = float(np.sqrt((form * (self.picture - mean)).sum())) + 1e-6
        found = np.empty((len(parts), 3), np.float32)
        for row, part in zip(found, parts, strict=True):
            shared = cv2.matchTemplate(part, form, cv2.TM_CCORR)
            level = cv2.matchTemplate(part, self.weight, cv2.TM_CCORR)
            power = cv2.matchTemplate(part * part, self.weight, cv2.TM_CCORR)
            spread = np.maximum(power - level * level / total, _FAINT * total)
            row[:] = _peak(np.asarray(shared / (size * np.sqrt(spread)), np.float32))
        return Places(found[:, :2] - self.reach, found[:, 2])


def high_passed(pictures: NDArray[np.uint8]) -> Gray:
    """Luma of RGB pictures (N, H, W, 3) less its surroundings, (N, H, W)."""
    made = np.empty(pictures.shape[:3], np.float32)
    for row, picture in zip(made, pictures, strict=True):
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        row[:] = luma - cv2.GaussianBlur(luma, (0, 0), _SPREAD)
    return made


def agreement(at: Gray, deflections: Gray) -> float:
    """Correlation of places and deflections, (N, 2) each, over both axes.

    An axis counts by how much it moves: in many games a stick is only pushed sideways.
    """
    one, other = at - at.mean(axis=0), deflections - deflections.mean(axis=0)
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / max(scale, 1e-6)


def deflections(
    places: Places, rough: Gray, flat: float, *, opaque: bool, explained: float = 0.0
) -> Gray | None:
    """The deflections (T, 2) of a stick whose cap was found at `places`; None if not believed.

    rough: (T, 2) what the network reads, where it rests taken off; opaque: whether the overlay is;
    explained: that of the cap.
    """
    agreed = agreement(places.at, rough)
    if agreed < (_AGREED_OPAQUE if opaque else _AGREED) and explained < EXPLAINED:
        return None
    lost = places.match < _LOST * np.median(places.match)
    at = places.at / (1, flat)
    by_network = explained < EXPLAINED or agreed >= _AGREED_OPAQUE
    near = np.hypot(*rough.T) < 0.3 if by_network else np.hypot(*at.T) < TRAVELS[0]
    rest = np.median(at[near] if near.sum() > _ENOUGH else at, axis=0)
    far = np.hypot(*(at - rest).T) > TRAVELS[1]
    if far.mean() > _FAR:
        return None
    lost |= far
    rest, travel = _gauged(at[~lost], near[~lost])
    if not TRAVELS[0] < travel < TRAVELS[1]:
        return None
    followed = ((at - rest) / travel).astype(np.float32)
    return _bridged(followed, lost, rough if by_network else followed)


def _gauged(at: Gray, near: NDArray[np.bool_]) -> tuple[NDArray[np.floating], float]:
    """Where a cap rests, (2,), and how far it goes, from its places (T, 2).

    near: where the network takes it for resting; the middle of these places is the rest. But if the
    cap goes all round, and is hardly ever there or that is far from the middle of the circle round
    all places, the circle is right.
    """
    rest = np.median(at[near] if near.sum() > _ENOUGH else at, axis=0)
    travel = float(np.percentile(np.hypot(*(at - rest).T), 98))
    kept = at[np.hypot(*(at - rest).T) <= 1.02 * travel]
    if not len(kept):
        return rest, travel
    middle, radius = cv2.minEnclosingCircle(kept.astype(np.float32))
    away = kept - middle
    angles = np.sort(np.arctan2(away[:, 1], away[:, 0])[np.hypot(*away.T) > 0.85 * radius])
    if not len(angles) or np.diff(angles, append=angles[0] + 2 * np.pi).max() > _GAP:
        return rest, travel
    rests = (np.hypot(*(at - rest).T) < 0.15 * travel).mean()
    if rests >= _RESTS[travel > _ASKEW * radius]:
        return rest, travel
    return np.asarray(middle), float(radius)


def _bridged(followed: Gray, lost: NDArray[np.bool_], instead: Gray) -> Gray:
    """Short stretches of a lost cap led straight over, long ones taken from `instead`."""
    if not lost.any() or lost.all():
        return followed
    rows = np.arange(len(lost))
    result = np.stack([np.interp(rows, rows[~lost], axis[~lost]) for axis in followed.T], axis=1)
    edges = np.flatnonzero(np.diff(lost.astype(np.int8), prepend=0, append=0))
    for start, stop in edges.reshape(-1, 2):
        if stop - start > _BRIDGED:
            result[start:stop] = instead[start:stop]
    return result.astype(np.float32)


def cut(pictures: Gray, centre: tuple[int, int], half: tuple[int, int]) -> Gray:
    """The surroundings of a place, zero beyond the pictures, (N, 2 * half + 1)."""
    (x, y), (across, down) = centre, half
    rows, columns = np.arange(y - down, y + down + 1), np.arange(x - across, x + across + 1)
    height, width = pictures.shape[1:]
    inside = np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    parts = pictures[:, rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]
    return np.ascontiguousarray(parts * inside)


def _peak(match: Gray) -> tuple[float, float, float]:
    """x and y of the largest value, with a parabola's fraction, and the value."""
    height, width = match.shape
    top, left = (int(v) for v in np.unravel_index(match.argmax(), match.shape))
    y, x = min(max(top, 1), height - 2), min(max(left, 1), width - 2)
    return (
        x + _vertex(match[y, x - 1], match[y, x], match[y, x + 1]),
        y + _vertex(match[y - 1, x], match[y, x], match[y + 1, x]),
        float(match[top, left]),
    )


def _vertex(before: float, middle: float, after: float) -> float:
    bend = float(before) - 2 * float(middle) + float(after)
    if bend > -1e-6:
        return 0.0
    return float(np.clip((float(before) - float(after)) / (2 * bend), -1, 1))
