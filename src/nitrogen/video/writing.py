"""Write video: one rate, one size, and a file that appears when it is complete."""

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from nitrogen.actions import Frame
from nitrogen.errors import VideoError
from nitrogen.files import Pending


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
        self._pending = Pending(self._path)
        self._count = 0
        rate = self._rate = Fraction(rate_hz).limit_denominator(1001)
        options = {"preset": "veryfast", **(options or {})} if codec == "libx264" else options or {}
        if bitrate is None:
            options = {"crf": str(crf), **options}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kind = {".mkv": "matroska", ".webm": "webm"}.get(self._path.suffix, "mp4")
            self._container = cast(Any, av.open(str(self._pending.partial), "w", format=kind))
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
            self._pending.keep()
        except (OSError, av.error.FFmpegError) as error:
            self._pending.drop()
            raise VideoError(f"{self._path} cannot be written: {error}") from error

    def discard(self) -> None:
        """Remove what was written."""
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                container.close()
            self._pending.drop()

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
