"""Steps per second of the simulator, and what a step costs the game's process.

`python bench/step_rate.py [GAME ...]`: wall time, processor time of the game (and its display), for
each step held 1 and 2 frames; then save and restore. Prints one row per game.
"""

import sys
import time

import numpy as np

from nitrogen.simulator import catalog, linux
from nitrogen.simulator.channel import processor_seconds
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.fidelity import varied_actions

STEPS = 400


def rate(name: str, hold: int) -> tuple[float, float, float]:
    """Game frames per second of wall time, and per second of the game's processor time; ms of
    processor time that Python itself takes per step."""
    env = GameEnv(catalog.game_named(name), hold=hold)
    env.reset(seed=0)
    steps = [row.as_step() for row in _rows()]
    pid = env._session.channel.pid
    used, own, start = processor_seconds(pid), time.process_time(), time.perf_counter()
    frames = 0
    for step in steps:
        _, _, terminated, _, _ = env.step(step)
        frames += hold
        if terminated:
            break
    wall = time.perf_counter() - start
    used, own = processor_seconds(pid) - used, time.process_time() - own
    env.close()
    return frames / wall, frames / max(used, 0.01), 1000 * own / (frames / hold)


def states(name: str) -> tuple[float, float, float]:
    """Milliseconds of the first reset, a save and a restore."""
    env = GameEnv(catalog.game_named(name))
    start = time.perf_counter()
    env.reset(seed=0)
    reset = time.perf_counter() - start
    saves, restores = [], []
    for _ in range(5):
        start = time.perf_counter()
        state = env.save()
        saves.append(time.perf_counter() - start)
        env.step(_rows()[0].as_step())
        start = time.perf_counter()
        env.restore(state)
        restores.append(time.perf_counter() - start)
    env.close()
    return 1000 * reset, 1000 * float(np.median(saves)), 1000 * float(np.median(restores))


def _rows() -> list:
    actions = varied_actions(STEPS, np.random.default_rng(0))
    return [actions[index : index + 1] for index in range(len(actions))]


def main() -> None:
    """Measure the named games, or all that are installed."""
    names = sys.argv[1:] or [
        name for name in catalog.NAMES if linux.is_installed(catalog.game_named(name))
    ]
    print(
        "game          frames/s  per core-second  held 2: per core-second  Python ms/step"
        "  first reset ms  save ms  restore ms"
    )
    for name in names:
        wall, core, own = rate(name, 1)
        _, held, _ = rate(name, 2)
        reset, save, restore = states(name)
        print(
            f"{name:14}{wall:8.0f}{core:17.0f}{held:25.0f}{own:16.3f}{reset:16.0f}{save:9.1f}"
            f"{restore:12.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
