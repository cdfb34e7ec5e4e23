"""Which button a spot is.

Four spots in a diamond are face buttons or a directional pad; others go by their place and by what
the network sees when they are lit.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX

Gray = NDArray[np.float32]

FACE = ("north", "south", "west", "east")
TRIGGERS = ("left_trigger", "right_trigger")
ARMS = ("dpad_up", "dpad_down", "dpad_left", "dpad_right")

_PLACES = {
    "left_shoulder": (0.22, 0.2), "right_shoulder": (0.78, 0.2),
    "left_trigger": (0.22, 0.08), "right_trigger": (0.78, 0.08),
    "back": (0.4, 0.36), "start": (0.6, 0.36), "guide": (0.5, 0.3),
    "left_thumb": (0.27, 0.55), "right_thumb": (0.68, 0.65),
}  # fmt: skip
"""Usual centres, in shares of the overlay's size."""
_LOOSE = {"left_thumb": 0.25, "right_thumb": 0.25}
_RIGHT = 0.6
"""Share of the width from which two buttons may be the only face buttons."""
_ACROSS, _LEVEL = (0.05, 0.35), 0.35
"""Shares of the width between buttons side by side, and of that, by how much one may be higher."""
_COST, _HEARD = 0.35, 0.3
"""Most that a diamond may be off, and by how much the network's full agreement counts."""
_SURE, _CERTAIN = 0.75, 0.6
"""Score from which a spot is given to a button outside the diamonds, and one that is certain."""
_LARGE = 12
"""Pixels from which a spot is certain."""
_SWITCHING, _STEADY, _FILLING = 0.12, 0.35, 0.8
"""Share of half-lit rows, by those that are lit, from which a spot is no switch, a certain one is
none, and it isn't a trigger that fills either."""


def assign(
    places: Gray,
    sizes: Gray,
    levels: Gray,
    pressed: Gray,
    sticks: Gray,
    *,
    two_faces: bool = False,
    certain: int = 0,
) -> dict[str, list[int]]:
    """The spots of each button found.

    places: (S, 2) centres, x and y in shares of the overlay's size; sizes: (S,) pixels; levels:
    (T, S) how lit each is; pressed: (T, 17) probabilities of the network; sticks: (T, 4) its
    deflections. A spot that goes with a stick rather than with a button is the edge of its cap.
    two_faces: the pad may have two face buttons side by side, which are then south and east.
    certain: so many of the spots, the first ones, are surely controls.
    """
    switched = [
        s
        for s in range(len(places))
        if is_switch(levels[:, s], _FILLING if s < certain else _SWITCHING)
    ]
    steady = [s for s in switched if is_switch(levels[:, s], _STEADY)]
    groups = _merged(switched, levels)
    filling = {g for g, group in enumerate(groups) if group[0] not in steady}
    centres = np.array([places[group[0]] for group in groups]).reshape(-1, 2)
    areas = np.array([sizes[group[0]] for group in groups])
    found: dict[str, list[int]] = {}
    taken = set(filling)
    lit = np.stack([levels[:, group[0]] for group in groups], axis=1) if groups else levels[:, :0]
    told = correlations(np.clip(lit, 0, 1), pressed)
    for names, side in ((FACE, 1), (ARMS, -1)):
        agreed = told[:, [BUTTON_INDEX[name] for name in names]]
        diamond = _diamond(centres, areas, agreed, side, taken)
        if diamond is not None:
            taken |= set(diamond)
            found |= {name: groups[g] for name, g in zip(names, diamond, strict=True)}
        elif side == 1 and two_faces and (pair := _pair(centres, areas)) is not None:
            taken |= set(pair)
            found |= {name: groups[g] for name, g in zip(("south", "east"), pair, strict=True)}
    taken -= filling
    rest = [g for g in range(len(groups)) if g not in taken]
    seen = told[rest]
    pushed = np.concatenate([sticks, np.abs(sticks)], axis=1)
    moving = np.abs(correlations(np.clip(lit[:, rest], 0, 1), pushed))
    known = np.array([groups[g][0] < certain and areas[g] >= _LARGE for g in rest], np.bool_)
    kept = (seen > moving.max(axis=1, initial=0)[:, None]) | known[:, None]
    seen = np.where(kept, seen, 0)
    open_names = [name for name in (*_PLACES, *FACE, *ARMS) if name not in found]
    scores = [
        (1.5 * float(seen[row, BUTTON_INDEX[name]]) + _prior(name, centres[g]), name, g, row)
        for (row, g), name in product(enumerate(rest), open_names)
        if g not in filling or name in TRIGGERS
    ]
    for score, name, g, row in sorted(scores, reverse=True):
        enough = _CERTAIN if known[row] else _SURE
        if score < enough or name in found or g in taken:
            continue
        kin = next((names for names in (FACE, ARMS) if name in names), ())
        others = [found[one][0] for one in kin if one in found and found[one][0] < certain]
        if not known[row] or all(_akin(areas[g], sizes[other]) for other in others):
            found[name] = groups[g]
            taken.add(g)
    return found


def is_switch(level: Gray, most: float = _SWITCHING) -> bool:
    """Whether a spot is either lit or not, as a button is and the edge of a stick's cap is not.

    most: share of half-lit rows among the lit from which it is not.
    """
    lit = int((level > 0.5).sum())
    between = int(((level > 0.25) & (level < 0.75)).sum())
    return 2 <= lit < 0.7 * len(level) and between < most * lit


def correlations(one: Gray, other: Gray) -> Gray:
    """(A, B) for columns (T, A) and (T, B); 0 where a column is constant."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(other, axis=0))
    return np.asarray(np.divide(one.T @ other, scale, out=np.zeros_like(scale), where=scale > 1e-6))


def _akin(one: float, other: float) -> bool:
    """Whether two areas are alike enough for buttons of one diamond."""
    return max(one, other) <= 2.5 * min(one, other)


def _prior(name: str, place: Gray) -> float:
    """From 0.6 at a button's usual place to less than nothing far from it."""
    if name in FACE or name in ARMS:
        return 0.3 if (place[0] > 0.5) == (name in FACE) else -1.0
    if (name.startswith("left") and place[0] > 0.5) or (
        name.startswith("right") and place[0] < 0.5
    ):
        return -1.0
    apart = np.hypot(*(place - _PLACES[name])) / _LOOSE.get(name, 0.14)
    most = 0.25 if name in _LOOSE else 0.6
    return float(most * np.exp(-(apart**2) / 2) - 0.1 * min(apart, 3))


def _merged(spots: Sequence[int], levels: Gray) -> list[list[int]]:
    """Spots that are lit in the same frames together, the largest first."""
    lit = levels > 0.5
    groups: list[list[int]] = []
    for spot in spots:
        for group in groups:
            both = (lit[:, spot] & lit[:, group[0]]).sum()
            if both > 0.85 * (lit[:, spot] | lit[:, group[0]]).sum():
                group.append(spot)
                break
        else:
            groups.append([spot])
    return groups


def _pair(centres: Gray, areas: Gray) -> tuple[int, int] | None:
    """Left and right of the only two alike that are side by side on the right."""
    free = [g for g in range(len(centres)) if centres[g, 0] > _RIGHT]
    pairs = []
    for a, b in product(free, free):
        across, down = centres[b] - centres[a]
        alike = max(areas[a], areas[b]) < 1.6 * min(areas[a], areas[b])
        if _ACROSS[0] < across < _ACROSS[1] and abs(down) < _LEVEL * across and alike:
            pairs.append((a, b))
    return pairs[0] if len(pairs) == 1 else None


def _diamond(
    centres: Gray, areas: Gray, agreed: Gray, side: int, taken: set[int]
) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of the best diamond right (1) or left (-1) of the middle.

    agreed: (G, 4) correlation of the network's top, bottom, left and right button with each.
    """
    free = [
        g for g in range(len(centres)) if g not in taken and (centres[g, 0] - 0.5) * side > 0.02
    ]
    upright, level = [], []
    for a, b in product(free, free):
        across, down = centres[b] - centres[a]
        if 0.08 < down < 0.5 and abs(across) < 0.2 * down:
            upright.append((a, b))
        if _ACROSS[0] < across < _ACROSS[1] and abs(down) < _LEVEL * across:
            level.append((a, b))
    best, chosen = math.inf, None
    for (top, bottom), (left, right) in product(upright, level):
        four = [top, bottom, left, right]
        if len(set(four)) < 4 or not _akin(areas[four].max(), areas[four].min()):
            continue
        size = np.array(
            [centres[right, 0] - centres[left, 0], centres[bottom, 1] - centres[top, 1]]
        )
        middle = (centres[[left, right]].mean(axis=0) - centres[[top, bottom]].mean(axis=0)) / size
        ratio = abs(np.log(size[1] / size[0] / 1.45))
        cost = float(np.abs(middle).sum()) + 0.3 * ratio
        with_it = cost - _HEARD * float(agreed[four, range(4)].mean())
        if cost < _COST and with_it < best:
            best, chosen = with_it, (top, bottom, left, right)
    return chosen
