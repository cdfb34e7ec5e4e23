"""What a video file says about itself, and how it is opened.

The frame rate is the declared one where the time stamps agree with it, else theirs.
"""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from nitrogen.errors import VideoError

_PACKETS = 300
"""Time stamps from which the frame rate is measured."""
_USUAL_HZ = tuple(
    base / divisor for base in (24, 25, 30, 48, 50, 60, 120, 144) for divisor in (1, 1.001)
)
_LIKE_RATE = 0.06
"""Relative difference up to which time stamps may mean a usual frame rate."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself."""

    path: Path
    width: int
    """Of the upright picture, in pixels."""
    height: int
    rate_hz: float
    """Frame rate: as declared if the time stamps agree, else as they have it."""
    frame_count: int
    """As declared, or estimated from duration and rate."""
    duration_s: float
    codec: str
    rotation: int
    """Degrees clockwise by which the stored picture is turned to stand upright: 0, 90, 180, 270."""


def probe(path: Path) -> VideoInfo:
    """What the file says about itself; the first frame is decoded to be sure that it can be.

    Raises VideoError if the file is missing, has no video stream or no readable frame.
    """
    with opened(path) as (container, stream):
        first = next(decoded(path, container, stream), None)
        if first is None:
            raise VideoError(f"{path} holds no frame; record or download it again")
        rotation = int(getattr(first, "rotation", 0) or 0) % 360
        width, height = first.width, first.height
        if rotation in (90, 270):
            width, height = height, width
        rate_hz, duration = rate_of(path), duration_s(container, stream)
        return VideoInfo(
            path=Path(path),
            width=width,
            height=height,
            rate_hz=rate_hz,
            frame_count=round(duration * rate_hz) or stream.frames,
            duration_s=duration,
            codec=stream.codec_context.name,
            rotation=(360 - rotation) % 360,
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The open container and its first video stream. Raises VideoError if there is none."""
    if not Path(path).is_file():
        raise VideoError(f"no video {path}")
    try:
        container = av.open(str(path))
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise VideoError(f"{path} cannot be opened as a video: {error}") from error
    with container:
        if not container.streams.video:
            raise VideoError(f"{path} has no video stream, only {_kinds(container)}")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise VideoError(f"{path} has a codec that this build of FFmpeg cannot decode")
        stream.thread_type = "NONE"
        yield container, stream


def _kinds(container: Any) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def duration_s(container: Any, stream: Any) -> float:
    """As declared by the stream, else by the file; 0 if neither says."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / av.time_base


def decoded(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """The frames to come. Raises VideoError where the file is damaged."""
    try:
        yield from container.decode(stream)
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise VideoError(f"{path} is damaged or cut off: {error}") from error


def timed(frames: Iterator[Any], origin: float | None = None) -> Iterator[tuple[float, Any]]:
    """Frames with the seconds since `origin`, which is the first one's time when None."""
    for frame in frames:
        time_s = float(frame.time) if frame.time is not None else 0.0
        origin = time_s if origin is None else origin
        yield time_s - origin, frame


def rate_of(path: Path) -> float:
    """The rate at which most frames follow each other; 0 if there is only one."""
    with opened(path) as (container, stream):
        declared = float(stream.average_rate or stream.guessed_rate or 0)
        try:
            packets = itertools.islice(container.demux(stream), _PACKETS)
            stamps = sorted(packet.pts for packet in packets if packet.pts is not None)
        except (OSError, ValueError, av.error.FFmpegError):
            stamps = []  # a damaged file: decoding it names the damage
        steps = np.diff(np.array(stamps, np.float64)) * float(stream.time_base or 0)
    steps = steps[steps > 0]
    if len(steps) < 2:
        return declared
    rate = 1 / float(steps[np.abs(steps / np.median(steps) - 1) < 0.25].mean())
    near = [hz for hz in (declared, *_USUAL_HZ) if abs(hz / rate - 1) < _LIKE_RATE]
    if not near:
        return rate
    # Steps are whole frames, whatever was dropped in between.
    misfits = [float(np.abs(steps * hz - np.rint(steps * hz)).mean()) for hz in near]
    best = int(np.argmin(misfits))
    return near[0] if near[0] == declared and misfits[0] < misfits[best] + 0.01 else near[best]
