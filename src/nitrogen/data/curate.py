"""Which chunks are worth learning from, what the policy may see of them, and who is tested on what.

Density filter, overlay mask and splits by video. Pure functions; knows nothing of files.
"""

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions, Frame

Split = Literal["train", "validation", "test"]

STICK_ACTIVE = 0.2
"""A stick is used where its distance from the centre exceeds this; jitter stays below."""

MIN_DENSITY = 0.5
"""Chunks with a smaller share of active rows are dropped, as published."""


def active(actions: Actions, *, stick: float = STICK_ACTIVE) -> NDArray[np.bool_]:
    """Rows with any button pressed or a stick beyond `stick`, (T,) bool."""
    left = np.hypot(actions.sticks[:, 0], actions.sticks[:, 1])
    right = np.hypot(actions.sticks[:, 2], actions.sticks[:, 3])
    return np.asarray(actions.pressed().any(axis=1) | (left > stick) | (right > stick))


def density(actions: Actions, *, stick: float = STICK_ACTIVE) -> float:
    """Share of active rows; 0 without rows."""
    return float(active(actions, stick=stick).mean()) if len(actions) else 0.0


def is_dense(actions: Actions, *, minimum: float = MIN_DENSITY) -> bool:
    """Whether at least `minimum` of the rows are active."""
    return density(actions) >= minimum


def mask_overlay(frame: Frame, box: tuple[int, int, int, int], margin: float = 0.1) -> Frame:
    """A copy of `frame` with the overlay and a margin round it painted grey.

    box: x, y, width, height in pixels of this frame; margin: share of the box's larger side that is
    added on every side, so that shadows and compression leave nothing to read.
    """
    x, y, width, height = box
    extra = int(np.ceil(margin * max(width, height)))
    masked = frame.copy()
    masked[max(y - extra, 0) : max(y + height + extra, 0),
           max(x - extra, 0) : max(x + width + extra, 0)] = 127  # fmt: skip
    return masked


def scale_box(
    box: tuple[int, int, int, int], source: tuple[int, int], target: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The box in a frame squashed from `source` to `target` (width, height), rounded outwards."""
    x, y, width, height = box
    across, down = target[0] / source[0], target[1] / source[1]
    left, top = int(np.floor(x * across)), int(np.floor(y * down))
    right, bottom = int(np.ceil((x + width) * across)), int(np.ceil((y + height) * down))
    return left, top, right - left, bottom - top


def split_of(video_id: str, *, validation: float = 0.05, test: float = 0.05) -> Split:
    """The split that a video belongs to: by a hash of its id, the same on every machine.

    All chunks of a video go together, so that no split has seen another's footage.
    """
    digest = hashlib.sha256(video_id.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
