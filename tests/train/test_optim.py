import numpy as np
import pytest
import torch
from torch import nn
from training import NETWORK

from nitrogen.errors import TrainingError
from nitrogen.model.network import NitroGen
from nitrogen.train import optim
from nitrogen.train.optim import Average, GroupRates, OptimConfig, learning_rate


def test_schedule_is_continuous_and_constant_in_the_middle():
    config = OptimConfig(learning_rate=1.0, warmup_steps=100, decay_share=0.2)
    rates = np.array([learning_rate(step, 1000, config) for step in range(1000)])

    assert (rates[100:800] == 1).all()
    assert np.abs(np.diff(rates)).max() <= 0.0101
    assert rates[0] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.005)


def test_average_follows():
    live = torch.zeros(3)
    average = Average([live], decay=0.5)
    live.fill_(1.0)
    for step in range(100):
        average.update(step)
    torch.testing.assert_close(average.values[0], torch.ones(3))


def test_groups_have_their_own_rates_and_zero_freezes():
    network = NitroGen(NETWORK)
    rates = GroupRates(vision=0.0, mixing=0.1)

    optim.freeze(network, rates)
    parameters = optim.trained(network)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    adamw = optim.optimiser(parameters, OptimConfig(weight_decay=0.0), rates)
    optim.set_rate(adamw, 1e-2)
    for parameter in parameters.values():
        parameter.grad = torch.ones_like(parameter)
    adamw.step()

    moved = {n: float((v.detach() - before[n]).abs().max()) for n, v in network.named_parameters()}
    for name, distance in moved.items():
        expected = {"vision": 0.0, "mixing": 1e-3}.get(optim.group_of(name), 1e-2)
        assert distance == pytest.approx(expected, rel=1e-3), name


def test_every_part_of_a_network_has_a_rate():
    names = {optim.group_of(name) for name, _ in NitroGen(NETWORK).named_parameters()}
    assert names <= set(vars(GroupRates()))


def test_freezing_everything_is_refused():
    with pytest.raises(TrainingError, match="every part"):
        optim.freeze(NitroGen(NETWORK), GroupRates(**dict.fromkeys(vars(GroupRates()), 0.0)))
    with pytest.raises(TrainingError, match=r"groups\.dit must be 0"):
        GroupRates(dit=-1.0)


def test_vectors_do_not_decay():
    layer = nn.ModuleDict({"dit": nn.Linear(3, 2)})
    adamw = optim.optimiser(dict(layer.named_parameters()), OptimConfig(weight_decay=0.5))
    decays = {len(g["params"][0].shape): g["weight_decay"] for g in adamw.param_groups}
    assert decays == {2: 0.5, 1: 0.0}
