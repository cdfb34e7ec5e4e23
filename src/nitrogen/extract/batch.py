"""Many videos: several at a time, resumable, and none lost to a broken one.

A ledger, `<out>/ledger.jsonl`, gets one line per finished video. Running again does what is not in
it; a video whose size has changed counts as new, and one in which no known skin was found is tried
again when other skins are given. Within a video `pipeline.extract` resumes.
"""

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from nitrogen import config as configs
from nitrogen import files
from nitrogen.data.prepare import VIDEO_SUFFIXES
from nitrogen.errors import DataError, ExtractionError, NitrogenError
from nitrogen.extract.entry import Entry, failed, finished
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract, id_of
from nitrogen.overlay.skin import load_skin
from nitrogen.processes import die_with_parent

LEDGER = "ledger.jsonl"
SETTINGS = "settings.json"
FORMAT = "nitrogen.batch/1"


@dataclass(frozen=True)
class Progress:
    """How far a batch is, and how fast in this run."""

    done: int
    total: int
    """Videos."""
    video_hours: float
    """Hours of video read in this run."""
    hours_per_hour: float
    """Hours of video per hour of wall time."""
    eta_s: float
    """Seconds that the rest will take, by the size of the files."""


Run = Callable[[Sequence[Path], Path, Sequence[Path], ExtractConfig], Iterator[Entry]]
"""An engine: extracts (videos, out, skin folders, config) in any order."""


def find_videos(path: Path) -> list[Path]:
    """The video itself, or all videos below a folder, in order.

    Raises DataError if there is none or a folder cannot be read.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"no video or folder {path}")

    def refuse(error: OSError) -> None:
        raise DataError(f"folder {error.filename} cannot be read: {error.strerror}") from error

    found = [
        Path(root) / name
        for root, _, names in os.walk(path, onerror=refuse)
        for name in names
        if Path(name).suffix.lower() in VIDEO_SUFFIXES
    ]
    if not found:
        raise DataError(f"no videos in {path}; known kinds: {', '.join(VIDEO_SUFFIXES)}")
    return sorted(found)


def extract_all(
    videos: Sequence[Path],
    out: Path,
    *,
    skins: Sequence[Path],
    config: ExtractConfig | None = None,
    run: Run | None = None,
    on_done: Callable[[Entry, Progress], None] = lambda entry, progress: None,
) -> list[Entry]:
    """Extract every video that the ledger does not have yet; all entries, in the order given.

    skins: folders of single skins. run: the engine, by default one process. on_done: called after
    each video. Videos that cannot be read or show no overlay get an entry with the cause. Raises
    DataError if two videos have the same id, `out` cannot be written or was made with other
    settings.
    """
    config, out = config or ExtractConfig(), Path(out)
    ids = [id_of(video) for video in videos]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise DataError(f"several videos are called {twice[:5]}; rename them or use folders apart")
    _check_settings(out, config)
    library = library_id(skins)
    known = {
        (entry.video_id, entry.size): entry
        for entry in read_ledger(out)
        if entry.skin or entry.library == library
    }
    sizes = [size_of(video) for video in videos]
    keys = list(zip(ids, sizes, strict=True))
    todo = [video for video, key in zip(videos, keys, strict=True) if key not in known]
    clock = _Clock(len(videos), len(todo), sum(map(size_of, todo)))
    for entry in (run or local(1))(todo, out, skins, config):
        _append(out, entry)
        known[(entry.video_id, entry.size)] = entry
        on_done(entry, clock.after(entry))
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


def local(workers: int) -> Run:
    """An engine of processes on this machine."""

    def run(
        todo: Sequence[Path], out: Path, skins: Sequence[Path], config: ExtractConfig
    ) -> Iterator[Entry]:
        if workers <= 1 or len(todo) <= 1:
            for video in todo:
                yield extract_one(video, out, tuple(skins), config)
            return
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # inherited: one core per worker
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, die_with_parent) as pool:
            waiting: set[Future[Entry]] = {
                pool.submit(extract_one, video, out, tuple(skins), config) for video in todo
            }
            try:
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BrokenProcessPool as error:
                raise ExtractionError(
                    "a worker was killed, perhaps for want of memory; run the same command again,"
                    " with fewer workers if it repeats"
                ) from error
            finally:
                for future in waiting:
                    future.cancel()

    return run


def extract_one(video: Path, out: Path, skins: tuple[Path, ...], config: ExtractConfig) -> Entry:
    """Extract one video in this process; what is wrong with the video becomes the entry's cause.

    Raises DataError if `out` cannot be written and SkinError if a skin cannot be read.
    """
    library = _library(skins)
    name = library_id(skins)
    try:
        return finished(extract(video, out, skins=library, config=config), size_of(video), name)
    except DataError:
        raise
    except NitrogenError as error:
        return failed(video, id_of(video), size_of(video), name, str(error))


@lru_cache(maxsize=2)
def _library(skins: tuple[Path, ...]) -> Library:
    return Library([load_skin(folder) for folder in skins])


def library_id(skins: Sequence[Path]) -> str:
    """A short name for a set of skins."""
    names = "\n".join(sorted(str(folder.name) for folder in skins))
    return hashlib.sha256(names.encode()).hexdigest()[:12]


class _Clock:
    """Measures speed and estimates what is left."""

    def __init__(self, total: int, todo: int, size: int) -> None:
        self._total, self._done, self._left = total, total - todo, size
        self._started, self._video_s, self._size = time.monotonic(), 0.0, 0

    def after(self, entry: Entry) -> Progress:
        self._done += 1
        self._video_s += entry.seconds
        self._left -= entry.size
        self._size += entry.size
        wall_s = max(time.monotonic() - self._started, 1e-6)
        return Progress(
            done=self._done,
            total=self._total,
            video_hours=self._video_s / 3600,
            hours_per_hour=self._video_s / wall_s,
            eta_s=wall_s * self._left / max(self._size, 1),
        )


def size_of(video: Path) -> int:
    """Bytes; 0 if the file is not there or may not be looked at."""
    try:
        return video.stat().st_size
    except OSError:
        return 0


def _check_settings(out: Path, config: ExtractConfig) -> None:
    path, text = out / SETTINGS, configs.to_json(config, format=FORMAT)
    try:
        if path.is_file():
            before = path.read_text()
            if before != text:
                raise DataError(
                    f"{out} was made with other settings: {_differences(before, text)}; use the"
                    " same ones, or another folder"
                )
            return
        out.mkdir(parents=True, exist_ok=True)
        files.write_text(path, text)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error


def _differences(before: str, now: str) -> str:
    try:
        old, new = json.loads(before), json.loads(now)
    except ValueError:
        return f"{SETTINGS} cannot be read"
    return ", ".join(
        f"{name} was {old.get(name)!r}, is {new.get(name)!r}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _append(out: Path, entry: Entry) -> None:
    path = out / LEDGER
    try:
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
