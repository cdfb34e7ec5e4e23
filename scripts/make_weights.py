"""Make the small policy that ships with the package, from nothing; or one for more tasks.

    python scripts/make_weights.py --out runs/weights
    python scripts/make_weights.py --out runs/mini --start src/nitrogen/weights --tasks TASK ...

Collects expert-labelled play of the built-in games and of ViZDoom, trains, lets the policy play
while the expert labels what it meets, and trains on: DAgger in rounds (docs/concepts/learning.md).
Every stage is kept on disk, so that a stopped run goes on where it was. The policy with its recipe
beside it ends in OUT/policy.
"""

import argparse
import dataclasses
import functools
import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from rich.console import Console

from nitrogen.benchmark.suite import task
from nitrogen.data.samples import Run, Samples
from nitrogen.imitate import Mixture, collect, load_runs, save_runs
from nitrogen.model import checkpoint
from nitrogen.model.inference import ModelPolicy
from nitrogen.model.presets import preset
from nitrogen.train.loop import Progress, train
from nitrogen.train.recipes import demo

ROOT = Path(__file__).resolve().parents[1]
console = Console(stderr=True)

SHARES = {
    "doom/defend_the_center": 1.0,
    "platformer/reach_the_flag": 1.5,
    "racer/finish_a_lap": 0.5,
}
FIRST = Mixture(random=0.12)
LATER = Mixture(policy=0.65, random=0.08)
TOGETHER = 8
"""Games played side by side, until there are frames enough."""


def say(text: str) -> None:
    """One line to stderr."""
    console.log(text)


def gather(
    name: str, frames: int, first_seed: int, policy: ModelPolicy | None, path: Path
) -> list[Run]:
    """About `frames` labelled frames of one task, kept in `path`."""
    if path.exists():
        return load_runs(path)
    chosen, runs, seed, start, won = task(name), [], first_seed, time.time(), 0
    size = preset("tiny").vision.image_size
    while sum(len(run.frames) for run in runs) < frames:
        part, successes = collect(
            chosen.make,
            range(seed, seed + TOGETHER),
            name=name,
            size=size,
            frames=chosen.frames,
            mixture=FIRST if policy is None else LATER,
            policy=policy,
        )
        runs, seed, won = runs + part, seed + TOGETHER, won + successes
    save_runs(runs, path)
    count = sum(len(run.frames) for run in runs)
    say(f"{name}: {count} frames, {won} of {len(runs)} episodes won, {time.time() - start:.0f} s")
    return runs


def report(stage: str, progress: Progress) -> None:
    """One line of training progress."""
    say(
        f"{stage}: step {progress.step}/{progress.steps} loss {progress.loss:.4f}"
        f" {progress.images_per_s:.0f} images/s, data {100 * progress.data_share:.0f} %"
    )


def main() -> None:
    """Run all stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/weights"))
    parser.add_argument("--tasks", nargs="+", default=list(SHARES))
    parser.add_argument("--start", type=Path, help="checkpoint to train on; from nothing if none")
    parser.add_argument("--frames", type=int, default=30_000, help="per task of share 1 and round")
    parser.add_argument("--steps", type=int, nargs="+", default=[2500, 1800, 1800, 2200])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder, runs, times = options.start, [], []
    network = preset("tiny", rate_hz=30.0)
    for stage, steps in enumerate(options.steps):
        began = time.time()
        policy = ModelPolicy.from_pretrained(folder, steps=4) if stage else None
        for name in options.tasks:
            path = options.out / f"data/{name.replace('/', '-')}-{stage}.npz"
            frames = int(options.frames * SHARES.get(name, 1.0))
            runs += gather(name, frames, 100_000 * stage + 1000 * options.seed, policy, path)
        last = stage + 1 == len(options.steps)
        config = dataclasses.replace(
            demo(),
            network=network,
            optim=dataclasses.replace(
                demo().optim, learning_rate=options.rate, decay_share=0.5 if last else 0.3
            ),
            steps=steps,
            batch=options.batch,
            seed=1000 * options.seed + stage,
        )
        out = options.out / f"stage-{stage}"
        if not (out / "policy" / "config.json").exists():
            train(
                config,
                Samples(runs, horizon=network.horizon),
                out,
                start_from=folder,
                resume=True,
                on_progress=functools.partial(report, f"stage {stage}"),
            )
        folder = out / "policy"
        clock = out / "seconds.json"
        if not clock.exists():
            clock.write_text(json.dumps(round(time.time() - began)))
        times.append(json.loads(clock.read_text()))
        say(f"stage {stage} done in {time.time() - began:.0f} s")
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()
    recipe = {
        "command": " ".join(sys.argv),
        "seed": options.seed,
        "tasks": options.tasks,
        "commit": commit,
        "frames": sum(len(run.frames) for run in runs),
        "episodes": len(runs),
        "seconds": sum(times),
        "threads": options.threads,
        "seconds_of_stages": times,
        "train": dataclasses.asdict(config),
    }
    checkpoint.save(options.out / "policy", checkpoint.load(folder), storage="float16")
    (options.out / "policy" / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n")


if __name__ == "__main__":
    main()
