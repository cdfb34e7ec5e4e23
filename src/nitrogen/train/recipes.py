"""Named training configurations: functions that return a `TrainConfig`.

`pretrain` is the published recipe; the others are scaled down to what a laptop does in minutes.
What was learned about small budgets is in docs/concepts/learning.md.
"""

import difflib
from collections.abc import Callable
from dataclasses import replace

from nitrogen.data.augment import AugmentConfig
from nitrogen.errors import ConfigError
from nitrogen.model.network import NetworkConfig
from nitrogen.model.presets import preset
from nitrogen.train.optim import OptimConfig
from nitrogen.train.settings import TrainConfig


def debug() -> TrainConfig:
    """A few steps of a tiny network: does everything fit together?"""
    return TrainConfig(
        network=preset("tiny", vision_layers=1, rate_hz=30.0),
        optim=OptimConfig(learning_rate=1e-3, warmup_steps=5),
        steps=20,
        batch=16,
        draws=2,
        log_every=5,
        save_every=10,
        validate_every=20,
    )


def quickstart() -> TrainConfig:
    """About five minutes on one core: one game, one small recording."""
    return TrainConfig(
        network=preset("tiny", rate_hz=30.0),
        optim=OptimConfig(learning_rate=1e-3, warmup_steps=100, decay_share=0.4, average=0.995),
        augment=AugmentConfig(hue=0.1, rotation_degrees=0.0, crop=0.03),
        steps=1_200,
        batch=64,
        onset_weight=2.0,
        log_every=20,
        save_every=200,
    )


def demo() -> TrainConfig:
    """One stage of the weights that ship with the package (scripts/make_weights.py)."""
    return TrainConfig(
        network=preset("tiny", rate_hz=30.0),
        optim=OptimConfig(learning_rate=1e-3, warmup_steps=200, decay_share=0.3, average=0.999),
        augment=AugmentConfig(hue=0.1, rotation_degrees=0.0, crop=0.03),
        steps=3_000,
        batch=256,
        onset_weight=2.0,
        log_every=100,
    )


def pretrain() -> TrainConfig:
    """The published recipe and network, as far as it was published; needs GPUs."""
    return TrainConfig(
        network=preset("nitrogen-500m"),
        optim=OptimConfig(),
        augment=AugmentConfig(),
        steps=200_000,
        batch=256,
        draws=1,
        save_every=1_000,
    )


def finetune() -> TrainConfig:
    """Teach a trained policy a new game; its network is that of the checkpoint (`fitted`).

    Lower rate, a short warm-up, and an average that follows within some hundred steps.
    """
    return TrainConfig(
        network=preset("tiny"),
        optim=OptimConfig(learning_rate=3e-5, warmup_steps=100, decay_share=0.3, average=0.999),
        steps=3_000,
        batch=32,
        onset_weight=2.0,
        log_every=20,
        save_every=200,
        validate_every=200,
    )


def fitted(config: TrainConfig, checkpoint: NetworkConfig) -> TrainConfig:
    """The configuration with the network of a checkpoint that is to be fine-tuned."""
    return replace(config, network=checkpoint)


RECIPES: dict[str, Callable[[], TrainConfig]] = {
    "debug": debug,
    "quickstart": quickstart,
    "demo": demo,
    "pretrain": pretrain,
    "finetune": finetune,
}
"""Every recipe by name."""


def recipe(name: str) -> TrainConfig:
    """The recipe called `name`. Raises ConfigError with the nearest name if there is none."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"no recipe {name!r}; recipes: {', '.join(RECIPES)}{hint}")
    return RECIPES[name]()
