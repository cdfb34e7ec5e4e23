"""Armagetron Advanced: light cycles that leave walls behind. It reads keys, not a pad.

The game's rules are settings: how many computer players there are, how large the arena is, whether
there is a zone that wins the round. It writes what happens to `var/ladderlog.txt` at once.
"""

from collections.abc import Mapping

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game

LOG = "var/ladderlog.txt"
"""In the home folder: a line for each crash, kill and round."""
_DATA = "/usr/share/games/armagetronad"
_SETTINGS = """FIRST_USE 0
FULLSCREEN 0
ARMAGETRON_SCREENMODE 14
ARMAGETRON_LAST_SCREENMODE 14
ARMAGETRON_WINDOWSIZE 14
ARMAGETRON_LAST_WINDOWSIZE 14
CUSTOM_SCREEN_WIDTH 320
CUSTOM_SCREEN_HEIGHT 240
MOVIEPACK 0
SHOW_FPS 0
KEYBOARD 276 PLAYER_BIND CYCLE_TURN_LEFT 1
KEYBOARD 275 PLAYER_BIND CYCLE_TURN_RIGHT 1
KEYBOARD 32 PLAYER_BIND CYCLE_BRAKE 1
"""
_TAP = (Actions.of("start", length=4), Actions.released(16))


def game(rules: Mapping[str, float] | None = None) -> Game:
    """A new single-player match with the game's `rules`, for example `{"SP_NUM_AIS": 3}`.

    SDL 1.2 is that made of SDL 2 (Debian's libsdl1.2-compat), which draws without a display.
    """
    lines = [f"{name} {value:g}\n" for name, value in (rules or {}).items()]
    return Game(
        name="armagetronad",
        title="Armagetron Advanced",
        command=(
            "armagetronad.real", "--datadir", _DATA, "--configdir", "/etc/armagetronad",
            "--userconfigdir", "{home}/config", "--vardir", "{home}/var",
        ),
        packages=("armagetronad", "libsdl1.2-compat"),
        size=(320, 240),
        rate_hz=60.0,
        display="offscreen",
        environment={"LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu/sdl12-compat"},
        files={"var/user.cfg": _SETTINGS, "config/autoexec.cfg": "".join(lines)},
        keys={
            "left_x-": "left",
            "left_x+": "right",
            "dpad_left": "left",
            "dpad_right": "right",
            "south": "space",
            "back": "down",
            "start": "return",
        },
        locked=("back", "start"),
        startup=Actions.concatenate(  # logo, Play Game, Local Game, Start; the countdown
            [
                Actions.released(20),
                *_TAP,
                *_TAP,
                Actions.of("back", length=4),
                Actions.released(16),
                *_TAP,
                *_TAP,
                Actions.released(205),
            ]
        ),
        saves="fork",
        seeded=True,
        deterministic=True,
    )  # fmt: skip


GAME = game()
"""Against three computer players, as the game comes."""
