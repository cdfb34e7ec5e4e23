"""Read frames and timestamps, write video (PyAV).

Knows files, frames and time. Knows nothing of overlays, games or actions. Reading comes in two
forms: whole RGB frames for those who look at pictures, and luma crops for those who measure them,
which cost little more than the decoding itself.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from nitrogen.actions import Frame
from nitrogen.errors import VideoError

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the upright frame."""

Luma = NDArray[np.uint8]
"""(H, W) brightness, full range 0..255."""

_LUMA_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "gray")
_FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)
_FULL_CHROMA = np.clip((np.arange(256) - 128) * 255 / 224 + 128.5, 0, 255).astype(np.uint8)
_TRUNCATED = 0.98
"""A file that yields less than this share of the frames it declares has been cut off."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself."""

    path: Path
    width: int
    """Of the upright picture, in pixels."""
    height: int
    rate_hz: float
    """Average frame rate."""
    frame_count: int
    """As declared, or estimated from duration and rate."""
    duration_s: float
    codec: str
    rotation: int
    """Degrees clockwise by which the stored picture is turned to stand upright: 0, 90, 180, 270."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame of a video: its place, its time and its pixels."""

    index: int
    """Count of frames shown before it (-1 where a reader of keyframes does not know)."""
    time_s: float
    """Presentation time after the first frame of the file."""
    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB, or (H, W) luma, as asked for."""


def probe(path: Path) -> VideoInfo:
    """What the file says about itself; the first frame is decoded to be sure that it can be.

    Raises VideoError if the file is missing, has no video stream or no readable frame.
    """
    with _opened(path) as (container, stream):
        first = next(_decoded(path, container, stream), None)
        if first is None:
            raise VideoError(f"{path} holds no frame; record or download it again")
        rotation = int(getattr(first, "rotation", 0) or 0) % 360
        width, height = first.width, first.height
        if rotation in (90, 270):
            width, height = height, width
        rate = stream.average_rate or stream.guessed_rate or Fraction(0)
        duration = _duration_s(container, stream)
        return VideoInfo(
            path=Path(path),
            width=width,
            height=height,
            rate_hz=float(rate),
            frame_count=stream.frames or round(duration * float(rate)),
            duration_s=duration,
            codec=stream.codec_context.name,
            rotation=(360 - rotation) % 360,
        )


def read(
    path: Path, *, size: tuple[int, int] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """RGB frames from index `start` up to but excluding `stop`.

    size: (width, height) to which frames are squashed by an area filter; as stored when None.
    Raises VideoError if the file cannot be read or ends long before it says it would.
    """
    for index, time_s, frame in _frames(path, start, stop):
        pixels = _upright(frame.to_ndarray(format="rgb24"), frame)
        if size is not None and size != (pixels.shape[1], pixels.shape[0]):
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        yield Picture(index, time_s, pixels)


def read_luma(
    path: Path, box: Box | None = None, *, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """Luma of `box` (the whole frame when None), (h, w) in full range, frame by frame.

    The part of the box outside the frame repeats the edge. Raises VideoError like `read`.
    """
    for index, time_s, frame in _frames(path, start, stop):
        yield Picture(index, time_s, _luma(frame, box))


def read_planes(
    path: Path, box: Box, *, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """Luma and chroma of `box` as `even_box` makes it, packed into (3h/2, w), frame by frame.

    The upper h rows are luma in full range; below lie the two chroma planes side by side, each
    (h/2, w/2), in full range about 128. Outside the frame edges are repeated. Raises VideoError
    like `read`.
    """
    for index, time_s, frame in _frames(path, start, stop):
        yield Picture(index, time_s, _planes(frame, box))


def even_box(box: Box) -> Box:
    """The smallest box round `box` whose place and size are even, as chroma needs it."""
    x, y, width, height = box
    left, top = x - x % 2, y - y % 2
    right, bottom = x + width + (x + width) % 2, y + height + (y + height) % 2
    return left, top, right - left, bottom - top


def keyframes(
    path: Path, *, limit: int = 64, box: Box | None = None, planes: bool = False
) -> list[Picture]:
    """Luma of up to `limit` keyframes spread evenly over the file; their index is -1.

    planes: luma and chroma of the box, as `read_planes` gives them. Skips everything between
    keyframes, so that it costs a fraction of reading the video. Raises VideoError like `read`.
    """

    def take(frame: Any) -> NDArray[np.uint8]:
        return _planes(frame, box) if box and planes else _luma(frame, box)

    with _opened(path) as (container, stream):
        stream.codec_context.skip_frame = "NONKEY"
        duration = _duration_s(container, stream)
        wanted = _Spread(duration, limit)
        found = [
            Picture(-1, time_s, take(frame))
            for time_s, frame in _timed(_decoded(path, container, stream))
            if wanted.take(time_s)
        ]
    if not found:
        raise VideoError(f"{path} holds no keyframe; record or download it again")
    return found


class VideoWriter:
    """Writes H.264 (or another codec) at a fixed rate; the file appears when it is complete.

    Use as a context manager: leaving it by an exception removes what was written. Raises
    VideoError if the file cannot be written or a frame has another size.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        *,
        rate_hz: float,
        bitrate: int | None = None,
        crf: int = 23,
        codec: str = "libx264",
        options: dict[str, str] | None = None,
    ) -> None:
        """size: (width, height), both even. `bitrate` in bit/s as streamers set it, else `crf`."""
        if size[0] % 2 or size[1] % 2:
            raise VideoError(f"{path}: H.264 needs an even width and height, not {size}")
        self._path, self._size = Path(path), size
        self._partial = self._path.with_name(f".{self._path.name}.partial")
        self._count = 0
        rate = self._rate = Fraction(rate_hz).limit_denominator(1001)
        options = {"preset": "veryfast", **(options or {})} if codec == "libx264" else options or {}
        if bitrate is None:
            options = {"crf": str(crf), **options}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kind = {".mkv": "matroska", ".webm": "webm"}.get(self._path.suffix, "mp4")
            self._container = cast(Any, av.open(str(self._partial), "w", format=kind))
            self._stream = cast(Any, self._container.add_stream(codec, rate=rate, options=options))
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise VideoError(f"{path} cannot be written: {error}") from error
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.gop_size = max(1, round(2 * rate_hz))
        context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        context.thread_count = 1
        if bitrate is not None:
            self._stream.bit_rate = bitrate

    def write(self, frame: Frame) -> None:
        """Append one (H, W, 3) RGB frame."""
        if frame.shape != (self._size[1], self._size[0], 3):
            raise VideoError(
                f"{self._path}: frames are {self._size[0]}x{self._size[1]}, not of shape"
                f" {frame.shape}"
            )
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = picture.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        picture.pts = self._count
        picture.time_base = 1 / self._rate
        self._count += 1
        self._mux(picture)

    def close(self) -> None:
        """Finish the file and give it its name."""
        if self._container is None:
            return
        if not self._count:
            self.discard()
            raise VideoError(f"{self._path}: no frame was written")
        self._mux(None)
        container, self._container = self._container, None
        try:
            container.close()
            self._partial.replace(self._path)
        except (OSError, av.error.FFmpegError) as error:
            self._partial.unlink(missing_ok=True)
            raise VideoError(f"{self._path} cannot be written: {error}") from error

    def discard(self) -> None:
        """Remove what was written."""
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                container.close()
            self._partial.unlink(missing_ok=True)

    def _mux(self, picture: Any) -> None:
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (OSError, av.error.FFmpegError) as error:
            self.discard()
            raise VideoError(f"{self._path} cannot be written: {error}") from error

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Finish the file, or remove it after an exception."""
        if kind is None:
            self.close()
        else:
            self.discard()


class _Spread:
    """Picks at most `limit` of the times that come, evenly over the duration."""

    def __init__(self, duration_s: float, limit: int) -> None:
        self._step, self._next, self._left = duration_s / limit, 0.0, limit

    def take(self, time_s: float) -> bool:
        if self._left and time_s >= self._next - 1e-6:
            self._next, self._left = max(self._next, time_s) + self._step, self._left - 1
            return True
        return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
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


def _duration_s(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / av.time_base


def _decoded(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    try:
        yield from container.decode(stream)
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise VideoError(f"{path} is damaged or cut off: {error}") from error


def _timed(frames: Iterator[Any]) -> Iterator[tuple[float, Any]]:
    origin: float | None = None
    for frame in frames:
        time_s = float(frame.time) if frame.time is not None else 0.0
        origin = time_s if origin is None else origin
        yield time_s - origin, frame


def _frames(path: Path, start: int, stop: int | None) -> Iterator[tuple[int, float, Any]]:
    with _opened(path) as (container, stream):
        declared, index = stream.frames, -1
        for index, (time_s, frame) in enumerate(_timed(_decoded(path, container, stream))):
            if stop is not None and index >= stop:
                return
            if index >= start:
                yield index, time_s, frame
        count = index + 1
        if not count:
            raise VideoError(f"{path} holds no frame; record or download it again")
        if stop is None and count < _TRUNCATED * declared:
            raise VideoError(
                f"{path} is cut off: {count} of {declared} frames; record or download it again"
            )


def _upright(pixels: NDArray[np.uint8], frame: Any) -> NDArray[np.uint8]:
    turns = int(getattr(frame, "rotation", 0) or 0) % 360 // 90
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _luma(frame: Any, box: Box | None) -> Luma:
    frame, full = _eight_bit(frame, planes=False)
    pixels = _upright(_plane(frame, 0, frame.width, frame.height), frame)
    crop = pixels if box is None else _crop(pixels, box)
    return crop.copy() if full else _FULL_RANGE[crop]


def _planes(frame: Any, box: Box) -> NDArray[np.uint8]:
    frame, full = _eight_bit(frame, planes=True)
    x, y, width, height = box
    packed = np.empty((height * 3 // 2, width), np.uint8)
    luma = _crop(_upright(_plane(frame, 0, frame.width, frame.height), frame), box)
    packed[:height] = luma if full else _FULL_RANGE[luma]
    half = (x // 2, y // 2, width // 2, height // 2)
    for index, columns in ((1, slice(0, width // 2)), (2, slice(width // 2, width))):
        plane = _plane(frame, index, (frame.width + 1) // 2, (frame.height + 1) // 2)
        chroma = _crop(_upright(plane, frame), half)
        packed[height:, columns] = chroma if full else _FULL_CHROMA[chroma]
    return packed


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
