"""Find the caps of an overlay's sticks, of which neither picture nor place is known.

A stick can be anywhere where part of the picture moves as a whole; that needs no network. Of a
picture in which the resting patch is found a little aside, the patch there tells more than the
resting picture does: the square of the difference to the resting picture less that to the patch is
what the move *explains*. Where most is explained, in many directions, is a stick (`movers`). So are
places where something round moves (`rings`), followed by their edge or as pictures. Places where
the picture changes with what the network takes for the deflection are looked at as well.

What the cap looks like: the resting picture there, or the samples laid over each other where the
mover or the network puts the cap; then again where it was found. Of many first guesses at a place
the one is kept that goes best with that, and each stick gets the cap that explains much and goes
with what the network reads, which is noisy but not partial to any.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.caps import APART, MARGINS, TRAVELS, Cap, agreement, cut
from nitrogen.extract.rings import RingCap, rings

Gray = NDArray[np.float32]
AnyCap = Cap | RingCap

_REACH = 14
"""Pixels that a cap is looked for sideways."""
_RADII = (5.0, 7.0, 9.0, 12.0)
"""Pixels, sideways."""
_TRAVELS = (4.0, 7.0, 10.0)
"""Pixels of a full deflection, for first guesses."""
_FEW = 150
"""Samples on which first guesses are compared."""
_HOPEFUL = 4
"""First guesses at each place that are improved before the best is chosen."""
_ROUNDS = 3
_NOISE = 25.0
"""Variance that compression leaves."""
_TRUSTED = 25
"""Percentile of the correlation from which a sample teaches."""

_MOVERS = 3
"""Places where something moves as a whole, of which two may be sticks."""
_LOOKED_AT = 80
"""Samples in which movers are looked for."""
_STEP = 4
_HALF = 5
"""Half of a mover's patch sideways, in pixels, as most caps are larger than that."""
_ASIDE = 9
"""Pixels that a mover is looked for sideways."""
_SECTORS = 8
_AWAY = 1.5
"""Pixels from which a patch has moved."""
_USUAL = 6.0
"""Pixels of a full deflection, for what movers say of it."""

_WEIGHT = 0.08
"""How much the explained share, where there is any, weighs against agreement, for each pixel of the
cap's width: a small patch finds something like it more easily."""
_SEEN_WELL = 0.8
"""Agreement from which the network is taken to see a stick ..."""
_LESS = 0.15
"""... and a ring that agrees less by this much is something else."""
_MORE = 0.05
"""By how much more the picture of a cap must agree than its ring to be taken instead."""
_SIDES = 12
"""Pixels by which the left stick is left of the right one."""


class _Mover(NamedTuple):
    centre: tuple[int, int]
    at: Gray
    """(N, 2): pixels by which it is away in each picture."""


def learn(pictures: Gray, guesses: Gray, flat: float) -> list[AnyCap]:
    """The caps of the left and the right stick, as far as there are such.

    pictures: (N, H, W) high-passed samples; guesses: (N, 4) what a network takes for the
    deflections, roughly; flat: height over width of a circle in the pictures.
    """
    guesses = np.asarray(guesses - np.median(guesses, axis=0), np.float32)
    round_ones = rings(pictures, flat)
    moved = [(one.centre, one.find(pictures).at) for one in round_ones]
    moved += [(one.centre, one.at) for one in movers(pictures, flat)]
    starts = [
        (centre, np.asarray(at / (_USUAL, _USUAL * flat), np.float32)) for centre, at in moved
    ]
    for side in (guesses[:, :2], guesses[:, 2:]):
        starts += [(centre, side) for centre in _centres(_moved(pictures, side), flat)]
    found = [_learned(pictures, *start, flat) for start in starts]
    return _sided([*found, *round_ones], pictures, guesses, flat)


def _learned(pictures: Gray, centre: tuple[int, int], guesses: Gray, flat: float) -> Cap:
    """The cap of a stick at a place, whose deflections are roughly `guesses`, (N, 2)."""
    every = max(1, len(pictures) // _FEW)
    few, rough = pictures[::every], guesses[::every]
    first = list(_first(few, rough, centre, flat))
    first.sort(key=lambda cap: -agreement(cap.find(few).at, rough))
    better = [_improved(cap, few, rough, flat) for cap in first[:_HOPEFUL]]
    best = max(better, key=lambda cap: agreement(cap.find(few).at, rough))
    return _improved(best, pictures, guesses, flat)


def movers(pictures: Gray, flat: float) -> list[_Mover]:
    """Places where something moves as a whole and in many directions, most explained first."""
    every = max(1, len(pictures) // _LOOKED_AT)
    few = pictures[::every]
    half, aside = (_HALF, max(2, round(_HALF * flat))), (_ASIDE, max(4, round(_ASIDE * flat)))
    rest: Gray = np.median(few, axis=0)
    size = (2 * half[0] + 1, 2 * half[1] + 1)
    before = np.stack([cv2.blur(np.square(picture - rest), size) for picture in few])
    height, width = rest.shape
    scored = []
    left, above, right, below = MARGINS
    columns, rows = range(left, width - right, _STEP), range(above, height - below, _STEP)
    for x, y in product(columns, rows):
        at, gain = _aside(few, rest, before, (x, y), half, aside)
        scored.append((_in_all_directions(at / (1, flat), gain), (x, y)))
    scored.sort(reverse=True)
    chosen = list[tuple[int, int]]()
    for score, centre in scored:
        apart = [np.hypot(*(np.subtract(centre, other) / (1, flat))) for other in chosen]
        if score > 0 and min(apart, default=np.inf) > APART and len(chosen) < _MOVERS:
            chosen.append(centre)
    before = np.stack([cv2.blur(np.square(picture - rest), size) for picture in pictures])
    found = []
    for centre in chosen:
        at, gain = _aside(pictures, rest, before, centre, half, aside)
        found.append(_Mover(centre, at * (gain > 0)[:, None]))
    return found


def _aside(
    pictures: Gray,
    rest: Gray,
    before: Gray,
    centre: tuple[int, int],
    half: tuple[int, int],
    aside: tuple[int, int],
) -> tuple[Gray, Gray]:
    """Where the resting patch explains most, (N, 2) pixels away, and how much, (N,) per pixel.

    before: (N, H, W) mean squared difference to the rest in a patch round each pixel.
    """
    patch = cut(rest[None], centre, half)[0]
    parts = cut(pictures, centre, (half[0] + aside[0], half[1] + aside[1]))
    still = cut(before, centre, aside)
    found = np.empty((len(parts), 3), np.float32)
    for row, part, level in zip(found, parts, still, strict=True):
        gain = level - cv2.matchTemplate(part, patch, cv2.TM_SQDIFF) / patch.size
        top, left = divmod(int(gain.argmax()), gain.shape[1])
        row[:] = left - aside[0], top - aside[1], gain[top, left]
    return found[:, :2], found[:, 2]


def _in_all_directions(at: Gray, gain: Gray) -> float:
    """What is explained on average, less if it is away in few directions or very far."""
    away = np.hypot(*at.T)
    moved = (away > _AWAY) & (gain > 0)
    if not moved.any():
        return 0.0
    angles = np.arctan2(at[moved, 1], at[moved, 0])
    counts = np.histogram(angles, _SECTORS, (-np.pi, np.pi))[0]
    near = (away[moved] <= _ASIDE - 0.5).mean()
    return float((gain * moved).mean() * (counts >= 2).mean() * near)


def _sided(caps: list[AnyCap], pictures: Gray, guesses: Gray, flat: float) -> list[AnyCap]:
    """The left and the right stick's of the caps, with what they explain."""
    rest: Gray = np.median(pictures, axis=0)
    scores, seen, agrees = (np.zeros((len(caps), 2)) for _ in range(3))
    for index, cap in enumerate(caps):
        at = cap.find(pictures).at
        if isinstance(cap, Cap):
            caps[index] = cap = replace(cap, explained=_explained(cap, at, pictures, rest))
        agreed = [agreement(at, side) for side in (guesses[:, :2], guesses[:, 2:])]
        agrees[index] = agreed
        travel = np.percentile(np.hypot(*(at / (1, flat)).T), 98)
        width = cap.picture.shape[1] if isinstance(cap, Cap) else 2 * cap.radius + 1
        told = _WEIGHT * width * max(cap.explained, 0)
        scores[index] = np.add(agreed, told)
        if isinstance(cap, RingCap):
            scores[index] += np.equal(agreed, max(agreed))
            continue
        in_range = TRAVELS[0] < travel < TRAVELS[1]
        scores[index] += in_range  # what goes too far comes last
        seen[index] = agreed if in_range else 0
    for index, cap in enumerate(caps):
        if isinstance(cap, RingCap):  # where the network sees a stick well, it is not elsewhere
            scores[index] -= seen.max(axis=0) > np.maximum(_SEEN_WELL, agrees[index] + _LESS)
            here = [np.hypot(*np.subtract(cap.centre, other.centre)) < _SIDES / 2 for other in caps]
            scores[index] -= seen[here].max(axis=0) > agrees[index] + _MORE  # its picture is better

    def together(pair: tuple[int, ...]) -> float:
        left, right = pair
        apart = caps[right].centre[0] - caps[left].centre[0]
        return float(scores[left, 0] + scores[right, 1]) if apart >= _SIDES else -np.inf

    pair = max(product(range(len(caps)), repeat=2), key=together)
    if together(pair) == -np.inf:  # all at one place, so that one cannot be told from the other
        return [replace(caps[index], explained=0.0) for index in pair]
    return [caps[index] for index in pair]


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
        yield Cap(centre, reach, cut(resting, centre, half)[0], disc)
        for travel in _TRAVELS:
            at = (guesses * (travel, travel * flat)).astype(np.float32)
            yield _averaged(pictures, at, centre, reach, disc)


def _averaged(
    pictures: Gray, at: Gray, centre: tuple[int, int], reach: tuple[int, int], disc: Gray
) -> Cap:
    """The cap that pictures show on average where `at` says; pixels that vary there count less."""
    half = (disc.shape[1] // 2, disc.shape[0] // 2)
    size = (disc.shape[1], disc.shape[0])
    wide = (half[0] + reach[0] + 2, half[1] + reach[1] + 2)
    parts = cut(pictures, centre, wide)
    limited = np.clip(at, np.negative(reach), reach) + wide
    moved = np.stack([
        cv2.getRectSubPix(part, size, (float(x), float(y)))
        for part, (x, y) in zip(parts, limited, strict=True)
    ])  # fmt: skip
    spread, still = moved.var(axis=0), cut(pictures, centre, half).var(axis=0)
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


def _explained(cap: Cap, at: Gray, pictures: Gray, rest: Gray) -> float:
    """Share of the change against the rest, where the cap is found, that it explains.

    at: (N, 2) where that is. At most 1, and below 0 if the cap fits worse than the rest.
    """
    height, width = cap.picture.shape
    half = (width // 2 + cap.reach[0], height // 2 + cap.reach[1])
    parts, still = cut(pictures, cap.centre, half), cut(rest[None], cap.centre, half)[0]
    disc = _disc(width / 2, height / 2)[-height:, -width:] > 0.5
    change = gain = 0.0
    for part, place in zip(parts, at, strict=True):
        left, top = (round(float(a)) + r for a, r in zip(place, cap.reach, strict=True))
        spot = (slice(top, top + height), slice(left, left + width))
        before = float(np.square(part[spot] - still[spot])[disc].sum())
        change += before
        if np.hypot(*place) > 1:
            gain += before - float(np.square(part[spot] - cap.picture)[disc].sum())
    return gain / max(change, 1e-6)


def _disc(across: float, down: float) -> Gray:
    """An ellipse with soft edges."""
    half = (int(np.ceil(across)), int(np.ceil(down)))
    y, x = np.mgrid[-half[1] : half[1] + 1, -half[0] : half[0] + 1]
    edge = (1 - np.hypot(x / across, y / down)) * min(across, down)
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)
