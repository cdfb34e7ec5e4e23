"""SuperTuxKart: a kart race. Wants a GPU: on the processor it draws a few frames per second."""

from pathlib import Path

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level

TRACKS = Path("/usr/share/games/supertuxkart/data/tracks")


def game(track: str = "lighthouse") -> Game:
    """One track, one lap, two karts. Raises GameError if there is no such track."""
    check_level("SuperTuxKart", track, [path.parent.name for path in TRACKS.glob("*/track.xml")])
    options = f"-R --track={track} --laps=1 --numkarts=2 --seed=1 --windowed --screensize=320x240"
    return Game(
        name="supertuxkart",
        title="SuperTuxKart",
        command=("supertuxkart", *options.split()),
        packages=("supertuxkart",),
        size=(320, 240),
        rate_hz=60.0,
        display="x11",
        keys={
            "left_x-": "left",
            "left_x+": "right",
            "right_trigger": "up",
            "left_trigger": "down",
            "south": "space",
            "west": "n",
        },
        startup=Actions.released(0),
        saves="replay",
        wants_gpu=True,
        start_limit_s=300.0,
        step_limit_s=120.0,
    )


GAME = game()
"""One lap."""
