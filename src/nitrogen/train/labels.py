"""Checks of labels before a run: what cannot teach anything is found in seconds, not after days.

Also what a network wants to know of its labels: centre and spread of each action value.
"""

from dataclasses import replace

import numpy as np

from nitrogen.actions import STICKS, Actions
from nitrogen.data.samples import Samples
from nitrogen.errors import TrainingError
from nitrogen.model import layout
from nitrogen.model.network import NetworkConfig

SMALLEST_DEVIATION = 0.05
STILL = 1e-3
"""A stick whose deviation is smaller does not move."""
OFF_CENTRE = 0.2


def check_labels(samples: Samples) -> None:
    """Raise TrainingError if the labels cannot teach anything; the message says what is odd."""
    problems = odd_labels(samples.actions())
    if problems:
        raise TrainingError(
            f"{'; '.join(problems)}; check the extraction before training on it, or train all the"
            " same with --allow-odd-labels"
        )


def odd_labels(actions: Actions) -> list[str]:
    """What is odd about labels: idle throughout, a stick stuck, a button held throughout."""
    moving = actions.sticks.std(axis=0) > STILL
    pressed = actions.pressed()
    if not pressed.any() and not moving.any():
        return ["the labels are idle throughout: no button is ever pressed, no stick ever moves"]
    problems = []
    stuck = ~moving & (np.abs(actions.sticks.mean(axis=0)) > OFF_CENTRE)
    if stuck.any():
        axes = ", ".join(name for name, is_stuck in zip(STICKS, stuck, strict=True) if is_stuck)
        problems.append(f"stick axes stand still away from the centre in all rows: {axes}")
    if not (pressed != pressed[:1]).any() and not moving.any():
        problems.append("every row holds the same action")
    return problems


def measured(network: NetworkConfig, actions: Actions) -> NetworkConfig:
    """The same network, told centre and deviation of each action value in these labels.

    Only for networks that are preconditioned (`FlowConfig.deviation`). Values that never change
    keep a small deviation, so that fine-tuning can still move them.
    """
    if network.flow.deviation is None:
        return network
    values = layout.to_tensor(actions)
    centre, deviation = values.mean(dim=0), values.std(dim=0).clamp_min(SMALLEST_DEVIATION)
    flow = replace(
        network.flow,
        centre=tuple(round(value, 4) for value in centre.tolist()),
        deviation=tuple(round(value, 4) for value in deviation.tolist()),
    )
    return replace(network, flow=flow)
