import dataclasses

import pytest
import torch

from nitrogen.model.network import NitroGen
from nitrogen.model.presets import preset
from nitrogen.train.estimate import activation_bytes, estimate
from nitrogen.train.lora import LoraConfig
from nitrogen.train.optim import GroupRates
from nitrogen.train.settings import TrainConfig


def kept(config, batch):
    """Bytes that the backward pass will need, as autograd counts them."""
    network, seen, alive = NitroGen(config.network), {}, []
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}

    def pack(value):
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
            alive.append(value)
        return value

    size = config.network.vision.image_size
    frames = torch.zeros(batch, size, size, 3, dtype=torch.uint8)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        network.loss(frames, torch.rand(batch, config.network.horizon, 25), draws=config.draws)
    return sum(seen.values())


@pytest.mark.parametrize("draws", [1, 4])
def test_activations_are_what_autograd_keeps(draws):
    config = TrainConfig(network=preset("tiny"), precision="float32", draws=draws)

    per_sample = (kept(config, 3) - kept(config, 1)) / 2

    assert activation_bytes(config) == pytest.approx(per_sample, rel=0.1)


def test_savings_show():
    full = TrainConfig(network=preset("nitrogen-500m"), batch=32, draws=1)
    whole = estimate(full)
    assert whole.parameters == 481_036_313
    assert whole.gradients == whole.average == 4 * whole.trained
    assert estimate(dataclasses.replace(full, accumulate=8)).activations * 8 == whole.activations
    recomputed = estimate(dataclasses.replace(full, recompute=True))
    assert recomputed.activations < whole.activations / 5
    frozen = estimate(dataclasses.replace(full, groups=GroupRates(vision=0.0)))
    assert frozen.activations < whole.activations / 2
    adapted = estimate(dataclasses.replace(full, lora=LoraConfig(rank=8)))
    assert adapted.trained < whole.trained / 10
    sharded = dataclasses.replace(full, machine=dataclasses.replace(full.machine, parallel="fsdp"))
    assert estimate(sharded, processes=4).optimiser * 4 == whole.optimiser
