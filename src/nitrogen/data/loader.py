"""Batches in the order of training, decoded ahead of it by worker processes.

Workers get byte ranges and give back frames; they know nothing of labels or order, so that what
comes out is the same for any number of them, and a run resumes at any step.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.data.clip import Request, decode
from nitrogen.data.samples import Samples
from nitrogen.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

AHEAD = 2
"""Batches that each worker prepares ahead."""


def stream(
    samples: Samples,
    *,
    batch: int,
    seed: int,
    steps: range,
    rank: int = 0,
    size: int = 1,
    workers: int = 0,
) -> Iterator[tuple["Tensor", Actions]]:
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
    # Each share is needed twice: to ask the workers, and to fill in the rest when they answer.
    asked: list[NDArray[np.int64]] = []

    def tasks() -> Iterator[list[Request | None]]:
        for indices in shares:
            asked.append(indices)
            yield samples.requests(indices)

    for frames in _decoded(tasks(), samples.frame_size, workers):
        indices = asked.pop(0)
        _fill(frames, samples, indices)
        yield frames, samples.plans(indices)


def _fill(frames: "Tensor", samples: Samples, indices: NDArray[np.int64]) -> None:
    """Copy in the frames that needed no decoding."""
    import torch

    plain = [i for i, request in enumerate(samples.requests(indices)) if request is None]
    if plain:
        frames[plain] = torch.from_numpy(samples.frames(indices[plain]))


class _Decoder:
    """What runs in a worker, in the form of a data set that is indexed by requests."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __getitem__(self, requests: Sequence[Request | None]) -> "Tensor | str":
        """Frames in the order of the requests; or, as text, why there are none."""
        import torch

        try:
            frames = decode(requests, self._size)
        except DataError as error:
            return str(error)
        return torch.from_numpy(frames)


def _decoded(tasks: Iterator[list[Request | None]], size: int, workers: int) -> Iterator["Tensor"]:
    import torch
    from torch.utils.data import DataLoader

    decoder: Any = _Decoder(size)
    loader: Any = DataLoader(
        decoder,
        batch_size=None,
        sampler=tasks,
        num_workers=workers,
        prefetch_factor=AHEAD,
        multiprocessing_context="forkserver",
        worker_init_fn=_start_worker,
        # It would take its seed from the global generator, on which training may depend.
        generator=torch.Generator(),
    )
    try:
        for frames in loader:
            if isinstance(frames, str):
                raise DataError(frames)
            yield frames
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(
            f"a worker that decodes frames died ({error}); take fewer workers if memory is short"
        ) from error


def _start_worker(number: int) -> None:
    cv2.setNumThreads(1)
