import dataclasses

import pytest
import torch

from nitrogen.model import flow
from nitrogen.model.layout import ACTION_VALUES, CENTRE
from nitrogen.model.network import NitroGen
from nitrogen.model.presets import preset
from nitrogen.model.sampler import Sampler


@pytest.mark.parametrize("deviation", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("time", [0.0, 0.3, 0.7, 0.9])
def test_scales_are_those_of_gaussian_data(deviation, time):
    generator = torch.Generator().manual_seed(0)
    actions = deviation * torch.randn(200_000, 1, 1, generator=generator)
    noise = torch.randn(actions.shape, generator=generator)
    t = torch.full((len(actions),), time)
    x, velocity = flow.interpolate(actions, noise, t)

    scale_in, skip, scale_out = (
        float(scale) for scale in flow.precondition(t[:1], torch.tensor([deviation]))
    )

    x, velocity = x.flatten(), velocity.flatten()
    assert float((scale_in * x).std()) == pytest.approx(1, abs=0.02, rel=0.02)
    best = (x * velocity).mean() / (x * x).mean()
    assert skip == pytest.approx(float(best), abs=0.02, rel=0.02)
    assert float(((velocity - skip * x) / scale_out).std()) == pytest.approx(1, abs=0.02, rel=0.02)


def test_the_fast_sampler_gives_the_same_plans():
    torch.manual_seed(0)
    config = preset("tiny", vision_layers=1)
    assert config.flow.deviation is not None
    network = NitroGen(config).eval()
    frames = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8)
    noise = torch.randn(3, config.horizon, ACTION_VALUES)

    sampler = Sampler(network, steps=8)
    fast = sampler.plan(sampler.encode(frames), noise)

    torch.testing.assert_close(fast, network.sample(frames, noise, 8), atol=1e-5, rtol=1e-5)


def test_without_anything_learned_a_plan_is_near_a_pad_at_rest():
    torch.manual_seed(0)
    config = preset("tiny", vision_layers=1)
    network = NitroGen(config).eval()
    with torch.no_grad():
        network.action_decoder.out.weight.zero_()
    noise = torch.randn(16, config.horizon, ACTION_VALUES)

    plans = network.sample(torch.zeros(16, 64, 64, 3, dtype=torch.uint8), noise)

    assert float((plans - torch.tensor(CENTRE)).std()) == pytest.approx(0.25, rel=0.2)
    plain = dataclasses.replace(
        config, flow=dataclasses.replace(config.flow, centre=None, deviation=None)
    )
    assert float(NitroGen(plain).action_decoder.out.weight.detach().std()) == pytest.approx(
        0.02, rel=0.2
    )
