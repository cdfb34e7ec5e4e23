"""Processes that decode stored frames ahead of whoever wants them, into shared memory.

Knows requests and pixels. Knows nothing of labels, order or torch, so that a worker starts fast.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from numpy.typing import NDArray

from nitrogen.data.clip import Request, decode
from nitrogen.errors import DataError
from nitrogen.processes import die_with_parent

AHEAD = 2
"""Batches per worker that are decoded ahead, and take up shared memory."""

Task = Sequence[Request | None]
"""The frames of one batch; None leaves a place empty."""


def decoded(
    tasks: Iterable[Task], *, size: int, longest: int, workers: int
) -> Iterator[NDArray[np.uint8]]:
    """The frames of each task in the order of the tasks, (B, size, size, 3).

    longest: most frames in a task. tasks: taken only as fast as they can be worked off. Raises
    DataError if a file is damaged, shared memory runs out, or a worker dies.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    slots, frame_bytes = workers * (AHEAD + 1), size * size * 3
    try:
        memory = SharedMemory(create=True, size=slots * longest * frame_bytes)
    except OSError as error:
        raise DataError(
            f"no shared memory for {slots} batches of {longest} frames ({error}); take fewer"
            " workers, smaller batches or a larger /dev/shm"
        ) from error
    ring = np.ndarray((slots, longest, size, size, 3), np.uint8, buffer=memory.buf)
    pool = ProcessPoolExecutor(workers, context, _start, (memory.name, ring.shape))
    waiting = deque[tuple[int, Future[int]]]()
    try:
        free, pending = list(range(slots)), iter(tasks)
        while True:
            while free and (task := next(pending, None)) is not None:
                slot = free.pop()
                waiting.append((slot, pool.submit(_work, slot, task, size)))
            if not waiting:
                return
            slot, future = waiting.popleft()
            frames = ring[slot, : future.result()].copy()
            free.append(slot)
            yield frames
    except BrokenProcessPool as error:
        raise DataError(
            "a worker that decodes frames was killed; if memory is short, take fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
        del ring
        memory.close()
        memory.unlink()


_ring: list[tuple[SharedMemory, NDArray[np.uint8]]] = []
"""The shared memory of a worker process, opened once; empty in the main process."""


def _start(name: str, shape: tuple[int, ...]) -> None:
    # An interrupt is the main process's to handle; it ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    memory = SharedMemory(name)
    _ring[:] = [(memory, np.ndarray(shape, np.uint8, buffer=memory.buf))]


def _work(slot: int, task: Task, size: int) -> int:
    frames = decode(task, size)
    _ring[0][1][slot, : len(task)] = frames
    return len(task)
