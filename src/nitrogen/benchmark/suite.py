"""The tasks, by name: one tuple of all of them."""

import dataclasses
import difflib
import functools
import importlib.util

from nitrogen.benchmark import extras
from nitrogen.benchmark.games import (
    armagetronad,
    blobwars,
    flare,
    freedoom,
    mrboom,
    neverball,
    neverputt,
    openarena,
    starfighter,
    supertux,
)
from nitrogen.benchmark.games.base import OpenTask
from nitrogen.benchmark.search import SearchConfig
from nitrogen.benchmark.task import Task
from nitrogen.errors import ConfigError
from nitrogen.mini.doom import DoomEnv
from nitrogen.mini.doom_scenarios import RATE_HZ as DOOM_RATE_HZ
from nitrogen.mini.doom_scenarios import SCENARIOS, Scenario
from nitrogen.mini.env import WORLDS, Goal, MiniEnv, WorldInfo
from nitrogen.mini.world import RATE_HZ
from nitrogen.play import GameEnv

_WORLD_TASKS = {
    "racer": "finish_a_lap",
    "arena": "clear_the_waves",
    "platformer": "reach_the_flag",
    "maze": "escape",
    "flyer": "leave_the_cave",
}


def _mini(world: str, goal: str | None = None) -> GameEnv:
    return MiniEnv(world, goal=goal)


def _doom(scenario: str, render_size: tuple[int, int]) -> GameEnv:
    return DoomEnv(scenario, render_size=render_size)


def _nothing_missing() -> str | None:
    return None


def _vizdoom_missing() -> str | None:
    if importlib.util.find_spec("vizdoom") is not None:
        return None
    return "ViZDoom is not installed; get it with pip install 'nitrogen[doom]'"


def _world_task(world: WorldInfo) -> Task:
    make = functools.partial(_mini, world.name)
    return Task(
        name=f"{world.name}/{_WORLD_TASKS[world.name]}",
        suite="mini",
        kind=world.kind,
        view=world.view,
        judge="own state",
        goal=world.goal,
        frames=round(world.time_limit_s * RATE_HZ),
        rate_hz=RATE_HZ,
        make=make,
        render=make,
        missing=_nothing_missing,
    )


def _goal_task(world: WorldInfo, goal: Goal) -> Task:
    make = functools.partial(_mini, world.name, goal.name)
    return dataclasses.replace(
        _world_task(world),
        name=f"{world.name}/{goal.name}",
        kind=goal.kind,
        goal=goal.text,
        frames=round(world.limit_s(goal) * RATE_HZ),
        make=make,
        render=make,
    )


def _doom_task(scenario: Scenario) -> Task:
    return Task(
        name=f"doom/{scenario.name}",
        suite="mini",
        kind=scenario.kind,
        view="3D",
        judge="own state",
        goal=scenario.goal,
        frames=scenario.frames,
        rate_hz=DOOM_RATE_HZ,
        make=functools.partial(_doom, scenario.name, (288, 512)),
        render=functools.partial(_doom, scenario.name, (720, 1280)),
        missing=_vizdoom_missing,
        distributions=("vizdoom",),
    )


OPEN_TASKS: tuple[OpenTask, ...] = (
    *supertux.TASKS,
    *starfighter.TASKS,
    *blobwars.TASKS,
    *mrboom.TASKS,
    *flare.TASKS,
    *freedoom.TASKS,
    *neverball.TASKS,
    *neverputt.TASKS,
    *armagetronad.TASKS,
    *openarena.TASKS,
)
"""Tasks of real games, with the search that demonstrates them."""

ALL_TASKS = (
    *map(_world_task, WORLDS),
    *(_goal_task(world, goal) for world in WORLDS for goal in world.goals),
    *map(_doom_task, SCENARIOS),
    *(each.task for each in OPEN_TASKS),
    *extras.TASKS,
)
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


def search_for(name: str) -> SearchConfig | None:
    """How the task of a real game is searched; None for tasks of other games."""
    return next((each.search for each in OPEN_TASKS if each.task.name == name), None)
