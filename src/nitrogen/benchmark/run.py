"""Seeded episodes of tasks, over several processes, each episode written as soon as it is played.

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

from nitrogen.actions import Actions
from nitrogen.benchmark.results import Result, read_results
from nitrogen.benchmark.task import EVALUATION_SEEDS, Task
from nitrogen.errors import GameMissingError
from nitrogen.logs import MetricLog
from nitrogen.play import Episode, GameEnv, rollout, rollout_batch
from nitrogen.policy import (
    BatchPolicy,
    CallPolicy,
    MashPolicy,
    Policy,
    RandomPolicy,
    ReleasedPolicy,
)

ENVS_PER_WORKER = 16
"""Games that one worker plays side by side when the policy plans for all of them in one call."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """Who plays: makes a policy for one game, or one that plans for many games at once."""

    name: str
    policy: Callable[[GameEnv, np.random.Generator], Policy] | None = None
    batch_policy: Callable[[], BatchPolicy] | None = None
    execute: int | None = None
    """Actions played of each plan; all when None."""


def _expert(env: GameEnv, rng: np.random.Generator) -> Policy:
    choose: Callable[[], Actions] = env.unwrapped.expert  # type: ignore[attr-defined]
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
    *,
    episodes: int,
    out: Path,
    first_seed: int = EVALUATION_SEEDS,
    workers: int | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Play `episodes` seeds of each task with each player; append to `out`, a `results.jsonl`.

    Episodes that `out` already holds are not played again, so a killed run goes on where it was.
    Seeds are `first_seed`, `first_seed + 1`, ... for every player alike. Raises GameMissingError
    before playing anything if a task cannot run here.
    """
    for task in tasks:
        reason = task.missing()
        if reason is not None:
            raise GameMissingError(f"{task.name}: {reason}")
    seeds = range(first_seed, first_seed + episodes)
    wanted = {(task.name, player.name) for task in tasks for player in players}
    results = [
        result
        for result in read_results(out)
        if (result.task, result.player) in wanted and result.episode.seed in seeds
    ]
    played = {(result.task, result.player, result.episode.seed) for result in results}
    workers = workers or os.cpu_count() or 1
    shards = [
        (task, player, shard)
        for player in players
        for task in tasks
        for shard in _shards(
            [seed for seed in seeds if (task.name, player.name, seed) not in played], workers
        )
    ]
    with MetricLog(out) as log:
        for result in _played(shards, workers):
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


Shard = tuple[Task, Player, list[int]]


def _shards(seeds: list[int], workers: int) -> list[list[int]]:
    size = max(1, min(2 * ENVS_PER_WORKER, -(-len(seeds) // workers)))
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def _played(shards: Sequence[Shard], workers: int) -> Iterator[Result]:
    """Play the shards in worker processes (here, if there is one worker)."""
    if workers == 1:
        for shard in shards:
            yield from _play_shard(shard)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: set[Future[list[Result]]] = {pool.submit(_play_shard, shard) for shard in shards}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        finally:
            for future in pending:
                future.cancel()


def _play_shard(shard: Shard) -> list[Result]:
    task, player, seeds = shard
    if player.batch_policy is not None:
        envs = [task.make() for _ in range(min(ENVS_PER_WORKER, len(seeds)))]
        try:
            start = time.perf_counter()
            episodes = rollout_batch(
                envs,
                player.batch_policy(),
                seeds=seeds,
                frames=task.frames,
                execute=player.execute,
            )
            share = (time.perf_counter() - start) / len(seeds)
            episodes = [_replace_seconds(episode, share) for episode in episodes]
        finally:
            for env in envs:
                env.close()
    else:
        assert player.policy is not None, "a player has a policy or a batch policy"
        env = task.make()
        try:
            episodes = [_play_one(env, task, player, seed) for seed in seeds]
        finally:
            env.close()
    return [Result(task.name, player.name, episode) for episode in episodes]


def _replace_seconds(episode: Episode, seconds: float) -> Episode:
    """Games played side by side share the wall time equally."""
    values: dict[str, Any] = {**vars(episode), "seconds": seconds}
    return Episode(**values)


def _play_one(env: GameEnv, task: Task, player: Player, seed: int) -> Episode:
    assert player.policy is not None
    policy = player.policy(env, np.random.default_rng(seed))
    return rollout(env, policy, seed=seed, frames=task.frames, execute=player.execute)
