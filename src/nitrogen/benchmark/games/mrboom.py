"""Mr.Boom: bomb the monsters, gather what lies under bricks. Judged by the variables in memory.

The game keeps everything in one static block. Where it lies was found by what is known of a round's
start: eight players who live, in teams 0 to 7; that it is right is checked in each episode. Player
0 is the one with the pad, player 1 the computer's, 2 to 7 are monsters.
"""

import struct

import numpy as np

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import JudgeMaker, OpenTask, Reading, StateJudge, open_task
from nitrogen.benchmark.search import SearchConfig, by_place
from nitrogen.errors import GameError
from nitrogen.simulator.game import View
from nitrogen.simulator.games import mrboom

# Mr.Boom 5.2 (Debian 5.2+ds-2), amd64: distance from the program, then from there.
_LIVES = 0x206E03
_ALIVE = 1
_TEAMS_AT = 68
_OUTFIT_AT = 104  # of player 0: bombs, reach of the flames, two clocks, remote control
_X_AT, _Y_AT = 493, 509
_HEARTS_AT, _KICK_AT, _SKATES_AT, _TRIPLE_AT = 669, 733, 765, 861
_GRID_AT, _GRID = -2240, (13, 32)
_BRICK = 2
_PLAYERS = struct.Struct("<8i")
_MONSTERS = slice(2, 8)
_BRICKS_WORTH = 20
"""So many blown bricks count for half of a power-up."""


class RoundJudge(StateJudge):
    """Reads the round. Raises GameError if it is not found in memory."""

    def find(self, view: View) -> None:
        """Look for the players."""
        self._address = view.memory.base("mrboom") + _LIVES
        players = self.players(view, 0), self.players(view, _TEAMS_AT)
        if players != ((_ALIVE,) * 8, tuple(range(8))):
            raise GameError(
                "the eight players are not where Mr.Boom 5.2 keeps them; install mrboom 5.2+ds-2"
            )
        self._lives, self._bricks = self.lives(view), self.bricks(view)
        self._power_ups = self.power_ups(view)

    def players(self, view: View, distance: int) -> tuple[int, ...]:
        """One number of each of the eight."""
        data = view.memory.read(self._address + distance, _PLAYERS.size)
        return _PLAYERS.unpack(data)

    def lives(self, view: View) -> int:
        """Of all monsters together."""
        state, hearts = self.players(view, 0), self.players(view, _HEARTS_AT)
        both = zip(state[_MONSTERS], hearts[_MONSTERS], strict=True)
        return sum(more + 1 for alive, more in both if alive == _ALIVE)

    def bricks(self, view: View) -> int:
        """That can be blown up."""
        size = _GRID[0] * _GRID[1]
        grid = np.frombuffer(view.memory.read(self._address + _GRID_AT, size), dtype=np.uint8)
        return int((grid == _BRICK).sum())

    def power_ups(self, view: View) -> int:
        """Bombs, flames, remote control, hearts, kick, skates and triple bombs of player 0."""
        bombs, flames, _, _, remote = struct.unpack(
            "<5i", view.memory.read(self._address + _OUTFIT_AT, 20)
        )
        more = (_HEARTS_AT, _KICK_AT, _SKATES_AT, _TRIPLE_AT)
        return int(bombs + flames + remote + sum(self.players(view, each)[0] for each in more))

    def look(self, view: View, progress: float, **values: float) -> Reading:
        """A reading with what every task needs."""
        (x,) = struct.unpack("<H", view.memory.read(self._address + _X_AT, 2))
        (y,) = struct.unpack("<H", view.memory.read(self._address + _Y_AT, 2))
        failed = "" if self.players(view, 0)[0] == _ALIVE else "died"
        bricks = self._bricks - self.bricks(view)
        return Reading(progress, failed, {"x": x, "y": y, "bricks": bricks, **values})


class HuntJudge(RoundJudge):
    """So many lives of the monsters."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many lives."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the lives that were taken."""
        taken = self._lives - self.lives(view)
        return self.look(view, taken / self._wanted, taken=taken)


class GatherJudge(RoundJudge):
    """So many power-ups; blown bricks, under which they lie, count a little."""

    def __init__(self, wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__()
        self._wanted = wanted

    def read(self, view: View) -> Reading:
        """Share of the power-ups."""
        gathered = self.power_ups(view) - self._power_ups
        bricks = self._bricks - self.bricks(view)
        share = (gathered + 0.5 * min(bricks / _BRICKS_WORTH, 1.0)) / self._wanted
        return self.look(view, share if gathered >= self._wanted else min(share, 0.99))


_WALKS = ({"left_x": -1.0}, {"left_x": 1.0}, {"left_y": -1.0}, {"left_y": 1.0})


def _moves(rng: np.random.Generator) -> Actions:
    """Walk some cells (16 frames each), lay a bomb, or wait for it."""
    what = rng.random()
    if what < 0.15:
        return Actions.of("east", length=4)
    if what < 0.35:
        return Actions.released(int(rng.choice([32, 64, 128])))
    walk = _WALKS[rng.integers(len(_WALKS))]
    return Actions.of(length=int(rng.choice([16, 32, 48])), **walk)


TASKS: tuple[OpenTask, ...] = (
    open_task(
        "hunt_on_the_board",
        mrboom.game(4),
        JudgeMaker(HuntJudge, (4,)),
        facts=("combat", "2D top-down", "memory"),
        goal="Take four lives of the monsters on the open board in 25 seconds and live.",
        limit_s=25.0,
        search=SearchConfig(propose=_moves, cell=by_place(32, "taken"), points=48, worn_out=4),
    ),
    open_task(
        "six_on_the_board",
        mrboom.game(4),
        JudgeMaker(HuntJudge, (6,)),
        facts=("combat", "2D top-down", "memory"),
        goal="Take half of the twelve lives of the monsters on the board in 28 seconds and live.",
        limit_s=28.0,
        search=SearchConfig(propose=_moves, cell=by_place(32, "taken"), points=48, worn_out=4),
    ),
    open_task(
        "gather_one",
        mrboom.game(0),
        JudgeMaker(GatherJudge, (1,)),
        facts=("game-specific", "2D top-down", "memory"),
        goal="Gather a power-up from under the bricks in 30 seconds and live.",
        limit_s=30.0,
        search=SearchConfig(propose=_moves, cell=by_place(16, "bricks"), points=64, worn_out=4),
    ),
)
"""The tasks."""
