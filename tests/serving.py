"""A policy without a network, and a server that offers it."""

import time

import numpy as np

from nitrogen.actions import Actions
from nitrogen.serve.server import PolicyServer, ServeConfig
from nitrogen.serve.wire import Info

INFO = Info(name="toy", horizon=3)


class Toy:
    """Sticks from the client's noise, a trigger from the brightness of its frame."""

    def __init__(self, delay_s=0.0):
        self.delay_s, self.batches = delay_s, []

    def act_batch(self, frames, rngs):
        self.batches.append(len(frames))
        time.sleep(self.delay_s)
        return [
            Actions(np.tile(np.eye(17)[9] * frame.mean() / 255, (3, 1)), rng.uniform(-1, 1, (3, 4)))
            for frame, rng in zip(frames, rngs, strict=True)
        ]


def frame(level=0):
    return np.full((256, 256, 3), level, np.uint8)


def serve(policy=None, info=INFO, **config):
    return PolicyServer(policy or Toy(), info, ServeConfig(port=0, **config))
