"""(frame, next actions) pairs for training, out of prepared chunks.

A *run* is an unbroken stretch of rows: frames at the policy's size, and one action per row. No
sample crosses the end of a run. Order depends on seed and position alone, so that training resumes
exactly without saving any state of a sampler.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import Actions
from nitrogen.errors import DataError


@dataclass(frozen=True)
class Run:
    """Consecutive rows of one video."""

    name: str
    """Where it comes from, for messages and splits."""
    frames: NDArray[np.uint8]
    """(N, S, S, 3) RGB, may be mapped from disk."""
    actions: Actions
    """One row per frame: the pad while that frame was shown."""

    def __post_init__(self) -> None:
        """Refuse frames and actions that do not belong together."""
        if len(self.frames) != len(self.actions):
            raise DataError(
                f"{self.name}: {len(self.frames)} frames but {len(self.actions)} rows of actions;"
                " prepare the chunks again"
            )


class Samples:
    """All windows of `horizon` actions that start `shift` rows after a frame."""

    def __init__(self, runs: Sequence[Run], *, horizon: int, shift: int = 0) -> None:
        """Raises DataError if no run is long enough, or frames differ in size."""
        self.horizon, self.shift = horizon, shift
        self._runs = list(runs)
        counts = [max(0, len(run.frames) - shift - horizon + 1) for run in self._runs]
        self._ends = np.cumsum(counts)
        if not len(self._ends) or self._ends[-1] == 0:
            raise DataError(
                f"no stretch of {shift + horizon} rows in {len(self._runs)} runs;"
                " add longer recordings or take a smaller horizon"
            )
        if len({run.frames.shape[1:] for run in self._runs}) > 1:
            raise DataError("frames differ in size between runs; prepare all data at one size")

    def __len__(self) -> int:
        """Number of samples."""
        return int(self._ends[-1])

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Actions]:
        """Frames (B, S, S, 3) uint8, and their plans one after the other: B x horizon rows."""
        runs = np.searchsorted(self._ends, indices, side="right")
        starts = indices - np.where(runs > 0, self._ends[runs - 1], 0)
        frames = np.empty((len(indices), *self._runs[0].frames.shape[1:]), np.uint8)
        rows = self.shift + np.arange(self.horizon)
        plans: list[Actions] = []
        for place, (run_index, start) in enumerate(zip(runs, starts, strict=True)):
            run = self._runs[run_index]
            frames[place] = run.frames[start]
            plans.append(run.actions[start + rows[0] : start + rows[-1] + 1])
        return torch.from_numpy(frames), Actions.concatenate(plans)

    def actions(self) -> Actions:
        """All rows of all runs."""
        return Actions.concatenate(run.actions for run in self._runs)

    def frame_before(self, index: int) -> Actions:
        """The action of the row of sample `index` itself, one row: what copy-last would repeat."""
        run_index = int(np.searchsorted(self._ends, index, side="right"))
        start = index - (int(self._ends[run_index - 1]) if run_index else 0)
        row = max(0, start + self.shift - 1)
        return self._runs[run_index].actions[row : row + 1]


def order(count: int, batch: int, *, step: int, seed: int) -> NDArray[np.int64]:
    """Indices of the batch at `step`: every epoch visits each of `count` samples once, shuffled.

    Batches run on over the end of an epoch. A function of its arguments alone.
    """
    first = step * batch
    parts, needed = [], batch
    while needed:
        epoch, place = divmod(first, count)
        permutation = _permutation(count, epoch, seed)
        part = permutation[place : place + needed]
        parts.append(part)
        first, needed = first + len(part), needed - len(part)
    return np.concatenate(parts)


@functools.lru_cache(maxsize=2)
def _permutation(count: int, epoch: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)
