"""Neverputt: hole a golf ball with few putts. Judged by the game's memory; it writes no scores."""

import math

import numpy as np

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import (
    Episodes,
    JudgeMaker,
    Levels,
    OpenTask,
    Reading,
    StateJudge,
    open_task,
)
from nitrogen.benchmark.games.putt_expert import PuttExpert
from nitrogen.benchmark.games.putt_state import PuttState
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.errors import GameError
from nitrogen.simulator.game import Game, View
from nitrogen.simulator.games import neverputt


class PuttJudge(StateJudge):
    """The ball in the hole. Raises GameError if hole and scores are not where they should be."""

    def __init__(self, most: int) -> None:
        """`most`: putts that are allowed; falling off the course costs one more."""
        super().__init__()
        self._most = most

    def find(self, view: View) -> None:
        """Look for the hole; nothing may have been putted yet."""
        state = PuttState(view)
        if state.putts() or state.is_in():
            raise GameError(
                "the episode begins after the first putt; shorten what is played before"
            )
        self._whole = math.dist(state.ball, state.cup)

    def read(self, view: View) -> Reading:
        """How near has the ball come, and with how many putts?"""
        state = PuttState(view)
        putts, (x, y) = state.putts(), state.ball
        values = {"x": x, "y": y, "putts": putts, "rolls": float(state.rolls)}
        if state.is_in() and putts <= self._most:
            return Reading(1.0, "", values)
        failed = f"{putts} putts" if putts >= self._most else ""
        left = math.dist(state.ball, state.cup) / self._whole
        return Reading(min(1 - left, 0.99), failed, values)


def look_aside(rng: np.random.Generator) -> Actions:
    """Aim up to 45 degrees to a side."""
    side = float(rng.choice([-1.0, 1.0]))
    turn = Actions.of(left_x=side, length=int(rng.integers(1, 75)))
    return Actions.concatenate([turn, Actions.released(10)])


_MOVES = moves(
    [
        (2, (), {"left_x": -1.0}),
        (2, (), {"left_x": 1.0}),
        (2, (), {"left_y": -1.0}),
        (2, (), {"left_y": 1.0}),
        (4, (), {}),
        (3, ("south",), {}),
    ],
    lengths=(5, 10, 30),
)
_SEARCH = SearchConfig(propose=_MOVES, cell=by_place(0.5, "putts", "rolls"), points=48)


def _levels(training: tuple[str, ...], held_out: tuple[str, ...]) -> Levels:
    def holes(names: tuple[str, ...]) -> tuple[Game, ...]:
        return tuple(neverputt.game(f"map-putt/{name}") for name in names)

    return Levels(holes(training), holes(held_out))


TASKS: tuple[OpenTask, ...] = (
    open_task(
        "around_the_bends",
        _levels(("02_uturn",), ("04_aych",)),
        JudgeMaker(PuttJudge, (5,)),
        facts=("navigation", "3D", "memory"),
        goal="Putt the ball around the bends into the hole, in 75 seconds with at most five putts.",
        limit_s=75.0,
        search=_SEARCH,
        episodes=Episodes(vary=look_aside, expert=PuttExpert),
    ),
    open_task(
        "in_three",
        _levels(("04_aych",), ("02_uturn",)),
        JudgeMaker(PuttJudge, (3,)),
        facts=("game-specific", "3D", "memory"),
        goal="Hole the ball beyond the bends with three putts, in 40 seconds.",
        limit_s=40.0,
        search=_SEARCH,
        episodes=Episodes(vary=look_aside, expert=PuttExpert),
    ),
)
"""The tasks."""
