"""What a built-in game is: a `World` that steps, clones and judges itself.

Knows the controls that the built-in games read. Knows nothing of Gymnasium, pictures or policies.
"""

import functools
from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol, Self

import numpy as np

from nitrogen.actions import BUTTON_INDEX, PRESSED, Actions

RATE_HZ = 30
"""Steps per second of every built-in game."""

DT = 1.0 / RATE_HZ
"""Seconds per step."""


class Pad(NamedTuple):
    """The controls that the built-in games read, as plain numbers, for one step."""

    left_x: float = 0.0
    left_y: float = 0.0
    right_x: float = 0.0
    right_y: float = 0.0
    left_trigger: float = 0.0
    right_trigger: float = 0.0
    south: bool = False
    west: bool = False

    @classmethod
    def read(cls, actions: Actions) -> Self:
        """The first frame of `actions`."""
        left_x, left_y, right_x, right_y = actions.sticks[0].tolist()
        buttons: list[float] = actions.buttons[0].tolist()
        return cls(
            left_x=left_x,
            left_y=left_y,
            right_x=right_x,
            right_y=right_y,
            left_trigger=buttons[BUTTON_INDEX["left_trigger"]],
            right_trigger=buttons[BUTTON_INDEX["right_trigger"]],
            south=buttons[BUTTON_INDEX["south"]] > PRESSED,
            west=buttons[BUTTON_INDEX["west"]] > PRESSED,
        )

    def as_actions(self) -> Actions:
        """One frame of actions."""
        return Actions.of(
            left_x=self.left_x,
            left_y=self.left_y,
            right_x=self.right_x,
            right_y=self.right_y,
            left_trigger=self.left_trigger,
            right_trigger=self.right_trigger,
            south=float(self.south),
            west=float(self.west),
        )


class World(Protocol):
    """The state of one episode of a built-in game; all that is random was drawn at the start."""

    is_over: bool
    """Won or lost; no further step changes anything."""
    is_won: bool
    events: list[str]
    """What happened in the last step."""

    @property
    def progress(self) -> float:
        """How far the goal is reached, in 0..1; 1 when won."""

    def step(self, pad: Pad) -> None:
        """Move on by 1/30 s with the pad held as given."""

    def clone(self) -> Self:
        """A copy that goes on by itself; what never changes is shared."""


class BaseWorld(ABC):
    """The bookkeeping that all worlds share: time, events, the end, clones.

    A world lists its state in `__slots__` and holds only values that never change themselves, so
    that a clone can share them.
    """

    __slots__ = ("events", "is_over", "is_won", "time_steps")

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.is_over = self.is_won = False
        self.events: list[str] = []
        self.time_steps = 0

    @property
    @abstractmethod
    def progress(self) -> float:
        """How far the goal is reached, in 0..1; 1 when won."""

    @abstractmethod
    def advance(self, pad: Pad) -> None:
        """What one step does to the state, while the episode lasts."""

    @property
    def time_s(self) -> float:
        """Game time since the start."""
        return self.time_steps * DT

    def step(self, pad: Pad) -> None:
        """Move on by 1/30 s with the pad held as given; nothing happens after the end."""
        self.events = []
        if not self.is_over:
            self.time_steps += 1
            self.advance(pad)

    def clone(self) -> Self:
        """A copy that goes on by itself; what never changes is shared."""
        other = object.__new__(type(self))
        for name in _slots(type(self)):
            setattr(other, name, getattr(self, name))
        other.events = []
        return other

    def end(self, event: str, *, won: bool) -> None:
        """The episode is over."""
        self.is_over, self.is_won = True, won
        self.events.append(event)


@functools.cache
def _slots(kind: type[BaseWorld]) -> tuple[str, ...]:
    return tuple(name for part in kind.__mro__ for name in getattr(part, "__slots__", ()))


def generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Two streams of the seed: one for the level, one for its look."""
    level, look = np.random.SeedSequence(seed).spawn(2)
    return np.random.default_rng(level), np.random.default_rng(look)
