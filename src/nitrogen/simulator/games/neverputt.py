"""Neverputt: miniature golf on Neverball's engine."""

from dataclasses import replace

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games import neverball
from nitrogen.simulator.games.levels import check_level


def game(hole: str = "map-putt/01_easy") -> Game:
    """One hole for one player, for example `map-putt/02_uturn`; it begins with the first putt.

    The left stick turns the aim (x) and sets the strength (y), A putts and goes on to the next
    putt. B would leave the hole and is locked. Raises GameError if there is no such hole.
    """
    known = [f"{path.parent.name}/{path.stem}" for path in neverball.LEVELS.glob("map-*/*.sol")]
    check_level("Neverputt", hole, known)
    return replace(
        neverball.GAME,
        name="neverputt",
        title="Neverputt",
        command=("neverputt", "--hole", f"{hole}.sol"),
        packages=("neverputt",),
        locked=(*MENU_BUTTONS, "east"),
        startup=Actions.concatenate(
            [
                Actions.released(60),
                Actions.of("south", length=6),
                Actions.released(54),
                Actions.of("south", length=6),
                Actions.released(30),
            ]
        ),
    )


GAME = game()
"""The first hole of the original course."""
