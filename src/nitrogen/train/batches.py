"""The batches of a run: which samples each step sees, and on which process.

The one place where training meets its data. A batch is a function of seed and step, whatever the
number of processes and workers: each process takes its slice of the same batch.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import Actions
from nitrogen.data import loader
from nitrogen.data.samples import Samples
from nitrogen.model import layout
from nitrogen.train.settings import TrainConfig


def stream(
    samples: Samples, config: TrainConfig, *, steps: range, rank: int = 0, size: int = 1
) -> Iterator[tuple[Tensor, Tensor]]:
    """Frames (B, S, S, 3) uint8 and plans (B, T, A) of this process's share, for each step."""
    for frames, actions in loader.stream(
        samples,
        batch=config.batch,
        seed=config.seed,
        steps=steps,
        rank=rank,
        size=size,
        workers=config.machine.workers,
    ):
        yield frames, _plans(actions, samples.horizon)


def take(samples: Samples, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Frames (B, S, S, 3) uint8 and plans (B, T, A) of the given samples."""
    frames, actions = samples.batch(indices)
    return frames, _plans(actions, samples.horizon)


def _plans(actions: Actions, horizon: int) -> Tensor:
    return layout.to_tensor(actions).view(-1, horizon, layout.ACTION_VALUES)
