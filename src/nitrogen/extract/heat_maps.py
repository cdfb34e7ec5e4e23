"""Train the networks that tell places by maps: the finder and the cap network.

Where a place is, is learned with the focal loss of CenterNet (Zhou, Wang, Krähenbühl 2019): cells
near a middle count less as mistakes the nearer they are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nitrogen.errors import TrainingError
from nitrogen.extract import cap_network, finder
from nitrogen.model.precision import Precision, autocast

Batch = tuple[NDArray[np.floating], NDArray[np.float32]]
"""What the network sees, and what it is to say of it."""
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of the network's two outputs and the truth."""
_Network = TypeVar("_Network", bound=nn.Module)

_MIDDLE = (0.12, 0.14)
"""Standard deviation of the heat round the middle of a pad, in widths and heights."""
_TOLD = 0.3
"""Heat from which a cell learns the sides of the box."""
_CAP = 0.8
"""Standard deviation of the heat round the middle of a cap, in cells."""
_NEAR = 0.72
"""Heat from which a cell counts as the cap's middle."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How such a network is trained."""

    steps: int
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100
    decay_share: float = 0.5
    """Share of all steps, at the end, over which the rate falls linearly to zero."""
    average: float = 0.998
    """Decay of the moving average of the weights."""
    clip: float = 5.0
    precision: Precision = "auto"
    seed: int = 0
    """Of the first weights; pictures have a seed of their own."""


def train(
    build: Callable[[], _Network],
    batches: Iterable[Batch],
    loss_of: Loss,
    config: TrainConfig,
    *,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> _Network:
    """Train and return the network with averaged weights, to be used only.

    batches: without end. on_step: called with steps done and the loss. Raises TrainingError if the
    loss is not a number.
    """
    torch.manual_seed(config.seed)
    network = build().train().requires_grad_()
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    average = AveragedModel(
        network,
        multi_avg_fn=get_ema_multi_avg_fn(config.average),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    for step, (pictures, truth) in zip(range(config.steps), batches, strict=False):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _share(step, config)
        seen = torch.from_numpy(pictures).float().contiguous(memory_format=torch.channels_last)
        with autocast(config.precision):
            made: tuple[Tensor, Tensor] = network(seen)
        loss = loss_of(made[0].float(), made[1].float(), torch.from_numpy(truth))
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {float(loss)} at step {step}; lower the learning rate"
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        average.update_parameters(network)
        on_step(step + 1, float(loss.detach()))
    trained: _Network = average.module  # type: ignore[assignment]
    return trained.eval().requires_grad_(requires_grad=False)


def _share(step: int, config: TrainConfig) -> float:
    """Of the learning rate: warm-up, constant, linear decay."""
    fall = (config.steps - step) / max(1.0, config.steps * config.decay_share)
    return min(1.0, (step + 1) / max(config.warmup_steps, 1), fall)


def focal(logits: Tensor, heat: Tensor, middle: Tensor) -> Tensor:
    """The focal loss of a map, all three (B, H, W); middle: the cells that are places."""
    chance = torch.sigmoid(logits)
    missed = middle * (1 - chance).square() * F.logsigmoid(logits)
    wrong = ~middle * (1 - heat) ** 4 * chance.square() * F.logsigmoid(-logits)
    return -(missed + wrong).sum() / middle.sum().clamp_min(1)


def finder_loss(logits: Tensor, sides: Tensor, boxes: Tensor) -> Tensor:
    """Of the finder; boxes: (B, 4) left, top, right, bottom in pixels, 0 where there is none."""
    rows, columns = (
        (torch.arange(size) + 0.5) * finder.STRIDE for size in (logits.shape[1], logits.shape[2])
    )
    x, y = columns[None, None, :].expand_as(logits), rows[None, :, None].expand_as(logits)
    left, top, right, bottom = boxes[:, :, None, None].unbind(1)
    width, height = right - left, bottom - top
    across = (x - (left + right) / 2) / (width * _MIDDLE[0]).clamp_min(3)
    down = (y - (top + bottom) / 2) / (height * _MIDDLE[1]).clamp_min(3)
    heat = torch.exp(-0.5 * (across.square() + down.square()))
    heat = heat / heat.amax((1, 2), keepdim=True).clamp_min(1e-6) * (width > 0)
    wanted = torch.stack([x - left, y - top, right - x, bottom - y], dim=1)
    told = (heat > _TOLD) & (wanted.amin(1) > 0)
    seen, true = sides.permute(0, 2, 3, 1)[told], wanted.permute(0, 2, 3, 1)[told]
    both = torch.minimum(seen, true)
    shared = (both[:, 0] + both[:, 2]) * (both[:, 1] + both[:, 3])
    overlap = shared / (_area(seen) + _area(true) - shared)
    apart = (seen.log() - true.log()).abs().mean(1)
    weight = heat[told]
    off = ((1 - overlap + 0.3 * apart) * weight).sum() / weight.sum().clamp_min(1)
    return focal(logits, heat, heat >= 0.999) + 2 * off


def _area(sides: Tensor) -> Tensor:
    return (sides[:, 0] + sides[:, 2]) * (sides[:, 1] + sides[:, 3])


def cap_loss(logits: Tensor, offsets: Tensor, places: Tensor) -> Tensor:
    """Of the cap network; places: (B, 2, 2), `cap_pictures.Windows.places`."""
    rows, columns = (torch.arange(size) + 0.5 for size in (logits.shape[1], logits.shape[2]))
    shape = (len(places), 2, *logits.shape[1:])
    at = places[..., None, None] / cap_network.STRIDE
    across = (at[:, :, 0] - columns[None, None, None, :]).expand(shape)
    down = (at[:, :, 1] - rows[None, None, :, None]).expand(shape)
    nearest = (across.square() + down.square()).argmin(1, keepdim=True)
    across, down = across.gather(1, nearest)[:, 0], down.gather(1, nearest)[:, 0]
    heat = torch.exp(-0.5 * (across.square() + down.square()) / _CAP**2)
    weight = heat * (heat > 0.1)
    off = (offsets[:, 0] - across).abs() + (offsets[:, 1] - down).abs()
    off = (off * weight).sum() / weight.sum().clamp_min(1)
    return focal(logits, heat, heat > _NEAR) + 2 * off
