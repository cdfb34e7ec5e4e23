"""How fast the built-in games and ViZDoom step, on one core.

python bench/mini_rate.py [--steps 2000] [--doom]

Prints one JSON object per line: game, what was done, and steps per second of CPU time (ViZDoom: of
wall time, since its engine is another process).
"""

import argparse
import json
import time
from collections.abc import Callable

import cv2

from nitrogen.mini.env import WORLDS, MiniEnv, WorldInfo
from nitrogen.mini.world import Pad, generators


def rate(do: Callable[[], object], steps: int, clock: Callable[[], float]) -> float:
    """Calls of `do` per second."""
    do()
    start = clock()
    for _ in range(steps):
        do()
    return steps / max(clock() - start, 1e-9)


def world_rates(info: WorldInfo, steps: int) -> dict[str, float]:
    """Rates of one built-in game, in the middle of an episode of its expert."""
    env = MiniEnv(info.name)
    env.reset(seed=0)
    for _ in range(90):
        env.step(env.expert().as_step())
    saved, idle = env.world.clone(), Pad()
    world = saved.clone()

    def step() -> None:
        nonlocal world
        if world.is_over:
            world = saved.clone()
        world.step(idle)

    clock = time.process_time
    return {
        "step": rate(step, steps, clock),
        "clone": rate(lambda: saved.clone(), steps, clock),
        "expert": rate(lambda: info.expert(saved), steps, clock),
        "draw 256": rate(lambda: env.restore(saved), steps, clock),
        "draw 720p": rate(env.render, max(steps // 10, 1), clock),
        "start": rate(lambda: info.start(generators(1)[0]), max(steps // 20, 1), clock),
    }


def doom_rates(steps: int) -> dict[str, float]:
    """Rates of a ViZDoom scenario with its expert, at both sizes."""
    from nitrogen.mini.doom import DoomEnv

    rates = {}
    for size in ((288, 512), (720, 1280)):
        env = DoomEnv("defend_the_center", render_size=size)
        env.reset(seed=0)
        ended = False

        def step(env: DoomEnv = env) -> None:
            nonlocal ended
            if ended:
                env.reset(seed=0)
            _, _, terminated, truncated, _ = env.step(env.expert().as_step())
            ended = terminated or truncated

        rates[f"expert and step, {size[1]}x{size[0]}"] = rate(step, steps, time.perf_counter)
        env.close()
    return rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--doom", action="store_true", help="measure ViZDoom, too")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    for info in WORLDS:
        rates = world_rates(info, arguments.steps)
        print(json.dumps({"game": info.name} | {key: round(value) for key, value in rates.items()}))
    if arguments.doom:
        rates = doom_rates(min(arguments.steps, 500))
        print(json.dumps({"game": "doom"} | {key: round(value) for key, value in rates.items()}))


if __name__ == "__main__":
    main()
