"""Extreme Tux Racer: Tux slides down a mountain. It reads keys, not a pad."""

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game

GAME = Game(
    name="extremetuxracer",
    title="Extreme Tux Racer",
    command=("etr",),
    packages=("extremetuxracer",),
    size=(800, 600),
    rate_hz=60.0,
    display="x11",
    keys={
        "left_x-": "left",
        "left_x+": "right",
        "left_y-": "up",
        "left_y+": "down",
        "south": "space",
        "west": "t",
        "start": "return",
    },
    locked=("start",),
    startup=Actions.concatenate(
        [
            Actions.released(30),
            *[
                part
                for _ in range(5)
                for part in (Actions.of("start", length=4), Actions.released(26))
            ],
            Actions.released(60),
        ]
    ),
    saves="replay",
    deterministic=False,  # fresh starts agree in most runs, and differ on a busy machine
)
"""A practice race."""
