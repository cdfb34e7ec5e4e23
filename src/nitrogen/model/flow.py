"""Flow matching: where training looks, and how sampling walks from noise to actions.

Knows times, straight paths and solvers. Knows nothing of networks or gamepads. Time runs from 0
(noise) to 1 (actions); the path between them is straight (Lipman et al. 2023, "Flow Matching for
Generative Modeling"; Liu et al. 2023, rectified flow).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Solver = Literal["euler", "midpoint"]
"""`euler` evaluates the velocity once per step, `midpoint` twice."""


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Which times training draws, and how many steps sampling takes."""

    alpha: float = 1.6
    """First parameter of the Beta distribution of s, where t = scale * (1 - s)."""
    beta: float = 0.8
    """Second parameter; with 1.6 and 0.8 the mean of t is 0.33, so training sees mostly noise."""
    scale: float = 0.999
    """Largest time that training draws."""
    buckets: int = 1000
    """The network is told the integer floor(buckets t), not t."""
    steps: int = 16
    """Solver steps of a plan, unless the caller says otherwise."""
    centre: tuple[float, ...] | None = None
    """Mean of each action value, (A,), for `precondition`; None as published."""
    deviation: tuple[float, ...] | None = None
    """Deviation of each action value round its centre, (A,); None with `centre`."""


def draw_times(count: int, config: FlowConfig, generator: torch.Generator | None = None) -> Tensor:
    """`count` training times, (count,) float32 on the CPU.

    A Beta variable is G1 / (G1 + G2) with Gamma variables G1, G2, which torch draws from a
    generator.
    """
    gammas = [
        torch._standard_gamma(torch.full((count,), shape, dtype=torch.float64), generator)
        for shape in (config.alpha, config.beta)
    ]
    s = gammas[0] / (gammas[0] + gammas[1])
    return (config.scale * (1 - s)).float()


def bucket(t: Tensor, config: FlowConfig) -> Tensor:
    """The integer that stands for time t in the network, floor(buckets t); int64, same shape."""
    return (t * config.buckets).long()


def interpolate(actions: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The point at time t of the straight path from noise (t=0) to actions (t=1), its velocity.

    `actions` and `noise` are (B, T, A), `t` is (B,).
    """
    t = t[:, None, None]  # (B, 1, 1)
    return (1 - t) * noise + t * actions, actions - noise  # (B, T, A) both


def precondition(t: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scales of input, skip and output that leave the network only what noise cannot tell it.

    For values with the given deviations round 0, the velocity at x is `skip x + out F(input x)`,
    where F sees and returns values of unit size: `skip x` is the best linear guess of the velocity.
    The published network must instead carry all of its noise through to its output, that of unused
    buttons too, which costs narrow networks most of their width. The idea is that of Karras et al.
    2022, "Elucidating the Design Space of Diffusion-Based Generative Models", section 5, for the
    straight path and for each action value by itself.

    t is (B,), deviation (A,); returns (B, 1, A) each.
    """
    t = t[:, None, None]
    variance = (1 - t) ** 2 + (t * deviation) ** 2  # (B, 1, A)
    skip = (t * deviation**2 - (1 - t)) / variance
    return variance.rsqrt(), skip, deviation * variance.rsqrt()


def times(steps: int, solver: Solver = "euler") -> list[float]:
    """The times at which `integrate` evaluates the velocity, in order."""
    if solver == "euler":
        return [i / steps for i in range(steps)]
    return [(i + half) / steps for i in range(steps) for half in (0.0, 0.5)]


def integrate(
    velocity: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    steps: int,
    *,
    solver: Solver = "euler",
    prefix: Tensor | None = None,
) -> Tensor:
    """Integrate a velocity field from t=0 to t=1, starting at `noise` (B, T, A).

    velocity: called with x (B, T, A) and t (B,).
    prefix: (B, k, A), the first k actions of the plan that are already committed. They stand in x
        as they are from the first step on, so that the rest joins on to them. A network learns what
        that means if it is trained with committed actions (`TrainConfig.prefix`; after Black et al.
        2025, "Training-Time Action Conditioning for Efficient Real-Time Chunking").
    """
    x = _hold(noise, prefix)  # (B, T, A)
    for i in range(steps):
        t = x.new_full((len(x),), i / steps)
        if solver == "euler":
            slope = velocity(x, t)
        else:
            middle = _hold(x + velocity(x, t) / (2 * steps), prefix)
            slope = velocity(middle, t + 0.5 / steps)
        x = _hold(x + slope / steps, prefix)
    return x


def _hold(x: Tensor, prefix: Tensor | None) -> Tensor:
    return x if prefix is None else torch.cat([prefix, x[:, prefix.shape[1] :]], dim=1)
