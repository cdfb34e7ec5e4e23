"""Optimiser, learning-rate schedule and weight average of the published recipe.

AdamW with weight decay 0.001; warm-up, constant 1e-4, decay; exponential moving average 0.9999
(NitroGen, section on training; lengths of warm-up and decay were not published).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


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


def optimiser(network: nn.Module, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW whose weight decay leaves biases, norms and other vectors alone."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        fused=True,
    )


class Average:
    """Exponential moving average of weights, ramped up so that short runs profit too."""

    def __init__(self, parameters: Iterable[Tensor], decay: float) -> None:
        """Start from the present values of `parameters`."""
        self._live = [parameter.detach() for parameter in parameters]
        self.values = [parameter.clone() for parameter in self._live]
        self._decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step` (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, self._live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights and the average, in place; call again to undo."""
        for value, live in zip(self.values, self._live, strict=True):
            kept = live.clone()
            live.copy_(value)
            value.copy_(kept)
