"""OpenArena: pick up what lies about a map. Judged by the log that the game's server writes.

`g_logsync` makes the server write each line at once: "Item: 0 ammo_bullets". Where the player is,
for the search alone, stands in the client's last snapshot, found by its neighbours: gravity and the
player's speed.
"""

import re
import struct
from pathlib import Path

from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import LineReader, View
from nitrogen.simulator.games import openarena

_LOG = Path(".openarena/baseoa/games.log")
_ITEM = re.compile(r"\s*\d+:\d+ Item: 0 (\w+)")
_DEATH = re.compile(r"\s*\d+:\d+ Kill: \d+ 0 ")

# ioquake3 1.36 (Debian 1.36+u20221123.70d07d9+dfsg-1), amd64: the player, from the program.
_PLAYER = 0x5B5260
_PLACE_AT, _RULES_AT = 20, 48
_RULES = struct.pack("<2i", 800, 320)  # gravity, speed


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
        x, y = _place(view)
        return Reading(self._items / self._wanted, failed, {"x": x, "y": y, "items": self._items})


def _place(view: View) -> tuple[float, float]:
    player = view.memory.base("ioquake3") + _PLAYER
    if view.memory.read(player + _RULES_AT, len(_RULES)) != _RULES:
        raise GameError(
            "the player is not where ioquake3 1.36 keeps him; install ioquake3"
            " 1.36+u20221123.70d07d9+dfsg-1"
        )
    x, y = struct.unpack("<2f", view.memory.read(player + _PLACE_AT, 8))
    return x, y


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
        goal="Pick up two items of the map oa_dm1 in 30 seconds without dying.",
        limit_s=30.0,
        search=SearchConfig(propose=_MOVES, cell=by_place(96, "items"), points=32),
    ),
)
"""The tasks."""
