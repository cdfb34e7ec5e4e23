"""From chunks and the user's own copies of the videos to frames that training can read.

Each chunk's rows are cut out of its video; the overlay is masked at the video's own size; then the
whole picture is squashed by area averaging to FRAME_SIZE, as a policy sees it when it plays, and
on to the policy's size. Videos are done several at a time, what is there is not done again, and
what cannot be prepared is recorded with its cause in a ledger.
"""

import contextlib
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path

import cv2
import numpy as np

from nitrogen.actions import FRAME_SIZE, Frame
from nitrogen.data import frames
from nitrogen.data.curate import density, mask_overlay, scale_box
from nitrogen.data.store import Chunk, Skip
from nitrogen.errors import DataError, VideoError
from nitrogen.logs import MetricLog
from nitrogen.processes import die_with_parent
from nitrogen.video.info import probe
from nitrogen.video.reading import Picture, read

LEDGER = "prepare.jsonl"
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".flv", ".ts", ".avi", ".m4v")
MASK_MARGIN = 0.1
"""Masked round the overlay, as a share of its larger side."""
PART = 15
"""Most chunks that one worker does in one go: 5 minutes of a video."""
SAME_RATE = 0.01
"""Relative difference up to which labels and video have the same rate: 59.94 Hz is 60 Hz."""

FindVideo = Callable[[str], Path]
"""From a video id to its file. Raises VideoError if there is none."""


@dataclass(frozen=True)
class Prepared:
    """What became of the chunks of one video, or of a part of it."""

    video_id: str
    first: str
    """Folder name of its first chunk."""
    done: int
    """Chunks prepared now."""
    present: int
    """Chunks that had been prepared before."""
    skips: tuple[Skip, ...]
    """Chunks that could not be prepared."""

    @property
    def chunks(self) -> int:
        """All of them."""
        return self.done + self.present + len(self.skips)


class VideoFolder:
    """Finds videos by id in a folder: `<id>.mp4` or any other suffix, or `Title [<id>].mkv`."""

    def __init__(self, folder: Path) -> None:
        """Look through `folder` at any depth. Raises DataError if it is no folder."""
        if not Path(folder).is_dir():
            raise DataError(f"no folder {folder}; give the folder that holds the videos")
        self.folder = Path(folder)
        self._found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                for name in {path.stem, _bracketed(path.stem)}:
                    self._found.setdefault(name, []).append(path)

    @property
    def ids(self) -> set[str]:
        """All video ids that are there."""
        return set(self._found)

    def __call__(self, video_id: str) -> Path:
        """The file of a video. Raises VideoError if there is none or more than one."""
        paths = self._found.get(video_id, [])
        if not paths:
            raise VideoError(f"no video {video_id} in {self.folder}; put {video_id}.mp4 there")
        if len(paths) > 1:
            raise VideoError(f"several videos are called {video_id}: {paths[0]} and {paths[1]}")
        return paths[0]


def _bracketed(stem: str) -> str:
    return stem[stem.rindex("[") + 1 : -1] if stem.endswith("]") and "[" in stem else stem


def prepare(
    chunks: Sequence[Chunk],
    find_video: FindVideo,
    *,
    size: int,
    store: frames.Store = "h264",
    min_density: float = 0.0,
    workers: int = 1,
    ledger: Path | None = None,
    on_part: Callable[[Prepared], None] = lambda prepared: None,
) -> list[Prepared]:
    """Prepare the frames of all chunks, (S, S, 3) each, and say what became of them.

    size: at most FRAME_SIZE. min_density: chunks with a smaller share of active rows are left out;
    the published set is not filtered, its authors trained on 0.5. ledger: a file that gets one line
    per part, of at most PART chunks of a video. Chunks that cannot be prepared become skips: no or
    a broken video, one that is too short or of another rate than the labels, broken labels. Raises
    DataError if the disk refuses.
    """
    if not 8 <= size <= FRAME_SIZE:
        raise DataError(f"frames are prepared at 8 to {FRAME_SIZE} px, not {size}")
    ordered = sorted(chunks, key=lambda chunk: (chunk.video_id, chunk.start_frame))
    videos = [list(group) for _, group in groupby(ordered, key=lambda chunk: chunk.video_id)]
    parts = [group[at : at + PART] for group in videos for at in range(0, len(group), PART)]
    jobs = [_job(part, find_video) for part in parts]
    how = _How(size, store, min_density)
    results = []
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(MetricLog(ledger)) if ledger else None
        for prepared in _run(jobs, how, workers):
            if log is not None and (prepared.done or prepared.skips):
                log.write(size=size, store=store, **asdict(prepared))
            results.append(prepared)
            on_part(prepared)
    return sorted(results, key=lambda prepared: (prepared.video_id, prepared.first))


def causes(prepared: Sequence[Prepared]) -> Counter[str]:
    """How many chunks were left out for which cause, most frequent first."""
    return Counter(skip.cause for one in prepared for skip in one.skips)


@dataclass(frozen=True)
class _How:
    """What is asked for."""

    size: int
    store: frames.Store
    min_density: float


@dataclass(frozen=True)
class _Job:
    """Chunks of one video, and its file or why there is none."""

    chunks: list[Chunk]
    path: Path | None
    cause: str


def _job(group: list[Chunk], find_video: FindVideo) -> _Job:
    try:
        return _Job(group, find_video(group[0].video_id), "")
    except VideoError as error:
        return _Job(group, None, str(error))


def _run(jobs: Sequence[_Job], how: _How, workers: int) -> Iterator[Prepared]:
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield _one(job, how)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start_worker) as pool:
        futures = [pool.submit(_one, job, how) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a worker that prepared frames was killed (out of memory?); run the same command"
                " again, with fewer workers"
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _start_worker() -> None:
    die_with_parent()
    # An interrupt of the whole group ends a worker without a word; what it did stays.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    cv2.setNumThreads(1)


def _one(job: _Job, how: _How) -> Prepared:
    """Prepare what is missing of one part."""
    todo = [chunk for chunk in job.chunks if not frames.is_prepared(chunk, how.size)]
    skips: list[Skip] = []
    rate_hz, cause = 0.0, job.cause
    if todo and job.path is not None:
        try:
            rate_hz = probe(job.path).rate_hz
        except VideoError as error:
            cause = str(error)
    ready = []
    for chunk in todo:
        found = cause or _unfit(chunk, rate_hz, how.min_density)
        if found:
            skips.append(Skip(chunk.folder.name, found))
        else:
            ready.append(chunk)
    for stretch in frames.stretches(ready):
        assert job.path is not None
        skips += _stretch(stretch, job.path, how)
    return Prepared(
        job.chunks[0].video_id,
        job.chunks[0].folder.name,
        len(todo) - len(skips),
        len(job.chunks) - len(todo),
        tuple(skips),
    )


def _unfit(chunk: Chunk, rate_hz: float, min_density: float) -> str:
    """Why the chunk cannot be prepared from a video of that rate; empty if it can."""
    if abs(rate_hz / chunk.rate_hz - 1) > SAME_RATE:
        return (
            f"labels at {chunk.rate_hz:g} Hz, but the video has {rate_hz:g} frames per second; get"
            " the copy that the labels were made from"
        )
    try:
        share = density(chunk.actions())
    except DataError as error:
        return str(error)
    if share < min_density:
        return f"idle: fewer than {100 * min_density:g} % of the rows are active"
    return ""


def _stretch(stretch: Sequence[Chunk], path: Path, how: _How) -> list[Skip]:
    """Prepare chunks that follow one another; what the video ends before is skipped."""
    last = stretch[-1]
    stop = last.start_frame + last.metadata.chunk_size
    pictures = read(path, start=stretch[0].start_frame, stop=stop)
    for place, chunk in enumerate(stretch):
        cause = _cut(chunk, pictures, how)
        if cause:
            return [Skip(rest.folder.name, cause) for rest in stretch[place:]]
    return []


def _cut(chunk: Chunk, pictures: Iterator[Picture], how: _How) -> str:
    """Write one chunk's frames; the cause if the video does not yield them."""
    rows, count = chunk.metadata.chunk_size, 0
    writer = frames.writer(chunk, how.size, how.store)
    try:
        for picture in islice(pictures, rows):
            writer.write(squash(picture.pixels, chunk, how.size))
            count += 1
    except VideoError as error:
        writer.discard()
        return str(error)
    except BaseException:
        writer.discard()
        raise
    if count == rows:
        writer.close()
        return ""
    writer.discard()
    return (
        f"the video ends {rows - count} frames before the labels of {chunk.folder.name}; is it the"
        " copy that they were made from?"
    )


def squash(frame: Frame, chunk: Chunk, size: int) -> Frame:
    """The frame as a policy sees it: overlay masked, squashed to FRAME_SIZE and on to `size`."""
    height, width = chunk.metadata.original_video.resolution
    masked = frame
    for box in chunk.masked_boxes:
        scaled = scale_box(box, (width, height), (frame.shape[1], frame.shape[0]))
        masked = mask_overlay(masked, scaled, MASK_MARGIN)
    square = cv2.resize(masked, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_AREA)
    if size != FRAME_SIZE:
        square = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(square, np.uint8)
