import pytest
import torch
from networks import build, frames

from nitrogen.model import sampler as sampler_module
from nitrogen.model.sampler import Linear, Sampler, can_prepack

VARIANTS = {
    "plain": {},
    "grouped": {"actions_per_token": 2, "positions": 2},
    "pads": {"pads": 5},
    "games": {"games": ("one", "two"), "pads": 2},
    "no positions": {"positions": None},
}


@pytest.mark.parametrize("prepack", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", ["euler", "midpoint"])
def test_equals_the_plain_sampler(variant, solver, prepack):
    if prepack and not can_prepack():
        pytest.skip("this build of torch has no prepacked linear layers")
    network = build(**VARIANTS[variant])
    noise = torch.randn(3, 4, 25)
    sampler = Sampler(network, steps=5, solver=solver, prepack=prepack)
    fast = sampler.plan(sampler.encode(frames(3)), noise)
    plain = network.sample(frames(3), noise, 5, solver=solver)
    assert (fast - plain).abs().max() <= 1e-5
    assert plain.abs().max() > 0.5


def test_a_large_batch_is_encoded_in_parts(monkeypatch):
    network = build(games=("one", "two"))
    sampler, games = Sampler(network), torch.tensor([0, 1, 2, 1, 0])
    whole = sampler.encode(frames(5), games)
    monkeypatch.setattr(sampler_module, "CACHE", 1)
    assert (sampler.encode(frames(5), games) - whole).abs().max() <= 1e-5
    plain = sampler.encode(frames(5))
    assert (plain[1] - whole[1]).abs().max() > 1e-3


def test_large_matrices_are_packed():
    if not can_prepack():
        pytest.skip("this build of torch has no prepacked linear layers")
    weight, bias = torch.randn(512, 512), torch.randn(512)
    x = torch.randn(2, 3, 512)
    for activation in ("none", "gelu", "relu", "silu"):
        packed = Linear(weight, bias, pack=True, activation=activation)
        plain = Linear(weight, bias, pack=False, activation=activation)
        torch.testing.assert_close(packed(x), plain(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("prepack", [False, True])
def test_bfloat16_is_close(monkeypatch, prepack):
    monkeypatch.setattr(sampler_module, "NARROW", 0)
    network = build(pads=3)
    noise = torch.randn(3, 4, 25)
    sampler = Sampler(network, dtype=torch.bfloat16, prepack=prepack and can_prepack())
    rough = sampler.plan(sampler.encode(frames(3)), noise)
    exact = network.sample(frames(3), noise)
    assert rough.dtype == torch.float32
    assert 1e-6 < (rough - exact).abs().max() < 0.1


def test_narrow_networks_stay_exact():
    network = build()
    noise = torch.randn(3, 4, 25)
    sampler = Sampler(network, dtype=torch.bfloat16)
    plan = sampler.plan(sampler.encode(frames(3)), noise)
    assert (plan - network.sample(frames(3), noise)).abs().max() <= 1e-5


def test_guidance_at_zero_and_one():
    network = build(games=("one", "two"))
    sampler = Sampler(network)
    noise = torch.randn(2, 4, 25)
    known = sampler.encode(frames(2), torch.tensor([1, 2]))
    free = sampler.encode(frames(2))
    plans = {
        scale: sampler.plan(known, noise, unconditional=free, guidance=scale)
        for scale in (0.0, 1.0, 2.0)
    }
    torch.testing.assert_close(plans[1.0], sampler.plan(known, noise))
    torch.testing.assert_close(plans[0.0], sampler.plan(free, noise), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(plans[2.0], plans[1.0], atol=1e-3)
    assert not torch.allclose(plans[1.0], plans[0.0], atol=1e-3)


def test_prefix_is_kept():
    network = build()
    sampler = Sampler(network)
    prefix = torch.rand(2, 2, 25)
    plan = sampler.plan(sampler.encode(frames(2)), torch.randn(2, 4, 25), prefix=prefix)
    torch.testing.assert_close(plan[:, :2], prefix)


def test_is_a_snapshot():
    network = build()
    noise = torch.randn(1, 4, 25)
    sampler = Sampler(network)
    before = sampler.plan(sampler.encode(frames(1)), noise)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 1.0
    assert torch.equal(before, sampler.plan(sampler.encode(frames(1)), noise))
