"""Frames at a policy's size as short-GOP H.264: small on disk, and any frame is cheap to reach.

A clip is two files. `NAME.h264` is a plain H.264 stream without B-frames, whose every GOP_FRAMES-th
frame is a keyframe; any player opens it. `NAME.json` says how long each packet is, so that one read
of at most GOP_FRAMES packets gives any frame, without opening a container or seeking in it. Colour
is kept at full resolution (4:4:4, full range, BT.601), because at 64 px single pixels matter.

Knows files and pixels. Knows nothing of chunks, labels or torch.
"""

import contextlib
import functools
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from nitrogen.actions import Frame
from nitrogen.errors import DataError
from nitrogen.files import Pending, write_text

FORMAT = "nitrogen.clip/1"
GOP_FRAMES = 4
"""Frames from one keyframe to the next: to reach one, 2.5 are decoded on average."""
CRF = 14
"""Constant rate factor of x264; smaller is better and larger on disk."""

_LOW_DELAY = 0x80000


class Request(NamedTuple):
    """One stored frame, and the bytes that lead to it; small enough to send to a worker."""

    path: str
    start: int
    """Byte of the keyframe before it."""
    sizes: tuple[int, ...]
    """Bytes of each packet from the keyframe up to the frame itself."""


class ClipWriter:
    """Writes a clip; both files appear when it is complete. Use as a context manager."""

    def __init__(self, path: Path, size: int, *, rate_hz: float) -> None:
        """path: ends in `.h264`; size: height and width of the frames. Raises DataError."""
        self._path, self._size, self._rate_hz = Path(path), size, rate_hz
        self._pending = Pending(self._path)
        self._sizes: list[int] = []
        self._count = 0
        rate = Fraction(rate_hz).limit_denominator(1001)
        codec = cast(Any, av.CodecContext.create("libx264", "w"))
        codec.width = codec.height = size
        codec.pix_fmt = "yuv444p"
        codec.framerate, codec.time_base = rate, 1 / rate
        codec.gop_size, codec.max_b_frames, codec.thread_count = GOP_FRAMES, 0, 1
        codec.colorspace, codec.color_range = int(Colorspace.ITU601), int(ColorRange.JPEG)
        codec.options = {
            "crf": str(CRF),
            "preset": "veryfast",
            "tune": "fastdecode",
            "x264-params": f"keyint={GOP_FRAMES}:min-keyint={GOP_FRAMES}:scenecut=0:bframes=0",
        }
        self._codec = codec
        try:
            self._file = self._pending.partial.open("wb")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error}") from error

    def write(self, frame: Frame) -> None:
        """Append one (S, S, 3) RGB frame."""
        if frame.shape != (self._size, self._size, 3):
            raise DataError(
                f"{self._path} holds frames of {self._size}x{self._size}, not of shape"
                f" {frame.shape}"
            )
        luma, red, blue = cv2.split(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb))
        planes = np.asarray([luma, blue, red], np.uint8)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        picture.pts, picture.time_base = self._count, self._codec.time_base
        self._count += 1
        self._append(self._codec.encode(picture))

    def close(self) -> None:
        """Finish both files and give them their names. Raises DataError if nothing was written."""
        if not self._count:
            self.discard()
            raise DataError(f"{self._path}: no frame was written")
        self._append(self._codec.encode(None))
        index = {
            "format": FORMAT,
            "size": self._size,
            "rate_hz": self._rate_hz,
            "gop_frames": GOP_FRAMES,
            "packets": self._sizes,
        }
        try:
            self._file.close()
            self._pending.keep()
            write_text(self._path.with_suffix(".json"), json.dumps(index))
        except OSError as error:
            self.discard()
            raise DataError(f"{self._path} cannot be written: {error}") from error

    def discard(self) -> None:
        """Remove what was written."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._pending.drop()

    def _append(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            if packet.is_keyframe != (len(self._sizes) % GOP_FRAMES == 0):
                raise DataError(f"{self._path}: this build of x264 does not keep to the GOP asked")
            self._sizes.append(packet.size)
            try:
                self._file.write(bytes(packet))
            except OSError as error:
                self.discard()
                raise DataError(f"{self._path} cannot be written: {error}") from error

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Finish the files, or remove them after an exception."""
        if kind is None:
            self.close()
        else:
            self.discard()


class Clip:
    """A clip on disk; indexing decodes. Behaves like an array (N, S, S, 3) of uint8."""

    def __init__(self, path: Path) -> None:
        """Read the index beside `path`. Raises DataError if it is missing or does not fit."""
        self.path = Path(path)
        index = self.path.with_suffix(".json")
        try:
            values = json.loads(index.read_text())
            if values["format"] != FORMAT:
                raise ValueError(f"expected format {FORMAT}, found {values['format']!r}")
            self.size, self._gop = int(values["size"]), int(values["gop_frames"])
            self.rate_hz = float(values["rate_hz"])
            self._ends = np.cumsum(np.asarray(values["packets"], np.int64))
            found = self.path.stat().st_size
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"{index} cannot be read: {error}; prepare the chunks again") from error
        if not len(self._ends) or found != self._ends[-1]:
            raise DataError(f"{self.path} is cut off; delete it and prepare the chunks again")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, S, S, 3)."""
        return (len(self._ends), self.size, self.size, 3)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._ends)

    def request(self, index: int) -> Request:
        """What a worker needs to decode frame `index`."""
        first = index - index % self._gop
        ends = self._ends[first : index + 1].tolist()
        start = int(self._ends[first - 1]) if first else 0
        sizes = [ends[0] - start, *(b - a for a, b in itertools.pairwise(ends))]
        return Request(str(self.path), start, tuple(sizes))

    def __getitem__(self, index: int) -> Frame:
        """Frame `index`, (S, S, 3)."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        frame: Frame = decode([self.request(index)], self.size)[0]
        return frame

    def read(self) -> NDArray[np.uint8]:
        """All frames, (N, S, S, 3), decoded one after the other."""
        sizes = np.diff(self._ends, prepend=0).tolist()
        out = np.empty(self.shape, np.uint8)
        for place, picture in enumerate(_decoded(Request(str(self.path), 0, tuple(sizes)))):
            _to_rgb(picture, out[place])
        return out


def decode(requests: Sequence[Request | None], size: int) -> NDArray[np.uint8]:
    """The requested frames, (B, S, S, 3); black where the request is None.

    Raises DataError, naming the file, if one is damaged.
    """
    out = np.zeros((len(requests), size, size, 3), np.uint8)
    for place, request in enumerate(requests):
        if request is not None:
            *_, picture = _decoded(request)
            _to_rgb(picture, out[place])
    return out


def _to_rgb(picture: Any, out: NDArray[np.uint8]) -> None:
    """By OpenCV, which takes a tenth of the time of FFmpeg's scaler."""
    size = len(out)
    luma, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:size, :size]
        for plane in picture.planes
    )
    cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2RGB, dst=out)


def _decoded(request: Request) -> Iterator[Any]:
    """The pictures of all packets of a request, in order."""
    damaged = f"{request.path} is damaged; delete it and prepare the chunks again"
    codec = _decoder()
    try:
        file = os.open(request.path, os.O_RDONLY)
        try:
            stored = os.pread(file, sum(request.sizes), request.start)
        finally:
            os.close(file)
        codec.flush_buffers()
        place = 0
        for length in request.sizes:
            (picture,) = codec.decode(av.Packet(stored[place : place + length]))
            place += length
            yield picture
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise DataError(f"{damaged} ({error})") from error


@functools.cache
def _decoder() -> Any:
    """The decoder of this process, made once."""
    codec = cast(Any, av.CodecContext.create("h264", "r"))
    codec.thread_count = 1
    codec.flags |= _LOW_DELAY
    return codec
