"""SuperTux: a platformer; an episode is one level, won when the game exits with status 0."""

from functools import partial

from nitrogen.actions import MENU_BUTTONS
from nitrogen.simulator.game import ExitJudge, Game

LEVELS = "/usr/share/games/supertux2/levels"


def game(level: str = "world1/welcome_antarctica", *, size: tuple[int, int] = (640, 480)) -> Game:
    """One level, for example `world1/welcome_antarctica`, at a window size."""
    width, height = size
    options = "--window --renderer sdl --disable-sound --disable-music --userdir {home}"
    return Game(
        name="supertux",
        title="SuperTux",
        command=(
            "supertux2",
            *options.split(),
            "--geometry",
            f"{width}x{height}",
            f"{LEVELS}/{level}.stl",
        ),
        packages=("supertux",),
        size=size,
        rate_hz=200 / 3,  # one logic step per frame: the game counts 15 whole milliseconds
        locked=MENU_BUTTONS,  # leaving a level by its menu also exits with status 0
        judge=partial(ExitJudge, success_status=0),
        saves="fork",
        deterministic=True,
    )


GAME = game()
"""The first level of the first world."""
