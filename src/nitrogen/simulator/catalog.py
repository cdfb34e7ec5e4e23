"""The built-in games: an explicit tuple, nothing registers itself."""

import difflib
import importlib

from nitrogen.errors import GameError
from nitrogen.simulator.game import Game

NAMES = (
    "supertux",
    "starfighter",
    "blobwars",
    "mrboom",
    "flare",
    "neverball",
    "neverputt",
    "chromium",
    "freedoom",
    "openarena",
    "extremetuxracer",
    "armagetronad",
    "supertuxkart",
)
"""Modules in `nitrogen.simulator.games`."""


def game_named(name: str) -> Game:
    """`GAME` of the module of that name. Raises GameError, with what was perhaps meant."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise GameError(f"no built-in game {name!r}{hint} Games: {', '.join(NAMES)}")
    game: Game = importlib.import_module(f"nitrogen.simulator.games.{name}").GAME
    return game


def all_games() -> tuple[Game, ...]:
    """Every built-in game, installed or not."""
    return tuple(game_named(name) for name in NAMES)
