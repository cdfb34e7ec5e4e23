"""Fine-tuning starts from the published file as it is."""

import dataclasses

import numpy as np
import pytest
import torch
from networks import load_bench
from training import CONFIG

from nitrogen.actions import Actions
from nitrogen.data.samples import Run, Samples
from nitrogen.model import checkpoint, hub
from nitrogen.train.loop import train
from nitrogen.train.lora import LoraConfig
from nitrogen.train.optim import GroupRates
from nitrogen.train.recipes import fitted

made = load_bench("random_published")


@pytest.mark.slow
def test_ng_pt_is_fine_tuned_and_stays_whole_where_it_is_frozen(tmp_path):
    shape = made.Shape(
        width=1024, heads=16, layers=2, mixing_layers=1, vision_layers=1, image_size=32
    )
    torch.save(made.random_published(shape), tmp_path / "ng.pt")
    before = hub.load(tmp_path / "ng.pt")
    actions = Actions.released(40)
    actions.sticks[:, 0] = np.sin(np.arange(40))
    samples = Samples([Run("run", np.zeros((40, 32, 32, 3), np.uint8), actions)], horizon=18)
    config = fitted(
        dataclasses.replace(
            CONFIG,
            steps=2,
            batch=2,
            accumulate=2,
            recompute=True,
            groups=GroupRates(vision=0.0),
            lora=LoraConfig(rank=4, groups=("dit",)),
        ),
        before.config,
    )

    folder = train(config, samples, tmp_path / "run", start_from=tmp_path / "ng.pt")

    after = checkpoint.load(folder)
    assert after.config == before.config
    changed = {
        name.partition(".")[0]
        for name, value in after.state_dict().items()
        if not torch.equal(value, before.state_dict()[name])
    }
    assert {"dit", "mixing", "action_encoder", "action_decoder"} <= changed
    assert "vision" not in changed
