"""Prepared frames of chunks: where they lie and how they are read, one at a time or all at once.

Beside a chunk's labels lies `frames_SIZE.h264` (small, decoded by workers) or `frames_SIZE.npy`
(exact and fast, at 12 to 190 KB a frame); readers need not care which. `data.prepare` writes them.
"""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.data.clip import Clip, ClipWriter, Request
from nitrogen.data.store import Chunk
from nitrogen.errors import DataError
from nitrogen.files import Pending

Store = Literal["h264", "raw"]
"""How prepared frames are kept."""


class Stored:
    """Frames on disk, possibly of several chunks that follow one another; indexing reads them.

    Behaves like an array (N, S, S, 3) of uint8 as far as `len`, `shape`, indexing by a number or a
    slice of step 1, and `numpy.asarray` go.
    """

    def __init__(self, parts: Sequence[Clip | NDArray[np.uint8]]) -> None:
        """parts: clips or mapped arrays, in order. Raises DataError if sizes differ."""
        self.parts = list(parts)
        self._ends = np.cumsum([len(part) for part in parts])
        sizes = {part.shape[1] for part in parts}
        if len(sizes) != 1:
            raise DataError(f"frames of {sorted(sizes)} px do not go together; prepare them again")
        (size,) = sizes
        self.shape = (int(self._ends[-1]), size, size, 3)

    def __len__(self) -> int:
        """Number of frames."""
        return self.shape[0]

    @property
    def is_video(self) -> bool:
        """Whether any frame has to be decoded."""
        return any(isinstance(part, Clip) for part in self.parts)

    def _place(self, index: int) -> tuple[Clip | NDArray[np.uint8], int]:
        part = int(np.searchsorted(self._ends, index, side="right"))
        return self.parts[part], index - (int(self._ends[part - 1]) if part else 0)

    def request(self, index: int) -> Request | None:
        """What a worker needs to decode frame `index`; None if it needs no decoding."""
        part, place = self._place(index)
        return part.request(place) if isinstance(part, Clip) else None

    def __getitem__(self, index: int | slice) -> NDArray[np.uint8]:
        """Frame `index` (S, S, 3), or the frames of a slice (n, S, S, 3)."""
        if isinstance(index, slice):
            rows = range(*index.indices(len(self)))
            if not rows:
                return np.empty((0, *self.shape[1:]), np.uint8)
            return np.stack([self[row] for row in rows])
        if not 0 <= index < len(self):
            raise IndexError(index)
        part, place = self._place(index)
        frame: NDArray[np.uint8] = part[place]
        return frame

    def __array__(self, dtype: None = None, *, copy: bool | None = None) -> NDArray[np.uint8]:
        """All frames in memory, decoded one after the other."""
        return np.concatenate(
            [part.read() if isinstance(part, Clip) else part for part in self.parts]
        )


Frames = NDArray[np.uint8] | Stored
"""(N, S, S, 3) RGB, in memory or on disk."""


class RawWriter:
    """Writes frames as a plain array; the counterpart of `ClipWriter`."""

    def __init__(self, path: Path, size: int, *, rows: int) -> None:
        """path: ends in `.npy`; rows: how many frames will come. Raises DataError."""
        self._path = Path(path)
        self._pending = Pending(self._path)
        shape = (rows, size, size, 3)
        # Not mapped: a full disk would then end the process by a signal.
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        try:
            self._file = self._pending.partial.open("wb")
            np.lib.format.write_array_header_1_0(self._file, header)
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error}") from error

    def write(self, frame: NDArray[np.uint8]) -> None:
        """The next frame, (S, S, 3)."""
        try:
            self._file.write(np.ascontiguousarray(frame).data)
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Give the file its name."""
        try:
            self._file.close()
            self._pending.keep()
        except OSError as error:
            self.discard()
            raise DataError(f"{self._path} cannot be written: {error}") from error

    def discard(self) -> None:
        """Remove what was written."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._pending.drop()


def frames_path(chunk: Chunk, size: int, store: Store) -> Path:
    """Where the prepared frames of a chunk lie, or would lie."""
    return chunk.folder / f"frames_{size}.{'npy' if store == 'raw' else 'h264'}"


def writer(chunk: Chunk, size: int, store: Store) -> ClipWriter | RawWriter:
    """A writer for the frames of `chunk`. Raises DataError if the disk refuses."""
    path = frames_path(chunk, size, store)
    if store == "raw":
        return RawWriter(path, size, rows=chunk.metadata.chunk_size)
    return ClipWriter(path, size, rate_hz=chunk.rate_hz)


def is_prepared(chunk: Chunk, size: int) -> bool:
    """Whether frames of that size lie beside the chunk, however they are kept."""
    clip = frames_path(chunk, size, "h264")
    return frames_path(chunk, size, "raw").is_file() or (
        clip.is_file() and clip.with_suffix(".json").is_file()
    )


def load(chunk: Chunk, size: int) -> Stored:
    """The prepared frames of a chunk. Raises DataError if there are none or they do not fit."""
    raw = frames_path(chunk, size, "raw")
    try:
        part: Clip | NDArray[np.uint8] = (
            np.load(raw, mmap_mode="r", allow_pickle=False)
            if raw.exists()
            else Clip(frames_path(chunk, size, "h264"))
        )
    except (OSError, ValueError, DataError) as error:
        raise DataError(
            f"no frames of {size} px beside {chunk.folder} ({error}); run 'nitrogen prepare' with"
            f" --size {size}"
        ) from error
    if len(part) != chunk.metadata.chunk_size:
        raise DataError(
            f"{chunk.folder} has {len(part)} frames of {size} px for"
            f" {chunk.metadata.chunk_size} rows; delete its frames and prepare it again"
        )
    return Stored([part])


def stretches(chunks: Iterable[Chunk]) -> list[list[Chunk]]:
    """Chunks that follow one another without a gap, at one rate, together and in order."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.video_id, chunk.start_frame))
    groups: list[list[Chunk]] = []
    for chunk in ordered:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and last.video_id == chunk.video_id
            and abs(last.rate_hz / chunk.rate_hz - 1) < 1e-6
            and last.start_frame + last.metadata.chunk_size == chunk.start_frame
        ):
            groups[-1].append(chunk)
        else:
            groups.append([chunk])
    return groups


def joined(group: Sequence[Chunk], size: int) -> tuple[Stored, Actions]:
    """Frames and actions of one stretch. Raises DataError like `load`."""
    frames = Stored([part for chunk in group for part in load(chunk, size).parts])
    return frames, Actions.concatenate(chunk.actions() for chunk in group)
