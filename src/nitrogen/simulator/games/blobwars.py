"""Blob Wars: Metal Blob Solid: a platform shooter with missions."""

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game


def game(mission: str = "grasslands1") -> Game:
    """One mission, for example `grasslands1`."""
    return Game(
        name="blobwars",
        title="Blob Wars: Metal Blob Solid",
        command=("blobwars", "-noaudio", "-map", f"data/{mission}"),
        packages=("blobwars",),
        size=(640, 480),
        rate_hz=60.0,
        display="none",
        locked=MENU_BUTTONS,
        startup=Actions.concatenate(  # the licence, then what the mission asks for
            [
                Actions.released(310),
                Actions.of("south", length=6),
                Actions.released(200),
                Actions.of("south", length=6),
                Actions.released(140),
            ]
        ),
        saves="fork",
        skips_drawing=True,
        deterministic=True,
    )


GAME = game()
"""The first mission."""
