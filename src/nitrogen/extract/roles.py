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

_PLACES: dict[str, tuple[tuple[float, float], ...]] = {
    "left_shoulder": ((0.22, 0.2),), "right_shoulder": ((0.78, 0.2),),
    "left_trigger": ((0.22, 0.08),), "right_trigger": ((0.78, 0.08),),
    "back": ((0.4, 0.36), (0.42, 0.55), (0.44, 0.58), (0.29, 0.33)),
    "start": ((0.6, 0.36), (0.58, 0.55), (0.56, 0.58), (0.71, 0.33)),
    "guide": ((0.5, 0.3), (0.5, 0.6)),
    "left_thumb": ((0.27, 0.55),), "right_thumb": ((0.68, 0.65),),
}  # fmt: skip
"""Usual centres, in shares of the overlay's size."""
_STICKLESS: dict[str, tuple[tuple[float, float], ...]] = {
    "left_shoulder": ((0.22, 0.05),), "right_shoulder": ((0.78, 0.05),),
    "back": ((0.4, 0.7), (0.43, 0.6)), "start": ((0.53, 0.7), (0.54, 0.6)),
}  # fmt: skip
"""Also, on a pad without sticks."""
_RARER = {"left_trigger": 0.15, "right_trigger": 0.15}
"""By how much less likely these are there."""
_WITH_STICKS = ("left_thumb", "right_thumb", "guide")
"""Buttons that a pad without sticks does not have."""
_DIAMOND = {
    "north": (0, -1), "south": (0, 1), "west": (-1, 0), "east": (1, 0),
    "dpad_up": (0, -1), "dpad_down": (0, 1), "dpad_left": (-1, 0), "dpad_right": (1, 0),
}  # fmt: skip
"""Places of the buttons of a diamond about its middle, right and down."""
_NEAR = 0.3
"""What a small spot's place must tell."""
SELDOM, SELDOM_MOST = ("back", "start", "guide"), 0.2
"""Buttons that are held for no larger share of the time."""
_LOOSE = {"left_thumb": 0.25, "right_thumb": 0.25}
_RIGHT = 0.6
"""Share of the width from which two buttons may be the only face buttons."""
_ACROSS, _LEVEL = (0.05, 0.35), 0.35
"""Shares of the width between buttons side by side, and of that, by how much one may be higher."""
_COST, _HEARD = 0.35, 0.3
"""Most that a diamond may be off, and by how much the network's full agreement counts."""
_RIVAL = 0.6
"""Correlation with the network from which another spot is the button, and a diamond is none."""
_SURE, _CERTAIN = 0.75, 0.55
"""Score from which a spot is given to a button outside the diamonds, and one that is certain."""
_LARGE, _PLAIN = 12, 40
"""Pixels from which a spot is certain: one that was said to be so, and any, where no stick's cap
can be taken for a control."""
_SWITCHING, _STEADY, _FILLING = 0.12, 0.35, 0.8
"""Share of half-lit rows, by those that are lit, from which a spot is no switch, a certain one is
none, and it isn't a trigger that fills either."""
_BESIDE, _FAR, _LEAST = 0.35, 0.3, 0.02
"""What it counts that a spot stands right to the others of its diamond; how far from them it may
be, and how far it must be to either side, in shares of the overlay's size."""


def assign(
    places: Gray,
    sizes: Gray,
    levels: Gray,
    pressed: Gray,
    sticks: Gray,
    *,
    two_faces: bool = False,
    certain: int = 0,
    stickless: bool = False,
) -> dict[str, list[int]]:
    """The spots of each button found.

    places: (S, 2) centres, x and y in shares of the overlay's size; sizes: (S,) pixels; levels:
    (T, S) how lit each is; pressed: (T, 17) probabilities of the network; sticks: (T, 4) its
    deflections. A spot that goes with a stick rather than with a button is the edge of its cap.
    two_faces: the pad may have two face buttons side by side, which are then south and east.
    certain: so many of the spots, the first ones, are controls, whatever the network thinks.
    stickless: the pad has no sticks, nothing to click on them, no guide button, and triggers only
    beside shoulders.
    """
    switched = [
        s
        for s in range(len(places))
        if is_switch(levels[:, s], _FILLING if s < certain else _SWITCHING)
    ]
    groups = _merged(switched, levels)
    first = [group[0] for group in groups]
    centres, areas = places[first].reshape(-1, 2), sizes[first]
    lit = np.clip(levels[:, first], 0, 1)
    often = (lit > 0.5).mean(axis=0)
    told = correlations(lit, pressed)
    known = {g for g, spot in enumerate(first) if spot < certain and areas[g] >= _LARGE}
    filling = {g for g, spot in enumerate(first) if not is_switch(levels[:, spot], _STEADY)}
    small = {g for g, spot in enumerate(first) if spot < certain} - known
    plain = {g for g in range(len(groups)) if stickless and areas[g] >= _PLAIN}
    never = {*(_WITH_STICKS if stickless else ())}
    if stickless and two_faces:
        never |= {"north", "west"}
    found: dict[str, int] = {}
    for names, side in ((FACE, 1), (ARMS, -1)):
        taken = filling | small | set(found.values())
        agreed = told[:, [BUTTON_INDEX[name] for name in names]]
        diamond = _diamond(centres, areas, agreed, side, taken)
        if diamond is not None and not any(
            agreed[g].max() > _RIVAL for g in known - taken - set(diamond)
        ):
            found |= dict(zip(names, diamond, strict=True))
        elif side == 1 and two_faces and (pair := _pair(centres, areas)) is not None:
            found |= dict(zip(("south", "east"), pair, strict=True))
    pushed = np.concatenate([sticks, np.abs(sticks)], axis=1)
    moving = np.abs(correlations(lit, pushed)).max(axis=1, initial=0)
    seen = np.where((told > moving[:, None]) | _rows(known, len(groups)), told, 0)

    def score(name: str, g: int) -> float:
        prior = _prior(name, centres[g], stickless=stickless)
        kin = [
            (other, found[other])
            for names in (FACE, ARMS)
            for other in names
            if name in names and other in found
        ]
        if not all(_akin(areas[g], areas[there]) for _, there in kin if there in known):
            return -1.0
        if (name in SELDOM and often[g] > SELDOM_MOST) or (g in small and prior < _NEAR):
            return -1.0
        beside = [_beside(name, centres[g], other, centres[there]) for other, there in kin]
        return 1.5 * max(0.0, float(seen[g, BUTTON_INDEX[name]])) + prior + min(beside, default=0.0)

    while True:
        tried = [
            (score(name, g) - (_CERTAIN if g in known | plain else _SURE), name, g)
            for g, name in product(range(len(groups)), (*_PLACES, *FACE, *ARMS))
            if name not in found
            and name not in never
            and g not in found.values()
            and (g not in filling or name in TRIGGERS)
        ]
        best = max(tried, default=(-1.0, "", 0))
        if best[0] < 0:
            named = _lowered(found) if stickless else found
            return {name: groups[g] for name, g in named.items()}
        found[best[1]] = best[2]


def _lowered(found: dict[str, int]) -> dict[str, int]:
    """A trigger without a shoulder beside it is a shoulder."""
    alone = {
        trigger: trigger.replace("trigger", "shoulder")
        for trigger in TRIGGERS
        if trigger.replace("trigger", "shoulder") not in found
    }
    return {alone.get(name, name): g for name, g in found.items()}


def is_switch(level: Gray, most: float = _SWITCHING) -> bool:
    """Whether a spot is either lit or not, as a button is and the edge of a stick's cap is not.

    most: share of half-lit rows among the lit from which it is not.
    """
    lit = int((level > 0.5).sum())
    between = int(((level > 0.25) & (level < 0.75)).sum())
    return 2 <= lit < 0.9 * len(level) and between < most * lit


def correlations(one: Gray, other: Gray) -> Gray:
    """(A, B) for columns (T, A) and (T, B); 0 where a column is constant."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(other, axis=0))
    return np.asarray(np.divide(one.T @ other, scale, out=np.zeros_like(scale), where=scale > 1e-6))


def _akin(one: float, other: float) -> bool:
    """Whether two areas are alike enough for buttons of one diamond."""
    return max(one, other) <= 2.5 * min(one, other)


def _rows(chosen: set[int], count: int) -> NDArray[np.bool_]:
    """(count, 1): true in the chosen rows."""
    return np.isin(np.arange(count), list(chosen))[:, None]


def _beside(name: str, place: Gray, other: str, there: Gray) -> float:
    """Whether a button of a diamond stands right to another one: more than 0, or less."""
    away = np.asarray(place - there)
    wanted = np.subtract(_DIAMOND[name], _DIAMOND[other])
    right = np.where(wanted == 0, np.abs(away) < _ACROSS[1] / 2, away * wanted > _LEAST)
    return _BESIDE if right.all() and np.abs(away).max() < _FAR else -_BESIDE


def _prior(name: str, place: Gray, *, stickless: bool) -> float:
    """From 0.6 at a button's usual place to less than nothing far from it."""
    if name in FACE or name in ARMS:
        return 0.3 if (place[0] > 0.5) == (name in FACE) else -1.0
    if (name.startswith("left") and place[0] > 0.5) or (
        name.startswith("right") and place[0] < 0.5
    ):
        return -1.0
    usual = _PLACES[name] + (_STICKLESS.get(name, ()) if stickless else ())
    nearest = min(float(np.hypot(*(place - one))) for one in usual)
    apart = nearest / _LOOSE.get(name, 0.14)
    most = 0.25 if name in _LOOSE else 0.6
    rarer = _RARER.get(name, 0.0) if stickless else 0.0
    return float(most * np.exp(-(apart**2) / 2) - 0.1 * min(apart, 3)) - rarer


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
