"""Read frames: whole RGB pictures, luma, or luma and chroma of a box.

Crops of planes cost little more than the decoding itself. Frames are counted by presentation time:
number i is what is shown i / rate seconds after the first frame. Where the file skips a frame the
one before it is given again, where it has two for one place the later one counts; so a variable
frame rate makes no difference and nothing drifts.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import VideoError
from nitrogen.video.info import decoded, duration_s, opened, rate_of
from nitrogen.video.pixels import Box, Luma, glance_of, luma_of, planes_of, upright

_TRUNCATED = 0.98
"""A file that yields less than this share of the frames it declares has been cut off."""
_LONGEST_GAP_S = 10.0
"""Time stamps that leave a longer hole, or run back by more, are not to be trusted."""
_SEEK_S = 5.0
"""Reading that starts later than this does not decode from the beginning."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame of a video: its place, its time and its pixels."""

    index: int
    """Its number, by presentation time (-1 where a reader of keyframes does not know)."""
    time_s: float
    """Presentation time after the first frame of the file."""
    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB, or (H, W) luma, as asked for."""
    repeated: bool = False
    """Whether the file skips this place and the frame before it is shown on."""
    glance: Luma | None = None
    """Brightness of the whole frame, `GLANCE` wide and high, where asked for."""


def read(
    path: Path, *, size: tuple[int, int] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """RGB frames from index `start` up to but excluding `stop`.

    size: (width, height) to which frames are squashed by an area filter; as stored when None.
    Raises VideoError if the file cannot be read or ends long before it says it would.
    """

    def take(frame: Any) -> NDArray[np.uint8]:
        pixels = upright(frame.to_ndarray(format="rgb24"), frame)
        if size is not None and size != (pixels.shape[1], pixels.shape[0]):
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        return pixels

    yield from _pictures(path, start, stop, take)


def read_luma(
    path: Path, box: Box | None = None, *, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """Luma of `box` (the whole frame when None), (h, w) in full range, frame by frame.

    The part of the box outside the frame repeats the edge. Raises VideoError like `read`.
    """
    yield from _pictures(path, start, stop, lambda frame: luma_of(frame, box))


def read_planes(
    path: Path, box: Box, *, start: int = 0, stop: int | None = None, glance: bool = False
) -> Iterator[Picture]:
    """Luma and chroma of `box` as `even_box` makes it, packed into (3h/2, w), frame by frame.

    The upper h rows are luma in full range; below lie the two chroma planes side by side, each
    (h/2, w/2), in full range about 128. Outside the frame edges are repeated. glance: with a small
    picture of the whole frame. Raises VideoError like `read`.
    """
    look = glance_of if glance else None
    yield from _pictures(path, start, stop, lambda frame: planes_of(frame, box), look)


def _pictures(
    path: Path,
    start: int,
    stop: int | None,
    take: Callable[[Any], NDArray[np.uint8]],
    look: Callable[[Any], Luma] | None = None,
) -> Iterator[Picture]:
    for index, time_s, frame, times in _frames(path, start, stop):
        pixels, small = take(frame), look(frame) if look else None
        for again in range(times):
            yield Picture(index + again, time_s, pixels, again > 0, small)


def _frames(path: Path, start: int, stop: int | None) -> Iterator[tuple[int, float, Any, int]]:
    """Frames with the first number in start..stop that each has, and for how many it is shown."""
    rate_hz = rate_of(path) or 1.0
    with opened(path) as (container, stream):
        shown: tuple[int, float, Any] | None = None
        for index, time_s, frame in _numbered(path, container, stream, start, rate_hz):
            if shown is not None and index > shown[0]:
                yield from _between(shown, index, start, stop)
            if stop is not None and index >= stop:
                return
            shown = index, time_s, frame
        if shown is None:
            raise VideoError(f"{path} holds no frame; record or download it again")
        yield from _between(shown, shown[0] + 1, start, stop)
        declared = round(duration_s(container, stream) * rate_hz)
        if shown[0] + 1 < _TRUNCATED * declared - 1:
            raise VideoError(
                f"{path} is cut off: {shown[0] + 1} of {declared} frames; record or download it"
                " again"
            )


def _between(
    shown: tuple[int, float, Any], end: int, start: int, stop: int | None
) -> Iterator[tuple[int, float, Any, int]]:
    first, last = max(shown[0], start), end if stop is None else min(end, stop)
    if last > first:
        yield first, shown[1], shown[2], last - first


def _numbered(
    path: Path, container: Any, stream: Any, start: int, rate_hz: float
) -> Iterator[tuple[int, float, Any]]:
    """Every frame's number and time, in order, from `start` or somewhat before it."""
    frames = decoded(path, container, stream)
    first = next(frames, None)
    if first is None:
        return
    origin = first.time
    if origin is not None and start / rate_hz > _SEEK_S:
        # One second early: what depends on pictures before the seek point has passed by then.
        goal = (origin + start / rate_hz - 1.0) / float(stream.time_base)
        container.seek(int(goal), stream=stream)
        frames = decoded(path, container, stream)
    else:
        frames = itertools.chain([first], frames)
    last = -1
    for count, frame in enumerate(frames):
        time_s = count / rate_hz if frame.time is None or origin is None else frame.time - origin
        index = math.floor(time_s * rate_hz + 0.5)
        if last >= 0 and abs(index - last) > _LONGEST_GAP_S * rate_hz:
            raise VideoError(
                f"{path}: time stamps jump from {last / rate_hz:.1f} to {time_s:.1f} s; remux it"
            )
        if index >= last:
            last = index
            yield index, time_s, frame
