"""Everything that decides how a training run comes out, besides its data.

Knows values and which of them fit each other. Knows nothing of files or the loop.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import torch

from nitrogen.data.augment import AugmentConfig
from nitrogen.errors import TrainingError
from nitrogen.model.network import NetworkConfig
from nitrogen.model.precision import Precision, chosen
from nitrogen.train.lora import LoraConfig
from nitrogen.train.optim import GroupRates, OptimConfig

FORMAT = "nitrogen.train/2"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and how a run computes. Changes its result by rounding only, so a run may move."""

    device: str = "cpu"
    """`cpu`, `cuda`, or `auto`: a GPU where there is one."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """Under torchrun: weights copied to every process, or sharded over them (FSDP2)."""
    workers: int = 0
    """Processes that decode stored frames ahead; 0: none, which suits frames kept raw."""
    in_memory: bool = False
    """Decode all frames before training: 12 KB a frame at 64 px, 192 KB at 256 px."""
    compile: bool = False
    """Compile forward and backward; takes minutes at the start."""
    report: tuple[str, ...] = ()
    """Besides metrics.jsonl: any of tensorboard, wandb, trackio."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides how a run comes out, besides its data."""

    network: NetworkConfig
    optim: OptimConfig = field(default_factory=OptimConfig)
    groups: GroupRates = field(default_factory=GroupRates)
    """Which parts of the network learn, and how fast."""
    lora: LoraConfig = field(default_factory=LoraConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    machine: Machine = field(default_factory=Machine)
    steps: int = 10_000
    """Optimiser steps."""
    epochs: float | None = None
    """Passes over the data, instead of `steps`."""
    batch: int = 128
    """Samples per optimiser step, over all processes and parts."""
    accumulate: int = 1
    """Parts into which each process cuts its share of a batch, to save memory."""
    recompute: bool = False
    """Compute the inside of each block again in the backward pass instead of keeping it."""
    precision: Precision = "auto"
    """Of the products in forward and backward; weights and optimiser stay float32.

    auto: bfloat16 where the device has instructions for it; a run records what it took."""
    draws: int = 4
    """Noise and time draws per encoded frame."""
    onset_weight: float = 0.0
    """Added importance of a button's value within two rows of where it changes."""
    active_weight: float = 0.0
    """Added importance of rows in which anything is pressed or a stick is moved."""
    importance: tuple[str, ...] = ()
    """Importance of single controls, such as `south=3`, `left_x=2`, `buttons=0.5`, `sticks=2`."""
    prefix: int = 0
    """Largest number of committed actions at the start of a plan, for asynchronous play."""
    seed: int = 0
    log_every: int = 50
    save_every: int = 500
    """Steps between two saves; a crash loses at most as many."""
    validate_every: int = 1_000
    validation_samples: int = 512
    draw_plans: int = 6
    """Held-out frames whose plans are drawn as pictures at each validation."""
    allow_odd_labels: bool = False
    """Train on labels that fail the checks (all idle, a stick stuck)."""

    def __post_init__(self) -> None:
        """Refuse values with which no run can start."""
        counts = ("steps", "batch", "accumulate", "draws", "log_every", "save_every",
                  "validate_every", "validation_samples")  # fmt: skip
        for name in counts:
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("onset_weight", "active_weight", "prefix", "draw_plans"):
            if getattr(self, name) < 0:
                raise TrainingError(f"{name} must not be negative, but is {getattr(self, name)}")
        if self.epochs is not None and not (math.isfinite(self.epochs) and self.epochs > 0):
            raise TrainingError(f"epochs must be a positive number, not {self.epochs}")
        if self.prefix >= self.network.horizon:
            raise TrainingError(
                f"prefix must leave something to plan: at most {self.network.horizon - 1} of"
                f" {self.network.horizon} actions, not {self.prefix}"
            )


def resolved(config: TrainConfig, samples: int, device: torch.device) -> TrainConfig:
    """The same with nothing left open.

    `epochs` become `steps`, for a data set of `samples` samples; `precision` is decided for
    `device`.
    """
    return replace(
        config,
        steps=steps_of(config, samples),
        epochs=None,
        precision=chosen(config.precision, device),
    )


def steps_of(config: TrainConfig, samples: int) -> int:
    """Optimiser steps of a run over `samples` samples."""
    if config.epochs is None:
        return config.steps
    return math.ceil(config.epochs * samples / config.batch)


def parts(config: TrainConfig, processes: int) -> int:
    """Samples in one part of a batch. Raises TrainingError if the batch cannot be cut evenly."""
    count = processes * config.accumulate
    if config.batch % count:
        raise TrainingError(
            f"a batch of {config.batch} cannot be cut into {config.accumulate} parts for each of"
            f" {processes} processes; take a multiple of {count}"
        )
    return config.batch // count


METADATA = ("action_shift", "rate_hz", "frame_spacing")
"""Fields of a network that fine-tuning may change: they describe data, not weights."""


def check_fits(found: NetworkConfig, wanted: NetworkConfig, *, where: str) -> None:
    """Raise TrainingError unless a checkpoint's network is the recipe's, up to what data measures.

    The message lists each field that differs, horizon first.
    """
    wrong = differences(_sizes(found), _sizes(wanted))
    if wrong:
        listed = "; ".join(f"{name} is {a!r}, not {b!r}" for name, a, b in wrong)
        raise TrainingError(
            f"the checkpoint {where} has another network than the recipe: {listed}; use the recipe"
            " finetune, which takes the network of the checkpoint, or change these fields"
        )


def _sizes(network: NetworkConfig) -> NetworkConfig:
    flow = replace(network.flow, centre=None, deviation=None)
    plain = {name: getattr(NetworkConfig(), name) for name in METADATA}
    return replace(network, flow=flow, **plain)


def differences(a: object, b: object, prefix: str = "") -> list[tuple[str, object, object]]:
    """Where two configurations of one kind differ: name, value in `a`, value in `b`."""
    found: list[tuple[str, object, object]] = []
    for name in vars(a):
        one, other = getattr(a, name), getattr(b, name)
        if one == other:
            continue
        if hasattr(one, "__dataclass_fields__") and hasattr(other, "__dataclass_fields__"):
            found += differences(one, other, f"{prefix}{name}.")
        else:
            found.append((prefix + name, one, other))
    return sorted(found, key=lambda item: item[0] != "horizon")
