"""Flare: fight, find the way, gather gold. Judged by the log of loaded maps and by memory.

The program exports where it keeps the hero; how far into him his numbers lie follows from the
engine's public headers, and is checked at the start of each episode by his name and condition.
"""

import math
import struct
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import LineReader, View
from nitrogen.simulator.games import flare

# Flare 1.14 (Debian 1.14-1), amd64: of the hero from the program, then from the hero.
_HERO = 0x1E3398
_CONDITION_AT = 217  # alive, and eleven bytes later: is the hero
_NAME_AT, _NAME = 328, b"Player"
_XP_AT, _HEALTH_AT, _PLACE_AT, _GOLD_AT = 368, 656, 996, 1396
_OTHERS = 0x1E3378  # who else is on the map, from the program; then the ends of the list
_LIST_AT = 24
_POINTER = struct.Struct("<Q")
_REACH = 2.0
"""Tiles at which an enemy is struck."""
_NEAR = 3.0
"""Tiles from a corner at which it is passed."""


class HeroJudge(StateJudge):
    """Reads the hero. Raises GameError if he is not found in memory."""

    def find(self, view: View) -> None:
        """Look for the hero."""
        base = view.memory.base("flare")
        self._others = base + _OTHERS
        (self._hero,) = _POINTER.unpack(view.memory.read(base + _HERO, 8))
        if not self._hero or not self._is_hero(view):
            raise GameError(
                "the hero is not where Flare 1.14 keeps him; install flare-engine 1.14-1"
            )
        self._start = self.place(view)
        self._xp, self._gold = self.number(view, _XP_AT), self.number(view, _GOLD_AT)

    def _is_hero(self, view: View) -> bool:
        condition = view.memory.read(self._hero + _CONDITION_AT, 12)
        (name,) = _POINTER.unpack(view.memory.read(self._hero + _NAME_AT, 8))
        is_alive = condition[0] == 1 and condition[11] == 1
        return is_alive and view.memory.read(name, len(_NAME)) == _NAME

    def number(self, view: View, distance: int) -> int:
        """A whole number of the hero."""
        (number,) = struct.unpack("<i", view.memory.read(self._hero + distance, 4))
        return int(number)

    def place(self, view: View) -> tuple[float, float]:
        """Where he is, in tiles of the map."""
        x, y = struct.unpack("<ff", view.memory.read(self._hero + _PLACE_AT, 8))
        return x, y

    def nearest(self, view: View) -> tuple[float, float]:
        """Where the nearest of the others who live is, in tiles; the hero's place if none does."""
        (others,) = _POINTER.unpack(view.memory.read(self._others, 8))
        start, end = struct.unpack("<2Q", view.memory.read(others + _LIST_AT, 16))
        here, places = self.place(view), []
        for (other,) in _POINTER.iter_unpack(view.memory.read(start, end - start)):
            if view.memory.read(other + _CONDITION_AT, 1) == b"\1":
                places.append(struct.unpack("<ff", view.memory.read(other + _PLACE_AT, 8)))
        return min(places, key=lambda place: math.dist(place, here), default=here)

    def look(self, view: View, progress: float, failed: str = "") -> Reading:
        """A reading with what every task needs."""
        (health,) = struct.unpack("<f", view.memory.read(self._hero + _HEALTH_AT, 4))
        x, y = self.place(view)
        values = {"x": x, "y": y, "health": health}
        values["ahead_x"], values["ahead_y"] = self.nearest(view)
        values |= {"xp": self.number(view, _XP_AT), "gold": self.number(view, _GOLD_AT)}
        return Reading(progress, "died" if health <= 0 else failed, values)


class ExperienceJudge(HeroJudge):
    """So much experience: a monster of the first level gives two points."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many points."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the points."""
        return self.look(view, (self.number(view, _XP_AT) - self._xp) / self._wanted)


class GoldJudge(HeroJudge):
    """So much gold."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many pieces."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the pieces."""
        return self.look(view, (self.number(view, _GOLD_AT) - self._gold) / self._wanted)


class MapJudge(HeroJudge):
    """Another map, by the game's log; progress is how much of the way to its entrance is behind."""

    def __init__(self, map: str, way: tuple[tuple[float, float], ...]) -> None:
        """`way`: the corners on the way to where the hero enters `map`, in tiles."""
        super().__init__()
        self._line, self._way = f"Loading map 'maps/{map}.txt'", way
        self._lines = LineReader()

    def find(self, view: View) -> None:
        """What was loaded before the episode does not count."""
        super().find(view)
        self._lines.skip(view.log)
        self._corner = 0
        self._whole = self._left(self._start)

    def _left(self, place: tuple[float, float]) -> float:
        """Tiles to the end of the way, by the corners that are still ahead."""
        corners = (place, *self._way[self._corner :])
        return sum(math.dist(one, two) for one, two in pairwise(corners))

    def read(self, view: View) -> Reading:
        """Has the map been loaded?"""
        lines = self._lines.read(view.log)
        if any(self._line in line for line in lines):
            return self.look(view, 1.0)
        if any("Loading map" in line for line in lines):
            return self.look(view, 0.0, failed="took another way out")
        place = self.place(view)
        last = len(self._way) - 1
        while self._corner < last and math.dist(place, self._way[self._corner]) < _NEAR:
            self._corner += 1
        reading = self.look(view, min(1 - self._left(place) / self._whole, 0.99))
        x, y = self._way[self._corner]
        return replace(reading, values={**reading.values, "ahead_x": x, "ahead_y": y})


_Move = tuple[float, tuple[str, ...], dict[str, float]]


def _walks(buttons: tuple[str, ...] = (), *, east: float = 1.0) -> list[_Move]:
    """All eight directions, those to the right of the screen with the weight `east`."""
    return [
        (east if x > 0 else 1.0, buttons, {"left_x": x, "left_y": y})
        for x in (-1.0, 0.0, 1.0)
        for y in (-1.0, 0.0, 1.0)
        if x or y
    ]


def _ahead(info: dict[str, Any], rng: np.random.Generator) -> Actions:
    """Towards what is ahead, a corner or an enemy: the map's axes lie slantwise on the screen."""
    x, y = _on_screen(info["values"])
    return Actions.of(length=int(rng.choice([12, 24])), left_x=x, left_y=y)


def _strike(info: dict[str, Any], rng: np.random.Generator) -> Actions:
    """Strike whoever is near, or walk there."""
    values = info["values"]
    to = values["ahead_x"] - values["x"], values["ahead_y"] - values["y"]
    if math.hypot(*to) > _REACH:
        return _ahead(info, rng)
    x, y = _on_screen(values)
    return Actions.of("right_trigger", length=int(rng.choice([12, 24, 48])), left_x=x, left_y=y)


def _on_screen(values: dict[str, float]) -> tuple[float, float]:
    """One of the eight directions of the stick, or none."""
    east, south = values["ahead_x"] - values["x"], values["ahead_y"] - values["y"]
    right, down = east - south, east + south
    most = max(abs(right), abs(down), 1e-6)
    return float(np.round(right / most)), float(np.round(down / most))


_LENGTHS = (12, 24, 48)
_STRIKE: _Move = (10, ("right_trigger",), {})
_FIGHT = SearchConfig(
    propose=moves((*_walks(east=3), *_walks(("right_trigger",)), _STRIKE), lengths=_LENGTHS),
    guide=_strike,
    cell=by_place(2, "xp"),
    points=24,
    worn_out=6,
)
_TRAVEL = SearchConfig(
    propose=moves(_walks(east=4), lengths=_LENGTHS),
    guide=_ahead,
    cell=by_place(2),
    points=24,
)
_LOOT = SearchConfig(
    propose=moves((*_walks(east=2), *_walks(("right_trigger",)), _STRIKE), lengths=_LENGTHS),
    guide=_strike,
    cell=by_place(2, "xp", "gold"),
    points=32,
    worn_out=6,
)
_TO_THE_CAVE = ((30.0, 45.5), (33.0, 41.0), (36.5, 37.0), (36.5, 26.0))

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "defeat_the_goblins",
        flare.game("goblin_cave", place=(16, 34)),
        JudgeMaker(ExperienceJudge, (6,)),
        facts=("combat", "2D top-down", "memory"),
        goal="Defeat three goblins in their cave in 25 seconds: six points of experience.",
        limit_s=25.0,
        search=_FIGHT,
    ),
    open_task(
        "find_the_cave",
        flare.game("goblin_camp", place=(24, 45)),
        JudgeMaker(MapJudge, ("goblin_cave", _TO_THE_CAVE)),
        facts=("navigation", "2D top-down", "exported state"),
        goal="Cross the goblins' camp, 27 tiles, and enter their cave in 15 seconds.",
        limit_s=15.0,
        search=_TRAVEL,
    ),
    open_task(
        "gather_gold",
        flare.game("goblin_cave", place=(16, 34)),
        JudgeMaker(GoldJudge, (5,)),
        facts=("game-specific", "2D top-down", "memory"),
        goal="Gather five pieces of gold in the goblins' cave in 30 seconds.",
        limit_s=30.0,
        search=_LOOT,
    ),
)
"""The tasks."""
