"""Blob Wars: Metal Blob Solid: a platform shooter with missions."""

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level

MISSIONS = (
    "arcticWastes", "assimilator", "caves1", "caves2", "caves3", "caves4", "comm", "finalBattle",
    "floodedTunnel1", "floodedTunnel2", "floodedTunnel3", "floodedTunnel4", "grasslands1",
    "grasslands2", "grasslands3", "hq", "icecave1", "icecave2", "practice", "spaceStation",
    "supply", "tomb1", "tomb2", "tomb3", "tomb4",
)  # fmt: skip


def game(mission: str = "grasslands1") -> Game:
    """One of the `MISSIONS`. Raises GameError for another."""
    check_level("Blob Wars", mission, MISSIONS)
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
