"""Chromium B.S.U.: shoot, survive. Judged by the aircraft's variables in memory.

The aircraft is an object on the heap. The step and the mark of the score at which it gets another
life are both 50,000 at the start and lie side by side, which nothing else in memory does.
"""

import struct

from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_progress, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import View
from nitrogen.simulator.games import chromium

_MARK = struct.pack("<ff", 50000.0, 50000.0)
_SHIPS = -12  # from the mark
_STATE = struct.Struct("<fff")  # damage, shields, score
_STATE_AT = 36


class AircraftJudge(StateJudge):
    """Finds the aircraft. Raises GameError if it is not there."""

    def find(self, view: View) -> None:
        """Look for the mark."""
        found = view.memory.find(_MARK)
        if len(found) != 1:
            raise GameError(
                f"the aircraft of chromium-bsu is found {len(found)} times in memory; this judge"
                " knows version 0.9.16.1"
            )
        self._address = found[0]

    def look(self, view: View) -> tuple[int, float, dict[str, float]]:
        """Ships left, score, and everything as values."""
        (ships,) = struct.unpack("<i", view.memory.read(self._address + _SHIPS, 4))
        state = view.memory.read(self._address + _STATE_AT, _STATE.size)
        damage, shields, score = _STATE.unpack(state)
        values = {"ships": ships, "damage": damage, "shields": shields, "score": score}
        return ships, score, values


class ScoreJudge(AircraftJudge):
    """So many points before the last ship is lost."""

    def __init__(self, wanted: float) -> None:
        """`wanted`: how many points."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the points."""
        ships, score, values = self.look(view)
        return Reading(score / self._wanted, "lost the last ship" if ships < 0 else "", values)


class KeepJudge(AircraftJudge):
    """So many seconds without losing more ships than allowed.

    A ship is lost when it is shot down, and also for each enemy that gets past.
    """

    def __init__(self, seconds: float, ships: int) -> None:
        """`seconds` to go through with at least `ships` in reserve."""
        super().__init__()
        self._seconds, self._ships = seconds, ships

    def read(self, view: View) -> Reading:
        """Share of the time."""
        ships, _, values = self.look(view)
        failed = "lost too many ships" if ships < self._ships else ""
        return Reading(view.time_s / self._seconds, failed, values)


_MOVES = moves(
    tuple(
        (1.0, ("south",), {"left_x": x, "left_y": y})
        for x in (-1.0, 0.0, 1.0)
        for y in (-1.0, 0.0, 1.0)
    ),
    lengths=(5, 10, 20, 30),
)
_SEARCH = SearchConfig(propose=_MOVES, cell=by_progress, points=16, worn_out=3)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "score_8000",
        chromium.GAME,
        JudgeMaker(ScoreJudge, (8000.0,)),
        facts=("combat", "2D top-down", "memory"),
        goal="Shoot down enemies for 8,000 points before the last ship is lost.",
        limit_s=60.0,
        search=_SEARCH,
    ),
    open_task(
        "hold_the_line",
        chromium.GAME,
        JudgeMaker(KeepJudge, (30.0, 2)),
        facts=("game-specific", "2D top-down", "memory"),
        goal="Keep two ships in reserve for 30 seconds: let few enemies pass.",
        limit_s=31.0,
        search=_SEARCH,
    ),
)
"""The tasks."""
