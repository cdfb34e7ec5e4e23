"""`Task`: what is to be achieved in which game, and how to make the environment that judges it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nitrogen.play import GameEnv

Kind = Literal["combat", "navigation", "game-specific"]
View = Literal["2D side-scrolling", "2D top-down", "3D"]

EVALUATION_SEEDS = 1_000_000
"""Seeds from here on are held out: no demonstration, no training, no tuning uses them."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to achieve in one game; the environment says `success` and `progress` in `info`."""

    name: str
    """`game/task`, for example `doom/defend_the_center`."""
    suite: Literal["mini", "open-10"]
    kind: Kind
    view: View
    goal: str
    """When it counts as a success, in one sentence."""
    frames: int
    """Game frames after which an episode ends without success."""
    make: Callable[[], GameEnv]
    """The environment that judges the task; importing its game's package only now."""
    render: Callable[[], GameEnv]
    """The same, whose `render()` is large enough to watch (720p)."""
    missing: Callable[[], str | None]
    """Why it cannot run on this machine, with the command that mends it; None if it can."""

    @property
    def game(self) -> str:
        """The game's name."""
        return self.name.partition("/")[0]
