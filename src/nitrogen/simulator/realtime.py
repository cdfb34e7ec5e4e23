"""Play in real time: the game runs at its own speed while the policy plans ahead.

Knows sessions that run free, and policies. The policy plans in a thread of its own, from the newest
frame; what was planned before is played meanwhile. A policy with `continue_plan` is told which
actions are committed until its new plan can arrive, so that the new plan joins on to them.
"""

import json
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError
from nitrogen.policy import Policy
from nitrogen.simulator.board import Published
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.game import Game, Judge, Verdict
from nitrogen.simulator.session import Session, SessionView

_SILENCE_S = 1.0
_MAX_COMMITTED_S = 1.0


@runtime_checkable
class PlansOn(Protocol):
    """A policy that plans on from committed actions, as `ModelPolicy` does."""

    @property
    def horizon(self) -> int:
        """Actions in a plan."""

    def continue_plan(self, frame: Frame, committed: Actions) -> Actions:
        """A plan that begins with `committed`, fewer than `horizon`."""


@dataclass(frozen=True)
class Moment:
    """What an observer of a real-time play is shown at a frame."""

    frame: Frame
    """(256, 256, 3)."""
    plan: Actions
    """What the game is given next (one row at least), and what is planned after it."""
    time_s: float
    """Virtual, since the episode began."""
    age_ms: float
    """Real time since the frame from which `held` was planned; nan before the first plan."""
    verdict: Verdict


@dataclass(frozen=True)
class RealtimeReport:
    """How well a policy kept up."""

    frames: int
    """Frames that the game presented."""
    missed_frames: int
    """Frames that were over before this process looked at them."""
    virtual_s: float
    real_s: float
    plans: int
    late_plans: int
    """Plans that came after the actions that were committed for the meantime had been played; of
    policies that cannot plan on, those that were over before they came."""
    unplanned_frames: int
    """Frames without a planned action: the last one was held on."""
    frame_age_ms: tuple[float, float]
    """Real time from a frame to an action that was planned from it: median, 99 %."""
    plan_ms: tuple[float, float]
    """Real time that a plan takes: median, 99 %."""
    success: bool
    progress: float

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))


@dataclass(eq=False)
class _Schedule:
    """Actions by the number of the frame that they lead to, and where they come from."""

    first: int = 0
    actions: Actions = field(default_factory=lambda: Actions.released(0))
    sources_ns: tuple[int, ...] = ()

    def rest(self, frame: int) -> tuple[Actions, tuple[int, ...]]:
        """What is planned from that frame on."""
        start = min(max(frame - self.first, 0), len(self.actions))
        return self.actions[start:], self.sources_ns[start:]


@dataclass(frozen=True, eq=False)
class _Job:
    """A plan in the making."""

    begun: Published
    committed: Actions
    sources_ns: tuple[int, ...]
    plan: Future[tuple[Actions, float]]


def play(
    game: Game,
    policy: Policy,
    *,
    seconds: float,
    seed: int = 0,
    execute: int = 4,
    on_frame: Callable[[Moment], None] = lambda moment: None,
) -> RealtimeReport:
    """Let `policy` play `game` in real time for so many virtual seconds, or until it is over.

    `execute`: frames after which the policy is asked again, if it is not planning still. `on_frame`
    must be quick: it runs between two frames.

    Raises GameError and what lies below it, and whatever the policy raises.
    """
    if seconds <= 0 or execute < 1:
        raise GameError(f"seconds and execute must be above 0, not {seconds:g} and {execute}")
    policy.reset()
    policy.act(np.zeros((256, 256, 3), np.uint8))  # the first plan is slow: memory, compilation
    policy.reset()
    with (
        Session(game, seed=seed) as session,
        ThreadPoolExecutor(1, thread_name_prefix="nitrogen-plan") as pool,
    ):
        session.play(game.startup)
        return _Play(session, policy, pool, execute=execute).run(seconds, on_frame)


class _Play:
    """One play in the making."""

    def __init__(
        self, session: Session, policy: Policy, pool: ThreadPoolExecutor, *, execute: int
    ) -> None:
        self._session, self._policy, self._pool = session, policy, pool
        self._rate_hz, self._execute = session.game.rate_hz, execute
        self._schedule = _Schedule()
        self._held = Actions.released(1)
        self._job: _Job | None = None
        self._asked = -execute
        self._missed = self._late = self._unplanned = 0
        self._plan_ms: list[float] = []
        self._ages_ms: list[float] = []

    def run(self, seconds: float, on_frame: Callable[[Moment], None]) -> RealtimeReport:
        session = self._session
        judge: Judge = session.game.judge()
        start = session.channel.last
        view = SessionView(session, start.time_ns)
        verdict = judge.on_start(view)
        began, shown = time.monotonic(), int(start.frame)
        session.run_free()
        try:
            while not verdict.terminated and view.time_s < seconds:
                published = session.wait_free(shown, _SILENCE_S)
                if published is None:
                    continue
                self._missed += published.frame - shown - 1
                shown = published.frame
                self._plan(published)
                age_ms, plan = self._hold(published)
                verdict = judge.on_frame(view)
                on_frame(Moment(published.observation, plan, view.time_s, age_ms, verdict))
        except GameEnded as end:
            verdict = judge.on_exit(end.status if end.status is not None else -1)
        if self._job is not None:
            self._job.plan.cancel()
        return self._report(
            shown - int(start.frame), view.time_s, time.monotonic() - began, verdict
        )

    def _plan(self, newest: Published) -> None:
        """Take the plan that has come, and ask for the next one."""
        job = self._job
        if job is not None and job.plan.done():
            plan, took_ms = job.plan.result()
            self._plan_ms.append(took_ms)
            fresh = len(plan) - len(job.committed)
            sources = (*job.sources_ns, *[job.begun.real_ns] * fresh)
            # Of a plan that is over before it has come, the last action is still better than none.
            first = max(job.begun.frame + 1, newest.frame + 2 - len(plan))
            self._schedule = _Schedule(first, plan, sources)
            in_time = len(job.committed) if isinstance(self._policy, PlansOn) else len(plan) - 1
            self._late += newest.frame > job.begun.frame + in_time
            self._job = job = None
        if job is None and newest.frame - self._asked >= self._execute:
            self._asked = newest.frame
            self._job = self._ask(newest)

    def _ask(self, newest: Published) -> _Job:
        rest, sources = self._schedule.rest(newest.frame + 1)
        policy, count = self._policy, self._frames_of_a_plan()
        count = min(count, policy.horizon - 1) if isinstance(policy, PlansOn) else 0
        committed = rest[:count]
        future = self._pool.submit(_plan, policy, newest.observation, committed)
        return _Job(newest, committed, sources[: len(committed)], future)

    def _frames_of_a_plan(self) -> int:
        """So many frames go by until a plan is there, if it takes as long as the slowest lately."""
        slowest_s = min(max(self._plan_ms[-20:], default=0.0) / 1000, _MAX_COMMITTED_S)
        return math.ceil(slowest_s * self._rate_hz) + 1

    def _hold(self, newest: Published) -> tuple[float, Actions]:
        """Give the game its next action. Returns how old what it was planned from is, and it with
        what is planned after it."""
        planned, sources = self._schedule.rest(newest.frame + 1)
        age_ms = math.nan
        if len(planned):
            self._held = planned[:1]
            age_ms = (time.monotonic_ns() - sources[0]) / 1e6
            self._ages_ms.append(age_ms)
        else:
            self._unplanned += 1
            planned = self._held
        self._session.hold(self._held)
        return age_ms, planned

    def _report(
        self, frames: int, virtual_s: float, real_s: float, verdict: Verdict
    ) -> RealtimeReport:
        return RealtimeReport(
            frames=frames,
            missed_frames=self._missed,
            virtual_s=virtual_s,
            real_s=real_s,
            plans=len(self._plan_ms),
            late_plans=self._late,
            unplanned_frames=self._unplanned,
            frame_age_ms=_middle_and_worst(self._ages_ms),
            plan_ms=_middle_and_worst(self._plan_ms),
            success=verdict.success,
            progress=verdict.progress,
        )


def _plan(policy: Policy, frame: Frame, committed: Actions) -> tuple[Actions, float]:
    """A plan, which begins with `committed` if the policy can plan on; milliseconds it took."""
    start = time.perf_counter()
    if isinstance(policy, PlansOn):
        plan = policy.continue_plan(frame, committed)
    else:
        plan = policy.act(frame)
    return plan, 1000 * (time.perf_counter() - start)


def _middle_and_worst(values: list[float]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    return float(np.median(values)), float(np.percentile(values, 99))
