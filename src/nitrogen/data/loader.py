"""Batches in the order of training, decoded ahead of it by worker processes.

Workers get byte ranges and give back frames; labels stay here. So what comes out is the same for
any number of workers, and a run resumes at any step.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import Actions
from nitrogen.data.samples import Samples
from nitrogen.data.workers import Task, decoded


def stream(
    samples: Samples,
    *,
    batch: int,
    seed: int,
    steps: range,
    rank: int = 0,
    size: int = 1,
    workers: int = 0,
) -> Iterator[tuple[Tensor, Actions]]:
    """Frames (B, S, S, 3) uint8 and their plans (B x horizon rows) for each step.

    batch: samples per step over all processes, of which `rank` of `size` gets its slice. workers:
    processes that decode ahead; 0 decodes here, which is right for frames that are no video.
    Raises DataError if stored frames are damaged or a worker dies.
    """
    shares = (
        np.array_split(samples.order(batch, step=step, seed=seed), size)[rank] for step in steps
    )
    if not workers or not samples.is_video:
        for indices in shares:
            yield samples.batch(indices)
        return
    # What was asked of the workers, and the places that need no decoding, until they answer.
    asked = deque[tuple[NDArray[np.int64], list[int]]]()

    def tasks() -> Iterator[Task]:
        for indices in shares:
            requests = samples.requests(indices)
            asked.append((indices, [i for i, one in enumerate(requests) if one is None]))
            yield requests

    longest = -(-batch // size)
    for frames in decoded(tasks(), size=samples.frame_size, longest=longest, workers=workers):
        indices, plain = asked.popleft()
        frames[plain] = samples.frames(indices[plain])
        yield torch.from_numpy(frames), samples.plans(indices)
