"""Chromium B.S.U.: an arcade shooter seen from above. It reads keys, not a pad."""

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game

GAME = Game(
    name="chromium",
    title="Chromium B.S.U.",
    command=("chromium-bsu", "--window", "--vidmode", "0", "--noaudio"),
    packages=("chromium-bsu",),
    size=(512, 384),
    rate_hz=50.0,
    display="offscreen",
    keys={
        "left_x-": "left",
        "left_x+": "right",
        "left_y-": "up",
        "left_y+": "down",
        "dpad_left": "left",
        "dpad_right": "right",
        "dpad_up": "up",
        "dpad_down": "down",
        "south": "space",
        "start": "return",
    },
    locked=("start",),
    startup=Actions.concatenate(
        [Actions.released(30), Actions.of("start", length=5), Actions.released(15)]
    ),
    saves="fork",
    deterministic=True,
)
"""A new game."""
