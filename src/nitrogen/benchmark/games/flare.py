"""Flare: fight, find the way, gather gold. Judged by the log of loaded maps and by memory.

The program exports where it keeps the hero; how far into him his numbers lie follows from the
engine's public headers, and is checked at the start of each episode by his name and condition.
"""

import math
import struct
from itertools import pairwise

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
_POINTER = struct.Struct("<Q")
_NEAR = 3.0
"""Tiles from a corner at which it is passed."""


class HeroJudge(StateJudge):
    """Reads the hero. Raises GameError if he is not found in memory."""

    def find(self, view: View) -> None:
        """Look for the hero."""
        address = view.memory.base("flare") + _HERO
        (self._hero,) = _POINTER.unpack(view.memory.read(address, 8))
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

    def look(self, view: View, progress: float, failed: str = "") -> Reading:
        """A reading with what every task needs."""
        (health,) = struct.unpack("<f", view.memory.read(self._hero + _HEALTH_AT, 4))
        x, y = self.place(view)
        values = {"x": x, "y": y, "health": health}
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
        return self.look(view, min(1 - self._left(place) / self._whole, 0.99))


_WALK: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (1, (), {"left_x": x, "left_y": y})
    for x in (-1.0, 0.0, 1.0)
    for y in (-1.0, 0.0, 1.0)
    if x or y
]
_STRIKE: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (0.5, ("right_trigger",), controls) for _, _, controls in _WALK
]
_LENGTHS = (6, 12, 24, 36)
_FIGHT = SearchConfig(
    propose=moves((*_WALK, *_STRIKE, (3, ("right_trigger",), {})), lengths=_LENGTHS),
    cell=by_place(2, "xp"),
    points=48,
    worn_out=6,
)
_TRAVEL = SearchConfig(propose=moves(_WALK, lengths=_LENGTHS), cell=by_place(2), points=64)
_LOOT = SearchConfig(
    propose=moves((*_WALK, *_STRIKE, (4, ("south",), {})), lengths=_LENGTHS),
    cell=by_place(1, "xp", "gold"),
    points=64,
)

_TO_THE_CAVE = ((21.5, 40.0), (22.0, 44.0), (30.0, 45.0), (33.0, 41.0), (36.5, 37.0), (36.5, 26.0))

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
        flare.game("goblin_camp", place=(22, 36)),
        JudgeMaker(MapJudge, ("goblin_cave", _TO_THE_CAVE)),
        facts=("navigation", "2D top-down", "exported state"),
        goal="Cross the goblins' camp, 45 tiles, and enter their cave in 30 seconds.",
        limit_s=30.0,
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
