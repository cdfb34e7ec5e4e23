"""Freedoom: kill, find the exit, collect. Judged by the engine's variables in memory.

Chocolate Doom keeps its state in static variables. Where they lie was found by comparing memory in
the title screen and in two maps; that they are right is checked at the start of each episode.
"""

import math
import struct

from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import View
from nitrogen.simulator.games import freedoom

# Chocolate Doom 3.0.1 (Debian 3.0.1+really3.0.0+git1471-1), amd64: distances from the program.
_PLAYER = 0x14DDE0
_GAME_STATE = 0x14E34C
_INTERMISSION = 1
_MAX_AMMO = struct.pack("<4i", 200, 50, 300, 50)
_PLACE = struct.Struct("<ii")  # x and y in 1/65536 units, after the links of a thing
_LINKS = 24


class DoomJudge(StateJudge):
    """Reads player and level. Raises GameError if they are not where they should be."""

    def find(self, view: View) -> None:
        """Look for the player."""
        base = view.memory.base("chocolate-doom")
        self._player, self._state = base + _PLAYER, base + _GAME_STATE
        self._health, self._counts = self._player + 44, self._player + 216
        if view.memory.read(self._player + 184, 16) != _MAX_AMMO:
            raise GameError(
                "the player is not where Chocolate Doom 3.0.1 keeps him; install chocolate-doom"
                " 3.0.1+really3.0.0+git1471-1"
            )
        self._start = self.place(view)

    def place(self, view: View) -> tuple[float, float]:
        """Where the player is, in map units."""
        (thing,) = struct.unpack("<q", view.memory.read(self._player, 8))
        x, y = _PLACE.unpack(view.memory.read(thing + _LINKS, _PLACE.size))
        return x / 65536, y / 65536

    def look(self, view: View, progress: float) -> Reading:
        """A reading with what every task needs."""
        (health,) = struct.unpack("<i", view.memory.read(self._health, 4))
        kills, items, _ = self.counts(view)
        x, y = self.place(view)
        values = {"x": x, "y": y, "health": health, "kills": kills, "items": items}
        return Reading(progress, "died" if health <= 0 else "", values)

    def counts(self, view: View) -> tuple[int, int, int]:
        """Kills, items and secrets so far."""
        kills, items, secrets = struct.unpack("<3i", view.memory.read(self._counts, 12))
        return kills, items, secrets

    def has_left(self, view: View) -> bool:
        """Whether the level is done."""
        (state,) = struct.unpack("<i", view.memory.read(self._state, 4))
        return bool(state == _INTERMISSION)


class KillJudge(DoomJudge):
    """So many monsters."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the monsters that are dead."""
        return self.look(view, self.counts(view)[0] / self._wanted)


class ItemJudge(DoomJudge):
    """So many of the items that the level counts."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the items that were picked up."""
        return self.look(view, self.counts(view)[1] / self._wanted)


class ExitJudge(DoomJudge):
    """The level's exit switch; progress is how much nearer it has come."""

    def __init__(self, x: float, y: float) -> None:
        """(x, y): where the switch is, in map units."""
        super().__init__()
        self._exit = x, y

    def read(self, view: View) -> Reading:
        """How near is it?"""
        if self.has_left(view):
            return Reading(1.0)
        left = math.dist(self.place(view), self._exit)
        whole = max(math.dist(self._start, self._exit), 1.0)
        return self.look(view, min(0.99, 1 - left / whole))


class ReachJudge(DoomJudge):
    """A place; progress is how much nearer it has come."""

    def __init__(self, x: float, y: float, radius: float) -> None:
        """(x, y): the place, and how near is near enough, in map units."""
        super().__init__()
        self._goal, self._radius = (x, y), radius

    def read(self, view: View) -> Reading:
        """How near is it?"""
        left = max(math.dist(self.place(view), self._goal) - self._radius, 0.0)
        whole = max(math.dist(self._start, self._goal) - self._radius, 1.0)
        return self.look(view, 1 - left / whole)


_WALK: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (6, (), {"left_y": -1.0}),
    (2, (), {"right_x": -1.0}),
    (2, (), {"right_x": 1.0}),
    (1, (), {"left_y": -1.0, "right_x": -1.0}),
    (1, (), {"left_y": -1.0, "right_x": 1.0}),
    (1, ("south",), {}),
    (1, ("south",), {"left_y": -1.0}),
    (1, (), {"left_x": 1.0}),
    (1, (), {"left_x": -1.0}),
]
_SHOOT: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (4, ("right_trigger",), {}),
    (2, ("right_trigger",), {"right_x": 0.6}),
    (2, ("right_trigger",), {"right_x": -0.6}),
]
_LENGTHS = (4, 8, 16, 30)
_HUNT = SearchConfig(
    propose=moves((*_WALK, *_SHOOT), lengths=_LENGTHS), cell=by_place(128, "kills"), points=64
)
_EXPLORE = SearchConfig(
    propose=moves(_WALK, lengths=_LENGTHS), cell=by_place(96, "kills", "items"), points=48
)
_GAME = freedoom.game(1, 1, skill=3)
_MAP_TWO = freedoom.game(1, 2, skill=3)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "kill_two",
        _GAME,
        JudgeMaker(KillJudge, (2,)),
        facts=("combat", "3D", "memory"),
        goal="Kill two monsters of the first map in 16 seconds and live.",
        limit_s=16.0,
        search=_HUNT,
    ),
    open_task(
        "find_the_exit",
        _GAME,
        JudgeMaker(ExitJudge, (-400.0, 1280.0)),
        facts=("navigation", "3D", "memory"),
        goal="Press the switch at the end of the first map.",
        limit_s=180.0,
        search=_EXPLORE,
    ),
    open_task(
        "gather_three",
        _GAME,
        JudgeMaker(ItemJudge, (3,)),
        facts=("game-specific", "3D", "memory"),
        goal="Pick up three of the bonus items of the first map.",
        limit_s=60.0,
        search=_EXPLORE,
    ),
    open_task(
        "cross_the_yard",
        _GAME,
        JudgeMaker(ReachJudge, (880.0, 410.0, 100.0)),
        facts=("navigation", "3D", "memory"),
        goal="Reach the east of the first map, 1,045 units away, alive in 40 seconds.",
        limit_s=40.0,
        search=_EXPLORE,
    ),
    open_task(
        "kill_two_on_map_two",
        _MAP_TWO,
        JudgeMaker(KillJudge, (2,)),
        facts=("combat", "3D", "memory"),
        goal="Kill two monsters of the second map in 12 seconds and live.",
        limit_s=12.0,
        search=_HUNT,
    ),
    open_task(
        "gather_five_on_map_two",
        _MAP_TWO,
        JudgeMaker(ItemJudge, (5,)),
        facts=("game-specific", "3D", "memory"),
        goal="Pick up five of the bonus items of the second map.",
        limit_s=60.0,
        search=_EXPLORE,
    ),
)
"""The tasks."""
