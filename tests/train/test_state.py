import dataclasses

import pytest
import torch
from training import CONFIG, NETWORK, samples, weights

from nitrogen.errors import TrainingError
from nitrogen.model import checkpoint
from nitrogen.model.network import NitroGen
from nitrogen.train import batches, lora
from nitrogen.train.clock import Clock
from nitrogen.train.loop import train
from nitrogen.train.lora import LoraConfig
from nitrogen.train.parallel import World
from nitrogen.train.settings import parts
from nitrogen.train.state import State

PLAIN = dataclasses.replace(CONFIG, precision="float32", onset_weight=2.0, active_weight=1.0)


def losses(config, steps=4):
    torch.manual_seed(0)
    state = State(config, NitroGen(config.network), World())
    clock, found = Clock(torch.device("cpu")), []
    for frames, plans in batches.stream(samples(), config, steps=range(steps)):
        generator = torch.Generator().manual_seed(state.step)
        found.append(state.update(frames, plans, generator, clock))
    return torch.tensor(found), state


@pytest.mark.parametrize("prefix", [0, 2])
def test_accumulated_parts_equal_one_large_batch(prefix):
    config = dataclasses.replace(PLAIN, prefix=prefix)
    whole, _ = losses(config)
    cut, _ = losses(dataclasses.replace(config, accumulate=4))

    torch.testing.assert_close(cut, whole, rtol=1e-4, atol=1e-5)


def test_committed_actions_are_seen_as_they_are_and_do_not_count():
    network = NitroGen(NETWORK)
    seen = []
    network.velocity = lambda x, t, context: seen.append(x) or torch.zeros_like(x)
    plans, noise = torch.rand(2, 4, 25), torch.randn(4, 4, 25)
    t, committed = torch.full((4,), 0.5), torch.tensor([0, 1, 2, 3])

    loss = network.flow_loss(
        torch.zeros(2, 5, 32), plans, draws=2, noise=noise, t=t, committed=committed
    )

    doubled = plans.repeat_interleave(2, dim=0)
    error = (doubled - noise) ** 2
    free = torch.arange(4) >= committed[:, None]
    torch.testing.assert_close(loss, error[free].mean())
    torch.testing.assert_close(seen[0][~free], doubled[~free])
    torch.testing.assert_close(seen[0][free], (0.5 * doubled + 0.5 * noise)[free])


def test_a_batch_is_cut_evenly_or_not_at_all():
    assert parts(dataclasses.replace(PLAIN, accumulate=4), 2) == 2
    with pytest.raises(TrainingError, match="multiple of 10"):
        parts(dataclasses.replace(PLAIN, accumulate=5), 2)


def test_recomputing_changes_nothing_but_memory():
    plain, _ = losses(PLAIN)
    again, state = losses(dataclasses.replace(PLAIN, recompute=True))

    torch.testing.assert_close(again, plain, rtol=0, atol=0)
    kept = []
    frames, plans = next(batches.stream(samples(), PLAIN, steps=range(1)))
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.numel()) or x, lambda x: x
    ):
        state.network.loss(frames, plans)
    few = sum(kept)
    kept.clear()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.numel()) or x, lambda x: x
    ):
        NitroGen(NETWORK).loss(frames, plans)
    assert few < 0.8 * sum(kept)


def test_an_adapted_network_starts_equal_learns_little_and_merges():
    config = dataclasses.replace(PLAIN, lora=LoraConfig(rank=2, groups=("vision", "dit")))
    plain, _ = losses(PLAIN, steps=1)
    adapted, state = losses(config, steps=3)

    assert adapted[0, 0] == pytest.approx(float(plain[0, 0]), rel=1e-5)
    trained = {n for n, p in state.network.named_parameters() if p.requires_grad}
    assert all(".a" in n or ".b" in n for n in trained if n.startswith(("vision", "dit")))
    assert any(n.startswith("mixing") for n in trained)
    frames, plans = next(batches.stream(samples(), PLAIN, steps=range(1)))
    merged = checkpoint.build(
        NETWORK, lora.merged(state.network, dict(state.network.state_dict())), where="merged"
    )
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    torch.testing.assert_close(
        merged.loss(frames, plans, generator=generators[0]),
        state.network.loss(frames, plans, generator=generators[1]),
        rtol=1e-5,
        atol=1e-6,
    )


def test_adaptation_trains_resumes_and_exports_an_ordinary_policy(tmp_path):
    first = train(CONFIG, samples(), tmp_path / "first")
    config = dataclasses.replace(CONFIG, lora=LoraConfig(rank=2, groups=("vision",)), steps=6)

    tuned = train(config, samples(), tmp_path / "tuned", start_from=first)

    assert weights(tuned).keys() == weights(first).keys()
    difference = (
        weights(tuned)["vision.blocks.0.qkv.weight"] - weights(first)["vision.blocks.0.qkv.weight"]
    )
    assert torch.linalg.matrix_rank(difference, rtol=1e-3) == 2
    assert torch.equal(weights(tuned)["vision.norm.weight"], weights(first)["vision.norm.weight"])
    assert train(config, samples(), tmp_path / "tuned", resume=True) == tuned
    with pytest.raises(TrainingError, match="no part 'dti'"):
        lora.add(NitroGen(NETWORK), LoraConfig(rank=2, groups=("dti",)))


def test_a_state_of_another_network_is_refused(tmp_path):
    _, state = losses(PLAIN, steps=1)
    state.save(tmp_path / "state.safetensors")
    other = dataclasses.replace(NETWORK, dit=dataclasses.replace(NETWORK.dit, layers=4))

    with pytest.raises(TrainingError, match="another network"):
        State(dataclasses.replace(PLAIN, network=other), NitroGen(other), World()).load(
            tmp_path / "state.safetensors"
        )
