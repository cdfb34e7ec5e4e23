"""Mr.Boom: bombs in a maze, against seven others."""

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level


def game(level: int = 0) -> Game:
    """One of the levels 0 to 7. Raises GameError for another."""
    check_level("Mr.Boom", str(level), [str(known) for known in range(8)])
    tap = [Actions.released(54)]
    return Game(
        name="mrboom",
        title="Mr.Boom",
        command=("mrboom", "-l", str(level)),
        packages=("mrboom",),
        size=(960, 600),
        rate_hz=60.0,
        display="none",
        locked=MENU_BUTTONS,
        startup=Actions.concatenate(
            [
                Actions.released(120),
                Actions.of("start", length=6),
                *tap,
                Actions.of("south", length=6),
                *tap,
                Actions.of("start", length=6),
                *tap,
            ]
        ),
        saves="fork",
        skips_drawing=True,
        deterministic=True,
    )


GAME = game()
"""The first level."""
