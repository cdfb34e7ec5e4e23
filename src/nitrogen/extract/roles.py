"""Which button a spot is.

Four spots in a diamond are face buttons or a directional pad; others go by their place and by what
the network sees when they are lit.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX

Gray = NDArray[np.float32]

FACE = ("north", "south", "west", "east")
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
_SURE = 0.75
"""Score from which a spot is given to a button outside the diamonds."""


def assign(
    places: Gray,
    sizes: Gray,
    levels: Gray,
    pressed: Gray,
    sticks: Gray,
    *,
    two_faces: bool = False,
) -> dict[str, list[int]]:
    """The spots of each button found.

    places: (S, 2) centres, x and y in shares of the overlay's size; sizes: (S,) pixels; levels:
    (T, S) how lit each is; pressed: (T, 17) probabilities of the network; sticks: (T, 4) its
    deflections. A spot that goes with a stick rather than with a button is the edge of its cap.
    two_faces: the pad may have two face buttons side by side, which are then south and east.
    """
    switched = [s for s in range(len(places)) if is_switch(levels[:, s])]
    groups = _merged(switched, levels)
    centres = np.array([places[group[0]] for group in groups]).reshape(-1, 2)
    areas = np.array([sizes[group[0]] for group in groups])
    found: dict[str, list[int]] = {}
    taken: set[int] = set()
    for names, side in ((FACE, 1), (ARMS, -1)):
        diamond = _diamond(centres, areas, side, taken)
        if diamond is not None:
            taken |= set(diamond)
            found |= {name: groups[g] for name, g in zip(names, diamond, strict=True)}
        elif side == 1 and two_faces and (pair := _pair(centres, areas)) is not None:
            taken |= set(pair)
            found |= {name: groups[g] for name, g in zip(("south", "east"), pair, strict=True)}
    rest = [g for g in range(len(groups)) if g not in taken]
    lit = np.stack([levels[:, groups[g][0]] for g in rest], axis=1) if rest else levels[:, :0]
    seen = correlations(np.clip(lit, 0, 1), pressed)
    pushed = np.concatenate([sticks, np.abs(sticks)], axis=1)
    moving = np.abs(correlations(np.clip(lit, 0, 1), pushed))
    seen = np.where(seen > moving.max(axis=1, initial=0)[:, None], seen, 0)
    open_names = [name for name in (*_PLACES, *FACE, *ARMS) if name not in found]
    scores = [
        (1.5 * float(seen[row, BUTTON_INDEX[name]]) + _prior(name, centres[g]), name, g)
        for (row, g), name in product(enumerate(rest), open_names)
    ]
    for score, name, g in sorted(scores, reverse=True):
        if score >= _SURE and name not in found and g not in taken:
            found[name] = groups[g]
            taken.add(g)
    return found


def is_switch(level: Gray) -> bool:
    """Whether a spot is either lit or not, as a button is and the edge of a stick's cap is not."""
    lit = int((level > 0.5).sum())
    between = int(((level > 0.25) & (level < 0.75)).sum())
    return 2 <= lit < 0.7 * len(level) and between < 0.12 * lit


def correlations(one: Gray, other: Gray) -> Gray:
    """(A, B) for columns (T, A) and (T, B); 0 where a column is constant."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(other, axis=0))
    return np.asarray(np.divide(one.T @ other, scale, out=np.zeros_like(scale), where=scale > 1e-6))


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
    centres: Gray, areas: Gray, side: int, taken: set[int]
) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of the best diamond right (1) or left (-1) of the middle."""
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
    best, chosen = 0.35, None
    for (top, bottom), (left, right) in product(upright, level):
        four = [top, bottom, left, right]
        if len(set(four)) < 4 or areas[four].max() > 2.5 * areas[four].min():
            continue
        size = np.array(
            [centres[right, 0] - centres[left, 0], centres[bottom, 1] - centres[top, 1]]
        )
        middle = (centres[[left, right]].mean(axis=0) - centres[[top, bottom]].mean(axis=0)) / size
        ratio = abs(np.log(size[1] / size[0] / 1.45))
        cost = float(np.abs(middle).sum()) + 0.3 * ratio
        if cost < best:
            best, chosen = cost, (top, bottom, left, right)
    return chosen
