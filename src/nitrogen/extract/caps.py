"""Find the sticks of an overlay of unknown skin, follow their caps, tell how far they are pushed.

The cap network says for every place of a picture how likely the middle of a cap is there. Over a
video that varies most where a cap comes and goes, so that sticks are found without knowing the pad
(`learn`); round each a window is then looked at in every frame. A stick moves, is seen surely, and
stays in its gate: what does not is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from nitrogen.extract.cap_network import ACROSS, STRIDE, WINDOW, CapNetwork, found, stacked
from nitrogen.extract.reader import Planes
from nitrogen.model.precision import autocast

Gray = NDArray[np.float32]

TRAVELS = (2.4, 18.0)
"""Travels, in pixels, that are believed: the least and the most."""
_LOOKED_AT = 100
"""Samples in which sticks are looked for."""
_BATCH, _WHOLE_BATCH = 64, 16
"""Windows and whole pictures that the network sees at once."""
_CANDIDATES = 5
"""Places that are looked at closely."""
_APART = 9
"""Cells between two of them."""
_SMOOTH = 2.5
"""Standard deviation, in cells, over which places are gathered."""
_SURE, _STILL = 0.55, 0.65
"""Median score from which a cap is seen that moves, and one that hardly does beside another."""
_ENDS = (3, 97)
"""Percentiles of the places on an axis that are its ends."""
_SIDES = 24
"""Pixels by which the left stick is left of the right one."""
_HOME = 2.0
"""Pixels round a place within which a cap is at it."""
_FEW = 500
"""Places that are compared to find where most are."""
_RESTS = (0.12, 0.5)
"""Share of the time that a cap must be at its rest to tell where that is: usually, and if askew."""
_ASKEW = 1.25
"""Travel from the rest, in radii of the circle round all places, from which the rest is doubted."""
_OFTEN = 0.25
"""Share of the commonest distance's count from which a distance is common."""
_UNDER = 0.45
"""Share of the other stick's travel below which a stick never went to its end."""
_BEYOND = 1.35
"""Travels from the rest from which the cap is lost: something else was seen."""
_GAP = np.radians(150)
"""Largest gap between the directions of full deflections that are taken for a whole circle."""
_LOST = 0.6
"""Share of the usual score below which the cap is lost."""
_FAR = 0.25
"""Share of the rows in which something else was seen from which the cap is not believed at all."""
_TRUSTED = (0.5, 0.8)
"""Scores from which a place is trusted a little, and fully."""
_NEAR, _STEEP, _HARDLY = 4, 6, 0.02
"""Rows before and after that tell where a cap is when it is hardly seen, the power of the score by
which they count, and the score of one where something else was seen."""


class Places(NamedTuple):
    """Where a cap is in N pictures."""

    at: Gray
    """(N, 2): x and y in pixels."""
    match: Gray
    """(N,): how sure the network is, 0..1."""


@dataclass(frozen=True, eq=False)
class Stick:
    """A window round a stick, and what stands still in it."""

    corner: tuple[int, int]
    """x and y of the window in the pictures."""
    rest: Gray
    """(H, W): the median of the pictures."""
    spread: Gray
    """(H, W): how much each pixel varies, as a standard deviation."""

    def find(self, network: CapNetwork, pictures: NDArray[np.uint8]) -> Places:
        """The cap in each of the pictures (N, H, W) of `grey`."""
        at, match = [], []
        for start in range(0, len(pictures), _BATCH):
            part = pictures[start : start + _BATCH]
            seen = torch.from_numpy(stacked(part, self.rest, self.spread, self.corner))
            seen = seen.contiguous(memory_format=torch.channels_last)
            with torch.inference_mode(), autocast("auto"):
                places, scores = found(*network(seen))
            at.append(places + np.array(self.corner, np.float32))
            match.append(scores)
        return Places(np.concatenate(at), np.concatenate(match))


def grey(planes: Planes) -> NDArray[np.uint8]:
    """The brightness of a packed crop, (H, ACROSS), its sides in proportion."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    tall = max(WINDOW // 2, 2 * STRIDE * round(ACROSS * height / width / (2 * STRIDE)))
    way = cv2.INTER_AREA if width > ACROSS else cv2.INTER_LINEAR
    luma = np.ascontiguousarray(planes[:height])
    return np.asarray(cv2.resize(luma, (ACROSS, tall), interpolation=way), np.uint8)


def learn(
    network: CapNetwork, pictures: NDArray[np.uint8], guesses: Gray
) -> tuple[Stick | None, Stick | None]:
    """The left and the right stick, as far as there are such.

    pictures: (N, H, W) samples of `grey`; guesses: (N, 4) roughly the deflections, as the reader
    sees them, which only decide the side of a single stick.
    """
    rest = np.median(pictures, axis=0).astype(np.float32)
    spread = np.asarray(pictures.std(axis=0), np.float32)
    seen = []
    for middle in _varying(network, pictures, rest, spread):
        stick = Stick(_corner(middle), rest, spread)
        at, _ = stick.find(network, pictures)
        stick = Stick(_corner(np.percentile(at, _ENDS, axis=0).mean(axis=0)), rest, spread)
        places = stick.find(network, pictures)
        sure, goes = float(np.median(places.match)), _goes(places.at)
        if sure >= _SURE and goes < TRAVELS[1]:
            seen.append((sure, goes, places, stick))
    return _sided(seen, guesses)


def _sided(
    seen: list[tuple[float, float, Places, Stick]], guesses: Gray
) -> tuple[Stick | None, Stick | None]:
    """The left and the right one of what is seen surely enough and stays in its gate."""
    moving = [one for one in seen if one[1] > TRAVELS[0]]
    still = [one for one in seen if one[1] <= TRAVELS[0] and one[0] >= _STILL]
    for candidates in (moving, moving + still):
        pairs = [
            sorted(pair, key=lambda one: one[3].corner[0])
            for pair in combinations(candidates, 2)
            if abs(pair[0][3].corner[0] - pair[1][3].corner[0]) >= _SIDES
            and max(pair[0][1], pair[1][1]) > TRAVELS[0]
        ]
        if pairs:
            left, right = max(pairs, key=lambda pair: pair[0][0] + pair[1][0])
            return left[3], right[3]
    if not moving:
        return None, None
    _, _, places, stick = max(moving, key=lambda one: one[0])
    agreed = [agreement(places.at, side) for side in (guesses[:, :2], guesses[:, 2:])]
    return (stick, None) if agreed[0] >= agreed[1] else (None, stick)


def _varying(
    network: CapNetwork, pictures: NDArray[np.uint8], rest: Gray, spread: Gray
) -> Iterator[NDArray[np.floating]]:
    """Places (2,) where a cap is now and then, the likeliest first."""
    few = pictures[:: max(1, len(pictures) // _LOOKED_AT)]
    size = (rest.shape[1] // 8 * 8, rest.shape[0] // 8 * 8)
    seen = []
    for start in range(0, len(few), _WHOLE_BATCH):
        whole = torch.from_numpy(
            stacked(few[start : start + _WHOLE_BATCH], rest, spread, (0, 0), size)
        )
        with torch.inference_mode(), autocast("auto"):
            seen.append(torch.sigmoid(network(whole)[0]).numpy())
    varies = cv2.GaussianBlur(np.concatenate(seen).std(axis=0), (0, 0), _SMOOTH)
    y, x = np.mgrid[: varies.shape[0], : varies.shape[1]]
    for _ in range(_CANDIDATES):
        row, column = np.unravel_index(varies.argmax(), varies.shape)
        yield (np.array([column, row]) + 0.5) * STRIDE
        varies = np.where(np.hypot(x - column, y - row) < _APART, -1, varies)


def _corner(middle: NDArray[np.floating]) -> tuple[int, int]:
    x, y = np.round(middle - WINDOW / 2).astype(int)
    return int(x), int(y)


def _goes(at: Gray) -> float:
    """Pixels from its home that a cap seldom exceeds."""
    return float(np.percentile(np.hypot(*(at - _home(at)).T), 95))


def agreement(at: Gray, deflections: Gray) -> float:
    """Correlation of places and deflections, (N, 2) each, over both axes.

    An axis counts by how much it moves: in many games a stick is only pushed sideways.
    """
    one, other = at - at.mean(axis=0), deflections - deflections.mean(axis=0)
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / max(scale, 1e-6)


def deflections(both: Sequence[Places | None]) -> list[Gray | None]:
    """The deflections (T, 2) of the sticks whose caps were found at these places.

    None for a stick that is not followed, or whose places are not believed. Both sticks of a pad go
    equally far, so that one that hardly moved is gauged by the other.
    """
    gauges = [None if places is None else _gauged(places) for places in both]
    most = max((travel for _, travel in filter(None, gauges)), default=0.0)
    made = list[Gray | None]()
    for places, gauge in zip(both, gauges, strict=True):
        if places is None or gauge is None or most < TRAVELS[0]:
            made.append(None)
            continue
        rest, travel = gauge
        travel = most if travel < _UNDER * most else travel
        far = np.hypot(*(places.at - rest).T) > _BEYOND * travel
        at = _steadied(places, far)
        made.append(((at - rest) / travel).astype(np.float32) if far.mean() < _FAR else None)
    return made


def _steadied(places: Places, far: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Places (T, 2) that are not trusted led towards those before and after that are surer."""
    low, high = _TRUSTED
    trust = np.clip((places.match - low) / (high - low), 0, 1) * ~far
    weight = np.maximum(np.where(far, 0, places.match), _HARDLY).astype(np.float64) ** _STEEP
    steps = np.arange(-_NEAR, _NEAR + 1)
    fall = np.exp(-2 * np.abs(steps) / _NEAR)
    weighted = np.c_[places.at * weight[:, None], weight]
    summed = cv2.filter2D(weighted, -1, fall[:, None], borderType=cv2.BORDER_CONSTANT)
    near = summed[:, :2] / summed[:, 2:]
    return np.asarray(trust[:, None] * places.at + (1 - trust[:, None]) * near)


def _home(at: Gray) -> NDArray[np.floating]:
    """Where a cap is most of the time, (2,)."""
    few = at[:: max(1, len(at) // _FEW)]
    near = np.hypot(*(few[:, None] - few[None]).transpose(2, 0, 1)) < _HOME
    return np.asarray(np.median(few[near[near.sum(axis=1).argmax()]], axis=0))


def _gauged(places: Places) -> tuple[NDArray[np.floating], float]:
    """Where a cap rests, (2,), and how far it goes.

    It rests where it is most of the time. But if it goes all round, and is hardly ever there or
    that is far from the middle of the circle round all places, the circle is right.
    """
    at = places.at[places.match >= _LOST * np.median(places.match)]
    rest = _home(at)
    away = np.hypot(*(at - rest).T)
    travel = _reach(away)
    middle, radius = cv2.minEnclosingCircle(at[away <= travel + 1].astype(np.float32))
    out = at - middle
    angles = np.sort(np.arctan2(out[:, 1], out[:, 0])[np.hypot(*out.T) > 0.85 * radius])
    if not len(angles) or np.diff(angles, append=angles[0] + 2 * np.pi).max() > _GAP:
        return rest, travel
    if (away < 0.15 * travel).mean() >= _RESTS[travel > _ASKEW * radius]:
        return rest, travel
    return np.asarray(middle), _reach(np.hypot(*out.T))


def _reach(away: Gray) -> float:
    """The distance of full deflections: the furthest at which a cap is often."""
    counts, edges = np.histogram(away[away > _HOME], np.arange(0, TRAVELS[1] + 1))
    if not counts.any():
        return float(away.max(initial=0.0))
    smooth = np.convolve(counts, [1, 1, 1], "same")
    last = edges[np.flatnonzero(smooth >= _OFTEN * smooth.max())[-1] + 1]
    return float(np.percentile(away[(away > last / 2) & (away <= last + 0.5)], 90))
