"""(frame, next actions) pairs for training, out of prepared chunks.

A *run* is an unbroken stretch of rows: frames at the policy's size, and one action per row. No
sample crosses the end of a run. Order depends on seed and position alone, so that training resumes
exactly without saving any state of a sampler. Several data sets are mixed by weight.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.data.clip import Request
from nitrogen.data.frames import Frames, Stored
from nitrogen.errors import DataError

MIX_BLOCK = 1024
"""Draws in a block of a mixture, unless a weight is so small that it needs a longer one."""
_MIX_STREAM = 0x6D6978


@dataclass(frozen=True)
class Run:
    """Consecutive rows of one video."""

    name: str
    """Where it comes from, for messages and splits."""
    frames: Frames
    """(N, S, S, 3) RGB, in memory or on disk."""
    actions: Actions
    """One row per frame: the pad while that frame was shown."""
    stride: int = 1
    """Rows from one action of the policy to the next: 2 where 60 Hz rows teach a 30 Hz policy."""

    def __post_init__(self) -> None:
        """Refuse frames and actions that do not belong together."""
        if len(self.frames) != len(self.actions):
            raise DataError(
                f"{self.name}: {len(self.frames)} frames but {len(self.actions)} rows of actions;"
                " prepare the chunks again"
            )

    def samples(self, *, horizon: int, shift: int) -> int:
        """Windows of `horizon` actions that start `shift` actions after one of its frames."""
        return max(0, len(self.frames) - self.stride * (shift + horizon - 1))


class Samples:
    """All windows of `horizon` actions that start `shift` actions after a frame."""

    def __init__(self, runs: Sequence[Run], *, horizon: int, shift: int = 0) -> None:
        """Raises DataError if no run is long enough, or frames differ in size."""
        self.horizon, self.shift = horizon, shift
        self._runs = list(runs)
        counts = [run.samples(horizon=horizon, shift=shift) for run in self._runs]
        self._ends = np.cumsum(counts)
        if not len(self._ends) or self._ends[-1] == 0:
            raise DataError(
                f"no stretch of {shift + horizon} rows in {len(self._runs)} runs;"
                " add longer recordings or take a smaller horizon"
            )
        if len({run.frames.shape[1:] for run in self._runs}) > 1:
            raise DataError("frames differ in size between runs; prepare all data at one size")
        self._sets: tuple[int, ...] = (len(self),)
        self._weights: tuple[float, ...] = (1.0,)

    @classmethod
    def mixed(cls, sets: Sequence["Samples"], weights: Sequence[float]) -> Self:
        """Several data sets together, drawn from in proportion to `weights`.

        Indices run through the sets in order. Raises DataError like `joined`, or if a weight is
        not positive.
        """
        if len(weights) != len(sets) or not all(0 < w < math.inf for w in weights):
            raise DataError(f"every data set needs a weight above zero, not {list(weights)}")
        mixed = cls.joined(sets)
        mixed._sets = tuple(len(one) for one in sets)
        mixed._weights = tuple(weights)
        return mixed

    @classmethod
    def joined(cls, sets: Sequence["Samples"]) -> Self:
        """Several data sets as one, every sample once an epoch.

        Raises DataError if horizon or shift differ.
        """
        if len({(one.horizon, one.shift) for one in sets}) != 1:
            raise DataError("data sets that go together need the same horizon and shift")
        runs = [run for one in sets for run in one._runs]
        return cls(runs, horizon=sets[0].horizon, shift=sets[0].shift)

    def __len__(self) -> int:
        """Number of samples."""
        return int(self._ends[-1])

    @property
    def frame_size(self) -> int:
        """Height and width of the frames."""
        return int(self._runs[0].frames.shape[1])

    @property
    def is_video(self) -> bool:
        """Whether any frame has to be decoded."""
        return any(isinstance(run.frames, Stored) and run.frames.is_video for run in self._runs)

    def order(self, batch: int, *, step: int, seed: int) -> NDArray[np.int64]:
        """Indices of the batch at `step`; each data set is gone through epoch by epoch.

        With one data set the same as the function `order`. With several, the share of each among
        the first n draws is its weight's, to within one draw at every multiple of the block.
        """
        if len(self._sets) == 1:
            return order(len(self), batch, step=step, seed=seed)
        sets, draws = mixture(self._weights, np.arange(step * batch, (step + 1) * batch), seed=seed)
        firsts = np.concatenate([[0], np.cumsum(self._sets)[:-1]])
        out = np.empty(batch, np.int64)
        for index, count in enumerate(self._sets):
            here = np.flatnonzero(sets == index)
            epochs, places = np.divmod(draws[here], count)
            for epoch in np.unique(epochs):
                part = epochs == epoch
                found = _permutations(count, seed, index)(int(epoch))[places[part]]
                out[here[part]] = found + firsts[index]
        return out

    def _locate(self, indices: NDArray[np.int64]) -> list[tuple[Run, int]]:
        """The run of each sample, and the row of its frame."""
        runs = np.searchsorted(self._ends, indices, side="right")
        starts = indices - np.where(runs > 0, self._ends[runs - 1], 0)
        return [(self._runs[run], int(row)) for run, row in zip(runs, starts, strict=True)]

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Actions]:
        """Frames (B, S, S, 3) uint8, and their plans one after the other: B x horizon rows."""
        return torch.from_numpy(self.frames(indices)), self.plans(indices)

    def frames(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The frames alone, (B, S, S, 3), decoded here where they are stored as video."""
        frames = np.empty((len(indices), *self._runs[0].frames.shape[1:]), np.uint8)
        for place, (run, row) in enumerate(self._locate(indices)):
            frames[place] = run.frames[row]
        return frames

    def requests(self, indices: NDArray[np.int64]) -> list[Request | None]:
        """What a worker needs to decode each frame; None where there is nothing to decode."""
        return [
            run.frames.request(row) if isinstance(run.frames, Stored) else None
            for run, row in self._locate(indices)
        ]

    def plans(self, indices: NDArray[np.int64]) -> Actions:
        """The plans alone, one after the other: B x horizon rows."""
        buttons = np.empty((len(indices), self.horizon, len(BUTTONS)), np.float32)
        sticks = np.empty((len(indices), self.horizon, len(STICKS)), np.float32)
        for place, (run, row) in enumerate(self._locate(indices)):
            first = row + run.stride * self.shift
            rows = slice(first, first + run.stride * self.horizon, run.stride)
            buttons[place], sticks[place] = run.actions.buttons[rows], run.actions.sticks[rows]
        return Actions(buttons.reshape(-1, len(BUTTONS)), sticks.reshape(-1, len(STICKS)))

    def actions(self) -> Actions:
        """All rows of all runs."""
        return Actions.concatenate(run.actions for run in self._runs)

    def frame_before(self, index: int) -> Actions:
        """The action before the plan of sample `index`, one row: what copy-last would repeat."""
        ((run, start),) = self._locate(np.array([index]))
        row = max(0, start + run.stride * (self.shift - 1))
        return run.actions[row : row + 1]


def order(count: int, batch: int, *, step: int, seed: int) -> NDArray[np.int64]:
    """Indices of the batch at `step`: every epoch visits each of `count` samples once, shuffled.

    Batches run on over the end of an epoch. A function of its arguments alone.
    """
    first = step * batch
    parts, needed = [], batch
    while needed:
        epoch, place = divmod(first, count)
        permutation = _permutations(count, seed, 0)(epoch)
        part = permutation[place : place + needed]
        parts.append(part)
        first, needed = first + len(part), needed - len(part)
    return np.concatenate(parts)


def mixture(
    weights: Sequence[float], positions: NDArray[np.int64], *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which data set each position of the stream draws from, and how many draws it made before.

    positions: ascending, counted from the start of training. Returns two arrays of their shape. The
    stream is cut into blocks; how often a data set is drawn up to the end of a block differs from
    its exact share by less than one; within a block the order is random. A function of its
    arguments alone.
    """
    shares = np.cumsum(np.asarray(weights, np.float64) / sum(weights))
    shares[-1] = 1.0
    block = max(MIX_BLOCK, math.ceil(2 / np.diff(shares, prepend=0.0).min()))
    sets, draws = np.empty_like(positions), np.empty_like(positions)
    for number in np.unique(positions // block):
        bounds = np.floor(np.outer([number, number + 1], shares) * block).astype(np.int64)
        before, after = np.diff(bounds, prepend=0, axis=1)
        order = np.repeat(np.arange(len(weights)), after - before)
        np.random.default_rng([seed, int(number), _MIX_STREAM]).shuffle(order)
        counts = np.zeros(block, np.int64)
        for index in range(len(weights)):
            here = order == index
            counts[here] = before[index] + np.arange(here.sum())
        part = positions // block == number
        places = positions[part] % block
        sets[part], draws[part] = order[places], counts[places]
    return sets, draws


@functools.lru_cache(maxsize=64)
def _permutations(count: int, seed: int, stream: int) -> Callable[[int], NDArray[np.int64]]:
    """The order of each epoch; the last two are kept."""

    @functools.lru_cache(maxsize=2)
    def of_epoch(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([seed, epoch, stream]).permutation(count)

    return of_epoch
