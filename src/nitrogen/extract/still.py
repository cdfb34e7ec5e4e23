"""What stands still in a stretch of video: the mean of some pictures, and how they differ from it.

The game moves and the overlay stays. So in the mean the game is a blur, and where pictures differ
little from it in their fine detail there is something that stays. Dividing the mean's detail by its
standard error brings out faint overlays and takes away bright games.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.keypoints import Keypoints, sift
from nitrogen.video.pixels import Box, Luma
from nitrogen.video.reading import Picture

Gray = NDArray[np.float32]
"""(H, W) brightness in 0..255."""

_HIGH_PASS_PX = 5.0
_NOISE = 2.0
"""Standard deviation, in grey levels, that compression leaves on the mean."""
_FAINTEST = 0.3
"""Likewise where it is quiet; what is fainter is not brought out."""
_STRETCH = 12.0
"""Grey levels per standard error in the picture in which keypoints are looked for."""


@dataclass(frozen=True, eq=False)
class Still:
    """The mean of some pictures and what they differ by."""

    mean: Gray
    spread: Gray
    """(H/2, W/2): variance of the pictures' high-passed brightness."""
    count: int
    """Pictures."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.mean.shape[1], self.mean.shape[0]

    def part(self, window: Box, size: tuple[int, int]) -> "Still":
        """A window of it, within the frame, at another size (width, height)."""
        x, y, width, height = window
        halves = (
            self.spread.shape[0] / self.mean.shape[0],
            self.spread.shape[1] / self.mean.shape[1],
        )
        rows = slice(int(y * halves[0]), max(int((y + height) * halves[0]), 1))
        columns = slice(int(x * halves[1]), max(int((x + width) * halves[1]), 1))
        way = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
        mean = cv2.resize(self.mean[y : y + height, x : x + width], size, interpolation=way)
        spread = cv2.resize(self.spread[rows, columns], size, interpolation=way)
        return Still(np.asarray(mean, np.float32), np.asarray(spread, np.float32), self.count)

    @cached_property
    def doubt(self) -> Gray:
        """(H, W): variance by which the high-passed mean may be off."""
        return np.asarray(self._variance + _NOISE**2, np.float32)

    @cached_property
    def marks(self) -> Gray:
        """(H, W): the high-passed mean in standard errors."""
        error = np.sqrt(self._variance + _FAINTEST**2)
        return np.asarray(high_pass(self.mean) / error, np.float32)

    @cached_property
    def _variance(self) -> Gray:
        wide = cv2.blur(self.spread, (3, 3)) / np.float32(self.count)
        return np.asarray(cv2.resize(wide, self.size), np.float32)

    @cached_property
    def keypoints(self) -> Keypoints:
        """Of the mean."""
        return sift(np.clip(self.mean, 0, 255).astype(np.uint8))

    @cached_property
    def faint_keypoints(self) -> Keypoints:
        """Of the mean in standard errors: many more, of which most are the game's."""
        return sift(np.clip(128 + _STRETCH * self.marks, 0, 255).astype(np.uint8))


def still_of(pictures: Sequence[Picture]) -> Still:
    """What stands still in luma pictures of one size."""
    total = Sums(pictures[0].pixels.shape)
    for picture in pictures:
        total.add(picture.pixels)
    return total.still()


def joined(parts: Sequence[Still]) -> Still:
    """Several stretches as one; each counts alike."""
    if len(parts) == 1:
        return parts[0]
    share = np.float32(1 / len(parts))
    return Still(
        np.asarray(sum(part.mean for part in parts) * share, np.float32),
        np.asarray(sum(part.spread for part in parts) * share, np.float32),
        sum(part.count for part in parts),
    )


class Sums:
    """Adds up the pictures of a stretch."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """shape: (H, W) of the pictures."""
        self._half = (max(shape[1] // 2, 1), max(shape[0] // 2, 1))
        self._total = np.zeros(shape, np.float32)
        self._squares = np.zeros(self._half[::-1], np.float32)
        self._count = 0

    def add(self, pixels: Luma) -> None:
        """One more picture."""
        picture = pixels.astype(np.float32)
        self._total += picture
        self._squares += cv2.resize(
            high_pass(picture) ** 2, self._half, interpolation=cv2.INTER_AREA
        )
        self._count += 1

    def still(self) -> Still:
        """What stood still."""
        count = np.float32(self._count)
        mean = (self._total / count).astype(np.float32)
        own = cv2.resize(high_pass(mean) ** 2, self._half, interpolation=cv2.INTER_AREA)
        spread = np.maximum(self._squares / count - own, 0)
        return Still(mean, np.asarray(spread, np.float32), self._count)


def high_pass(picture: Gray, sigma: float = _HIGH_PASS_PX) -> Gray:
    """What differs from the surroundings."""
    return np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def crop(picture: Gray | Luma, box: Box) -> tuple[Gray, Gray]:
    """The box of a picture as floats, edges repeated, and 1 where the picture really is."""
    x, y, width, height = box
    columns, rows = np.arange(x, x + width), np.arange(y, y + height)
    inside_x = (columns >= 0) & (columns < picture.shape[1])
    inside_y = (rows >= 0) & (rows < picture.shape[0])
    clipped = np.ix_(
        np.clip(rows, 0, picture.shape[0] - 1), np.clip(columns, 0, picture.shape[1] - 1)
    )
    return picture[clipped].astype(np.float32), np.outer(inside_y, inside_x).astype(np.float32)
