"""Neverball: tilt the floor, collect coins, reach the goal."""

from pathlib import Path

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level

LEVELS = Path("/usr/share/games/neverball")
_SETTINGS = """fullscreen 0
width 320
height 240
reflection 0
shadow 0
multisample 0
background 0
textures 2
mipmap 0
aniso 0
"""


def game(level: str = "map-easy/easy") -> Game:
    """One level, for example `map-easy/easy`. Raises GameError if there is no such level."""
    known = [f"{path.parent.name}/{path.stem}" for path in LEVELS.glob("map-*/*.sol")]
    check_level("Neverball", level, known)
    return Game(
        name="neverball",
        title="Neverball",
        command=("neverball", "-l", f"{level}.sol"),
        packages=("neverball",),
        size=(320, 240),
        rate_hz=60.0,
        display="offscreen",
        files={".neverball/neverballrc": _SETTINGS},
        locked=MENU_BUTTONS,
        startup=Actions.concatenate(
            [
                Actions.released(60),
                Actions.of("south", length=6),
                Actions.released(54),
                Actions.of("south", length=6),
                Actions.released(54),
            ]
        ),
        saves="fork",
        deterministic=True,
    )


GAME = game()
"""An easy level."""
