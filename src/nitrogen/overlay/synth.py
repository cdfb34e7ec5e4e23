"""Pad motion that looks played, to draw overlays with known truth.

Knows how thumbs move: holds and taps down to two frames, flicks, rolls and drifts of the sticks,
triggers squeezed and released, stretches where nothing happens, buttons pressed together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, BUTTONS, Actions

_RATES = {
    "south": 0.9, "west": 0.7, "east": 0.45, "north": 0.4, "right_shoulder": 0.35,
    "left_shoulder": 0.3, "right_trigger": 0.5, "left_trigger": 0.35, "dpad_up": 0.2,
    "dpad_down": 0.2, "dpad_left": 0.25, "dpad_right": 0.25, "left_thumb": 0.15,
    "right_thumb": 0.12, "start": 0.05, "back": 0.05, "guide": 0.03,
}  # fmt: skip
"""Presses per second of each button while the player is busy."""

_TOGETHER = (
    ("right_trigger", "south", 0.2), ("left_shoulder", "west", 0.25), ("south", "west", 0.15),
    ("dpad_up", "dpad_right", 0.2), ("dpad_down", "dpad_left", 0.2), ("left_thumb", "south", 0.2),
)  # fmt: skip
"""Pairs that are pressed together, and how often the first takes the second along."""

_OPPOSITE = (("dpad_up", "dpad_down"), ("dpad_left", "dpad_right"))


@dataclass(frozen=True, kw_only=True)
class MotionConfig:
    """How busy the player is."""

    busy: float = 0.75
    """Share of the time in which anything is done."""
    rate: float = 1.0
    """Times as many presses as usual."""
    tap_s: float = 0.12
    """Median length of a tap."""
    shortest_share: float = 0.06
    """Share of presses that last two frames, the shortest that games poll."""
    hold_share: float = 0.25
    """Share of presses that are held for about a second."""
    jitter: float = 0.01
    """Of resting and held sticks."""
    rest: float = 0.02
    """How far from the centre a resting stick may sit."""


def motion(
    rng: np.random.Generator, frames: int, *, rate_hz: float, config: MotionConfig | None = None
) -> Actions:
    """`frames` frames of a pad at `rate_hz`, all random choices from `rng`."""
    config = config or MotionConfig()
    busy = _busy(rng, frames, rate_hz, config.busy)
    buttons = np.zeros((frames, len(BUTTONS)), np.float32)
    for name, rate in _RATES.items():
        presses = _presses(rng, busy, rate * config.rate / rate_hz, rate_hz, config)
        column = _squeezed(rng, presses, rate_hz) if name.endswith("trigger") else presses
        buttons[:, BUTTON_INDEX[name]] = column
    for one, other, share in _TOGETHER:
        _take_along(rng, buttons[:, BUTTON_INDEX[one]], buttons[:, BUTTON_INDEX[other]], share)
    for one, other in _OPPOSITE:
        both = (buttons[:, BUTTON_INDEX[one]] > 0) & (buttons[:, BUTTON_INDEX[other]] > 0)
        buttons[both, BUTTON_INDEX[other]] = 0
    sticks = np.concatenate([_stick(rng, busy, rate_hz, config) for _ in range(2)], axis=1)
    return Actions(buttons, np.clip(sticks, -1, 1).astype(np.float32))


def _busy(rng: np.random.Generator, frames: int, rate_hz: float, share: float) -> NDArray[np.bool_]:
    """Alternating stretches of doing something (about 6 s) and nothing."""
    busy = np.zeros(frames, np.bool_)
    at, on = 0, bool(rng.random() < share)
    while at < frames:
        mean = 6.0 if on else 6.0 * (1 - share) / max(share, 1e-3)
        length = max(1, round(float(rng.exponential(mean)) * rate_hz))
        busy[at : at + length] = on
        at, on = at + length, not on
    return busy


def _presses(
    rng: np.random.Generator,
    busy: NDArray[np.bool_],
    chance: float,
    rate_hz: float,
    config: MotionConfig,
) -> NDArray[np.float32]:
    """Taps, holds and double taps, (T,) in {0, 1}."""
    column = np.zeros(len(busy), np.float32)
    free = 0
    for start in np.flatnonzero(busy & (rng.random(len(busy)) < chance)):
        if start < free:
            continue
        hold = rng.random() < config.hold_share
        seconds = float(rng.lognormal(np.log(0.9 if hold else config.tap_s), 0.5))
        length = max(2, round(seconds * rate_hz))
        if not hold and rng.random() < config.shortest_share:
            length = 2
        column[start : start + length] = 1
        free = int(start) + length + 2
        if not hold and rng.random() < 0.25:
            again = int(free + rng.integers(0, max(2, round(0.1 * rate_hz))))
            column[again : again + length] = 1
            free = again + length + 2
    return column


def _take_along(
    rng: np.random.Generator,
    leader: NDArray[np.float32],
    other: NDArray[np.float32],
    share: float,
) -> None:
    """Press `other` with some presses of `leader`, within a frame or two, in place."""
    edges = np.diff((leader > 0).astype(np.int8), prepend=0, append=0)
    for start, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if rng.random() < share:
            late = int(rng.integers(0, 3))
            other[start + late : max(stop, start + late + 2)] = 1


def _squeezed(
    rng: np.random.Generator, presses: NDArray[np.float32], rate_hz: float
) -> NDArray[np.float32]:
    """Presses as travel: squeezed and released over some frames, sometimes only part of the way."""
    edges = np.diff(presses, prepend=0)
    partly = rng.random(len(edges)) < 0.3
    depth = np.where(partly, rng.uniform(0.2, 1, len(edges)), 1.0)
    starts = np.flatnonzero(edges > 0)
    target = np.zeros_like(presses)
    for start in starts:
        stop = start + int(np.argmin(presses[start:])) if (presses[start:] == 0).any() else None
        target[start:stop] = depth[start]
    travel = np.zeros_like(presses)
    step = 1 / max(1.0, float(rng.uniform(0.02, 0.12)) * rate_hz)
    value = 0.0
    for index, goal in enumerate(target):
        value = min(value + step, goal) if goal > value else max(value - step, goal)
        travel[index] = value
    return travel


def _stick(
    rng: np.random.Generator, busy: NDArray[np.bool_], rate_hz: float, config: MotionConfig
) -> NDArray[np.float64]:
    """One stick, (T, 2): moves from one goal to the next, flicks back, or rolls round."""
    frames = len(busy)
    path = np.zeros((frames, 2))
    rest = rng.normal(0, config.rest / 2, 2)
    at, here = 0, rest.copy()
    while at < frames:
        length = max(2, round(float(rng.lognormal(np.log(0.5), 0.7)) * rate_hz))
        part = slice(at, min(at + length, frames))
        count = part.stop - part.start
        kind = rng.random() if busy[at] and rng.random() < 0.85 else -1.0
        if kind < 0:
            goal = np.broadcast_to(rest, (count, 2))
        elif kind < 0.15:
            angle = rng.uniform(0, 2 * np.pi) + np.arange(count) * rng.choice([-1, 1]) * (
                2 * np.pi / (rate_hz * rng.uniform(0.4, 1.5))
            )
            goal = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        else:
            goal = np.broadcast_to(_goal(rng), (count, 2)).copy()
            if kind < 0.35:
                goal[max(2, round(0.12 * rate_hz)) :] = rest
        pace = 1 - np.exp(-1 / (rng.uniform(0.01, 0.06) * rate_hz))
        for index in range(count):
            here = here + pace * (goal[index] - here)
            path[part.start + index] = here
        at = part.stop
    path += rng.normal(0, config.jitter, path.shape) * (rng.random(path.shape) < 0.3)
    size = np.hypot(path[:, 0], path[:, 1])
    return path / np.maximum(size, 1)[:, None]


def _goal(rng: np.random.Generator) -> NDArray[np.float64]:
    """A direction, often along an axis, often at the rim."""
    angle = rng.integers(8) * np.pi / 4 if rng.random() < 0.5 else rng.uniform(0, 2 * np.pi)
    size = 1.0 if rng.random() < 0.65 else rng.uniform(0.2, 1)
    return size * np.array([np.cos(angle), np.sin(angle)])
