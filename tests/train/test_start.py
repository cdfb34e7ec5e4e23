import dataclasses

import numpy as np
import pytest
import torch
from training import CONFIG, NETWORK

from nitrogen.actions import Actions
from nitrogen.errors import TrainingError
from nitrogen.model import checkpoint, layout
from nitrogen.train.start import starting_network


def actions(button):
    """Rows in which one button is pressed half of the time and no stick is moved."""
    found = Actions.released(100)
    found.buttons[::2, button] = 1
    return found


def first_loss(network, labels):
    plans = layout.to_tensor(labels)[:96].reshape(24, 4, -1)
    frames = torch.zeros(24, 16, 16, 3, dtype=torch.uint8)
    with torch.no_grad():
        return float(network.loss(frames, plans, generator=torch.Generator().manual_seed(0)))


def test_a_fine_tuned_network_is_told_the_spread_of_the_new_actions(tmp_path):
    torch.manual_seed(0)
    first = starting_network(CONFIG, actions(3))
    folder = checkpoint.save(tmp_path, first)

    tuned = starting_network(CONFIG, actions(7), folder)

    new = int(np.flatnonzero(layout.to_tensor(actions(7)).std(dim=0).numpy())[0])
    assert first.config.flow.deviation[new] == 0.05
    assert tuned.config.flow.deviation[new] == pytest.approx(0.5, abs=0.01)
    for name, value in first.state_dict().items():
        assert torch.equal(tuned.state_dict()[name], value), name
    assert first_loss(tuned, actions(7)) < 0.3 * first_loss(first, actions(7))


def test_a_network_without_preconditioning_stays_as_it_is(tmp_path):
    plain = dataclasses.replace(
        NETWORK, flow=dataclasses.replace(NETWORK.flow, centre=None, deviation=None)
    )
    config = dataclasses.replace(CONFIG, network=plain)
    folder = checkpoint.save(tmp_path, starting_network(config, actions(3)))
    assert starting_network(config, actions(7), folder).config == plain


def test_another_network_is_refused(tmp_path):
    folder = checkpoint.save(tmp_path, starting_network(CONFIG, actions(3)))
    longer = dataclasses.replace(NETWORK, horizon=8, positions=8)
    with pytest.raises(TrainingError, match="horizon is 4, not 8"):
        starting_network(dataclasses.replace(CONFIG, network=longer), actions(3), folder)
