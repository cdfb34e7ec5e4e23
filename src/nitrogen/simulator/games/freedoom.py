"""Freedoom under Chocolate Doom: a first-person shooter. It reads keys here, not a pad."""

from pathlib import Path

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level

IWAD = Path("/usr/share/games/doom/freedoom1.wad")
_SETTINGS = """use_joystick 0
show_endoom 0
fullscreen 0
window_width 320
window_height 240
force_software_renderer 1
startup_delay 0
use_mouse 0
"""


def game(episode: int = 1, map: int = 1, *, skill: int = 3) -> Game:
    """One map of the first Freedoom, at a difficulty of 1 to 5.

    Raises GameError if there is no such map.
    """
    maps = [f"E{one}M{two}" for one in range(1, 5) for two in range(1, 10)]
    check_level("Freedoom", f"E{episode}M{map}", maps)
    return Game(
        name="freedoom",
        title="Freedoom: Phase 1",
        command=(
            "chocolate-doom", "-iwad", str(IWAD), "-savedir", "{home}",
            "-nosound", "-nomouse", "-window", "-geometry", "320x240",
            "-warp", str(episode), str(map), "-skill", str(skill),
        ),
        packages=("chocolate-doom", "freedoom"),
        size=(640, 480),
        rate_hz=35.0,
        display="none",
        files={
            ".local/share/chocolate-doom/chocolate-doom.cfg": _SETTINGS,
            ".local/share/chocolate-doom/default.cfg": "key_strafeleft 30\nkey_straferight 32\n",
        },
        keys={
            "left_y-": "up",
            "left_y+": "down",
            "left_x-": "a",
            "left_x+": "d",
            "right_x-": "left",
            "right_x+": "right",
            "right_trigger": "right_ctrl",
            "south": "space",
            "west": "right_shift",
        },
        startup=Actions.released(40),  # the picture melts into the level
        saves="fork",
        deterministic=True,
    )  # fmt: skip


GAME = game()
"""The first map."""
