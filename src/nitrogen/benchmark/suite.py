"""The tasks, by name: an explicit tuple of all of them."""

import difflib
import functools

from nitrogen.benchmark.task import Kind, Task, View
from nitrogen.errors import ConfigError
from nitrogen.play import GameEnv

MINI_RATE_HZ = 30
DOOM_RATE_HZ = 35


def _mini(world: str) -> GameEnv:
    from nitrogen.mini.env import MiniEnv

    return MiniEnv(world)


def _nothing_missing() -> str | None:
    return None


def _builtin(world: str, goal_name: str, kind: Kind, view: View, goal: str, seconds: float) -> Task:
    make = functools.partial(_mini, world)
    return Task(
        name=f"{world}/{goal_name}",
        suite="mini",
        kind=kind,
        view=view,
        goal=goal,
        frames=round(seconds * MINI_RATE_HZ) + 1,
        make=make,
        render=make,
        missing=_nothing_missing,
    )


BUILTIN = (
    _builtin(
        "racer",
        "finish_a_lap",
        "navigation",
        "2D top-down",
        "Drive one lap in time, never off the road for more than two seconds.",
        24,
    ),
    _builtin(
        "arena",
        "clear_the_waves",
        "combat",
        "2D top-down",
        "Defeat all enemies of all waves in time.",
        20,
    ),
    _builtin(
        "platformer",
        "reach_the_flag",
        "navigation",
        "2D side-scrolling",
        "Reach the flag at the end of the level.",
        20,
    ),
)

ALL_TASKS = BUILTIN
"""Every task."""


def task(name: str) -> Task:
    """The task called `name`. Raises ConfigError with the nearest names if there is none."""
    for candidate in ALL_TASKS:
        if candidate.name == name:
            return candidate
    names = [candidate.name for candidate in ALL_TASKS]
    near = difflib.get_close_matches(name, names, n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ConfigError(f"no task {name!r}; tasks: {', '.join(names)}{hint}")
