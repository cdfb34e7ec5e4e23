import dataclasses
import importlib.util

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training import CONFIG, NETWORK, samples

from nitrogen.errors import MissingDependencyError, TrainingError
from nitrogen.model.network import NitroGen
from nitrogen.train.loop import train
from nitrogen.train.pictures import draw_plans
from nitrogen.train.settings import Machine
from nitrogen.train.trackers import Trackers


def test_tensorboard_gets_numbers_and_pictures(tmp_path):
    config = dataclasses.replace(CONFIG, machine=Machine(report=("tensorboard",)), draw_plans=2)

    train(config, samples(), tmp_path, validation=samples(seed=1))

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "train/images_per_s", "validation/event_f1"} <= set(tags["scalars"])
    assert [event.step for event in events.Scalars("train/loss")] == [4, 8, 12]
    assert tags["images"] == ["plans"]


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_is_not_installed_is_named_with_its_command(tmp_path, name):
    if importlib.util.find_spec(name):
        pytest.skip(f"{name} is installed")
    config = dataclasses.replace(CONFIG, machine=Machine(report=(name,)))
    with pytest.raises(MissingDependencyError, match=f"pip install {name}"):
        Trackers(tmp_path, config, active=True)
    with pytest.raises(TrainingError, match="no tracker wandbb"):
        Trackers(
            tmp_path, dataclasses.replace(CONFIG, machine=Machine(report=("wandbb",))), active=False
        )


def test_the_sheet_shows_the_frames_of_the_samples():
    torch.manual_seed(0)
    data = samples()
    sheet = draw_plans(NitroGen(NETWORK).eval(), data, count=3)

    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 2 * draw_plans(NitroGen(NETWORK), data, count=1).shape[1] / 2
    bright = (sheet == 250).all(axis=2).mean()
    assert 0.02 < bright < 0.2
