"""Look into a video: a few pictures from all over it, for a fraction of the cost of reading it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from nitrogen.video.info import decoded, duration_s, opened, timed
from nitrogen.video.pixels import Box, luma_of, planes_of
from nitrogen.video.reading import Picture

_FEW_KEYFRAMES = 12
"""A span with fewer is looked at frame by frame."""


def glimpses(
    path: Path,
    *,
    limit: int = 64,
    box: Box | None = None,
    planes: bool = False,
    span_s: tuple[float, float] = (0.0, math.inf),
) -> Iterator[Picture]:
    """Luma of up to `limit` pictures spread evenly over a span of the file; their index is -1.

    Keyframes, so that it costs a fraction of reading the video; other frames too where keyframes
    lie far apart. planes: luma and chroma of the box, as `read_planes` gives them. Raises
    VideoError like `read`.
    """
    spacing_s = _key_spacing_s(path)
    with opened(path) as (container, stream):
        stop_s = min(span_s[1], duration_s(container, stream) or math.inf)
        length_s = stop_s - span_s[0] if math.isfinite(stop_s) else limit * spacing_s
        sparse = spacing_s > length_s / min(limit, _FEW_KEYFRAMES)
        jump_s = math.inf if sparse else 3 * spacing_s
        if not sparse:
            stream.codec_context.skip_frame = "NONKEY"
        wanted = _Spread(span_s[0], length_s, limit)
        for time_s, frame in _leaping(path, container, stream, wanted, jump_s):
            if time_s >= stop_s or not wanted.left:
                return
            if wanted.take(time_s):
                yield Picture(
                    -1, time_s, planes_of(frame, box) if box and planes else luma_of(frame, box)
                )


class _Spread:
    """Picks at most `left` of the times that come, evenly over a span."""

    def __init__(self, start_s: float, length_s: float, limit: int) -> None:
        self._step_s, self.next_s, self.left = length_s / limit, start_s, limit

    def take(self, time_s: float) -> bool:
        if self.left and time_s >= self.next_s - 1e-6:
            self.next_s, self.left = max(self.next_s, time_s) + self._step_s, self.left - 1
            return True
        return False


def _leaping(
    path: Path, container: Any, stream: Any, wanted: _Spread, jump_s: float
) -> Iterator[tuple[float, Any]]:
    """Frames in order, leaping where the next one that is wanted lies more than `jump_s` ahead."""
    origin, last_s = None, -1.0
    frames = timed(decoded(path, container, stream))
    while (pair := next(frames, None)) is not None:
        time_s, frame = pair
        if origin is None:
            origin = frame.time
        if time_s <= last_s:
            jump_s = math.inf  # the file's index misleads: no more leaps
            continue
        last_s = time_s
        yield time_s, frame
        if origin is not None and wanted.left and wanted.next_s - time_s > jump_s:
            goal = (origin + wanted.next_s) / float(stream.time_base)
            container.seek(int(goal), stream=stream)
            frames = timed(decoded(path, container, stream), origin)


def _key_spacing_s(path: Path) -> float:
    """Seconds from one keyframe to the next near the beginning; infinite if there is only one."""
    with opened(path) as (container, stream):
        times: list[float] = []
        try:
            for packet in container.demux(stream):
                if packet.pts is not None and packet.is_keyframe:
                    times.append(float(packet.pts * stream.time_base))
                    if len(times) > _FEW_KEYFRAMES:
                        break
        except (OSError, ValueError, av.error.FFmpegError):
            pass  # a damaged file: decoding it names the damage
    return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else math.inf
