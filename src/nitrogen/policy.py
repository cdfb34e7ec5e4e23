"""What chooses actions: the `Policy` protocol, and the policies that need no network.

Knows frames and actions. Knows nothing of networks, games or servers.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from nitrogen.actions import BUTTONS, MENU_BUTTONS, STICKS, Actions, Frame


@runtime_checkable
class Policy(Protocol):
    """Anything that plans actions from frames."""

    def reset(self) -> None:
        """Forget the previous episode."""

    def act(self, frame: Frame) -> Actions:
        """Plan the next actions after seeing `frame`, (256, 256, 3) uint8 RGB."""


@runtime_checkable
class BatchPolicy(Protocol):
    """A policy that plans for several games in one call; it keeps no state between calls."""

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """One plan per frame, (256, 256, 3) uint8 RGB; each draws its noise from its own rng."""


@runtime_checkable
class ContinuingPolicy(BatchPolicy, Protocol):
    """A policy that can plan on from actions that are already committed (real-time chunking)."""

    def continue_batch(
        self,
        frames: Sequence[Frame],
        rngs: Sequence[np.random.Generator],
        committed: Sequence[Actions],
    ) -> list[Actions]:
        """One plan per frame; each begins with its committed actions, which may be none."""


class ReleasedPolicy:
    """Touches nothing: the no-input baseline."""

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self, frame: Frame) -> Actions:
        """One frame with everything released."""
        return Actions.released(1)


class RandomPolicy:
    """Uniform sticks and random presses, each held for `hold` frames: the random baseline."""

    def __init__(self, rng: np.random.Generator, *, hold: int = 8, press: float = 0.2) -> None:
        """`press` is the chance of each button (menu buttons excepted) in each draw."""
        self._rng, self._hold = rng, hold
        self._press = np.array([0.0 if name in MENU_BUTTONS else press for name in BUTTONS])

    def reset(self) -> None:
        """Nothing to forget: every draw is independent."""

    def act(self, frame: Frame) -> Actions:
        """`hold` equal frames of random controls."""
        buttons = (self._rng.random(len(BUTTONS)) < self._press).astype(np.float32)
        sticks = self._rng.uniform(-1, 1, len(STICKS)).astype(np.float32)
        return Actions(np.tile(buttons, (self._hold, 1)), np.tile(sticks, (self._hold, 1)))


class MashPolicy:
    """Holds the left stick right and mashes one button at a time, without looking.

    The baseline that every table needs: in many games it gets surprisingly far.
    """

    def __init__(self, rng: np.random.Generator, *, hold: int = 6) -> None:
        """Each of south, west, east, north and right_trigger is tapped for `hold` frames."""
        self._rng, self._hold = rng, hold

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self, frame: Frame) -> Actions:
        """A tap of one button and as long a release, the stick held right."""
        name = ("south", "west", "east", "north", "right_trigger")[self._rng.integers(5)]
        return Actions.concatenate(
            [
                Actions.of(name, length=self._hold, left_x=1.0),
                Actions.of(length=self._hold, left_x=1.0),
            ]
        )


class ReplayPolicy:
    """Plays recorded actions from the start, then releases everything."""

    def __init__(self, actions: Actions) -> None:
        """`actions` are played once per episode."""
        self._actions, self._next = actions, 0

    def reset(self) -> None:
        """Start over."""
        self._next = 0

    def act(self, frame: Frame) -> Actions:
        """The next recorded frame."""
        if self._next >= len(self._actions):
            return Actions.released(1)
        self._next += 1
        return self._actions[self._next - 1 : self._next]


class CallPolicy:
    """Asks a function, and not the picture: how scripted experts with privileged state play."""

    def __init__(self, choose: Callable[[], Actions]) -> None:
        """`choose` returns the plan for the present state of the game that it is bound to."""
        self._choose = choose

    def reset(self) -> None:
        """Nothing to forget: the state is in the game."""

    def act(self, frame: Frame) -> Actions:
        """What the function says."""
        return self._choose()
