"""How one demonstration is made: by an expert, by search, or from one that was found.

A demonstration is a list of actions that, played from the seed's start, reaches the goal; it is
kept only after a second play-through that matched it in every frame that is hashed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.demonstration import Demonstration, Facts, Origin
from nitrogen.benchmark.run import EXPERT
from nitrogen.benchmark.search import Propose, SearchConfig, SearchProgress, search
from nitrogen.benchmark.task import Task
from nitrogen.benchmark.trace import Trace, TracedEnv
from nitrogen.errors import GameError
from nitrogen.play import Episode, rollout
from nitrogen.policy import Policy, ReplayPolicy


def by_expert(task: Task, seed: int) -> Demonstration | None:
    """The scripted expert, stumbling now and then; None if it fails."""
    rng = np.random.default_rng([seed, 1])
    env = TracedEnv(task.make)
    try:
        assert EXPERT.policy is not None, "the expert has a policy of its own"
        policy = Stumbling(EXPERT.policy(env, rng), rng, _nudges)
        start = time.perf_counter()
        actions, episode = _played(env, task, policy, seed)
        if not episode.success:
            return None
        spent = (episode.frames, time.perf_counter() - start)
        return _verified(env, task, seed, "expert", actions, spent)
    finally:
        env.close()


def by_search(
    task: Task,
    seed: int,
    config: SearchConfig,
    journal: Path | None = None,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Demonstration:
    """Go-explore from the seed's start. Raises GameError if it finds no way."""
    start = time.perf_counter()
    env: Any = task.make()
    try:
        found = search(
            env, seed=seed, rng=np.random.default_rng([seed, 2]), config=config,
            limit=task.frames, journal=journal, on_progress=on_progress,
        )  # fmt: skip
    finally:
        env.close()
    spent = (found.frames_spent, time.perf_counter() - start)
    return _confirmed(task, seed, "search", found.actions, spent)


def by_branching(
    task: Task,
    found: Path,
    config: SearchConfig,
    *,
    number: int,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Demonstration | None:
    """Leave what was found somewhere on its way, stray, and search on from there.

    Shows how to come back from places that the way itself does not touch; None if the search does
    not find back.
    """
    base, rng = Demonstration.load(found), np.random.default_rng([number, 4])
    start, seed = time.perf_counter(), base.facts.seed
    kept = base.actions[: int(rng.uniform(0.1, 0.8) * len(base.actions))]
    opening = Actions.concatenate([kept, *(config.propose(rng) for _ in range(2))])
    env: Any = task.make()
    try:
        way = search(
            env, seed=seed, rng=rng, config=config, limit=task.frames, opening=opening,
            on_progress=on_progress,
        )  # fmt: skip
    except GameError:
        return None
    finally:
        env.close()
    spent = (way.frames_spent, time.perf_counter() - start)
    return _confirmed(task, seed, "branch", way.actions, spent)


def _confirmed(
    task: Task, seed: int, origin: Origin, actions: Actions, spent: tuple[int, float]
) -> Demonstration:
    env = TracedEnv(task.make)
    try:
        return _verified(env, task, seed, origin, actions, spent)
    finally:
        env.close()


def by_variation(
    task: Task, found: Path, propose: Propose, *, seed: int, tries: int
) -> Demonstration | None:
    """What was found, with bursts of other input; None if no try reaches the goal."""
    base = Demonstration.load(found)
    env = TracedEnv(task.make)
    start, spent = time.perf_counter(), 0
    try:
        for number in range(tries):
            rng = np.random.default_rng([seed, 3, number])
            policy = Stumbling(ReplayPolicy(base.actions), rng, propose)
            actions, episode = _played(env, task, policy, base.facts.seed)
            spent += episode.frames
            differs = env.traces[base.facts.seed].frames_hash != base.facts.frames_hash
            if episode.success and differs:
                cost = (spent, time.perf_counter() - start)
                return _verified(env, task, base.facts.seed, "variant", actions, cost)
    finally:
        env.close()
    return None


def replay(env: TracedEnv, task: Task, actions: Actions, seed: int) -> tuple[Episode, Trace]:
    """Play recorded actions from the seed's start."""
    episode = rollout(env, ReplayPolicy(actions), seed=seed, frames=task.frames)
    return episode, env.traces[seed]


def _verified(
    env: TracedEnv,
    task: Task,
    seed: int,
    origin: Origin,
    actions: Actions,
    spent: tuple[int, float],
) -> Demonstration:
    """Play it again, twice if it was found without looking at each frame."""
    before = env.traces.get(seed)
    if before is None:
        episode, before = replay(env, task, actions, seed)
        actions = actions[: episode.frames]
    episode, trace = replay(env, task, actions, seed)
    if not episode.success or trace != before:
        raise GameError(
            f"{task.name}, seed {seed}: what was found does not repeat (progress"
            f" {episode.progress:.2f}, {trace.frames_hash} after {before.frames_hash}); the game is"
            " not deterministic on this machine"
        )
    facts = Facts(
        task=task.name,
        seed=seed,
        origin=origin,
        frames_spent=spent[0],
        seconds=round(spent[1], 2),
        frames_hash=trace.frames_hash,
        versions=task.versions(),
    )
    return Demonstration(actions, facts)


def _played(env: TracedEnv, task: Task, policy: Policy, seed: int) -> tuple[Actions, Episode]:
    rows = _Rows()
    episode = rollout(env, policy, seed=seed, frames=task.frames, execute=1, observers=[rows])
    return Actions.concatenate(rows.rows), episode


class _Rows:
    """An observer that keeps what was played."""

    def __init__(self) -> None:
        self.rows: list[Actions] = []

    def on_action(self, frame: Frame, plan: Actions) -> None:
        self.rows.append(plan[:1])

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        pass


class Stumbling:
    """Plays a policy, but now and then something else for a moment."""

    def __init__(
        self,
        policy: Policy,
        rng: np.random.Generator,
        propose: Propose,
        *,
        chance: float = 0.008,
        most: int = 8,
    ) -> None:
        """`chance` per frame that a burst of 2 to `most` frames of `propose` begins."""
        self._policy, self._rng, self._propose = policy, rng, propose
        self._chance, self._most = chance, most
        self._burst = Actions.released(0)

    def reset(self) -> None:
        """Forget the burst and the policy's episode."""
        self._burst = Actions.released(0)
        self._policy.reset()

    def act(self, frame: Frame) -> Actions:
        """One frame of the policy, or of the burst; the policy's time goes on below it."""
        action = self._policy.act(frame)[:1]
        if not len(self._burst) and self._rng.random() < self._chance:
            length = int(self._rng.integers(2, self._most + 1))
            self._burst = self._propose(self._rng)[:length]
        if len(self._burst):
            action, self._burst = self._burst[:1], self._burst[1:]
        return action


def _nudges(rng: np.random.Generator) -> Actions:
    """Any direction on both sticks."""
    x, y, u, v = rng.uniform(-1, 1, 4).tolist()
    return Actions.of(length=8, left_x=x, left_y=y, right_x=u, right_y=v)
