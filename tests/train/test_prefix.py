"""Where a picture leaves open what the player does, committed actions decide."""

import dataclasses

import numpy as np
import pytest
from training import CONFIG

from nitrogen.actions import Actions
from nitrogen.data.samples import Run, Samples
from nitrogen.model.inference import ModelPolicy
from nitrogen.train.loop import train


@pytest.mark.slow
def test_a_plan_goes_on_as_it_was_begun(tmp_path):
    runs = [
        Run(
            f"{side} {number}",
            np.zeros((24, 16, 16, 3), np.uint8),
            Actions.of(left_x=side, length=24),
        )
        for number in range(4)
        for side in (-1.0, 1.0)
    ]
    config = dataclasses.replace(
        CONFIG,
        optim=dataclasses.replace(CONFIG.optim, learning_rate=1e-3, warmup_steps=30),
        steps=400,
        batch=32,
        draws=4,
        prefix=2,
    )

    folder = train(config, Samples(runs, horizon=4), tmp_path)

    policy, black = ModelPolicy.from_pretrained(folder), np.zeros((256, 256, 3), np.uint8)
    for side in (-1.0, 1.0):
        for length in (1, 2):
            committed = Actions.of(left_x=side, length=length)
            plans = [policy.continue_plan(black, committed) for _ in range(20)]
            assert all((plan.stick("left_x")[length:] * side > 0).all() for plan in plans)
    free = {float(np.sign(policy.act(black).stick("left_x")[0])) for _ in range(20)}
    assert free == {-1.0, 1.0}
