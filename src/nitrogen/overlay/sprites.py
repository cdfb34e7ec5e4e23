"""Sprites as numbers: premultiplied, scaled, placed between pixels, leaning, laid over others.

Knows pictures and geometry; knows nothing of skins' layers.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.skin import Sprite

Premultiplied = NDArray[np.float32]
"""(H, W, 4): red, green and blue times alpha in 0..255, and alpha in 0..1."""

Lean = tuple[float, float]
"""Degrees by which a stick leans to the right and downwards, out of the picture's plane."""

UPRIGHT: Lean = (0.0, 0.0)

BULGE = 0.08
"""By how much of its size a leaning sprite may reach beyond its box."""


def straight(picture: Premultiplied) -> Sprite:
    """A premultiplied picture as (H, W, 4) uint8 RGBA with straight alpha."""
    alpha = picture[..., 3:]
    colour = np.divide(
        picture[..., :3], alpha, out=np.zeros_like(picture[..., :3]), where=alpha > 0
    )
    return (np.concatenate([colour, 255 * alpha], axis=2) + 0.5).clip(0, 255).astype(np.uint8)


def scaled(
    sprite: Sprite, at: tuple[float, float], scale: tuple[float, float], lean: Lean = UPRIGHT
) -> tuple[int, int, Premultiplied]:
    """A sprite scaled and leaning about its middle, with sub-pixel position.

    Returns the left and top of the result in whole pixels, and its pixels.
    """
    height, width = sprite.shape[:2]
    spread = BULGE * (width + height) if any(lean) else 0.0
    left = math.floor(at[0] - spread * scale[0]) - 1
    top = math.floor(at[1] - spread * scale[1]) - 1
    columns = math.ceil(at[0] + (width + spread) * scale[0]) + 1 - left
    rows = math.ceil(at[1] + (height + spread) * scale[1]) + 1 - top
    fine = min(4, max(1, math.ceil(2 / max(min(scale), 1e-3) / 2)))
    turn = _leaning(lean, ((width - 1) / 2, (height - 1) / 2))
    to_fine = np.array(
        [
            [scale[0] * fine, 0, ((at[0] - left) + scale[0] / 2) * fine - 0.5],
            [0, scale[1] * fine, ((at[1] - top) + scale[1] / 2) * fine - 0.5],
        ]
    )
    matrix = to_fine[:, :2] @ turn
    matrix[:, 2] += to_fine[:, 2]
    source: NDArray[Any] = premultiply(sprite)
    shrink = _prefilter(min(scale) * fine)
    if shrink:
        source = cv2.GaussianBlur(source, (0, 0), shrink)
    big = cv2.warpAffine(source, matrix, (columns * fine, rows * fine), flags=cv2.INTER_LINEAR)
    small = cv2.resize(big, (columns, rows), interpolation=cv2.INTER_AREA) if fine > 1 else big
    return left, top, np.asarray(small, np.float32)


def _leaning(lean: Lean, middle: tuple[float, float]) -> NDArray[np.float64]:
    """The (2, 3) affine map of a flat sprite leaning in space, seen from the front without depth.

    As `rotateX(-y) rotateY(x)` in CSS.
    """
    across, down = math.radians(lean[0]), -math.radians(lean[1])
    matrix = np.array(
        [[math.cos(across), 0.0], [math.sin(down) * math.sin(across), math.cos(down)]]
    )
    at = np.array(middle)
    return np.column_stack([matrix, at - matrix @ at])


def _prefilter(step: float) -> float:
    """Blur of the source, in pixels, that bilinear sampling at this step needs; 0 for none."""
    return 0.0 if step >= 0.8 else 0.35 / step


def premultiply(sprite: Sprite) -> Premultiplied:
    """Straight uint8 RGBA as premultiplied floats."""
    result = sprite.astype(np.float32)
    result[..., 3] /= 255
    result[..., :3] *= result[..., 3:]
    return result


def lay_over(picture: Premultiplied, left: int, top: int, pixels: Premultiplied) -> None:
    """Lay `pixels` over `picture` at a place inside it, in place."""
    if pixels.size:
        area = picture[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        area *= 1 - pixels[..., 3:]
        area += pixels
