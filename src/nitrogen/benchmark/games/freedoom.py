"""Freedoom: kill, reach, collect. Judged by the engine's variables in memory."""

import math
from functools import cache, partial
from typing import Literal

import numpy as np

from nitrogen.actions import Actions
from nitrogen.benchmark.games.base import (
    Episodes,
    JudgeMaker,
    OpenTask,
    Reading,
    StateJudge,
    open_task,
)
from nitrogen.benchmark.games.doom_expert import Aim, DoomExpert
from nitrogen.benchmark.games.doom_map import Field, Point, read_map
from nitrogen.benchmark.games.doom_state import DoomState
from nitrogen.benchmark.search import SearchConfig, by_place, moves
from nitrogen.benchmark.task import Kind
from nitrogen.simulator.game import View
from nitrogen.simulator.games import freedoom


class DoomJudge(StateJudge):
    """Reads player and level. Raises GameError if they are not where they should be."""

    def find(self, view: View) -> None:
        """Look for the player."""
        DoomState(view)

    def look(self, state: DoomState, progress: float) -> Reading:
        """A reading with what every task needs."""
        health = state.health()
        x, y = state.player().place
        values = {"x": x, "y": y, "health": health, **state.counts()}
        return Reading(progress, "died" if health <= 0 else "", values)


class CountJudge(DoomJudge):
    """So many kills, or so many of the items that the level counts."""

    def __init__(self, what: Literal["kills", "items"], wanted: int) -> None:
        """`wanted`: how many."""
        super().__init__()
        self._what, self._wanted = what, wanted

    def read(self, view: View) -> Reading:
        """Share of what is wanted."""
        state = DoomState(view)
        return self.look(state, state.counts()[self._what] / self._wanted)


class ReachJudge(DoomJudge):
    """A place of a level; progress is how much of the way there is done."""

    def __init__(self, level: str, x: float, y: float, radius: float) -> None:
        """(x, y): the place, and how near is near enough, in map units."""
        super().__init__()
        self._level, self._place, self._radius = level, (x, y), radius

    def find(self, view: View) -> None:
        """Measure the way."""
        super().find(view)
        self._whole = max(self._left(DoomState(view).player().place), 1.0)

    def read(self, view: View) -> Reading:
        """How far is it?"""
        state = DoomState(view)
        return self.look(state, 1 - self._left(state.player().place) / self._whole)

    def _left(self, place: Point) -> float:
        if math.dist(place, self._place) <= self._radius:
            return 0.0
        level = read_map(freedoom.IWAD, self._level)
        return level.left(place, _way(self._level, self._place))


@cache
def _way(level: str, place: Point) -> Field:
    return read_map(freedoom.IWAD, level).way(place)


def look_around(rng: np.random.Generator) -> Actions:
    """Turn by up to 85 degrees, walk up to 110 units in any direction, wait up to a second."""
    side = float(rng.choice([-1.0, 1.0]))
    x, y = rng.choice([-1.0, 0.0, 1.0], size=2).tolist()
    turn, walk, wait = (int(rng.integers(frames)) for frames in (28, 14, 35))
    return Actions.concatenate(
        [
            Actions.of(right_x=side, length=turn),
            Actions.of(left_x=x, left_y=y, length=walk),
            Actions.released(8 + wait),
        ]
    )


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
    (4, ("right_trigger",), {}),
    (2, ("right_trigger",), {"right_x": 0.6}),
    (2, ("right_trigger",), {"right_x": -0.6}),
]
_SEARCH = SearchConfig(
    propose=moves(_WALK, lengths=(4, 8, 16, 30)), cell=by_place(128, "kills", "items"), points=64
)
_EXIT_DOOR = -224.0, 1440.0


def _task(
    name: str,
    kind: Kind,
    judge: JudgeMaker,
    goal: str,
    limit_s: float,
    *,
    level: tuple[int, int] = (1, 1),
    skill: int = 3,
    aim: Aim,
) -> OpenTask:
    episode, number = level
    return open_task(
        name,
        freedoom.game(episode, number, skill=skill),
        judge,
        facts=(kind, "3D", "memory"),
        goal=goal,
        limit_s=limit_s,
        search=_SEARCH,
        episodes=Episodes(
            vary=look_around, expert=partial(DoomExpert, f"E{episode}M{number}", aim)
        ),
    )


TASKS: tuple[OpenTask, ...] = (
    _task(
        "kill_two",
        "combat",
        JudgeMaker(CountJudge, ("kills", 2)),
        "Kill two monsters of the first map in 16 seconds and live.",
        16.0,
        aim="monsters",
    ),
    _task(
        "kill_six_in_episode_two",
        "combat",
        JudgeMaker(CountJudge, ("kills", 6)),
        "Kill six monsters of the second map of episode two in 20 seconds and live.",
        20.0,
        level=(2, 2),
        aim="monsters",
    ),
    _task(
        "kill_four_in_episode_four",
        "combat",
        JudgeMaker(CountJudge, ("kills", 4)),
        "Kill four monsters of the first map of episode four in 25 seconds and live.",
        25.0,
        level=(4, 1),
        aim="monsters",
    ),
    _task(
        "kill_three_in_ten",
        "combat",
        JudgeMaker(CountJudge, ("kills", 3)),
        "Kill three monsters of the second map in ten seconds and live.",
        10.0,
        level=(1, 2),
        aim="monsters",
    ),
    _task(
        "reach_the_exit_door",
        "navigation",
        JudgeMaker(ReachJudge, ("E1M1", *_EXIT_DOOR, 60.0)),
        "Reach the door before the exit of the first map, 2,700 units on foot, in 90 seconds.",
        90.0,
        skill=2,
        aim=_EXIT_DOOR,
    ),
    _task(
        "gather_five",
        "game-specific",
        JudgeMaker(CountJudge, ("items", 5)),
        "Pick up five of the bonus items of the first map.",
        45.0,
        skill=2,
        aim="items",
    ),
)
"""The tasks."""
