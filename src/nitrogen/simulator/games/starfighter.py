"""Project: Starfighter: a side-on space shooter in many missions."""

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game

_TAP = Actions.concatenate([Actions.of("south", length=6), Actions.released(24)])

GAME = Game(
    name="starfighter",
    title="Project: Starfighter",
    command=("starfighter",),
    packages=("starfighter",),
    size=(800, 600),
    rate_hz=60.0,
    display="none",
    startup=Actions.concatenate([Actions.released(60), *[_TAP] * 6, Actions.released(30)]),
    saves="fork",
    skips_drawing=True,
    seeded=True,
    deterministic=True,
)
"""The first mission."""
