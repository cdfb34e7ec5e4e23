"""Armagetron Advanced: make enemies crash, outlive them, reach a zone. Judged by the game's log.

The way to the zone is read from memory: cycle and zone are found by the addresses of their
classes, and that there is exactly one of each is checked at the start of each episode.
"""

import math
import struct
from collections.abc import Hashable
from typing import Any

from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import LineReader, View
from nitrogen.simulator.games import armagetronad

_NAME = "player"
# Armagetron Advanced 0.2.9.1.0 (Debian 0.2.9.1.0-3), amd64: distances from the program.
_CYCLE, _ZONE = 0x202720, 0x204908
_PLACE_AT, _PLACE = 0x24, struct.Struct("<2f")  # in metres
_RADIUS_AT = 0xD4


class RoundJudge(StateJudge):
    """Reads what has happened to the player in this round. Raises GameError if none has begun."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        super().__init__()
        self._lines = LineReader()
        self._frags, self._lost, self._is_won = 0, "", False

    def find(self, view: View) -> None:
        """What was written before the episode does not count."""
        log = view.home / armagetronad.LOG
        written = self._lines.read(log)
        rounds = [line for line in written if line.startswith("NEW_ROUND")]
        if len(rounds) != 1 or any(line.startswith("DEATH") for line in written):
            raise GameError(
                f"{log} does not show a round that has just begun; install armagetronad 0.2.9.1.0-3"
            )

    def follow(self, view: View) -> None:
        """Count what is new in the log; nothing counts after the round."""
        for line in self._lines.read(view.home / armagetronad.LOG):
            if self._lost or self._is_won:
                return
            what, *names = line.split()
            if what.startswith("DEATH_") and names[0] == _NAME:
                self._lost = "crashed"
            elif what == "DEATH_FRAG" and names[1] == _NAME:
                self._frags += 1
            elif what == "ROUND_WINNER":
                self._is_won = names[0] == _NAME
                self._lost = "" if self._is_won else "lost the round"
            elif what == "NEW_ROUND":
                self._lost = "the round is over"


class FragJudge(RoundJudge):
    """So many enemies that crash into the player's wall while he lives."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the enemies."""
        self.follow(view)
        lost = self._lost or ("won without them" if self._is_won else "")
        progress = self._frags / self._wanted
        return Reading(progress, lost if progress < 1 else "", {"frags": self._frags})


class SurviveJudge(RoundJudge):
    """So many seconds without crashing, or to be the last one before."""

    def __init__(self, seconds: float) -> None:
        """`seconds` to live through."""
        super().__init__()
        self._seconds = seconds

    def read(self, view: View) -> Reading:
        """Share of the time."""
        self.follow(view)
        progress = 1.0 if self._is_won else view.time_s / self._seconds
        return Reading(progress, self._lost, {"frags": self._frags})


class ZoneJudge(RoundJudge):
    """The zone that wins a round. A player alone wins nothing, so the way to it decides.

    Raises GameError if it or the cycle is not found in memory.
    """

    def find(self, view: View) -> None:
        """Look for both."""
        super().find(view)
        base = view.memory.base("armagetronad.real")
        cycles, zones = (
            view.memory.find(struct.pack("<Q", base + kind)) for kind in (_CYCLE, _ZONE)
        )
        if len(cycles) != 1 or len(zones) != 1:
            raise GameError(
                f"{len(cycles)} cycles and {len(zones)} zones found where Armagetron Advanced"
                " 0.2.9.1.0 keeps one of each; install armagetronad 0.2.9.1.0-3"
            )
        self._cycle, self._zone = cycles[0], self._place(view, zones[0])
        radius = view.memory.read(zones[0] + _RADIUS_AT, 4)
        self._radius: float = struct.unpack("<f", radius)[0]
        self._whole = max(self._left(view), 1.0)

    def read(self, view: View) -> Reading:
        """How near is it?"""
        self.follow(view)
        if self._lost:
            return Reading(0.0, self._lost)
        x, y = self._place(view, self._cycle)
        return Reading(1 - self._left(view) / self._whole, "", {"x": x, "y": y})

    def _left(self, view: View) -> float:
        return max(math.dist(self._place(view, self._cycle), self._zone) - self._radius, 0.0)

    def _place(self, view: View, thing: int) -> tuple[float, float]:
        x, y = _PLACE.unpack(view.memory.read(thing + _PLACE_AT, _PLACE.size))
        return x, y


def _by_time_and_frags(info: dict[str, Any]) -> Hashable:
    return info["frame_index"] // 30, int(info["values"].get("frags", 0))


# A turn is a key that goes down; the game takes the next one only after it was let go.
_RIDE = moves(
    [
        (8, (), {}),
        (2, (), {"left_x": -1.0}),
        (2, (), {"left_x": 1.0}),
        (1, ("south",), {}),
    ],
    lengths=(8, 16, 30, 45),
)
_DUEL = {"SP_NUM_AIS": 3, "SP_MIN_PLAYERS": 4, "SP_SIZE_FACTOR": -4}
_ALONE = {
    "SP_NUM_AIS": 0,
    "SP_MIN_PLAYERS": 1,
    "SP_GAME_TYPE": 0,
    "SP_WIN_ZONE_MIN_ROUND_TIME": 0,
    "SP_WIN_ZONE_MIN_LAST_DEATH": 0,
    "WIN_ZONE_EXPANSION": 0,
    "WIN_ZONE_INITIAL_SIZE": 4,
}
_ENDURE = SearchConfig(propose=_RIDE, cell=_by_time_and_frags, points=32, worn_out=3)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "crash_one",
        armagetronad.game(_DUEL),
        JudgeMaker(FragJudge, (1,)),
        facts=("combat", "3D", "exported state"),
        goal="Make one of three enemies crash into the own wall, and live, in 30 seconds.",
        limit_s=30.0,
        search=_ENDURE,
    ),
    open_task(
        "reach_the_zone",
        armagetronad.game(_ALONE),
        JudgeMaker(ZoneJudge),
        facts=("navigation", "3D", "memory"),
        goal="Drive into the zone, which lies elsewhere for each seed, in 20 seconds.",
        limit_s=20.0,
        search=SearchConfig(propose=_RIDE, cell=by_place(8.0), points=32, worn_out=3),
    ),
    open_task(
        "survive",
        armagetronad.game(_DUEL),
        JudgeMaker(SurviveJudge, (12.0,)),
        facts=("game-specific", "3D", "exported state"),
        goal="Do not crash for 12 seconds, among three enemies, or be the last one left.",
        limit_s=13.0,
        search=_ENDURE,
    ),
)
"""The tasks."""
