"""Live play: the game does not wait for the policy.

In paused mode the game stands still while the policy plans. In live mode it goes on at its native
rate: the time that planning took is measured and turned into game frames, in which the rest of the
previous plan is played; the part of the new plan that has become stale by then is dropped.
"""

import math
import time
from collections.abc import Callable

from nitrogen.actions import Actions, Frame
from nitrogen.policy import Policy


class LivePolicy:
    """Plays `policy` as if the game ran on while it plans; each plan is to be played to its end."""

    def __init__(
        self,
        policy: Policy,
        *,
        rate_hz: float,
        execute: int | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`rate_hz`: steps per second of the game; `execute`: actions played of each fresh plan."""
        self._policy, self._rate_hz, self._execute = policy, rate_hz, execute
        self._clock = clock
        self._rest = Actions.released(0)
        self.late_frames = 0
        """Frames that went by while planning, in all."""

    def reset(self) -> None:
        """Forget the previous episode."""
        self._policy.reset()
        self._rest, self.late_frames = Actions.released(0), 0

    def act(self, frame: Frame) -> Actions:
        """What is held while the policy plans, then what is still fresh of its plan."""
        start = self._clock()
        plan = self._policy.act(frame)
        late = math.floor((self._clock() - start) * self._rate_hz)
        self.late_frames += late
        fresh = plan[min(late, len(plan) - 1) :]
        execute = len(fresh) if self._execute is None else min(self._execute, len(fresh))
        meanwhile = _held(self._rest, late)
        self._rest = fresh[execute:] if execute < len(fresh) else fresh[-1:]
        return Actions.concatenate([meanwhile, fresh[:execute]])


def _held(actions: Actions, frames: int) -> Actions:
    """The first `frames` of `actions`; its last one is held on, nothing where there is none."""
    if not len(actions):
        return Actions.released(frames)
    missing = max(0, frames - len(actions))
    return Actions.concatenate([actions[:frames], *[actions[-1:]] * missing])
