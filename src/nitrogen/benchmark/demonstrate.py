"""Demonstrations without people: a scripted expert where there is one, else search; then variants.

A demonstration is a list of actions that, played from the seed's start, reaches the goal; it is
kept only after a second play-through that matched it in every frame that is hashed. Variants play
it with short bursts of other input and are kept if they still reach the goal: they show recoveries.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.config import EVALUATION_SEEDS
from nitrogen.benchmark.demonstration import Demonstration, Facts, Origin
from nitrogen.benchmark.run import EXPERT
from nitrogen.benchmark.search import Propose, SearchConfig, search
from nitrogen.benchmark.task import Task
from nitrogen.benchmark.trace import Trace, TracedEnv
from nitrogen.errors import ConfigError, GameError
from nitrogen.play import Episode, rollout
from nitrogen.policy import Policy, ReplayPolicy


@dataclass(frozen=True, kw_only=True)
class DemonstrateConfig:
    """How many demonstrations are made, and how long they may take."""

    count: int = 20
    """Demonstrations wanted in all."""
    searches: int = 1
    """Starts that are searched; the other demonstrations are variants of what was found."""
    seed: int = 0
    """First seed; must stay below the held-out ones."""
    max_frames: int = 300_000
    """Game frames that one search may take."""
    tries: int = 10
    """Variants played for each one that is wanted."""

    def __post_init__(self) -> None:
        """Check. Raises ConfigError."""
        if self.count < 1 or self.searches < 1:
            raise ConfigError("count and searches must be 1 or more")
        if self.seed + self.count > EVALUATION_SEEDS:
            raise ConfigError(
                f"seeds from {EVALUATION_SEEDS} on are held out: no demonstration may use them"
            )


def demonstrate(
    task: Task,
    config: DemonstrateConfig,
    *,
    out: Path,
    how: SearchConfig | None = None,
    on_demonstration: Callable[[Demonstration], None] = lambda demonstration: None,
) -> list[Path]:
    """Make demonstrations of `task` in the folder `out`; those that are there already are kept.

    `how` is the search for tasks without an expert. Everything random is drawn from the seeds.
    Raises GameError if a search ends without success, or a demonstration does not repeat.
    """
    paths: list[Path] = []
    for path, make in _plans(task, config, out, how):
        if not path.exists():
            made = make()
            if made is None:
                continue
            made.save(path)
            on_demonstration(made)
        paths.append(path)
    return paths


Make = Callable[[], Demonstration | None]


def _plans(
    task: Task, config: DemonstrateConfig, out: Path, how: SearchConfig | None
) -> Iterator[tuple[Path, Make]]:
    """Each file, and what makes it."""
    if task.has_expert:
        for seed in range(config.seed, config.seed + config.count):
            yield out / f"expert-{seed}.npz", partial(by_expert, task, seed)
        return
    if how is None:
        raise GameError(f"{task.name} has neither an expert nor a way to search for one")
    limited = replace(how, max_frames=config.max_frames)
    seeds = range(config.seed, config.seed + min(config.searches, config.count))
    found = [out / f"search-{seed}.npz" for seed in seeds]
    for seed, path in zip(seeds, found, strict=True):
        yield path, partial(by_search, task, seed, limited)
    for number in range(config.count - len(found)):
        base = found[number % len(found)]
        yield (
            out / f"variant-{config.seed + number}.npz",
            partial(by_variation, task, base, limited.propose, seed=number, tries=config.tries),
        )


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


def by_search(task: Task, seed: int, config: SearchConfig) -> Demonstration:
    """Go-explore from the seed's start. Raises GameError if it finds no way."""
    env: Any = task.make()
    start = time.perf_counter()
    try:
        rng = np.random.default_rng([seed, 2])
        found = search(env, seed=seed, rng=rng, config=config, limit=task.frames)
    finally:
        env.close()
    seconds = time.perf_counter() - start
    traced = TracedEnv(task.make)
    try:
        return _verified(traced, task, seed, "search", found.actions, (found.frames_spent, seconds))
    finally:
        traced.close()


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
            if episode.success:
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
    before = env.traces.get(seed) if origin != "search" else None
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
