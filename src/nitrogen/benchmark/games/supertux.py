"""SuperTux: reach the end of levels. Judged by the exit code; progress and death by memory.

The level's end, death and the way are read by the judge that belongs to the game's profile.
"""

from nitrogen.benchmark.games.base import OpenTask, open_task
from nitrogen.benchmark.search import SearchConfig, by_place, platform_moves
from nitrogen.simulator.games import supertux

_SEARCH = SearchConfig(
    propose=platform_moves,
    cell=by_place(24),
    points=100,
    tries=3,
    worn_out=8,
    wait_frames=1500,
    arrived=0.985,
)


def _level(name: str, level: str, limit_s: float) -> OpenTask:
    game = supertux.game(level, size=(320, 240))
    return open_task(
        name,
        game,
        game.judge,
        facts=("navigation", "2D side-scrolling", "exported state"),
        goal=f"Reach the end of the level {level.partition('/')[2].replace('_', ' ')}.",
        limit_s=limit_s,
        search=_SEARCH,
    )


TASKS: tuple[OpenTask, ...] = (
    _level("welcome_antarctica", "world1/welcome_antarctica", 120.0),
    _level("journey_begins", "world1/journey_begins", 150.0),
    _level("frosted_fields", "world1/frosted_fields", 150.0),
)
"""The tasks."""
