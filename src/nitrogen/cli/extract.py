"""`nitrogen extract`: actions out of videos."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import OmitArgPrefixes, Positional

from nitrogen.cli import show
from nitrogen.errors import ConfigError, VideoError

if TYPE_CHECKING:
    from nitrogen.extract.batch import Run
    from nitrogen.extract.pipeline import ExtractConfig


@dataclass(frozen=True, kw_only=True)
class Look:
    """What to look for."""

    skins: Path | None = None
    """A folder of `padskin/1` skins to look for, beside those that ship."""
    skin: str | None = None
    """Look for this skin only."""
    unknown: bool = True
    """Where no known skin is found, look for anything like a gamepad; not with `--skin`."""
    box: str | None = None
    """Where the overlay is, as x,y,width,height in pixels; found by itself without."""
    reader: Literal["auto", "matched", "network"] = "auto"
    """`matched` reads known skins, `network` any; `auto` takes the matched one where it fits."""


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What is written."""

    game: str = "other"
    """Name of the game, for the metadata."""
    chunk_s: float = 20.0
    """Length of a chunk in seconds; 20 as published, or for example 30."""
    min_density: float = 0.5
    """Chunks with a smaller share of active frames are dropped."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the work is done."""

    workers: int = 1
    """Videos that are read at the same time on this machine."""
    engine: Literal["local", "ray"] = "local"
    """`ray` spreads the videos over a Ray cluster."""
    address: str | None = None
    """Of the Ray cluster, for example auto or 10.0.0.1:6379."""


def extract(
    video: Positional[Path], out: Positional[Path], /, *,
    look: OmitArgPrefixes[Look] = Look(),
    keep: OmitArgPrefixes[Keep] = Keep(),
    where: OmitArgPrefixes[Where] = Where(),
) -> None:  # fmt: skip
    """Read the gamepad actions out of videos that show a controller overlay.

    Args:
        video: The video, or a folder of videos; with a folder, `OUT/ledger.jsonl` says what became
            of each, and running it again goes on where it was.
        out: Where chunk folders in the published layout are written.
        look: What to look for.
        keep: What is written.
        where: Where the work is done.
    """
    from nitrogen.extract.pipeline import ExtractConfig

    if not video.exists():
        raise VideoError(f"no video {video}")
    config = ExtractConfig(
        game=keep.game,
        reader=look.reader,
        unknown=look.unknown and look.skin is None,
        box=_box(look.box),
        chunk_s=keep.chunk_s,
        min_density=keep.min_density,
    )
    if video.is_dir() or where.engine == "ray":
        _extract_folder(video, out, _skin_folders(look), config, where)
    else:
        _extract_one(video, out, _skin_folders(look), config)


def _extract_one(video: Path, out: Path, skins: list[Path], config: "ExtractConfig") -> None:
    from nitrogen.extract.batch import library_id, size_of
    from nitrogen.extract.entry import finished
    from nitrogen.extract.pipeline import extract as run_extract
    from nitrogen.extract.quality import write_quality
    from nitrogen.overlay.skin import load_skin

    started = time.monotonic()
    with show.bars() as bars:
        bar = bars.add_task(video.name, total=None, note="")
        done = run_extract(
            video,
            out,
            skins=[load_skin(folder) for folder in skins],
            config=config,
            on_progress=lambda count, total: bars.update(bar, completed=count, total=total),
        )
    for part in done.parts:
        name = part.sighting.found.skin.name if part.sighting.found else "unknown skin"
        print(
            f"{name} at {part.sighting.box}, {part.reader} reader ({part.why}), opacity"
            f" {'unknown' if part.opacity is None else format(part.opacity, '.2f')}, shows in"
            f" {part.visible_rows} of {len(part.reading.visible)} frames",
            file=sys.stderr,
        )
        for other in part.sighting.others:
            print(f"not read: {other.name} at {other.box}", file=sys.stderr)
    rate = done.info.duration_s / max(time.monotonic() - started, 1e-3)
    print(
        f"{rate:.1f} hours of video per hour; confidence {done.confidence:.2f};"
        f" {len(done.chunks)} chunks written, {done.idle} idle and {done.hidden} hidden left out",
        file=sys.stderr,
    )
    for folder in done.chunks:
        print(folder)
    entry = finished(done, size_of(video), library_id(skins))
    print(write_quality(out / done.video_id, [entry]))


def _extract_folder(
    folder: Path, out: Path, skins: list[Path], config: "ExtractConfig", where: Where
) -> None:
    from nitrogen.extract.batch import Progress, extract_all, find_videos
    from nitrogen.extract.entry import Entry
    from nitrogen.extract.quality import write_quality

    videos = find_videos(folder)
    last: Progress | None = None
    with show.bars() as bars:
        bar = bars.add_task(folder.name, total=len(videos), note="")

        def on_done(entry: Entry, progress: Progress) -> None:
            nonlocal last
            last = progress
            note = (
                f"{progress.hours_per_hour:.1f} h/h, {progress.eta_s / 60:.0f} min left;"
                f" {entry.video_id}: {entry.cause or f'{entry.chunks} chunks'}"
            )
            bars.update(bar, completed=progress.done, note=note)

        entries = extract_all(
            videos, out, skins=skins, config=config, run=_engine(where), on_done=on_done
        )
    for entry in entries:
        if entry.cause:
            print(f"left out: {entry.video}: {entry.cause}", file=sys.stderr)
    page = write_quality(out, entries, last)
    print(out / "ledger.jsonl")
    print(page)


def _engine(where: Where) -> "Run":
    if where.engine == "ray":
        from nitrogen.extract.cluster import on_ray

        return on_ray(where.address)
    from nitrogen.extract.batch import local

    return local(where.workers)


def _skin_folders(look: Look) -> list[Path]:
    from nitrogen.overlay.skin import SHIPPED, find_skin

    extra = [look.skins] if look.skins else []
    if look.skin:
        return [find_skin(look.skin, folders=extra).folder]
    found = [path.parent for root in (SHIPPED, *extra) for path in sorted(root.glob("*/skin.json"))]
    if look.skins and not any(path.is_relative_to(look.skins) for path in found):
        raise ConfigError(f"no skins in {look.skins}; each is a folder with a skin.json")
    return found


def _box(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--box {text}: give four whole numbers x,y,width,height") from None
    return x, y, width, height
