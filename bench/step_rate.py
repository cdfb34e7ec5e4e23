"""Game frames per second of processor time, with each action held for 1, 2 and 4 frames.

`python bench/step_rate.py [GAME ...]` prints one row per game: frames per second of processor time
of the game and its display server, Python's own share per step, then the first reset, a save and a
restore in milliseconds (median of 5). Held actions leave out frames in between: they are not
captured, and of games that redraw everything (marked *) not drawn.
"""

import contextlib
import dataclasses
import sys
import time

import numpy as np

from nitrogen.actions import Actions
from nitrogen.simulator import catalog, linux
from nitrogen.simulator.channel import processor_seconds
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.fidelity import varied_actions
from nitrogen.simulator.game import ExitJudge, Game

FRAMES = 480
HOLDS = (1, 2, 4)


def used_s(env: GameEnv) -> float:
    """Processor time of the game and of its display."""
    assert env._session is not None
    display = env._session._run._display
    server = processor_seconds(display._process.pid) if display is not None else 0.0
    return processor_seconds(env._session.channel.pid) + server


def rate(game: Game, hold: int, frames: int) -> tuple[float, float]:
    """Game frames per second of processor time; ms of processor time that Python adds per step."""
    actions = varied_actions(frames, np.random.default_rng(0))
    with contextlib.closing(GameEnv(game, hold=hold)) as env:
        env.reset(seed=0)
        used, own = used_s(env), time.process_time()
        for index in range(0, frames, hold):
            env.step(actions[index : index + 1].as_step())
        used, own = used_s(env) - used, time.process_time() - own
    return frames / max(used, 0.01), 1000 * own / (frames / hold)


def states(game: Game) -> tuple[float, float, float]:
    """Milliseconds of the first reset, a save and a restore."""
    row = Actions.released(1).as_step()
    saves, restores = [], []
    with contextlib.closing(GameEnv(game)) as env:
        start = time.perf_counter()
        env.reset(seed=0)
        reset = time.perf_counter() - start
        for _ in range(5 if game.saves == "fork" else 1):
            start = time.perf_counter()
            state = env.save()
            saves.append(time.perf_counter() - start)
            env.step(row)
            start = time.perf_counter()
            env.restore(state)
            restores.append(time.perf_counter() - start)
    return 1000 * reset, 1000 * float(np.median(saves)), 1000 * float(np.median(restores))


def main() -> None:
    """Measure the named games, or all that are installed."""
    names = sys.argv[1:] or [
        name for name in catalog.NAMES if linux.is_installed(catalog.game_named(name))
    ]
    held = "".join(f"{f'held {hold}':>9}" for hold in HOLDS)
    print(f"{'game':17}{held}{'Python ms':>11}{'reset ms':>10}{'save ms':>9}{'restore ms':>12}")
    for name in names:
        game = dataclasses.replace(catalog.game_named(name), judge=ExitJudge)
        frames = FRAMES if game.display != "x11" else FRAMES // 4
        rates, own = zip(*(rate(game, hold, frames) for hold in HOLDS), strict=True)
        shown = "".join(f"{value:9.0f}" for value in rates)
        reset, save, restore = states(game)
        mark = f"{name}{'*' if game.skips_drawing else ''}"
        print(f"{mark:17}{shown}{own[0]:11.2f}{reset:10.0f}{save:9.1f}{restore:12.1f}", flush=True)


if __name__ == "__main__":
    main()
