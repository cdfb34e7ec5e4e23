"""How fast a benchmark plays, against one game at a time in real time.

python bench/benchmark_rate.py [--tasks racer/finish_a_lap supertux/welcome_antarctica]
    [--workers 1 2 4] [--episodes 8] [--policy CHECKPOINT|shipped] [--frames 600]

Prints one JSON object per task, player and number of workers: game frames per second of wall time,
that as a multiple of the game's own rate, and of one worker's wall time the shares that the game
and the policy took; the rest is overhead. `wait` is a policy that does nothing: the game's share.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.config import RunConfig
from nitrogen.benchmark.run import Player, run
from nitrogen.benchmark.suite import task as find_task
from nitrogen.benchmark.task import Task
from nitrogen.play import rollout_batch
from nitrogen.policy import BatchPolicy
from nitrogen.shipped import EXECUTE, MODULES, WEIGHTS, load_policy


class Still:
    """A batch policy that touches nothing and takes no time."""

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """A plan of as many frames as the policy plays of each of its own."""
        return [Actions.released(EXECUTE) for _ in frames]


class Timed:
    """A batch policy that adds up the time it takes."""

    def __init__(self, policy: BatchPolicy) -> None:
        self.policy, self.seconds = policy, 0.0

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """Plan, and look at the clock."""
        start = time.perf_counter()
        plans = self.policy.act_batch(frames, rngs)
        self.seconds += time.perf_counter() - start
        return plans


class _TimedEnv:
    """An environment that adds up the time its steps and resets take."""

    def __init__(self, env: Any) -> None:
        self.env, self.seconds = env, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def _timed(self, call: Callable[..., Any], *values: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*values, **named)
        finally:
            self.seconds += time.perf_counter() - start

    def reset(self, **named: Any) -> Any:
        """Begin an episode."""
        return self._timed(self.env.reset, **named)

    def step(self, action: Any) -> Any:
        """One frame."""
        return self._timed(self.env.step, action)


def shares(task: Task, player: Player, episodes: int) -> dict[str, float]:
    """Share of wall time of game and policy, one worker, games side by side.

    For games without a process of their own also frames per second of processor time.
    """
    assert player.batch_policy is not None, "both players plan for many games at once"
    envs: list[Any] = [_TimedEnv(task.make()) for _ in range(min(episodes, 16))]
    policy = Timed(player.batch_policy())
    start, cpu = time.perf_counter(), time.process_time()
    played = rollout_batch(
        envs, policy, seeds=range(episodes), frames=task.frames, execute=player.execute
    )
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    for env in envs:
        env.close()
    game = sum(env.seconds for env in envs)
    found = {"game": round(game / wall, 2), "policy": round(policy.seconds / wall, 2)}
    if task.is_light and task.game != "doom":
        found["frames_per_cpu_s"] = round(sum(episode.frames for episode in played) / cpu)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=["racer/finish_a_lap"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--policy", default="shipped")
    options = parser.parse_args()
    make = load_policy(WEIGHTS if options.policy == "shipped" else Path(options.policy))
    players = (
        Player(name="wait", batch_policy=Still),
        Player(name="policy", batch_policy=make, execute=EXECUTE, modules=MODULES),
    )
    for name in options.tasks:
        task = dataclasses.replace(find_task(name), frames=options.frames)
        for player in players:
            split = shares(task, player, options.episodes)
            for workers in options.workers:
                rate = _rate(task, player, workers, options.episodes)
                row = {
                    "task": name,
                    "player": player.name,
                    "workers": workers,
                    "frames_per_s": round(rate),
                    "times_real_time": round(rate / task.rate_hz, 1),
                    **(split if workers == 1 else {}),
                }
                print(json.dumps(row), flush=True)


def _rate(task: Task, player: Player, workers: int, episodes: int) -> float:
    """Frames per second of wall time, starting the workers included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        config = RunConfig(episodes=episodes, workers=workers, seed=0)
        results = run([task], [player], config, out=Path(folder) / "results.jsonl")
        wall = time.perf_counter() - start
    return sum(result.episode.frames for result in results) / wall


if __name__ == "__main__":
    main()
