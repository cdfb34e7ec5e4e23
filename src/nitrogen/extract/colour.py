"""Drawn skins as video sees them: luma, and chroma at half the resolution, packed in one picture.

The layout is that of `video.read_planes`. Which of the two usual matrices a video was made with is
often not said, so both are known here.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.sprites import Premultiplied

Gray = NDArray[np.float32]


def _matrix(red: float, blue: float) -> NDArray[np.float32]:
    """(3, 3): RGB in 0..255 → luma in 0..255 and both chroma about 0."""
    luma = np.array([red, 1 - red - blue, blue])
    u = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    v = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    return np.stack([luma, u, v]).astype(np.float32)


MATRICES = {"bt709": _matrix(0.2126, 0.0722), "bt601": _matrix(0.299, 0.114)}


@dataclass(frozen=True, eq=False)
class View:
    """The skin in one state, packed (3H/2, W): brightness and colour times alpha, and alpha."""

    ink: Gray
    alpha: Gray


def view(picture: Premultiplied, matrix: NDArray[np.float32]) -> View:
    """A drawn picture, (H, W, 4) with even sides, as video sees it."""
    planes = picture[..., :3] @ matrix.T
    alpha = picture[..., 3]
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    u, v, small = (
        cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA)
        for plane in (planes[..., 1], planes[..., 2], alpha)
    )
    return View(
        np.vstack([planes[..., 0], np.hstack([u, v])]).astype(np.float32),
        np.vstack([alpha, np.hstack([small, small])]).astype(np.float32),
    )


def pack(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask of the luma plane, (H, W), extended to the chroma planes: (3H/2, W)."""
    small = cv2.resize(
        mask.astype(np.float32), (mask.shape[1] // 2, mask.shape[0] // 2),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    return np.vstack([mask, np.hstack([small, small]) > 0])


def ground(packed_shape: tuple[int, ...]) -> Gray:
    """The middle of the range: what is behind a skin when nothing is known, packed."""
    result = np.full(packed_shape, 128.0, np.float32)
    result[: packed_shape[0] * 2 // 3] = 110.0
    return result
