"""Frames of chunks, decoded once, at the size at which the policy looks at them.

`prepare` stands between extraction and training: it cuts each chunk's rows out of its video,
squashes the whole picture to a square by area averaging, masks the overlay, and keeps the result
beside the chunk's labels as a plain array that training maps into memory.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen import video
from nitrogen.actions import FRAME_SIZE, Actions, Frame
from nitrogen.data.curate import mask_overlay, scale_box
from nitrogen.data.store import Chunk
from nitrogen.errors import DataError

MASK_MARGIN = 0.1
"""Masked round the overlay, as a share of its larger side."""


def frames_path(chunk: Chunk, size: int) -> Path:
    """Where the prepared frames of a chunk lie."""
    return chunk.folder / f"frames_{size}.npy"


def prepare(
    chunks: Sequence[Chunk],
    find_video: Callable[[str], Path],
    *,
    size: int,
    on_chunk: Callable[[Chunk], None] = lambda chunk: None,
) -> None:
    """Write the frames of each chunk, (N, size, size, 3) uint8, overlay masked; skip what is there.

    find_video: the video file of a video id. Raises DataError if a video is shorter than its labels
    say, and VideoError if one cannot be read.
    """
    for chunk in chunks:
        path = frames_path(chunk, size)
        if not path.exists():
            pictures = _pictures(chunk, find_video(chunk.video_id), size)
            rows = chunk.metadata.chunk_size
            frames = np.empty((rows, size, size, 3), np.uint8)
            count = 0
            for count, picture in enumerate(islice(pictures, rows), start=1):
                frames[count - 1] = picture
            if count < rows:
                raise DataError(
                    f"{chunk.folder.name}: the video ends {rows - count} frames before its labels;"
                    " is it the copy that the labels were made from?"
                )
            _save(path, frames)
        on_chunk(chunk)


def load(chunk: Chunk, size: int) -> NDArray[np.uint8]:
    """The prepared frames of a chunk, mapped from disk. Raises DataError if there are none."""
    path = frames_path(chunk, size)
    try:
        frames: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"no frames of {size} px at {path} ({error}); prepare the chunks"
        ) from error
    return frames


def stretches(chunks: Iterable[Chunk]) -> list[list[Chunk]]:
    """Chunks that follow one another without a gap, at one rate, together and in order."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.video_id, chunk.start_frame))
    groups: list[list[Chunk]] = []
    for chunk in ordered:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and last.video_id == chunk.video_id
            and last.rate_hz == chunk.rate_hz
            and last.start_frame + last.metadata.chunk_size == chunk.start_frame
        ):
            groups[-1].append(chunk)
        else:
            groups.append([chunk])
    return groups


def joined(group: Sequence[Chunk], size: int) -> tuple[NDArray[np.uint8], Actions]:
    """Frames and actions of one stretch."""
    frames = np.concatenate([load(chunk, size) for chunk in group])
    return frames, Actions.concatenate(chunk.actions() for chunk in group)


def _pictures(chunk: Chunk, path: Path, size: int) -> Iterable[Frame]:
    start = chunk.start_frame
    height, width = chunk.metadata.original_video.resolution
    square = (FRAME_SIZE, FRAME_SIZE)
    box = scale_box(chunk.overlay_box, (width, height), square)
    stop = start + chunk.metadata.chunk_size
    for picture in video.read(path, size=square, start=start, stop=stop):
        masked = mask_overlay(picture.pixels, box, MASK_MARGIN)
        yield np.asarray(cv2.resize(masked, (size, size), interpolation=cv2.INTER_AREA))


def _save(path: Path, frames: NDArray[np.uint8]) -> None:
    temporary = path.with_suffix(".tmp.npy")
    try:
        np.save(temporary, frames, allow_pickle=False)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DataError(f"cannot write {path}: {error}") from error
