"""What happens to an overlay between the streamer's program and the video that we get.

Every function takes and returns a stack of pictures (N, H, W, 3) uint8 RGB that were filmed under
the same conditions, so that a stack costs little more than one call of OpenCV.
"""

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.uint8]
"""(N, H, W, 3) RGB."""


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """One streamer's settings and one platform's encoder; the defaults change nothing."""

    scale: float = 1.0
    """Size of the overlay in the video, as a share of the size of the picture that is read."""
    blur: float = 0.0
    """Standard deviation in pixels."""
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Tint and contrast, by colour."""
    offset: float = 0.0
    """Brightness, in 0..255."""
    saturation: float = 1.0
    noise: float = 0.0
    """Standard deviation in 0..255."""
    quality: int = 100
    """Of the encoder, as of JPEG with half-size chroma; 100 leaves it out."""
    ghost: float = 0.0
    """Share of the picture before that shines through."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Conditions as they are met in streams, some worse."""

        def sometimes(chance: float, low: float, high: float, otherwise: float) -> float:
            return float(rng.uniform(low, high)) if rng.random() < chance else otherwise

        return cls(
            scale=sometimes(0.35, 0.6, 1.0, 1.0),
            blur=sometimes(0.4, 0.3, 1.0, 0.0),
            gain=tuple((rng.normal(1, 0.03, 3) * rng.normal(1, 0.07)).tolist()),
            offset=float(rng.normal(0, 8)),
            saturation=sometimes(0.3, 0.3, 1.4, 1.0),
            noise=sometimes(0.3, 0.5, 6.0, 0.0),
            quality=round(sometimes(0.65, 20, 95, 100)),
            ghost=sometimes(0.06, 0.05, 0.3, 0.0),
        )


def degrade(stack: Stack, how: Degradation, rng: np.random.Generator) -> Stack:
    """The stack under these conditions; `rng` makes the noise."""
    count, height, width, _ = stack.shape
    tall: Any = np.ascontiguousarray(stack).reshape(count * height, width, 3)
    if how.ghost:
        earlier = np.concatenate([tall[:height], tall[:-height]])
        tall = cv2.addWeighted(tall, 1 - how.ghost, earlier, how.ghost, 0)
    if how.scale < 1:
        small = (max(8, round(width * how.scale)), max(8, round(count * height * how.scale)))
        tall = cv2.resize(cv2.resize(tall, small, interpolation=cv2.INTER_AREA), (width, len(tall)))
    if how.blur:
        tall = cv2.GaussianBlur(tall, (0, 0), how.blur)
    tall = _tint(tall, how)
    if how.noise:
        tall = _grain(tall, how.noise, rng)
    if how.quality < 100:
        tall = _recompress(tall, how.quality)
    return np.asarray(tall, np.uint8).reshape(count, height, width, 3)


def _tint(tall: Stack, how: Degradation) -> Stack:
    """Gain, saturation and offset as one colour matrix."""
    grey = np.full((3, 3), (1 - how.saturation) / 3)
    matrix = np.diag(how.gain) @ (how.saturation * np.eye(3) + grey)
    middle = 128 - 128 * float(np.mean(how.gain))
    return np.asarray(cv2.transform(tall, np.c_[matrix, np.full(3, how.offset + middle)]), np.uint8)


def _grain(tall: Stack, deviation: float, rng: np.random.Generator) -> Stack:
    """Noise of one tile, at another place in every picture."""
    height, width = tall.shape[:2]
    tile = rng.normal(0, deviation, (331, width, 1)).round().astype(np.int16)
    noise = np.resize(tile, (height, width, 1))
    return np.asarray(np.clip(tall + noise, 0, 255), np.uint8)


def _recompress(tall: Stack, quality: int) -> Stack:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, packed = cv2.imencode(".jpg", tall, options)
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
