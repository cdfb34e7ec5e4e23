"""Pixels of decoded frames: upright, in full range, whole planes or crops of them."""

from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the upright frame."""

Luma = NDArray[np.uint8]
"""(H, W) brightness, full range 0..255."""

GLANCE = (64, 36)
"""Width and height of a glance at a frame."""

_LUMA_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "gray")
_FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)
_FULL_CHROMA = np.clip((np.arange(256) - 128) * 255 / 224 + 128.5, 0, 255).astype(np.uint8)


def even_box(box: Box) -> Box:
    """The smallest box round `box` whose place and size are even, as chroma needs it."""
    x, y, width, height = box
    left, top = x - x % 2, y - y % 2
    right, bottom = x + width + (x + width) % 2, y + height + (y + height) % 2
    return left, top, right - left, bottom - top


def upright(pixels: NDArray[np.uint8], frame: Any) -> NDArray[np.uint8]:
    """Pixels of a frame turned as its metadata asks for."""
    turns = int(getattr(frame, "rotation", 0) or 0) % 360 // 90
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def luma_of(frame: Any, box: Box | None) -> Luma:
    """Brightness of `box`, or of the whole frame, (h, w); edges are repeated outside the frame."""
    frame, full = _eight_bit(frame, planes=False)
    pixels = upright(_plane(frame, 0, frame.width, frame.height), frame)
    crop = pixels if box is None else _crop(pixels, box)
    return crop.copy() if full else _FULL_RANGE[crop]


def planes_of(frame: Any, box: Box) -> NDArray[np.uint8]:
    """Luma and chroma of an even box, packed into (3h/2, w)."""
    frame, full = _eight_bit(frame, planes=True)
    x, y, width, height = box
    packed = np.empty((height * 3 // 2, width), np.uint8)
    luma = _crop(upright(_plane(frame, 0, frame.width, frame.height), frame), box)
    packed[:height] = luma if full else _FULL_RANGE[luma]
    half = (x // 2, y // 2, width // 2, height // 2)
    for index, columns in ((1, slice(0, width // 2)), (2, slice(width // 2, width))):
        plane = _plane(frame, index, (frame.width + 1) // 2, (frame.height + 1) // 2)
        chroma = _crop(upright(plane, frame), half)
        packed[height:, columns] = chroma if full else _FULL_CHROMA[chroma]
    return packed


def glance_of(frame: Any) -> Luma:
    """Brightness of the whole frame, `GLANCE` wide and high."""
    frame, _ = _eight_bit(frame, planes=False)
    pixels = upright(_plane(frame, 0, frame.width, frame.height), frame)
    return np.asarray(cv2.resize(pixels, GLANCE, interpolation=cv2.INTER_LINEAR), np.uint8)


def _plane(frame: Any, index: int, width: int, height: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]


def _eight_bit(frame: Any, *, planes: bool) -> tuple[Any, bool]:
    """The frame with 8-bit planes, 4:2:0 if `planes` are wanted, and whether in full range."""
    name = frame.format.name
    full = name in ("yuvj420p", "gray") or frame.color_range == ColorRange.JPEG
    if name not in (("yuv420p", "yuvj420p") if planes else _LUMA_FORMATS):
        frame = frame.reformat(format="yuv420p")
    return frame, full


def _crop(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    x, y, width, height = box
    rows, columns = pixels.shape[:2]
    if min(x, y) >= 0 and x + width <= columns and y + height <= rows:
        return pixels[y : y + height, x : x + width]
    across = np.clip(np.arange(x, x + width), 0, columns - 1)
    down = np.clip(np.arange(y, y + height), 0, rows - 1)
    return pixels[np.ix_(down, across)]
