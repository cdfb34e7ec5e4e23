"""Read frames and timestamps, write video (PyAV).

Knows files, frames and time. Knows nothing of overlays, games or actions. Reading comes in two
forms: whole RGB frames for those who look at pictures, and luma crops for those who measure them,
which cost little more than the decoding itself.

Frames are counted by presentation time: number i is what is shown i / rate seconds after the first
frame. Where the file skips a frame the one before it is given again, where it has two for one
place the later one counts; so a variable frame rate makes no difference and nothing drifts.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
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

GLANCE = (64, 36)
"""Width and height of a glance at a frame."""

_LUMA_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "gray")
_FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)
_FULL_CHROMA = np.clip((np.arange(256) - 128) * 255 / 224 + 128.5, 0, 255).astype(np.uint8)
_TRUNCATED = 0.98
"""A file that yields less than this share of the frames it declares has been cut off."""
_PACKETS = 300
"""Time stamps from which the frame rate is measured."""
_USUAL_HZ = tuple(
    base / divisor for base in (24, 25, 30, 48, 50, 60, 120, 144) for divisor in (1, 1.001)
)
_FEW_KEYFRAMES = 12
"""A span with fewer is looked at frame by frame."""
_LONGEST_GAP_S = 10.0
"""Time stamps that leave a longer hole, or run back by more, are not to be trusted."""
_LIKE_RATE = 0.06
"""Relative difference up to which time stamps may mean a usual frame rate."""
_SEEK_S = 5.0
"""Reading that starts later than this does not decode from the beginning."""


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
        rate_hz, duration = _rate_hz(path), _duration_s(container, stream)
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


def read(
    path: Path, *, size: tuple[int, int] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Picture]:
    """RGB frames from index `start` up to but excluding `stop`.

    size: (width, height) to which frames are squashed by an area filter; as stored when None.
    Raises VideoError if the file cannot be read or ends long before it says it would.
    """

    def take(frame: Any) -> NDArray[np.uint8]:
        pixels = _upright(frame.to_ndarray(format="rgb24"), frame)
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
    yield from _pictures(path, start, stop, lambda frame: _luma(frame, box))


def read_planes(
    path: Path, box: Box, *, start: int = 0, stop: int | None = None, glance: bool = False
) -> Iterator[Picture]:
    """Luma and chroma of `box` as `even_box` makes it, packed into (3h/2, w), frame by frame.

    The upper h rows are luma in full range; below lie the two chroma planes side by side, each
    (h/2, w/2), in full range about 128. Outside the frame edges are repeated. glance: with a small
    picture of the whole frame. Raises VideoError like `read`.
    """
    look = _glance if glance else None
    yield from _pictures(path, start, stop, lambda frame: _planes(frame, box), look)


def even_box(box: Box) -> Box:
    """The smallest box round `box` whose place and size are even, as chroma needs it."""
    x, y, width, height = box
    left, top = x - x % 2, y - y % 2
    right, bottom = x + width + (x + width) % 2, y + height + (y + height) % 2
    return left, top, right - left, bottom - top


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
    with _opened(path) as (container, stream):
        stop_s = min(span_s[1], _duration_s(container, stream) or math.inf)
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
                    -1, time_s, _planes(frame, box) if box and planes else _luma(frame, box)
                )


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
    frames = _timed(_decoded(path, container, stream))
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
            frames = _timed(_decoded(path, container, stream), origin)


def _key_spacing_s(path: Path) -> float:
    """Seconds from one keyframe to the next near the beginning; infinite if there is only one."""
    with _opened(path) as (container, stream):
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


def _timed(frames: Iterator[Any], origin: float | None = None) -> Iterator[tuple[float, Any]]:
    for frame in frames:
        time_s = float(frame.time) if frame.time is not None else 0.0
        origin = time_s if origin is None else origin
        yield time_s - origin, frame


def _rate_hz(path: Path) -> float:
    """The rate at which most frames follow each other; 0 if there is only one."""
    with _opened(path) as (container, stream):
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
    rate_hz = _rate_hz(path) or 1.0
    with _opened(path) as (container, stream):
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
        declared = round(_duration_s(container, stream) * rate_hz)
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
    frames = _decoded(path, container, stream)
    first = next(frames, None)
    if first is None:
        return
    origin = first.time
    if origin is not None and start / rate_hz > _SEEK_S:
        # One second early: what depends on pictures before the seek point has passed by then.
        goal = (origin + start / rate_hz - 1.0) / float(stream.time_base)
        container.seek(int(goal), stream=stream)
        frames = _decoded(path, container, stream)
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


def _glance(frame: Any) -> Luma:
    frame, _ = _eight_bit(frame, planes=False)
    pixels = _upright(_plane(frame, 0, frame.width, frame.height), frame)
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
