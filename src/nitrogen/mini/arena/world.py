"""The arena's levels, physics and rules: a twin-stick shooter on one screen.

Left stick moves, right stick aims, right trigger shoots. Enemies come in waves; touching one or
being shot costs one of three hearts. Lengths in view units (160 by 90), time in seconds.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from nitrogen.mini.world import DT, BaseWorld, Pad

BOUNDS = (6.0, 8.0, 154.0, 84.0)
"""Left, top, right and bottom inside the walls."""
RADIUS = 5.0
HEARTS = 3
SHOT_SPEED, SHOT_RADIUS = 130.0, 2.2
BOLT_SPEED, BOLT_RADIUS = 40.0, 2.6
"""Shots of enemies are slow and large."""

_SPEED = 46.0
_RELOAD = 6  # steps between shots
_RELIEF = 30  # steps without harm after a hit
_PAUSE = 12  # steps between waves
_APART = 48.0  # nobody appears closer to the player

Kind = Literal["chaser", "brute", "gunner"]
Point = tuple[float, float]


class Nature(NamedTuple):
    """What a kind of enemy is like."""

    radius: float
    speed: float
    strength: int
    """Shots it takes."""


NATURES: dict[Kind, Nature] = {
    "chaser": Nature(4.8, 19.0, 1),
    "brute": Nature(7.0, 11.0, 3),
    "gunner": Nature(5.0, 13.0, 1),
}
_RANGE = 46.0  # a gunner comes no closer
_GUN_PERIOD = 54  # steps between its shots


class Foe(NamedTuple):
    """An enemy in the arena."""

    kind: Kind
    x: float
    y: float
    strength: int
    reload: int


class Shot(NamedTuple):
    """A projectile and its velocity."""

    x: float
    y: float
    vx: float
    vy: float


@dataclass(frozen=True)
class Level:
    """What never changes during an episode."""

    pillars: tuple[tuple[float, float, float], ...]
    """x, y and radius of what stops everybody and every shot."""
    waves: tuple[tuple[Kind, ...], ...]
    doors: tuple[Point, ...]
    """Where enemies appear, in order of preference."""

    @property
    def foes(self) -> int:
        """Enemies of all waves."""
        return sum(len(wave) for wave in self.waves)


def generate(rng: np.random.Generator) -> Level:
    """Pillars away from the middle, four waves of three to six enemies, doors along the walls."""
    pillars: list[tuple[float, float, float]] = []
    wanted = int(rng.integers(1, 4))
    for _ in range(200):  # some first pillars leave no room for all that are wanted
        if len(pillars) == wanted:
            break
        x, y, r = rng.uniform(32, 128), rng.uniform(33, 59), rng.uniform(5, 8)
        apart = [math.hypot(x - a, y - b) > r + c + 18 for a, b, c in pillars]
        if len(pillars) < wanted and math.hypot(x - 80, y - 45) > r + 18 and all(apart):
            pillars.append((float(x), float(y), float(r)))
    kinds: tuple[Kind, ...] = ("chaser", "brute", "gunner")
    waves = tuple(
        tuple(kinds[k] for k in rng.choice(3, size, p=(0.55, 0.2, 0.25)))
        for size in rng.integers((3, 3, 4, 4), (5, 6, 6, 7))
    )
    left, top, right, bottom = BOUNDS
    doors = []
    for _ in range(24):
        x, y = rng.uniform(left + 8, right - 8), rng.uniform(top + 8, bottom - 8)
        edge = rng.integers(4)
        door = ((left + 8, y), (right - 8, y), (x, top + 8), (x, bottom - 8))[edge]
        doors.append((float(door[0]), float(door[1])))
    return Level(pillars=tuple(pillars), waves=waves, doors=tuple(doors))


class ArenaWorld(BaseWorld):
    """One episode; see the module."""

    __slots__ = (
        "_pause", "aim", "bolts", "defeated", "foes", "hearts",
        "level", "relief", "reload", "shots", "wave", "x", "y",
    )  # fmt: skip

    def __init__(self, level: Level) -> None:
        """Stand in the middle; the first wave is about to come."""
        super().__init__()
        self.level = level
        self.x, self.y = 80.0, 45.0
        self.aim: Point = (1.0, 0.0)
        self.hearts, self.relief, self.reload = HEARTS, 0, 0
        self.foes: tuple[Foe, ...] = ()
        self.shots: tuple[Shot, ...] = ()
        self.bolts: tuple[Shot, ...] = ()
        self.wave, self._pause, self.defeated = 0, _PAUSE, 0

    @property
    def progress(self) -> float:
        """Share of the enemies that are defeated."""
        return self.defeated / self.level.foes

    def advance(self, pad: Pad) -> None:
        """Move on by one step."""
        self._begin_wave()
        self._move(pad)
        self._shoot(pad)
        self._fly()
        self._chase()
        self._suffer()

    def _begin_wave(self) -> None:
        if self.foes or self.wave == len(self.level.waves):
            return
        self._pause -= 1
        if self._pause > 0:
            return
        doors = [(x, y) for x, y in self.level.doors if math.hypot(x - self.x, y - self.y) > _APART]
        kinds = self.level.waves[self.wave]
        self.foes = tuple(
            Foe(kind, *doors[(3 * self.wave + number) % len(doors)],
                NATURES[kind].strength, 20 + 9 * number)
            for number, kind in enumerate(kinds)
        )  # fmt: skip
        self.wave += 1
        self._pause = _PAUSE
        self.events.append(f"wave {self.wave}")

    def _move(self, pad: Pad) -> None:
        push = math.hypot(pad.left_x, pad.left_y)
        if push > 0.15:
            step = _SPEED * DT * min(push, 1.0) / push
            self.x, self.y = self._place(
                self.x + pad.left_x * step, self.y + pad.left_y * step, RADIUS
            )
        length = math.hypot(pad.right_x, pad.right_y)
        if length > 0.3:
            self.aim = (pad.right_x / length, pad.right_y / length)

    def _place(self, x: float, y: float, radius: float) -> Point:
        """The nearest free place for something of this radius."""
        for px, py, pr in self.level.pillars:
            dx, dy = x - px, y - py
            apart = math.hypot(dx, dy)
            if apart < pr + radius:
                push = (pr + radius) / max(apart, 0.01)
                x, y = px + dx * push, py + dy * push
        left, top, right, bottom = BOUNDS
        x = min(max(x, left + radius), right - radius)
        return x, min(max(y, top + radius), bottom - radius)

    def _shoot(self, pad: Pad) -> None:
        self.reload = max(self.reload - 1, 0)
        if pad.right_trigger > 0.5 and not self.reload:
            dx, dy = self.aim
            shot = Shot(self.x + 6 * dx, self.y + 6 * dy, dx * SHOT_SPEED, dy * SHOT_SPEED)
            self.shots = (*self.shots, shot)
            self.reload = _RELOAD

    def _fly(self) -> None:
        kept: list[Shot] = []
        for shot in self.shots:
            moved = _ahead(shot)
            if self._is_stopped(moved):
                continue
            if not self._strike(moved):
                kept.append(moved)
        self.shots = tuple(kept)
        bolts = (_ahead(bolt) for bolt in self.bolts)
        self.bolts = tuple(bolt for bolt in bolts if not self._is_stopped(bolt))

    def _is_stopped(self, shot: Shot) -> bool:
        left, top, right, bottom = BOUNDS
        if not (left < shot.x < right and top < shot.y < bottom):
            return True
        return any((shot.x - x) ** 2 + (shot.y - y) ** 2 < r * r for x, y, r in self.level.pillars)

    def _strike(self, shot: Shot) -> bool:
        for index, foe in enumerate(self.foes):
            reach = NATURES[foe.kind].radius + SHOT_RADIUS
            if (foe.x - shot.x) ** 2 + (foe.y - shot.y) ** 2 < reach * reach:
                left = foe.strength - 1
                rest = (foe._replace(strength=left),) if left else ()
                self.foes = self.foes[:index] + rest + self.foes[index + 1 :]
                if not left:
                    self.defeated += 1
                    self.events.append("defeated an enemy")
                    self._check_won()
                return True
        return False

    def _check_won(self) -> None:
        if self.defeated == self.level.foes:
            self.end("defeated all waves", won=True)

    def _chase(self) -> None:
        moved: list[Foe] = []
        for number, foe in enumerate(self.foes):
            nature = NATURES[foe.kind]
            dx, dy = self.x - foe.x, self.y - foe.y
            apart = max(math.hypot(dx, dy), 0.01)
            step = nature.speed * DT / apart
            reload = foe.reload
            way = self._round_pillars(foe, dx, dy)
            if foe.kind == "gunner":
                if apart < _RANGE and way == (dx, dy):  # circle instead
                    way = self._round_pillars(foe, -dy, dx)
                reload -= 1
                if reload <= 0:
                    self._fire(foe, apart)
                    reload = _GUN_PERIOD
            x, y = foe.x + way[0] * step, foe.y + way[1] * step
            for other in moved:
                gap = math.hypot(x - other.x, y - other.y)
                room = nature.radius + NATURES[other.kind].radius
                if gap < room:
                    share = 0.3 * (room - gap) / max(gap, 0.1)
                    x, y = x + (x - other.x) * share, y + (y - other.y) * share
            x, y = self._place(x, y + 0.01 * number, nature.radius)
            moved.append(Foe(foe.kind, x, y, foe.strength, reload))
        self.foes = tuple(moved)

    def _round_pillars(self, foe: Foe, dx: float, dy: float) -> Point:
        """The same way, turned aside where it leads into a pillar that is touched."""
        for px, py, pr in self.level.pillars:
            ax, ay = px - foe.x, py - foe.y
            apart = math.hypot(ax, ay)
            if apart < pr + NATURES[foe.kind].radius + 1.0 and dx * ax + dy * ay > 0:
                length, side = math.hypot(dx, dy), math.copysign(1.0, ax * dy - ay * dx)
                return -ay / apart * side * length, ax / apart * side * length
        return dx, dy

    def _fire(self, foe: Foe, apart: float) -> None:
        dx, dy = (self.x - foe.x) / apart, (self.y - foe.y) / apart
        bolt = Shot(foe.x + 5 * dx, foe.y + 5 * dy, dx * BOLT_SPEED, dy * BOLT_SPEED)
        self.bolts = (*self.bolts, bolt)

    def _suffer(self) -> None:
        if self.relief:
            self.relief -= 1
            return
        touched = any(
            math.hypot(foe.x - self.x, foe.y - self.y) < RADIUS + NATURES[foe.kind].radius - 0.8
            for foe in self.foes
        )
        hits = [
            bolt for bolt in self.bolts
            if math.hypot(bolt.x - self.x, bolt.y - self.y) < RADIUS + BOLT_RADIUS - 0.8
        ]  # fmt: skip
        if not (touched or hits) or self.is_over:
            return
        self.bolts = tuple(bolt for bolt in self.bolts if bolt not in hits)
        self.hearts -= 1
        self.relief = _RELIEF
        self.events.append("was hit")
        if not self.hearts:
            self.end("died", won=False)


def _ahead(shot: Shot) -> Shot:
    return Shot(shot.x + shot.vx * DT, shot.y + shot.vy * DT, shot.vx, shot.vy)
