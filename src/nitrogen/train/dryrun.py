"""A rehearsal: what a run would do, and one step of it, without writing anything."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch

from nitrogen.actions import BUTTONS, STICKS
from nitrogen.data.samples import Samples
from nitrogen.model.network import NitroGen
from nitrogen.train import batches, optim, parallel
from nitrogen.train.clock import PHASES, Clock
from nitrogen.train.estimate import estimate
from nitrogen.train.labels import odd_labels
from nitrogen.train.settings import TrainConfig, resolved
from nitrogen.train.start import starting_network
from nitrogen.train.state import State
from nitrogen.train.validate import idle


def rehearse(
    config: TrainConfig,
    samples: Samples,
    *,
    validation: Samples | None = None,
    start_from: Path | str | None = None,
) -> dict[str, Any]:
    """Resolved configuration, summary of the data, sizes, estimated memory and one real step.

    Raises what `train` would raise before its first step, but reports odd labels instead.
    """
    world = parallel.join(config.machine.device)
    config = resolved(config, len(samples), world.device)
    torch.manual_seed(config.seed)
    network = starting_network(config, samples.actions(), start_from)
    needed = estimate(config, processes=world.size)
    state = State(config, network, world)
    return {
        "config": dataclasses.asdict(config),
        "data": {
            "train": summary(samples),
            "validation": None if validation is None else summary(validation),
            "passes": config.steps * config.batch / len(samples),
        },
        "network": {
            "parameters": needed.parameters,
            "trained": needed.trained,
            "trained_by_group": _by_group(state.network),
        },
        "memory_gb": {
            name: round(value / 2**30, 3)
            for name, value in (*dataclasses.asdict(needed).items(), ("total", needed.total))
            if name not in ("parameters", "trained", "flop_per_sample")
        },
        "gflop_per_sample": round(needed.flop_per_sample / 1e9, 3),
        "step": _one_step(state, samples),
    }


def summary(samples: Samples) -> dict[str, Any]:
    """What a set of samples holds, and what is odd about its labels."""
    actions = samples.actions()
    shares = actions.pressed().mean(axis=0)
    return {
        "samples": len(samples),
        "rows": len(actions),
        "idle_share": round(float(idle(actions).mean()), 4),
        "pressed_share": {
            name: round(float(share), 4)
            for name, share in zip(BUTTONS, shares, strict=True)
            if share
        },
        "stick_deviation": {
            name: round(float(deviation), 4)
            for name, deviation in zip(STICKS, actions.sticks.std(axis=0), strict=True)
        },
        "odd": odd_labels(actions),
    }


def _by_group(network: NitroGen) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, parameter in optim.trained(network).items():
        group = optim.group_of(name)
        counts[group] = counts.get(group, 0) + parameter.numel()
    return counts


def _one_step(state: State, samples: Samples) -> dict[str, float]:
    config, world = state.config, state.world
    clock, began = Clock(world.device), time.perf_counter()
    stream = batches.stream(samples, config, steps=range(1), rank=world.rank, size=world.size)
    frames, plans = next(stream)
    loss, norm = state.update(frames, plans, torch.Generator().manual_seed(config.seed), clock)
    clock.stop()
    found = {"loss": loss, "gradient_norm": norm, "seconds": time.perf_counter() - began}
    rates = clock.take(config.batch)
    return {**found, **{f"{phase}_share": rates[f"{phase}_share"] for phase in PHASES}}
