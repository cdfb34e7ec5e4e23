"""Blob Wars: shoot, climb, rescue. Judged by the game's variables in memory.

The game keeps player, statistics and map in static variables. Where they lie was found by looking
for their names in memory; that they are right is checked at the start of each episode.
"""

import math
import struct
from typing import Any

import numpy as np

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import View
from nitrogen.simulator.games import blobwars

# Blob Wars 2.00 (Debian 2.00-2), amd64: distances from the program.
_PLAYER = 0x4E620
_NAME = b"Player\0"
_NAME_AT = 17
_PLACE_AT = 68
_HEALTH_AT = 116
_GAME = 0x4DAA0
_MISSION_AT = 8
_KILLS_AT = 184
_MAP = 0x4EBA0
_RESCUED_AT = 120372
_FRIENDS_AT = 120688  # the list of those who wait: a first link that holds nobody


class MissionJudge(StateJudge):
    """Reads the mission. Raises GameError if it is not found in memory."""

    def __init__(self, mission: str) -> None:
        """`mission`: the one that is played."""
        super().__init__()
        self._mission = mission

    def find(self, view: View) -> None:
        """Look for player and mission."""
        base = view.memory.base("blobwars")
        self._player, self._game, self._map = base + _PLAYER, base + _GAME, base + _MAP
        mission = f"data/{self._mission}\0".encode()
        found = view.memory.read(self._game + _MISSION_AT, len(mission))
        if found != mission or view.memory.read(self._player + _NAME_AT, len(_NAME)) != _NAME:
            raise GameError(
                f"the mission {self._mission} is not where Blob Wars 2.00 keeps it; install"
                " blobwars 2.00-2"
            )
        self._start = self.place(view)

    def place(self, view: View) -> tuple[float, float]:
        """Where the player is, in pixels of the map."""
        x, y = struct.unpack("<ff", view.memory.read(self._player + _PLACE_AT, 8))
        return x, y

    def look(self, view: View, progress: float) -> Reading:
        """A reading with what every task needs."""
        (health,) = struct.unpack("<i", view.memory.read(self._player + _HEALTH_AT, 4))
        x, y = self.place(view)
        values = {"x": x, "y": y, "health": health, "kills": self.kills(view)}
        return Reading(progress, "died" if health <= 0 else "", values)

    def kills(self, view: View) -> int:
        """Enemies defeated in this mission."""
        (kills,) = struct.unpack("<i", view.memory.read(self._game + _KILLS_AT, 4))
        return int(kills)


class DefeatJudge(MissionJudge):
    """So many enemies."""

    def __init__(self, mission: str, wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__(mission)
        self._wanted = wanted

    def find(self, view: View) -> None:
        """Those of before the episode do not count."""
        super().find(view)
        self._before = self.kills(view)

    def read(self, view: View) -> Reading:
        """Share of the enemies."""
        return self.look(view, (self.kills(view) - self._before) / self._wanted)


class ReachJudge(MissionJudge):
    """A place; progress is how much nearer it has come."""

    def __init__(self, mission: str, x: float, y: float, radius: float) -> None:
        """(x, y): the place, and how near is near enough, in pixels."""
        super().__init__(mission)
        self._goal, self._radius = (x, y), radius

    def read(self, view: View) -> Reading:
        """How near is it?"""
        left = max(math.dist(self.place(view), self._goal) - self._radius, 0.0)
        whole = max(math.dist(self._start, self._goal) - self._radius, 1.0)
        return self.look(view, 1 - left / whole)


class RescueJudge(MissionJudge):
    """One of the friends who wait in the mission, by name; progress is how much nearer it came."""

    def __init__(self, mission: str, friend: str, x: float, y: float) -> None:
        """(x, y): where the friend stands, in pixels."""
        super().__init__(mission)
        self._friend, self._goal = friend, (x, y)

    def find(self, view: View) -> None:
        """Are they all there?"""
        super().find(view)
        if self._friend not in self.waiting(view):
            raise GameError(f"{self._friend} does not wait in {self._mission}; check the task")

    def waiting(self, view: View) -> set[str]:
        """The names of those who wait to be rescued; who was stays in the list, with no health."""
        names = set()
        (link,) = struct.unpack("<Q", view.memory.read(self._map + _FRIENDS_AT, 8))
        while link:
            data = view.memory.read(link, _HEALTH_AT + 4)
            (health,) = struct.unpack_from("<i", data, _HEALTH_AT)
            if health > 0:
                names.add(data[_NAME_AT:].partition(b"\0")[0].decode(errors="replace"))
            (link,) = struct.unpack_from("<Q", data)
        return names

    def read(self, view: View) -> Reading:
        """Is the friend still waiting?"""
        (rescued,) = struct.unpack("<i", view.memory.read(self._map + _RESCUED_AT, 4))
        if rescued and self._friend not in self.waiting(view):
            return self.look(view, 1.0)
        way = math.dist(self._start, self._goal)
        left = math.dist(self.place(view), self._goal)
        return self.look(view, min(1 - left / way, 0.99))


_WALK: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (3, (), {"left_x": 1.0}),
    (3, ("south",), {"left_x": 1.0}),
    (3, (), {"left_x": -1.0}),
    (3, ("south",), {"left_x": -1.0}),
    (1, ("south",), {}),
    (1, (), {}),
]
_SHOOT: list[tuple[float, tuple[str, ...], dict[str, float]]] = [
    (2, ("east",), {"left_x": 1.0}),
    (2, ("east",), {"left_x": -1.0}),
    (1, ("east", "south"), {"left_x": 1.0}),
    (1, ("east", "south"), {"left_x": -1.0}),
    (1, ("east",), {}),
]
_LENGTHS = (4, 8, 16, 30)
_LISTER = 2550.0, 8990.0
"""Where he stands, in pixels."""
_HUNT = SearchConfig(
    propose=moves((*_WALK, *_SHOOT), lengths=_LENGTHS), cell=by_place(192, "kills"), points=64
)
_EXPLORE = SearchConfig(
    propose=moves((*_WALK, *_SHOOT[:2]), lengths=_LENGTHS), cell=by_place(64), points=96
)


def _towards_lister(info: dict[str, Any], rng: np.random.Generator) -> Actions:
    """To the side on which he stands, sometimes with a jump."""
    buttons = ("south",) if rng.random() < 0.4 else ()
    side = 1.0 if info["values"]["x"] < _LISTER[0] else -1.0
    return Actions.of(*buttons, length=int(rng.choice([2, *_LENGTHS])), left_x=side)


_RUN = SearchConfig(
    propose=moves(
        (
            (5, (), {"left_x": 1.0}),
            (5, ("south",), {"left_x": 1.0}),
            (2, ("east",), {"left_x": 1.0}),
            (1, (), {"left_x": -1.0}),
            (1, ("south",), {"left_x": -1.0}),
            (1, ("south",), {}),
        ),
        lengths=_LENGTHS,
    ),
    guide=_towards_lister,
    cell=by_place(48),
    points=200,
    pull=0.4,
)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "defeat_ten",
        blobwars.game("grasslands1"),
        JudgeMaker(DefeatJudge, ("grasslands1", 10)),
        facts=("combat", "2D side-scrolling", "memory"),
        goal="Defeat ten enemies of the first mission in 20 seconds and live.",
        limit_s=20.0,
        search=_HUNT,
    ),
    open_task(
        "climb_to_the_key",
        blobwars.game("caves1"),
        JudgeMaker(ReachJudge, ("caves1", 710.0, 181.0, 48.0)),
        facts=("navigation", "2D side-scrolling", "memory"),
        goal="Climb through the first cave to where the golden key lies, in 15 seconds.",
        limit_s=15.0,
        search=_EXPLORE,
    ),
    open_task(
        "rescue_lister",
        blobwars.game("grasslands1"),
        JudgeMaker(RescueJudge, ("grasslands1", "Lister", *_LISTER)),
        facts=("game-specific", "2D side-scrolling", "memory"),
        goal="Rescue the nearest prisoner of the first mission, 2,540 pixels away, in 35 seconds.",
        limit_s=35.0,
        search=_RUN,
    ),
)
"""The tasks."""
