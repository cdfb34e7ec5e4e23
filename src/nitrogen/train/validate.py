"""How well a network plans what the player did, on held-out recordings.

Accuracy per frame flatters policies that do nothing; so buttons are scored by F1, sticks by R², and
both beside *copy-last*, the player that repeats the action it saw last.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from nitrogen.actions import Actions
from nitrogen.data.samples import Samples
from nitrogen.model import layout
from nitrogen.model.network import NitroGen
from nitrogen.stats import f1, r2


@dataclass(frozen=True)
class Scores:
    """Scores over whole plans; NaN where the held-out rows do not vary."""

    loss: float
    """Mean squared error of the planned values, in the scale of the layout."""
    stick_r2: float
    """R² over the stick axes that move, plans against truth."""
    button_f1: float
    """F1 over all buttons, plans against truth."""
    copy_last_stick_r2: float
    copy_last_button_f1: float
    idle_share: float
    """Share of planned rows with nothing pressed and both sticks near their centre."""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers by name."""
        return asdict(self)


@torch.inference_mode()
def validate(network: NitroGen, samples: Samples, *, count: int, seed: int = 0) -> Scores:
    """Plan from `count` held-out frames, evenly spread, and compare with what the player did."""
    indices = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(np.int64)
    generator = torch.Generator().manual_seed(seed)
    plans, truths, copies, errors = [], [], [], []
    for part in np.array_split(indices, max(1, len(indices) // 128)):
        frames, truth = samples.batch(part)
        noise = torch.randn((len(part), samples.horizon, layout.ACTION_VALUES), generator=generator)
        values = network.sample(frames, noise).flatten(0, 1)
        errors.append(float(((values - layout.to_tensor(truth)) ** 2).mean()))
        plans.append(layout.from_tensor(values))
        truths.append(truth)
        last = Actions.concatenate(samples.frame_before(int(index)) for index in part)
        copies.append(
            Actions(
                last.buttons.repeat(samples.horizon, axis=0),
                last.sticks.repeat(samples.horizon, axis=0),
            )
        )
    plan, truth, copy = (Actions.concatenate(parts) for parts in (plans, truths, copies))
    moving = truth.sticks.std(axis=0) > 0.02
    idle = ~plan.pressed().any(axis=1) & (np.abs(plan.sticks).max(axis=1) < 0.1)
    return Scores(
        loss=float(np.mean(errors)),
        stick_r2=r2(truth.sticks[:, moving], plan.sticks[:, moving]),
        button_f1=f1(truth.pressed(), plan.pressed()),
        copy_last_stick_r2=r2(truth.sticks[:, moving], copy.sticks[:, moving]),
        copy_last_button_f1=f1(truth.pressed(), copy.pressed()),
        idle_share=float(idle.mean()),
    )
