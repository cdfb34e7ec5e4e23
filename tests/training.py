"""A task that a very small network learns in seconds, for tests of training."""

import numpy as np
import torch

from nitrogen.actions import Actions
from nitrogen.data.augment import AugmentConfig
from nitrogen.data.samples import Run, Samples
from nitrogen.model import checkpoint
from nitrogen.model.dit import TransformerConfig
from nitrogen.model.flow import FlowConfig
from nitrogen.model.layout import CENTRE, DEVIATION
from nitrogen.model.network import NetworkConfig
from nitrogen.model.siglip import VisionConfig
from nitrogen.train.optim import OptimConfig
from nitrogen.train.settings import TrainConfig

NETWORK = NetworkConfig(
    vision=VisionConfig(image_size=16, patch_size=8, width=32, layers=1, heads=2, mlp_width=64),
    mixing=TransformerConfig(layers=1, width=32, heads=2, cross_width=32),
    dit=TransformerConfig(layers=2, width=32, heads=2, cross_width=32),
    flow=FlowConfig(centre=CENTRE, deviation=DEVIATION),
    horizon=4,
    positions=4,
)
CONFIG = TrainConfig(
    network=NETWORK,
    optim=OptimConfig(learning_rate=3e-3, warmup_steps=5, average=0.9),
    augment=AugmentConfig(rotation_degrees=2),
    steps=12,
    batch=16,
    draws=2,
    log_every=4,
    save_every=5,
    validate_every=6,
    validation_samples=32,
    draw_plans=0,
)


def samples(length=60, seed=0):
    """A bright half picture on the side to which the stick goes; a button with it."""
    rng = np.random.default_rng(seed)
    side = np.repeat(rng.integers(0, 2, length // 6 + 1), 6)[:length]
    frames = np.zeros((length, 16, 16, 3), np.uint8)
    frames[side == 0, :, :8] = 250
    frames[side == 1, :, 8:] = 250
    actions = Actions.released(length)
    actions.sticks[:, 0] = 2 * side - 1
    actions.buttons[:, 14] = side
    return Samples([Run("toy", frames, actions)], horizon=4)


def weights(folder):
    return checkpoint.load(folder).state_dict()


def assert_equal_weights(first, second):
    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name]), name
