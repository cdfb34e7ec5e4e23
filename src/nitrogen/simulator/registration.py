"""The games' Gymnasium ids, `nitrogen/<Game>-v0`.

Importing this module registers them: that is its only purpose, so that both forms work,
`import nitrogen; gymnasium.make("nitrogen/SuperTux-v0")` and
`gymnasium.make("nitrogen.simulator.registration:nitrogen/SuperTux-v0")`. A game's module is
imported when its environment is made.
"""

import importlib
from typing import Any

import gymnasium

from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.game import Game

IDS = {
    "nitrogen/Starfighter-v0": "starfighter",
    "nitrogen/SuperTux-v0": "supertux",
}
"""Id -> module in `nitrogen.simulator.games`."""


def game_named(name: str) -> Game:
    """`GAME` of the module `nitrogen.simulator.games.<name>`."""
    module = importlib.import_module(f"nitrogen.simulator.games.{name}")
    game: Game = module.GAME
    return game


def make(game: str, **options: Any) -> GameEnv:
    """The environment of a built-in game; options go to `GameEnv`."""
    return GameEnv(game_named(game), **options)


def register() -> None:
    """Register what is not registered yet."""
    for game_id, name in IDS.items():
        if game_id not in gymnasium.registry:
            gymnasium.register(
                id=game_id,
                entry_point="nitrogen.simulator.registration:make",
                kwargs={"game": name},
            )


register()
