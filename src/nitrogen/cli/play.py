"""`nitrogen play`: one episode, filmed."""

import sys
from pathlib import Path

from tyro.conf import Positional

from nitrogen.errors import GameMissingError


def play(
    task: Positional[str], /, *, out: Path = Path("runs/play.mp4"), policy: Path | str = "shipped",
    seed: int = 1_000_000, execute: int = 4, steps: int = 4,
    temperature: float = 1.0,
) -> None:  # fmt: skip
    """Let a policy play one episode and film it with its pad and its plan.

    Args:
        task: For example doom/defend_the_center.
        out: The video.
        policy: A checkpoint folder; `shipped` is the one that comes with the package.
        seed: Decides level and start.
        execute: Actions played of each plan.
        steps: Euler steps of a plan.
        temperature: Of the initial noise; 0 always takes the central plan.
    """
    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.model.inference import ModelPolicy
    from nitrogen.shipped import WEIGHTS
    from nitrogen.watch import film

    chosen = find_task(task)
    reason = chosen.missing()
    if reason is not None:
        raise GameMissingError(f"{task}: {reason}")
    folder = WEIGHTS if policy == "shipped" else Path(policy)
    player = ModelPolicy.from_pretrained(folder, steps=steps, temperature=temperature)
    episode = film(
        chosen.render, player, out, title=task, seed=seed, frames=chosen.frames, execute=execute
    )
    print(f"{'success' if episode.success else 'no success'} after {episode.frames} frames,"
          f" progress {episode.progress:.2f}", file=sys.stderr)  # fmt: skip
    print(out)
