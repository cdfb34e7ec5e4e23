import numpy as np
import pytest
import torch
from networks import build, frames, small_config

from nitrogen.errors import CheckpointError, ConfigError
from nitrogen.model import flow
from nitrogen.model.dit import TransformerConfig
from nitrogen.model.flow import FlowConfig
from nitrogen.model.layout import CENTRE, DEVIATION
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.presets import PRESETS, preset
from nitrogen.model.published import published_parameters
from nitrogen.model.siglip import normalise


def test_published_preset_has_the_published_count():
    assert published_parameters(PRESETS["nitrogen-500m"]) == 493_631_513
    assert PRESETS["nitrogen-500m"].horizon == 18


def test_small_presets_have_their_size():
    counts = {
        name: sum(p.numel() for p in NitroGen(config).parameters())
        for name, config in PRESETS.items()
        if name != "nitrogen-500m"
    }
    assert 2e6 < counts["tiny"] < 2.5e6
    assert 18e6 < counts["small"] < 24e6


def test_unknown_preset():
    with pytest.raises(ConfigError, match="did you mean tiny"):
        preset("tinny")


def test_sizes_that_do_not_fit_are_refused_together():
    with pytest.raises(CheckpointError, match=r"horizon.*positions"):
        small_config(horizon=5, actions_per_token=2, positions=1)


def test_draws_share_the_context():
    """Rows that share a context give what each would give alone."""
    network = build()
    context = network.encode(frames(2))
    x, t = torch.randn(6, 4, 25), torch.rand(6)
    together = network.velocity(x, t, context)
    apart = network.velocity(x, t, context.repeat_interleave(3, dim=0))
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [32, 64, 256])
def test_frames_may_be_larger(size):
    context = build().encode(frames(1, size))
    assert context.shape == (1, 4, 32)


def test_larger_frames_are_averaged_by_area():
    blocks = frames(1, 32)
    large = blocks.repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)
    torch.testing.assert_close(normalise(large, 32), normalise(blocks, 32))


def test_batch_rows_are_independent():
    network = build()
    noise = torch.randn(3, 4, 25)
    plans = network.sample(frames(3), noise)
    torch.testing.assert_close(plans[1:2], network.sample(frames(3)[1:2], noise[1:2]))


def test_loss_counts_only_what_the_mask_allows():
    network = build()
    actions = torch.rand(2, 4, 25)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
    changed = actions.clone()
    changed[0, 2:] = 9.0
    context = network.encode(frames(2))
    noise, t = torch.randn(2, 4, 25), torch.tensor([0.2, 0.7])
    x, target = flow.interpolate(actions, noise, t)
    error = (network.velocity(x, t, context) - target) ** 2
    loss = network.flow_loss(context, actions, mask, noise=noise, t=t)
    expected = (error * mask[..., None]).sum() / (mask.sum() * 25 + 1e-6)
    torch.testing.assert_close(loss, expected)
    weights = torch.rand(2, 4, 25)
    weighted = network.flow_loss(context, actions, mask, noise=noise, t=t, weights=weights)
    weight = weights * mask[..., None]
    torch.testing.assert_close(weighted, (error * weight).sum() / (weight.sum() + 1e-6))


def test_draws_average_single_losses():
    network = build()
    context, actions = network.encode(frames(2)), torch.rand(2, 4, 25)
    noise, t = torch.randn(6, 4, 25), torch.rand(6)
    together = network.flow_loss(context, actions, draws=3, noise=noise, t=t)
    single = [network.flow_loss(context, actions, noise=noise[i::3], t=t[i::3]) for i in range(3)]
    torch.testing.assert_close(together, torch.stack(single).mean())


def test_loss_reproduces_with_its_generator():
    network = build()
    losses = [
        network.loss(
            frames(2), torch.rand(2, 4, 25, generator=torch.Generator().manual_seed(1)),
            draws=2, generator=torch.Generator().manual_seed(seed),
        ).item()
        for seed in (5, 5, 6)
    ]  # fmt: skip
    assert losses[0] == losses[1] != losses[2]


def test_one_batch_can_be_fitted():
    torch.manual_seed(0)
    network = NitroGen(small_config(flow=FlowConfig(centre=CENTRE, deviation=DEVIATION)))
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    actions = torch.rand(4, 4, 25).round()
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(120):
        loss = network.loss(frames(4), actions, draws=8, generator=generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:5])
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_bfloat16_autocast_gives_nearly_the_same_loss():
    network = build()
    arguments = (frames(4), torch.rand(4, 4, 25))
    exact = network.loss(*arguments, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network.loss(*arguments, generator=torch.Generator().manual_seed(0))
    assert rough.item() == pytest.approx(exact.item(), rel=0.05)


def test_dropout_acts_in_training_only():
    dit = TransformerConfig(layers=2, width=32, heads=2, cross_width=32, dropout=0.5)
    network = NitroGen(
        NetworkConfig(
            vision=small_config().vision, mixing=small_config().mixing, dit=dit,
            horizon=4, positions=4,
        )
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    x, t = torch.randn(2, 4, 25), torch.rand(2)
    context = network.encode(frames(2))
    assert not torch.equal(network.velocity(x, t, context), network.velocity(x, t, context))
    network.eval()
    assert torch.equal(network.velocity(x, t, context), network.velocity(x, t, context))


def test_grouped_actions_keep_their_shape():
    network = build(actions_per_token=2, positions=2)
    assert network.sample(frames(2), torch.randn(2, 4, 25)).shape == (2, 4, 25)


def test_wrong_number_of_frames_is_refused():
    with pytest.raises(CheckpointError, match="1 frames, not 2"):
        build().encode(frames(2)[None])


def test_game_without_games_is_refused():
    with pytest.raises(CheckpointError, match="knows no games"):
        build().encode(frames(1), torch.tensor([1]))
