"""What the experiments share: one training, its play, the players that were not trained."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nitrogen import config as configs
from nitrogen import files
from nitrogen.benchmark.config import EVALUATION_SEEDS, RunConfig
from nitrogen.benchmark.results import scores
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import task as find_task
from nitrogen.errors import ConfigError
from nitrogen.shipped import EXECUTE, load_policy
from nitrogen.stats import Rate

if TYPE_CHECKING:
    from nitrogen.data.samples import Run
    from nitrogen.model.network import NetworkConfig
    from nitrogen.train.loop import TrainConfig
    from nitrogen.train.optim import OptimConfig
    from nitrogen.train.validate import Scores

PLANNED = 512
"""Frames of demonstrations that are planned from to score plans."""


def claim(out: Path, config: Any, *, format: str) -> None:
    """Make `out` the folder of this experiment; ConfigError if it is that of another."""
    out.mkdir(parents=True, exist_ok=True)
    path, text = out / "experiment.json", configs.to_json(config, format=format)
    if path.exists() and path.read_text() != text:
        raise ConfigError(
            f"{out} holds an experiment with other settings ({path}); choose another folder, or"
            " delete this one to start over"
        )
    path.write_text(text)


def network() -> "NetworkConfig":
    """The tiny preset with 16 image tokens, which trains more than twice as fast as with 64."""
    from nitrogen.model.presets import preset

    return preset("tiny", patch_size=16, rate_hz=30.0)


def short(optim: "OptimConfig", steps: int) -> "OptimConfig":
    """Warm-up and average for trainings of few steps."""
    return replace(
        optim,
        warmup_steps=min(100, steps // 10),
        average=min(optim.average, 1 - 10 / steps),
    )


def fit(
    settings: "TrainConfig", runs: "Sequence[Run]", out: Path, *, start_from: Path | None = None
) -> Path:
    """Train on the runs, or go on with the training in `out`; returns the policy's folder."""
    from nitrogen.data.samples import Samples
    from nitrogen.train.loop import train

    samples = Samples(runs, horizon=settings.network.horizon)
    return train(settings, samples, out, start_from=start_from, resume=True)


def play(
    policy: Path, task: str, episodes: int, out: Path, *, first_seed: int = EVALUATION_SEEDS
) -> list[bool]:
    """Whether the policy succeeded on each of the held-out seeds from the first; one process."""
    results = run(
        [find_task(task)],
        [Player(name="policy", batch_policy=load_policy(policy), execute=EXECUTE)],
        RunConfig(episodes=episodes, seed=first_seed, workers=1),
        out=out / "results.jsonl",
    )
    return [result.episode.success for result in results]


def plan_scores(policy: Path, runs: "Sequence[Run]") -> "Scores":
    """How well the policy plans what was done in demonstrations."""
    from nitrogen.data.samples import Samples
    from nitrogen.model import checkpoint
    from nitrogen.train.validate import validate

    network = checkpoint.load(policy)
    samples = Samples(runs, horizon=network.config.horizon)
    return validate(network, samples, count=PLANNED)


def baselines(
    tasks: Sequence[str],
    episodes: int,
    out: Path,
    *,
    workers: int,
    first_seed: int = EVALUATION_SEEDS,
) -> dict[str, dict[str, Rate]]:
    """Task to player to rate, for the expert and the players that do not look."""
    results = run(
        [find_task(name) for name in tasks],
        [EXPERT, *BASELINE_PLAYERS],
        RunConfig(episodes=episodes, seed=first_seed, workers=workers),
        out=out / "baselines.jsonl",
    )
    found: dict[str, dict[str, Rate]] = {}
    for score in scores(results):
        found.setdefault(score.task, {})[score.player] = score.rate
    return found


def plain(rate: Rate) -> dict[str, Any]:
    """A rate and its interval as plain values."""
    low, high = rate.interval
    return {
        "successes": rate.successes,
        "episodes": rate.episodes,
        "rate": rate.rate,
        "low": low,
        "high": high,
    }


def finite(values: dict[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN and no infinity: they become null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write under a temporary name, then rename."""
    files.write_text(path, json.dumps(values, indent=2) + "\n")
