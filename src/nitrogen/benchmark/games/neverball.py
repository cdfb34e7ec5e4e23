"""Neverball: roll over a level by tilting it, gather coins, reach the goal.

Success and failure are read from the header of the replay that the game writes, coins and the way
from its memory. Where the variables lie was found by comparing memory while the ball rolled; that
they are right is checked at the start of each episode.
"""

import math
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from nitrogen.benchmark.games.base import (
    JudgeMaker,
    Levels,
    OpenTask,
    Reading,
    StateJudge,
    open_task,
)
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import Game, View
from nitrogen.simulator.games import neverball
from nitrogen.simulator.memory import Memory

_REPLAY = Path(".neverball/Replays/Last.nbr")
_HEADER = struct.Struct("<4s4x3i")  # magic; time, coins and outcome of the level
_GOAL = 2
_OUTCOMES = {1: "ran out of time", 3: "fell off"}

# Neverball 1.6.0 (Debian 1.6.0+git20180603-3), amd64: distance from the program.
_LEVEL = 0x69220
_MOVING = struct.Struct("<Q6i6Q")  # the fixed part; counts and arrays of what moves
_FIXED = struct.Struct("<21i4x21Q")  # counts and arrays of the fixed part
_ITEM = struct.Struct("<3f2i")  # place, kind, value
_COIN = 1
_PLACE_AT = 36
_MOTION = struct.Struct("<6f")  # place and speed of the ball
_MOST = 10_000


@dataclass(frozen=True)
class Layout:
    """Where things of a level lie in memory, and what is fixed in it."""

    ball: int
    items: int
    item_count: int
    goals: tuple[tuple[float, float, float, float], ...]
    """Place and radius of each."""
    needed: int
    """Coins that open the goals."""

    @classmethod
    def of(cls, memory: Memory, program: str, level: int, *, balls: int = 1) -> "Layout":
        """Read it. Raises GameError if no level is where it should be.

        level: where it lies, from the start of the program, which is Neverball or Neverputt.
        """
        found = _MOVING.unpack(memory.read(memory.base(program) + level, _MOVING.size))
        fixed, counts, arrays = found[0], found[1:7], found[7:]
        if not fixed or counts[5] != balls or not all(0 <= count < _MOST for count in counts):
            raise GameError(
                f"the level is not where {program} 1.6.0 keeps it; install {program}"
                " 1.6.0+git20180603-3"
            )
        parts = _FIXED.unpack(memory.read(fixed, _FIXED.size))
        text = memory.read(parts[21], parts[0])
        goals = struct.unpack(f"<{4 * parts[13]}f", memory.read(parts[34], 16 * parts[13]))
        words = struct.unpack(f"<{2 * parts[19]}i", memory.read(parts[40], 8 * parts[19]))
        facts = dict(zip(*(_words(text, words[side::2]) for side in (0, 1)), strict=True))
        return cls(
            ball=arrays[5],
            items=arrays[3],
            item_count=counts[3],
            goals=tuple(zip(*(goals[part::4] for part in range(4)), strict=True)),
            needed=int(facts.get("goal", "0")),
        )


def _words(text: bytes, starts: tuple[int, ...]) -> list[str]:
    return [text[start:].partition(b"\0")[0].decode(errors="replace") for start in starts]


class RollJudge(StateJudge):
    """Follows the ball. Raises GameError if level or replay are not where they should be."""

    def find(self, view: View) -> None:
        """Look for the level, and note how it begins."""
        self._layout = Layout.of(view.memory, "neverball", _LEVEL)
        if self._outcome(view) != 0:
            raise GameError(f"the level has ended before the episode begins, by {_REPLAY}")
        self._value = self._value_left(view)
        self._start = self._left(view)

    def read(self, view: View) -> Reading:
        """Coins come first: they open the goal; then the way to it."""
        coins, needed = self.coins(view), self._layout.needed
        outcome = self._outcome(view)
        if outcome == _GOAL:
            return Reading(1.0, "", self.values(view))
        if coins < needed:
            progress = 0.5 * coins / needed
        else:
            progress = 0.5 + 0.49 * max(0.0, 1 - self._left(view) / self._start)
        return Reading(progress, _OUTCOMES.get(outcome, ""), self.values(view))

    def coins(self, view: View) -> int:
        """Worth of the coins that were picked up."""
        return self._value - self._value_left(view)

    def values(self, view: View) -> dict[str, float]:
        """Where the ball is on the floor, and its coins; for the search."""
        x, height, z, *_ = self._motion(view)
        return {"x": x, "y": z, "height": height, "coins": self.coins(view)}

    def outcome(self, view: View) -> str:
        """How the level was lost; empty if it was not."""
        return _OUTCOMES.get(self._outcome(view), "")

    def _outcome(self, view: View) -> int:
        path = view.home / _REPLAY
        try:
            with path.open("rb") as file:
                _, _, _, outcome = _HEADER.unpack(file.read(_HEADER.size))
        except (OSError, struct.error) as error:
            raise GameError(f"Neverball has written no replay {path}: {error}") from error
        return int(outcome)

    def _value_left(self, view: View) -> int:
        layout = self._layout
        data = view.memory.read(layout.items, _ITEM.size * layout.item_count)
        return sum(value for *_, kind, value in _ITEM.iter_unpack(data) if kind == _COIN)

    def _motion(self, view: View) -> tuple[float, ...]:
        return _MOTION.unpack(view.memory.read(self._layout.ball + _PLACE_AT, _MOTION.size))

    def _left(self, view: View) -> float:
        place = self._motion(view)[:3]
        return min(math.dist(place, goal[:3]) for goal in self._layout.goals)


class CoinJudge(RollJudge):
    """So much worth of coins before the ball falls."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: their worth: yellow ones count 1, red ones 5, blue ones 10."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the coins."""
        return Reading(self.coins(view) / self._wanted, self.outcome(view), self.values(view))


def _level(name: str) -> Game:
    """An easy level; A and B would leave the screen at its end, so they are locked too."""
    game = neverball.game(f"map-easy/{name}")
    return replace(game, locked=(*game.locked, "south", "east"))


def _levels(training: tuple[str, ...], held_out: tuple[str, ...]) -> Levels:
    return Levels(tuple(map(_level, training)), tuple(map(_level, held_out)))


_MOVES = moves(
    [
        (weight, (), {"left_x": x, "left_y": y})
        for weight, x, y in (
            (4, 0.0, -1.0), (2, -0.5, -1.0), (2, 0.5, -1.0), (2, -1.0, 0.0), (2, 1.0, 0.0),
            (2, 0.0, 1.0), (1, -1.0, -1.0), (1, 1.0, -1.0), (1, 0.0, 0.0),
        )
    ],
    lengths=(10, 20, 30),
)  # fmt: skip
_SEARCH = SearchConfig(propose=_MOVES, cell=by_place(1.0, "coins"), points=40)

TASKS: tuple[OpenTask, ...] = (
    open_task(
        "straight_to_the_goal",
        _levels(("easy", "goslow"), ("mover", "hole")),
        JudgeMaker(RollJudge),
        facts=("navigation", "3D", "exported state"),
        goal="Gather the coins that open the goal ahead, and roll into it.",
        limit_s=30.0,
        search=_SEARCH,
    ),
    open_task(
        "around_to_the_goal",
        _levels(("curved", "peasy"), ("fence",)),
        JudgeMaker(RollJudge),
        facts=("navigation", "3D", "exported state"),
        goal="Gather the coins that open the goal beyond the bends, and roll into it.",
        limit_s=40.0,
        search=_SEARCH,
    ),
    open_task(
        "coins",
        _levels(("coins", "bumps"), ("lollipop",)),
        JudgeMaker(CoinJudge, (40,)),
        facts=("game-specific", "3D", "memory"),
        goal="Gather coins worth 40 in 15 seconds without falling off.",
        limit_s=15.0,
        search=_SEARCH,
    ),
)
"""The tasks."""
