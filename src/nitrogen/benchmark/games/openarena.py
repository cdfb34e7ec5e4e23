"""OpenArena: pick up what lies about a map. Judged by the log that the game's server writes.

`g_logsync` makes the server write each line at once: "Item: 0 ammo_bullets".
"""

import re
from pathlib import Path
from typing import Any

from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, moves
from nitrogen.simulator.game import LineReader, View
from nitrogen.simulator.games import openarena

_LOG = Path(".openarena/baseoa/games.log")
_ITEM = re.compile(r"\s*\d+:\d+ Item: 0 (\w+)")
_DEATH = re.compile(r"\s*\d+:\d+ Kill: \d+ 0 ")


class GatherJudge(StateJudge):
    """So many items without dying."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many items, of whatever kind."""
        super().__init__()
        self._wanted = wanted
        self._lines = LineReader()
        self._items, self._has_died = 0, False

    def find(self, view: View) -> None:
        """What was written before the episode does not count."""
        self._lines.skip(view.home / _LOG)

    def read(self, view: View) -> Reading:
        """Count the new lines."""
        for line in self._lines.read(view.home / _LOG):
            self._items += bool(_ITEM.match(line))
            self._has_died |= bool(_DEATH.match(line))
        failed = "died" if self._has_died else ""
        return Reading(self._items / self._wanted, failed, {"items": self._items})


def _when_and_how_many(info: dict[str, Any]) -> tuple[int, int]:
    """Where the player stands is not known, so the search keeps points by time and items."""
    return int(info["values"]["items"]), int(2 * info["virtual_time_s"])


_MOVES = moves(
    (
        (6, (), {"left_y": -1.0}),
        (2, (), {"left_y": -1.0, "right_x": -0.6}),
        (2, (), {"left_y": -1.0, "right_x": 0.6}),
        (1, (), {"right_x": -1.0}),
        (1, (), {"right_x": 1.0}),
        (1, ("south",), {"left_y": -1.0}),
    ),
    lengths=(15, 30, 45),
)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "gather_two",
        openarena.game("oa_dm1"),
        JudgeMaker(GatherJudge, (2,)),
        facts=("game-specific", "3D", "exported state"),
        goal="Pick up two items of the map oa_dm1 without dying.",
        limit_s=45.0,
        search=SearchConfig(propose=_MOVES, cell=_when_and_how_many, points=16, worn_out=3),
    ),
)
"""The tasks."""
