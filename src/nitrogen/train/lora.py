"""Low-rank adaptation: train two thin matrices beside each frozen one (Hu et al. 2021).

The weight of an adapted layer is `W + (alpha / rank) B A`, as a parametrization, so that every use
of the weight sees it; `merge` folds it in, after which the network is an ordinary one again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from nitrogen.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Which matrices get a low-rank addition."""

    rank: int = 0
    """Inner width of the addition; 0: none, the weights themselves are trained."""
    alpha: float = 16.0
    """The addition is scaled by alpha / rank."""
    groups: tuple[str, ...] = ("vision", "mixing", "dit")
    """Groups of the network whose matrices are adapted; their own weights stay as they are."""


class LowRank(nn.Module):
    """Adds `scale B A` to a weight (out, in); B starts at zero, so nothing changes at first."""

    def __init__(self, weight: Tensor, config: LoraConfig) -> None:
        """`a` (rank, in) is random, `b` (out, rank) zero, both on the weight's device."""
        super().__init__()
        out, into = weight.shape
        rank = min(config.rank, out, into)
        self.scale = config.alpha / config.rank
        # drawn on the CPU: the same start on every device
        self.a = nn.Parameter((torch.randn(rank, into) * into**-0.5).to(weight.device))
        self.b = nn.Parameter(torch.zeros(out, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight, in the weight's own number format also under autocast."""
        with torch.autocast(weight.device.type, enabled=False):
            return weight + self.scale * (self.b @ self.a)


def add(network: nn.Module, config: LoraConfig) -> None:
    """Adapt every linear layer of `config.groups` and freeze what else these groups hold.

    Draws from torch's global generator. Raises TrainingError if a group does not exist.
    """
    if not config.rank:
        return
    for group in config.groups:
        part = getattr(network, group, None)
        if not isinstance(part, nn.Module):
            known = ", ".join(name for name, _ in network.named_children())
            raise TrainingError(f"lora.groups: the network has no part {group!r}; parts: {known}")
        part.requires_grad_(requires_grad=False)
        for layer in [layer for layer in part.modules() if isinstance(layer, nn.Linear)]:
            low = LowRank(layer.weight, config)
            parametrize.register_parametrization(layer, "weight", low, unsafe=True)


def merged(network: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of the network without adaptation, from the state `values` of an adapted one.

    values: tensors by name as `network.state_dict()` names them, of any moment of the training.
    """
    scales = {prefix: part.scale for prefix, part in _additions(network)}
    plain = {}
    for name, value in values.items():
        layer, found, rest = name.partition(".parametrizations.weight.")
        if not found:
            plain[name] = value
        elif rest == "original":
            addition = f"{layer}.parametrizations.weight.0"
            low = values[f"{addition}.b"] @ values[f"{addition}.a"]
            plain[f"{layer}.weight"] = value + scales[addition] * low
    return plain


def _additions(network: nn.Module) -> Iterator[tuple[str, LowRank]]:
    return ((name, part) for name, part in network.named_modules() if isinstance(part, LowRank))
