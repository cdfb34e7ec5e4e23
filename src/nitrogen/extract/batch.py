"""Many videos: several at a time, resumable, and none lost to a broken one.

A ledger, `<out>/ledger.jsonl`, gets one line per finished video. Running again does what is not in
it; a video whose size has changed counts as new. Within a video `pipeline.extract` resumes.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from nitrogen.errors import DataError, NitrogenError
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract, id_of
from nitrogen.overlay.skin import load_skin

LEDGER = "ledger.jsonl"
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".flv", ".ts", ".avi", ".m4v")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What became of one video."""

    video: str
    """Path as given."""
    video_id: str
    size: int
    """Bytes."""
    seconds: float
    """Length of the video; 0 if it could not be read."""
    chunks: int
    idle: int
    hidden: int
    skin: str
    """Empty if nothing was found."""
    score: float
    confidence: float
    cause: str
    """Why nothing came out; empty if something did."""


def find_videos(path: Path) -> list[Path]:
    """The video itself, or all videos below a folder, in order. Raises DataError if none is."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"no video or folder {path}")
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())
    if not found:
        raise DataError(f"no videos in {path}; known kinds: {', '.join(VIDEO_SUFFIXES)}")
    return found


def extract_all(
    videos: Sequence[Path],
    out: Path,
    *,
    skins: Sequence[Path],
    config: ExtractConfig | None = None,
    workers: int = 1,
    on_done: Callable[[Entry, int, int], None] = lambda entry, done, total: None,
) -> list[Entry]:
    """Extract every video that the ledger does not have yet; all entries, in the order given.

    skins: folders of single skins. on_done: called after each video with how many of how many are
    done. Videos that cannot be read or show no overlay get an entry with the cause. Raises
    DataError if two videos have the same id or `out` cannot be written.
    """
    config = config or ExtractConfig()
    ids = [id_of(video) for video in videos]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise DataError(f"several videos are called {twice[:5]}; rename them or use folders apart")
    known = {(entry.video_id, entry.size): entry for entry in read_ledger(out)}
    keys = [(name, _size(video)) for name, video in zip(ids, videos, strict=True)]
    todo = [video for video, key in zip(videos, keys, strict=True) if key not in known]
    done = len(videos) - len(todo)
    for entry in _run(todo, out, skins, config, workers):
        _append(out, entry)
        known[(entry.video_id, entry.size)] = entry
        done += 1
        on_done(entry, done, len(videos))
    return [known[key] for key in keys]


def read_ledger(out: Path) -> list[Entry]:
    """What has been finished so far; a line cut off by a crash is ignored."""
    path = Path(out) / LEDGER
    if not path.is_file():
        return []
    entries = []
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            if line and number < len(lines):
                raise DataError(f"{path}, line {number}: not an entry; remove the line") from None
    return entries


def _size(video: Path) -> int:
    return video.stat().st_size if video.is_file() else 0


def _run(
    todo: Sequence[Path], out: Path, skins: Sequence[Path], config: ExtractConfig, workers: int
) -> Iterator[Entry]:
    if workers <= 1 or len(todo) <= 1:
        library = _library(skins) if todo else None
        for video in todo:
            assert library is not None
            yield _one(video, out, library, config)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _prepare, (list(skins),)) as pool:
        waiting: set[Future[Entry]] = {pool.submit(_in_worker, v, out, config) for v in todo}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


_prepared: list[Library] = []
"""The library of a worker process, made once; empty in the main process."""


def _prepare(skins: list[Path]) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    _prepared[:] = [_library(skins)]


def _library(skins: Sequence[Path]) -> Library:
    return Library([load_skin(folder) for folder in skins])


def _in_worker(video: Path, out: Path, config: ExtractConfig) -> Entry:
    return _one(video, out, _prepared[0], config)


def _one(video: Path, out: Path, library: Library, config: ExtractConfig) -> Entry:
    try:
        result = extract(video, out, skins=library, config=config)
    except DataError:
        raise
    except NitrogenError as error:
        return Entry(
            video=str(video),
            video_id=id_of(video),
            size=_size(video),
            seconds=0.0,
            chunks=0,
            idle=0,
            hidden=0,
            skin="",
            score=0.0,
            confidence=0.0,
            cause=str(error),
        )
    return Entry(
        video=str(video),
        video_id=result.video_id,
        size=_size(video),
        seconds=round(result.info.duration_s, 3),
        chunks=len(result.chunks),
        idle=result.idle,
        hidden=result.hidden,
        skin=result.found.skin.name if result.found else "",
        score=round(result.found.score, 4) if result.found else 0.0,
        confidence=round(result.confidence, 4),
        cause="",
    )


def _append(out: Path, entry: Entry) -> None:
    path = Path(out) / LEDGER
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as ledger:
            ledger.seek(0)
            whole = ledger.read()
            # A line cut off by a crash would spoil the next one.
            ledger.truncate(whole.rfind(b"\n") + 1)
            ledger.write(json.dumps(asdict(entry)).encode() + b"\n")
            ledger.flush()
            os.fsync(ledger.fileno())
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
