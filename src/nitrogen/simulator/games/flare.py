"""Flare: an action role-playing game."""

from nitrogen.simulator.game import Game

GAME = Game(
    name="flare",
    title="Flare: Empyrean Campaign",
    command=("flare",),
    packages=("flare-game",),
    size=(640, 480),
    rate_hz=60.0,
    display="none",
    saves="fork",
)
"""The title screen."""
