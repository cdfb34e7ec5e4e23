"""Optimiser, learning-rate schedule and weight average of the published recipe.

AdamW with weight decay 0.001; warm-up, constant 1e-4, decay; exponential moving average 0.9999
(NitroGen, section on training; lengths of warm-up and decay were not published).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nitrogen.errors import TrainingError
from nitrogen.train import parallel


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW with warm-up, a constant phase and a linear decay."""

    learning_rate: float = 1e-4
    """Peak rate, held between warm-up and decay."""
    weight_decay: float = 1e-3
    """Applied to matrices only."""
    beta1: float = 0.9
    beta2: float = 0.95
    warmup_steps: int = 1_000
    decay_share: float = 0.2
    """Share of all steps, at the end, over which the rate falls linearly to zero."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    average: float = 0.9999
    """Decay of the weight average, ramped up as min(average, (1 + n) / (10 + n)) after n steps."""


def learning_rate(step: int, steps: int, config: OptimConfig) -> float:
    """The rate used at `step` (from 0) of `steps`."""
    warm = (step + 1) / config.warmup_steps if config.warmup_steps else 1.0
    decay_steps = steps * config.decay_share
    fall = (steps - step) / decay_steps if decay_steps else 1.0
    return config.learning_rate * min(1.0, warm, fall)


@dataclass(frozen=True, kw_only=True)
class GroupRates:
    """Learning rate of each part of the network, as a factor of the schedule's; 0 freezes it."""

    vision: float = 1.0
    """The tower."""
    mixing: float = 1.0
    action_encoder: float = 1.0
    dit: float = 1.0
    """The diffusion transformer."""
    action_decoder: float = 1.0
    readout: float = 1.0
    positions: float = 1.0
    """The table of action positions."""
    games: float = 1.0
    """The table of games."""

    def __post_init__(self) -> None:
        """Refuse rates that are negative or not finite."""
        for name, rate in vars(self).items():
            if not (math.isfinite(rate) and rate >= 0):
                raise TrainingError(f"groups.{name} must be 0 (frozen) or more, not {rate}")


def group_of(name: str) -> str:
    """The group that the parameter `name` of a network belongs to."""
    return name.partition(".")[0]


def freeze(network: nn.Module, rates: GroupRates) -> None:
    """Stop gradients into the parts whose rate is 0. Raises TrainingError if nothing is left."""
    for name, parameter in network.named_parameters():
        if getattr(rates, group_of(name)) == 0:
            parameter.requires_grad = False
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise TrainingError("every part of the network is frozen; set some groups.* above 0")


def trained(network: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name."""
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def optimiser(
    parameters: Mapping[str, nn.Parameter],
    config: OptimConfig,
    rates: GroupRates | None = None,
    *,
    fused: bool = True,
) -> torch.optim.AdamW:
    """AdamW whose weight decay leaves biases, norms and other vectors alone.

    parameters: by name, as `trained` returns them. Each of AdamW's groups has a `factor`, by which
    `set_rate` multiplies the schedule's rate.
    """
    sets: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        decay = config.weight_decay if parameter.ndim >= 2 else 0.0
        factor = getattr(rates or GroupRates(), group_of(name), 1.0)
        sets.setdefault((decay, factor), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "weight_decay": decay, "factor": factor}
            for (decay, factor), members in sets.items()
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        fused=fused,
        foreach=None if fused else True,
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Use `rate` in the next step, times each group's factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


class Average:
    """Exponential moving average of weights, ramped up so that short runs profit too."""

    def __init__(self, parameters: Iterable[Tensor], decay: float) -> None:
        """Start from the present values of `parameters`."""
        self._live = [parallel.local(parameter) for parameter in parameters]
        self.values = [parameter.clone() for parameter in self._live]
        self._decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step` (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, self._live, 1 - decay)
