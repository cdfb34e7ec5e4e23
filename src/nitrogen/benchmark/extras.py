"""Tasks in games of other Python packages: the suite `extras`."""

import importlib.util
from functools import partial

from nitrogen.benchmark.games.base import DEMONSTRATIONS
from nitrogen.benchmark.task import Task
from nitrogen.mini.adapters.base import AdaptedGame, AdapterEnv
from nitrogen.mini.adapters.catalog import GAMES


def _missing(game: AdaptedGame) -> str | None:
    if importlib.util.find_spec(game.module) is not None:
        return None
    return f"{game.module} is not installed; get it with pip install 'nitrogen[{game.extra}]'"


def _task(game: AdaptedGame) -> Task:
    make = partial(AdapterEnv, game)
    return Task(
        name=game.name,
        suite="extras",
        kind=game.kind,
        view=game.view,
        judge="own state",
        goal=game.goal,
        frames=game.frames,
        rate_hz=game.rate_hz,
        make=make,
        render=make,
        missing=partial(_missing, game),
        distributions=game.distributions,
        has_expert=game.has_expert,
        demonstration=DEMONSTRATIONS / f"{game.name.replace('/', '-')}.npz",
    )


TASKS = tuple(map(_task, GAMES))
"""One for each entry of the catalogue."""
