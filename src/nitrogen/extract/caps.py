"""Follow the cap of a stick of which neither picture nor place is known.

A cap is a small picture that moves as a whole. Where: where the pictures change with what the
network takes for the deflection, be it ever so rough. What: the resting picture there, or the
samples laid over each other where the network says the cap is; then again where the cap was found.
Of many first guesses, the best of them improved, the one is kept whose places agree best with the
network, which is noisy but not partial to any. A cap is found by normalised correlation of
high-passed luma, to fractions of a pixel, so that neither brightness nor what shines through round
it matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]

_SPREAD = 5.0
"""Standard deviation, in pixels, of the blur that the high-pass takes off."""
_REACH = 14
"""Pixels that a cap is looked for sideways."""
_RADII = (5.0, 7.0, 9.0, 12.0)
"""Pixels, sideways."""
_TRAVELS = (4.0, 7.0, 10.0)
"""Pixels of a full deflection, for first guesses from the network."""
_FEW = 150
"""Samples on which first guesses are compared."""
_HOPEFUL = 5
"""First guesses at each place that are improved before the best is chosen."""
_ROUNDS = 3
_NOISE = 25.0
"""Variance that compression leaves."""
_FAINT = 4.0
"""Variance below which there is nothing to compare."""
_TRUSTED = 25
"""Percentile of the correlation from which a sample teaches."""
_AGREED = 0.4
"""Agreement with the network from which a followed cap is believed."""
UNCLEAR = 0.3
"""Agreement below which cap and network do not see the same."""
_AGREED_OPAQUE = 0.85
"""The same on opaque pads, where the network itself is good and resting things mislead."""
_LEAST, _MOST = 1.5, 11.0
"""Travel, in pixels, that is believed."""
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
_BRIDGED = 15
"""Rows of a lost cap that are led straight over."""
_PAD = 48
"""Pixels added round a picture, more than reach and radius."""


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

    def find(self, pictures: Gray) -> Places:
        """The best place in each of the high-passed pictures (N, H, W)."""
        down, across = (size // 2 for size in self.picture.shape)
        parts = _cut(pictures, self.centre, (across + self.reach[0], down + self.reach[1]))
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


def learn(pictures: Gray, guesses: Gray, flat: float) -> Cap:
    """The cap of the stick whose deflections are roughly `guesses`, (N, 2).

    pictures: (N, H, W) high-passed samples; flat: height over width of a circle in them.
    """
    guesses = np.asarray(guesses - np.median(guesses, axis=0), np.float32)
    every = max(1, len(pictures) // _FEW)
    few, rough = pictures[::every], guesses[::every]
    hopeful = list[Cap]()
    for centre in _centres(_moved(pictures, guesses), flat):
        caps = list(_first(few, rough, centre, flat))
        caps.sort(key=lambda cap: -agreement(cap.find(few).at, rough))
        hopeful += [_improved(cap, few, rough, flat) for cap in caps[:_HOPEFUL]]
    best = max(hopeful, key=lambda cap: agreement(cap.find(few).at, rough))
    return _improved(best, pictures, guesses, flat)


def agreement(at: Gray, deflections: Gray) -> float:
    """Correlation of places and deflections, (N, 2) each, over both axes.

    An axis counts by how much it moves: in many games a stick is only pushed sideways.
    """
    one, other = at - at.mean(axis=0), deflections - deflections.mean(axis=0)
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / max(scale, 1e-6)


def deflections(places: Places, rough: Gray, flat: float, *, opaque: bool) -> Gray | None:
    """The deflections (T, 2) of a stick whose cap was found at `places`; None if not believed.

    rough: (T, 2) what the network reads, where it rests taken off; opaque: whether the overlay is.
    """
    if agreement(places.at, rough) < (_AGREED_OPAQUE if opaque else _AGREED):
        return None
    lost = places.match < _LOST * np.median(places.match)
    at = places.at / (1, flat)
    rest, travel = _gauged(at, np.hypot(*rough.T) < 0.3, lost)
    if not _LEAST < travel < _MOST:
        return None
    return _bridged(((at - rest) / travel).astype(np.float32), lost, rough)


def _gauged(
    at: Gray, near: NDArray[np.bool_], lost: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], float]:
    """Where a cap rests, (2,), and how far it goes, from its places (T, 2).

    near: where the network takes it for resting; the middle of these places is the rest. But if the
    cap goes all round, and is hardly ever there or that is far from the middle of the circle round
    all places, the circle is right.
    """
    rest = np.median(at[near] if near.sum() > _ENOUGH else at, axis=0)
    travel = float(np.percentile(np.hypot(*(at - rest).T), 98))
    kept = at[~lost]
    kept = kept[np.hypot(*(kept - rest).T) <= 1.02 * travel]
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


def _bridged(followed: Gray, lost: NDArray[np.bool_], rough: Gray) -> Gray:
    """Short stretches of a lost cap led straight over, long ones as the network reads them."""
    if not lost.any() or lost.all():
        return followed
    rows = np.arange(len(lost))
    result = np.stack([np.interp(rows, rows[~lost], axis[~lost]) for axis in followed.T], axis=1)
    edges = np.flatnonzero(np.diff(lost.astype(np.int8), prepend=0, append=0))
    for start, stop in edges.reshape(-1, 2):
        if stop - start > _BRIDGED:
            result[start:stop] = rough[start:stop]
    return result.astype(np.float32)


def _moved(pictures: Gray, guesses: Gray) -> Gray:
    """Share of each pixel's variance that goes linearly with the guesses, (H, W)."""
    change = (pictures - pictures.mean(axis=0)).reshape(len(pictures), -1)
    centred = guesses - guesses.mean(axis=0)
    slope = np.linalg.lstsq(centred, change, rcond=None)[0]
    told = np.square(centred @ slope).sum(axis=0)
    share = told / (np.square(change).sum(axis=0) + len(pictures) * 9.0)
    return np.asarray(share.reshape(pictures.shape[1:]), np.float32)


def _centres(share: Gray, flat: float, count: int = 2) -> list[tuple[int, int]]:
    """The middles of the places where most is moved."""
    smooth: Gray = np.asarray(cv2.GaussianBlur(share, (0, 0), 3.5), np.float32)
    y, x = np.mgrid[: share.shape[0], : share.shape[1]]
    found = []
    for _ in range(count):
        top, left = np.unravel_index(smooth.argmax(), smooth.shape)
        apart = np.hypot(x - left, (y - top) / flat)
        near = share * (apart < 12)
        near = near * (near > 0.3 * near.max()) + 1e-9 * (apart < 1)
        found.append((round(float((x * near).sum() / near.sum())),
                      round(float((y * near).sum() / near.sum()))))  # fmt: skip
        smooth = np.asarray(np.where(apart < 14, 0, smooth), np.float32)
    return found


def _first(pictures: Gray, guesses: Gray, centre: tuple[int, int], flat: float) -> Iterator[Cap]:
    """Caps of several sizes: as the resting picture shows them, and as the guesses place them."""
    resting = np.median(pictures, axis=0)[None]
    reach = (_REACH, max(6, round(_REACH * flat)))
    for radius in _RADII:
        disc = _disc(radius, radius * flat)
        half = (disc.shape[1] // 2, disc.shape[0] // 2)
        yield Cap(centre, reach, _cut(resting, centre, half)[0], disc)
        for travel in _TRAVELS:
            at = (guesses * (travel, travel * flat)).astype(np.float32)
            yield _averaged(pictures, at, centre, reach, disc)


def _averaged(
    pictures: Gray, at: Gray, centre: tuple[int, int], reach: tuple[int, int], disc: Gray
) -> Cap:
    """The cap that pictures show on average where `at` says; pixels that vary there count less."""
    half = (disc.shape[1] // 2, disc.shape[0] // 2)
    size = (disc.shape[1], disc.shape[0])
    parts = _cut(pictures, centre, (_PAD - 1, _PAD - 1))
    limited = np.clip(at, np.negative(reach), reach) + (_PAD - 1)
    moved = np.stack([
        cv2.getRectSubPix(part, size, (float(x), float(y)))
        for part, (x, y) in zip(parts, limited, strict=True)
    ])  # fmt: skip
    spread, still = moved.var(axis=0), _cut(pictures, centre, half).var(axis=0)
    told = np.clip(1 - spread / (still + 16), 0, 1)
    weight = disc * told / (spread + _NOISE)
    weight = weight / max(float(weight.max()), 1e-9) + 1e-4 * disc
    return Cap(centre, reach, moved.mean(axis=0), weight.astype(np.float32))


def _improved(cap: Cap, pictures: Gray, guesses: Gray, flat: float) -> Cap:
    """The cap averaged where it is found, by turns, as long as the guesses do not disagree."""
    radius = max(float(cap.picture.shape[1] // 2), 7.0)
    disc = _disc(radius, radius * flat)
    places = cap.find(pictures)
    best, most, current = cap, agreement(places.at, guesses), cap
    for _ in range(_ROUNDS):
        sure = places.match > np.percentile(places.match, _TRUSTED)
        if not sure.any():
            break
        current = _averaged(pictures[sure], places.at[sure], cap.centre, cap.reach, disc)
        places = current.find(pictures)
        agreed = agreement(places.at, guesses)
        if agreed > most - 0.002:
            best, most = current, max(most, agreed)
    return best


def _disc(across: float, down: float) -> Gray:
    """An ellipse with soft edges."""
    half = (int(np.ceil(across)), int(np.ceil(down)))
    y, x = np.mgrid[-half[1] : half[1] + 1, -half[0] : half[0] + 1]
    edge = (1 - np.hypot(x / across, y / down)) * min(across, down)
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)


def _cut(pictures: Gray, centre: tuple[int, int], half: tuple[int, int]) -> Gray:
    """The surroundings of a place, zero beyond the pictures, (N, 2 * half + 1)."""
    (x, y), (across, down) = centre, half
    padded = np.pad(pictures, ((0, 0), (_PAD, _PAD), (_PAD, _PAD)))
    rows, columns = y + _PAD - down, x + _PAD - across
    return np.ascontiguousarray(
        padded[:, rows : rows + 2 * down + 1, columns : columns + 2 * across + 1]
    )


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
