"""Caves and what flies in them, drawn once per episode.

Lengths in view units (160 by 90); x grows along the cave, y down. A column of the cave is 8 wide.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

COLUMN = 8.0
LENGTH = 64
"""Columns."""

Kind = Literal["drone", "swooper", "mine"]


@dataclass(frozen=True)
class Foe:
    """An enemy on a fixed way: where it is depends on the time alone."""

    kind: Kind
    x: float
    """Where it meets the middle of the screen's way, in the cave."""
    y: float
    swing: float
    """How far it goes up and down."""
    period_s: float
    phase: float
    speed: float
    """Towards the player, per second."""

    def at(self, time_s: float, camera: float) -> tuple[float, float]:
        """Where it is; `camera` is the left edge of the screen when it comes near."""
        turn = 2 * math.pi * (time_s / self.period_s + self.phase)
        ahead = max(self.x - camera - 80.0, -160.0)
        return self.x + self.speed * 0.03 * ahead, self.y + self.swing * math.sin(turn)


@dataclass(frozen=True)
class Level:
    """What never changes during an episode."""

    ceiling: tuple[float, ...]
    """Lower edge of the rock above, per column."""
    floor: tuple[float, ...]
    """Upper edge of the rock below, per column."""
    foes: tuple[Foe, ...]

    def gap(self, x: float) -> tuple[float, float]:
        """Ceiling and floor at `x`, between the columns' middles in a straight line."""
        way = min(max(x / COLUMN, 0.0), len(self.ceiling) - 1.001)
        index, share = int(way), way % 1.0
        top = self.ceiling[index] + (self.ceiling[index + 1] - self.ceiling[index]) * share
        bottom = self.floor[index] + (self.floor[index + 1] - self.floor[index]) * share
        return top, bottom

    @property
    def end(self) -> float:
        """Where the cave is left."""
        return (len(self.ceiling) - 4) * COLUMN


def generate(rng: np.random.Generator) -> Level:
    """A winding cave that narrows here and there, with fourteen enemies."""
    middle, half = 45.0, 36.0
    ceiling, floor = [], []
    aim, width = middle, half
    for column in range(LENGTH):
        if column % 5 == 0 and column > 5:
            width = float(rng.uniform(14, 21))
            aim = float(rng.uniform(width + 4, 86 - width))
        middle += min(max(aim - middle, -4.5), 4.5)
        half += min(max(width - half, -3.5), 3.5)
        ceiling.append(max(middle - half, 3.0))
        floor.append(min(middle + half, 87.0))
    level = Level(tuple(ceiling), tuple(floor), ())
    return Level(level.ceiling, level.floor, tuple(_foes(level, rng)))


def _foes(level: Level, rng: np.random.Generator) -> list[Foe]:
    kinds: tuple[Kind, ...] = ("drone", "swooper", "mine")
    foes = []
    places = np.linspace(130, level.end - 40, 14) + rng.uniform(-8, 8, 14)
    for x in places:
        kind = kinds[rng.choice(3, p=(0.45, 0.3, 0.25))]
        top, bottom = level.gap(float(x))
        room = (bottom - top) / 2 - 8
        swing = min(float(rng.uniform(8, 16)), room) if kind == "swooper" else 0.0
        y = float((top + bottom) / 2 + rng.uniform(-0.6, 0.6) * (room - swing))
        speed = {"drone": float(rng.uniform(6, 14)), "swooper": 4.0, "mine": 0.0}[kind]
        period, phase = float(rng.uniform(1.8, 2.8)), float(rng.random())
        foes.append(Foe(kind, float(x), y, swing, period, phase, speed))
    return foes
