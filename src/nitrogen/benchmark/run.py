"""Seeded episodes of tasks, over several processes, each shard written as soon as it is played.

Does not know the network: a player is a function that makes a policy.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.config import Mode, RunConfig
from nitrogen.benchmark.live import LivePolicy
from nitrogen.benchmark.results import Result, read_results
from nitrogen.benchmark.task import Task
from nitrogen.benchmark.trace import TracedEnv
from nitrogen.logs import MetricLog
from nitrogen.play import Episode, GameEnv, Observer, rollout, rollout_batch
from nitrogen.policy import (
    BatchPolicy,
    CallPolicy,
    MashPolicy,
    Policy,
    RandomPolicy,
    ReleasedPolicy,
)
from nitrogen.processes import die_with_parent

ENVS_PER_WORKER = 16
"""Light games that one worker plays side by side when the policy plans for all in one call ..."""
HEAVY_ENVS_PER_WORKER = 4
"""... and real ones, which need hundreds of megabytes each."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """Who plays: makes a policy for one game, or one that plans for many games at once."""

    name: str
    policy: Callable[[GameEnv, np.random.Generator], Policy] | None = None
    batch_policy: Callable[[], BatchPolicy] | None = None
    execute: int | None = None
    """Actions played of each plan; all when None."""
    modules: tuple[str, ...] = ()
    """What its policy imports: done once, not once per worker."""

    def can_play(self, task: Task) -> bool:
        """Whether there is such a player for the task: not every game has an expert."""
        return self.name != "expert" or task.has_expert


def _expert(env: GameEnv, rng: np.random.Generator) -> Policy:
    def choose() -> Actions:  # asked anew each time: after a crash the game is another one
        plan: Actions = env.unwrapped.expert()  # type: ignore[attr-defined]
        return plan

    return CallPolicy(choose)


def _random(env: GameEnv, rng: np.random.Generator) -> Policy:
    return RandomPolicy(rng)


def _no_input(env: GameEnv, rng: np.random.Generator) -> Policy:
    return ReleasedPolicy()


def _mash(env: GameEnv, rng: np.random.Generator) -> Policy:
    return MashPolicy(rng)


EXPERT = Player(name="expert", policy=_expert)
BASELINE_PLAYERS = (
    Player(name="random", policy=_random),
    Player(name="no input", policy=_no_input),
    Player(name="mash", policy=_mash),
)


def run(
    tasks: Sequence[Task],
    players: Sequence[Player],
    config: RunConfig,
    *,
    out: Path,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Play the seeds of `config` of each task with each player; append to `out`, a `.jsonl` file.

    Episodes that `out` already holds are not played again, so a killed run goes on where it was.
    Every player plays the same seeds; a player without a way to play a task is left out there. A
    game that crashes or hangs is an episode without success, with its fault. Raises
    GameMissingError before playing anything if a task cannot run here.
    """
    for task in tasks:
        task.must_run()
    wanted = {
        (task.name, player.name) for task in tasks for player in players if player.can_play(task)
    }
    results = [
        result
        for result in read_results(out)
        if (result.task, result.player) in wanted
        and result.mode == config.mode
        and result.episode.seed in config.seeds
    ]
    played = {(result.task, result.player, result.episode.seed) for result in results}
    workers = config.workers or os.cpu_count() or 1
    shards = [
        Shard(task, player, seeds, config.live)
        for player in players
        for task in tasks
        if player.can_play(task)
        for seeds in _parts(
            [seed for seed in config.seeds if (task.name, player.name, seed) not in played],
            _shard_size(task, player, workers=workers, seeds=len(config.seeds)),
        )
    ]
    with MetricLog(out) as log:
        for result in _played(shards, workers, config.engine):
            log.write(**result.as_json())
            results.append(result)
            on_result(result)
    tasks_in_order = [task.name for task in tasks]
    players_in_order = [player.name for player in players]
    return sorted(
        results,
        key=lambda result: (
            tasks_in_order.index(result.task),
            players_in_order.index(result.player),
            result.episode.seed,
        ),
    )


@dataclass(frozen=True)
class Shard:
    """Episodes that one worker plays in one go."""

    task: Task
    player: Player
    seeds: list[int]
    live: bool

    @property
    def is_batched(self) -> bool:
        """One plan call for several games; live games do not wait for one another."""
        return self.player.batch_policy is not None and not self.live


def _shard_size(task: Task, player: Player, *, workers: int, seeds: int) -> int:
    """Small enough that every worker has one and a killed run loses little."""
    if player.batch_policy is None:
        most = 2 * ENVS_PER_WORKER if task.is_light else 1
    else:
        most = 2 * ENVS_PER_WORKER if task.is_light else HEAVY_ENVS_PER_WORKER
    return max(1, min(most, -(-seeds // workers)))


def _parts(seeds: list[int], size: int) -> list[list[int]]:
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def _played(shards: Sequence[Shard], workers: int, engine: str) -> Iterator[Result]:
    """Play the shards in workers (here, if there is one worker)."""
    if engine == "ray":
        from nitrogen.benchmark.ray_engine import each_done

        for results in each_done(play_shard, shards, workers):
            yield from results
        return
    if workers == 1:
        for shard in shards:
            yield from play_shard(shard)
        return
    context = multiprocessing.get_context("forkserver")
    names = {name for shard in shards for name in shard.player.modules}
    context.set_forkserver_preload(["nitrogen.benchmark.run", *sorted(names)])
    with ProcessPoolExecutor(workers, context, die_with_parent) as pool:
        pending: set[Future[list[Result]]] = {pool.submit(play_shard, shard) for shard in shards}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        finally:
            for future in pending:
                future.cancel()


def play_shard(shard: Shard) -> list[Result]:
    """Play the episodes of a shard in this process."""
    task, player, seeds = shard.task, shard.player, shard.seeds
    most = ENVS_PER_WORKER if task.is_light else HEAVY_ENVS_PER_WORKER
    envs = [TracedEnv(task.make) for _ in range(min(most, len(seeds)) if shard.is_batched else 1)]
    try:
        if shard.is_batched:
            episodes = _play_together(envs, shard)
        else:
            play = _play_live if shard.live else play_observed
            episodes = [play(envs[0], task, player, seed) for seed in seeds]
    finally:
        for env in envs:
            env.close()
    traces = {seed: trace for env in envs for seed, trace in env.traces.items()}
    versions = task.versions()
    mode: Mode = "live" if shard.live else "paused"
    return [
        Result(task.name, player.name, mode, episode, traces[episode.seed], versions)
        for episode in episodes
    ]


def _play_together(envs: Sequence[TracedEnv], shard: Shard) -> list[Episode]:
    assert shard.player.batch_policy is not None
    start = time.perf_counter()
    episodes = rollout_batch(
        envs,
        shard.player.batch_policy(),
        seeds=shard.seeds,
        frames=shard.task.frames,
        execute=shard.player.execute,
    )
    share = (time.perf_counter() - start) / len(shard.seeds)
    return [_replace_seconds(episode, share) for episode in episodes]


def _replace_seconds(episode: Episode, seconds: float) -> Episode:
    """Games played side by side share the wall time equally."""
    values: dict[str, Any] = {**vars(episode), "seconds": seconds}
    return Episode(**values)


def play_observed(
    env: GameEnv, task: Task, player: Player, seed: int, observers: Sequence[Observer] = ()
) -> Episode:
    """One episode as `run` plays it in paused mode, watched by `observers`."""
    policy = _single_policy(env, player, seed)
    return rollout(
        env, policy, seed=seed, frames=task.frames, execute=player.execute, observers=observers
    )


def _play_live(env: GameEnv, task: Task, player: Player, seed: int) -> Episode:
    policy = _single_policy(env, player, seed)
    live = LivePolicy(policy, rate_hz=task.rate_hz, execute=player.execute)
    return rollout(env, live, seed=seed, frames=task.frames)


def _single_policy(env: GameEnv, player: Player, seed: int) -> Policy:
    rng = np.random.default_rng(seed)
    if player.policy is not None:
        return player.policy(env, rng)
    assert player.batch_policy is not None, "a player has a policy or a batch policy"
    return _OneOfBatch(player.batch_policy(), rng)


class _OneOfBatch:
    """A batch policy for a single game."""

    def __init__(self, policy: BatchPolicy, rng: np.random.Generator) -> None:
        self._policy, self._rng = policy, rng

    def reset(self) -> None:
        """Nothing to forget: a batch policy keeps no state."""

    def act(self, frame: Frame) -> Actions:
        """Plan for this game alone."""
        return self._policy.act_batch([frame], [self._rng])[0]
