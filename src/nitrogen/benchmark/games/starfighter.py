"""Starfighter: the first mission. Judged by the game's variables in memory.

Where the variables lie was found by comparing memory during a mission that was won; that they are
right is checked at the start of each episode by the mission's name.
"""

import dataclasses
import struct

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_progress, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import View
from nitrogen.simulator.games import starfighter

# Starfighter 2.4 (Debian 2.4-1), amd64: distances from the program.
_MISSION = 0x81540
_NAME = b"Escape from WEAPCO Pursuit"
_COMPLETED = 0x7FD60
_SHIELD = 0xD448C
_COUNTS = struct.Struct("<6i")  # shots, hits, accuracy, wing mates, kills
_COUNTS_AT = 0x529A0
FIGHTERS = 9
"""Kills after which the first mission is won."""

GAME = dataclasses.replace(
    starfighter.GAME,
    startup=Actions.concatenate(  # the dialogue, the list of objectives, and into the mission
        [
            starfighter.GAME.startup,
            Actions.released(1200),
            Actions.of("south", length=6),
            Actions.released(60),
            Actions.of("south", length=6),
            Actions.released(90),
        ]
    ),
)
"""The first mission, from its first moment."""


class MissionJudge(StateJudge):
    """The mission won, or so many kills, with at least so much of the shield left.

    Raises GameError if the mission is not found in memory.
    """

    def __init__(self, shield: int, kills: int | None = None) -> None:
        """`shield`: of 100 at the start; `kills`: what counts in place of winning the mission."""
        super().__init__()
        self._wanted, self._kills = shield, kills

    def find(self, view: View) -> None:
        """Check that the mission is the one, and that it is under way."""
        self._base = view.memory.base("starfighter")
        name = view.memory.read(self._base + _MISSION, len(_NAME))
        shield, completed, kills = self.look(view)
        if name != _NAME or completed or kills or shield != 100:
            raise GameError(
                "the first mission is not where Starfighter 2.4 keeps it; install starfighter 2.4-1"
            )

    def look(self, view: View) -> tuple[int, int, int]:
        """Shield, whether the mission is won, and kills."""
        (shield,) = struct.unpack("<i", view.memory.read(self._base + _SHIELD, 4))
        (completed,) = struct.unpack("<i", view.memory.read(self._base + _COMPLETED, 4))
        counts = _COUNTS.unpack(view.memory.read(self._base + _COUNTS_AT, _COUNTS.size))
        return shield, completed, counts[5]

    def read(self, view: View) -> Reading:
        """Share of the fighters that are down."""
        shield, completed, kills = self.look(view)
        failed = ""
        if shield < max(self._wanted, 1):
            failed = "died" if shield <= 0 else "was hit too often"
        if self._kills is not None:
            progress = kills / self._kills
        else:
            progress = 1.0 if completed else min(kills / FIGHTERS, 0.99)
        return Reading(progress, failed, {"shield": shield, "kills": kills})


_MOVES = moves(
    tuple(
        (1.0, ("south", "west"), {"left_x": x, "left_y": y})
        for x in (-1.0, 0.0, 1.0)
        for y in (-1.0, 0.0, 1.0)
    ),
    lengths=(6, 12, 24, 48),
)
_SEARCH = SearchConfig(propose=_MOVES, cell=by_progress, points=16, worn_out=4)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "escape",
        GAME,
        JudgeMaker(MissionJudge, (1,)),
        facts=("combat", "2D side-scrolling", "memory"),
        goal="Win the first mission in 40 seconds: shoot down the pursuers.",
        limit_s=40.0,
        search=_SEARCH,
    ),
    open_task(
        "escape_unhurt",
        GAME,
        JudgeMaker(MissionJudge, (90,)),
        facts=("game-specific", "2D side-scrolling", "memory"),
        goal="Win the first mission in 75 seconds with 90 of 100 of the shield left.",
        limit_s=75.0,
        search=_SEARCH,
    ),
    open_task(
        "seven_in_fifteen",
        GAME,
        JudgeMaker(MissionJudge, (1, 7)),
        facts=("combat", "2D side-scrolling", "memory"),
        goal="Shoot down seven fighters of the first mission in 15 seconds.",
        limit_s=15.0,
        search=_SEARCH,
    ),
)
"""The tasks."""
