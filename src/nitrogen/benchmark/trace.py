"""`TracedEnv`: notes what an episode looked like, and survives a game that crashes or hangs.

Knows environments. Knows nothing of policies or results.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np

from nitrogen.actions import FRAME_SIZE, Frame, Step
from nitrogen.errors import GameExitedError, GameTimeoutError
from nitrogen.play import GameEnv

Fault = Literal["", "crashed", "hung"]

_EVERY = 16
"""Frames between two that are hashed: a difference stays, and hashing costs."""


@dataclass(frozen=True)
class Trace:
    """What an episode left behind besides its verdict."""

    frames_hash: str
    """Of the first frame, of every 16th and of the last of a finished episode: equal episodes have
    equal hashes."""
    fault: Fault
    """How the game failed us, if it did."""
    reason: str
    """The error's first line, if the game failed."""


class TracedEnv(gymnasium.Wrapper[Frame, Step, Frame, Step]):
    """The environment of `make`; a crash ends the episode without success instead of raising.

    After a crash the environment is closed and made again. `traces` holds one per seed played.
    """

    def __init__(self, make: Callable[[], GameEnv]) -> None:
        """Make the environment."""
        super().__init__(make())
        self._make = make
        self.traces: dict[int, Trace] = {}
        self._seed = 0
        self._hash = hashlib.blake2b(digest_size=8)
        self._steps = 0
        self._last: tuple[Frame, dict[str, Any]] = (_BLACK, {})
        self._is_broken = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin an episode; a seed is required. A game that does not start ends at once."""
        assert seed is not None, "every episode of a benchmark has a seed"
        self._seed, self._steps = seed, 0
        self._hash = hashlib.blake2b(digest_size=8)
        if self._is_broken:
            self.env = self._make()
            self._is_broken = False
        try:
            self._last = self.env.reset(seed=seed, options=options)
        except (GameExitedError, GameTimeoutError) as error:
            self._last = _BLACK, dict(_NOTHING)
            self._fail(error)
            return self._last
        self._hash.update(self._last[0].tobytes())
        self._note("", "")
        return self._last

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold `action` for one step; a crash or a standstill terminates the episode."""
        if self._is_broken:
            return self._last[0], 0.0, True, False, self._last[1]
        try:
            frame, reward, terminated, truncated, info = self.env.step(action)
        except (GameExitedError, GameTimeoutError) as error:
            self._fail(error)
            return self._last[0], 0.0, True, False, {**self._last[1], "success": False}
        self._steps += 1
        self._last = frame, info
        if terminated or truncated or self._steps % _EVERY == 0:
            self._hash.update(frame.tobytes())
            self._note("", "")
        return frame, float(reward), terminated, truncated, info

    def _fail(self, error: Exception) -> None:
        self.env.close()
        self._is_broken = True
        fault: Fault = "hung" if isinstance(error, GameTimeoutError) else "crashed"
        self._note(fault, str(error).splitlines()[0])

    def _note(self, fault: Fault, reason: str) -> None:
        self.traces[self._seed] = Trace(self._hash.hexdigest(), fault, reason)


_BLACK = np.zeros((FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
_NOTHING = {"frame_index": 0, "success": False, "progress": 0.0, "events": []}
