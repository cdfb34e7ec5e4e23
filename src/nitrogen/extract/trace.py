"""The trace of a stretch of video: what a reader notes of each frame, and how the game moves.

Kept on disk stretch by stretch, so that an interrupted run loses at most the one in flight.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen import files
from nitrogen.errors import DataError, VideoError
from nitrogen.extract.reader import Planes, Reader, Trace
from nitrogen.video.info import VideoInfo
from nitrogen.video.pixels import GLANCE, Box
from nitrogen.video.reading import Picture, read_planes

_BATCH = 256
_EXTRA = 4
"""Columns behind those of the reader."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A stretch of video, noted frame by frame."""

    trace: Trace
    """(T, width), the reader's."""
    motion: NDArray[np.float32]
    """(T, 3): how much the game's picture changed since the frame before, in grey levels, and how
    far it moved right and down, in shares of the width; NaN where it is not known."""
    repeated: NDArray[np.bool_]
    """(T,): whether the frame is the one before again."""


class Store:
    """A folder for the stretches of one video in progress."""

    def __init__(self, folder: Path, key: dict[str, Any]) -> None:
        """Use what lies there if it was made with the same key, else begin anew.

        Raises DataError if the folder cannot be written.
        """
        self.folder = folder
        ledger = folder / "key.json"
        text = json.dumps(key, sort_keys=True)
        try:
            if not ledger.is_file() or ledger.read_text() != text:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                files.write_text(ledger, text)
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error}") from error

    def load(self, name: str, columns: int) -> Trace | None:
        """The stretch of this name if it is complete and has so many columns.

        Another version of this package may have left one that has not.
        """
        path = self.folder / f"{name}.npy"
        part = np.load(path, allow_pickle=False) if path.is_file() else None
        return part if part is not None and part.shape[1] == columns else None

    def save(self, name: str, part: Trace) -> None:
        """Keep a stretch. Raises DataError if the disk refuses."""
        made = io.BytesIO()
        np.save(made, part)
        try:
            with files.replacing(self.folder / f"{name}.npy") as partial:
                partial.write_bytes(made.getbuffer())
        except OSError as error:
            raise DataError(
                f"{self.folder / name} cannot be written: {error}; free some space and run again"
            ) from error

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


def scan(
    info: VideoInfo,
    reader: Reader,
    rows: tuple[int, int],
    *,
    store: Store,
    name: str,
    stretch: int,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> Scan:
    """Note rows `rows[0]` up to `rows[1]`, or to the end of the video if that comes first.

    stretch: rows that are kept together under `name`; those on disk are not read again. on_rows:
    called with the rows of each stretch. Raises VideoError if the video cannot be read.
    """
    parts: list[Trace] = []
    columns = reader.width + _EXTRA
    while (part := store.load(f"{name}_{len(parts):06d}", columns)) is not None:
        parts.append(part)
        on_rows(len(part))
    done = rows[0] + sum(len(part) for part in parts)
    ended = bool(parts) and len(parts[-1]) < stretch
    if done < rows[1] and not ended:
        for part in _stretches(info, reader, (done, rows[1]), stretch):
            store.save(f"{name}_{len(parts):06d}", part)
            parts.append(part)
            on_rows(len(part))
    if not parts:
        raise VideoError(f"{info.path} shows no frame from row {rows[0]} to row {rows[1]}")
    whole = np.concatenate(parts)
    return Scan(whole[:, :-_EXTRA], whole[:, -_EXTRA:-1], whole[:, -1] > 0)


def _stretches(
    info: VideoInfo, reader: Reader, rows: tuple[int, int], stretch: int
) -> Iterator[Trace]:
    pictures: list[Picture] = []
    parts: list[Trace] = []
    count, last = 0, None
    away = _away_from(reader.box, (info.width, info.height))
    for picture in read_planes(info.path, reader.box, start=rows[0], stop=rows[1], glance=True):
        pictures.append(picture)
        count += 1
        if len(pictures) == _BATCH or count == stretch:
            parts.append(_noted(reader, pictures, last, away))
            last, pictures = pictures[-1], []
        if count == stretch:
            yield np.concatenate(parts)
            parts, count, last = [], 0, None
    if pictures:
        parts.append(_noted(reader, pictures, last, away))
    if parts:
        yield np.concatenate(parts)


def _noted(
    reader: Reader, pictures: list[Picture], last: Picture | None, away: NDArray[np.float32]
) -> Trace:
    crops: list[Planes] = [picture.pixels for picture in pictures]
    extra = np.zeros((len(pictures), _EXTRA), np.float32)
    before = [last or pictures[0], *pictures[:-1]]
    glances = np.stack([picture.glance for picture in (before[0], *pictures)])  # type: ignore[misc]
    extra[:, :3] = _motion(glances.astype(np.float32), away)
    for row, (one, other) in enumerate(zip(before, pictures, strict=True)):
        same = one is not other and one.pixels is not other.pixels and extra[row, 0] == 0
        extra[row, 3] = other.repeated or (same and np.array_equal(one.pixels, other.pixels))
    if last is None:
        extra[0, :3] = np.nan
    return np.concatenate([reader.scan(crops), extra], axis=1).astype(np.float32)


def _motion(glances: NDArray[np.float32], away: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N + 1, h, w) glances → (N, 3): change, and shift by phase correlation."""
    change = np.abs(np.diff(glances, axis=0))[:, away > 0].mean(axis=1)
    level = (glances * away).sum(axis=(1, 2), keepdims=True) / away.sum()
    spectra = np.fft.rfft2((glances - level) * away)
    cross = spectra[1:] * np.conj(spectra[:-1])
    peaks = np.fft.irfft2(cross / (np.abs(cross) + 1e-3), s=glances.shape[1:])
    height, width = glances.shape[1:]
    best = peaks.reshape(len(peaks), -1).argmax(axis=1)
    down, across = np.divmod(best, width)
    n = np.arange(len(peaks))
    dx = across + _offset(*(peaks[n, down, (across + step) % width] for step in (-1, 0, 1)))
    dy = down + _offset(*(peaks[n, (down + step) % height, across] for step in (-1, 0, 1)))
    dx, dy = (dx + width / 2) % width - width / 2, (dy + height / 2) % height - height / 2
    return np.stack([change, dx / width, dy / width], axis=1).astype(np.float32)


def _offset(
    left: NDArray[np.float64], middle: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where between its neighbours a peak lies, in -0.5..0.5."""
    bend = left - 2 * middle + right
    return np.clip(0.5 * (left - right) / np.where(bend > -1e-12, -1e-12, bend), -0.5, 0.5)


def _away_from(box: Box, size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w): a window that fades towards the edges and leaves the overlay out, for glances."""
    width, height = GLANCE
    weight = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    across, down = width / size[0], height / size[1]
    x, y, w, h = box
    left, top = max(int(x * across) - 1, 0), max(int(y * down) - 1, 0)
    weight[top : int((y + h) * down) + 2, left : int((x + w) * across) + 2] = 0
    if weight.sum() < 1:  # the overlay fills the frame
        weight[:] = 1.0
    return weight.astype(np.float32)
