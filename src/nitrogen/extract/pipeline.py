"""Video in, chunk folders out.

Find the overlay, choose a reader, read, refine, filter, write. Work in progress lies in
`<out>/.work/<video_id>` so that an interrupted run loses at most the stretch in flight, and the
next one ends in the same result.
"""

import logging
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.data import curate, schema
from nitrogen.errors import DataError, ExtractionError, MissingDependencyError, VideoError
from nitrogen.extract import latency
from nitrogen.extract.choice import Wanted, finder, prepare
from nitrogen.extract.chunks import FORMAT, Cut, Part, placement_to_dict, write_part
from nitrogen.extract.locate import Found, Library
from nitrogen.extract.sightings import (
    Sighting,
    Window,
    find_sightings,
    find_unknown,
    sighting_by_hand,
    windows,
)
from nitrogen.extract.trace import Store, scan
from nitrogen.overlay.skin import Skin
from nitrogen.video.info import VideoInfo, probe
from nitrogen.video.pixels import Box

_MIN_ROWS = 8
"""A video shorter than this has nothing to be read."""
_FLICKER_S = 0.25
"""An overlay does not come or go for less than this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """What is looked for, and how chunks are cut and chosen."""

    game: str = "other"
    controller: str = "other"
    source: str = "local"
    reader: Wanted = "auto"
    unknown: bool = True
    """Whether overlays of unknown skins are looked for where none of a known one is found."""
    box: Box | None = None
    """x, y, width, height of the overlay, where a person has seen it; found when None."""
    chunk_s: float = schema.CHUNK_S
    min_density: float = curate.MIN_DENSITY
    """Chunks with a smaller share of active rows are not written; 0 keeps all."""
    min_visible: float = 0.98
    """Chunks in which the overlay shows in a smaller share of rows are not written."""


@dataclass(frozen=True)
class Extracted:
    """What came out of one video."""

    video: Path
    video_id: str
    info: VideoInfo
    parts: list[Part]
    """What was read, the longest first."""
    chunks: list[Path]
    """Folders written."""
    idle: int
    """Chunks dropped because too little was pressed."""
    hidden: int
    """Chunks dropped because the overlay was not in sight."""
    densities: list[float]
    """Share of active rows of every possible chunk, written or not."""

    @property
    def found(self) -> Found | None:
        """Skin and placement of the sighting that shows longest; None if the skin is not known."""
        return self.parts[0].sighting.found

    @property
    def confidence(self) -> float:
        """Mean over all rows read."""
        rows = np.concatenate([part.reading.confidence for part in self.parts])
        return float(rows.mean()) if len(rows) else 0.0


def extract(
    video: Path,
    out: Path,
    *,
    skins: Sequence[Skin] | Library,
    config: ExtractConfig | None = None,
    video_id: str | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Extracted:
    """Read the actions out of one video and write them as chunk folders below `out`.

    skins: what to look for, or a Library made of them once for many videos. on_progress: called
    with frames done and frames in all. Running it again continues, or returns the finished result;
    chunks of an earlier run with other settings are removed. Raises VideoError if the video cannot
    be read and ExtractionError if no overlay is found.
    """
    config = config or ExtractConfig()
    video_id = video_id or id_of(video)
    info = probe(video)
    if info.rate_hz <= 0 or info.frame_count < _MIN_ROWS:
        raise VideoError(f"{video} has {info.frame_count} frames, too few to read an overlay")
    library = skins if isinstance(skins, Library) else Library(skins)
    sightings = _sightings(windows(info), library, config)
    rows = round(config.chunk_s * info.rate_hz)
    store = Store(Path(out) / ".work" / video_id, _key(info, sightings, config))
    parts = _read_all(info, sightings, config, store, on_progress)
    cut = Cut(
        video_id=video_id, info=info, game=config.game, controller=config.controller,
        source=config.source, rows=rows, min_density=config.min_density,
        min_visible=config.min_visible,
    )  # fmt: skip
    result = _write(out, parts, cut)
    store.clear()
    return result


def id_of(video: Path) -> str:
    """A video's id: its file name without suffix, with only letters, digits, `-` and `_`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(video).stem) or "video"


def _sightings(looked: list[Window], library: Library, config: ExtractConfig) -> list[Sighting]:
    """The overlays in a video: of known skins, or else of unknown ones."""
    if config.box is not None:
        return [sighting_by_hand(looked, library, config.box)]
    try:
        return find_sightings(looked, library)
    except ExtractionError as none_known:
        if not config.unknown or config.reader == "matched":
            raise
        try:
            return find_unknown(looked, finder())
        except (ExtractionError, MissingDependencyError) as error:
            raise ExtractionError(f"{none_known}; of unknown skins: {error}") from error


def _key(info: VideoInfo, sightings: list[Sighting], config: ExtractConfig) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "bytes": info.path.stat().st_size,
        "chunk_s": config.chunk_s,
        "reader": config.reader,
        "sightings": [
            {
                "box": list(sighting.box),
                "span_s": [round(sighting.start_s, 3), round(sighting.stop_s, 3)],
                "skins": [
                    found.skin.name
                    for best in (sighting.found,)
                    if best
                    for found in (best, *best.rivals)
                ],
                "placement": placement_to_dict(sighting.found.placement) if sighting.found else {},
            }
            for sighting in sightings
        ],
    }


def _read_all(
    info: VideoInfo,
    sightings: list[Sighting],
    config: ExtractConfig,
    store: Store,
    on_progress: Callable[[int, int], None],
) -> list[Part]:
    spans = [_span(sighting, info) for sighting in sightings]
    total, done = sum(stop - start for start, stop in spans), 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        on_progress(min(done, total), total)

    parts = []
    for number, (spotted, span) in enumerate(zip(sightings, spans, strict=True)):
        reader, sighting, why = prepare(spotted, config.reader, info)
        seen = scan(
            info, reader, span, store=store, name=f"s{number:02d}",
            stretch=round(config.chunk_s * info.rate_hz), on_rows=count,
        )  # fmt: skip
        reading = reader.read(seen.trace)
        steady = _steady(reading.visible, round(_FLICKER_S * info.rate_hz))
        lag = latency.estimate(
            reading.actions, seen.motion, steady & (reading.confidence > 0.3), info.rate_hz
        )
        parts.append(
            Part(
                sighting=sighting, reader=reader.name, why=why, opacity=reader.opacity,
                start=span[0],
                reading=replace(reading, visible=steady), repeated=seen.repeated, latency=lag,
            )
        )  # fmt: skip
    on_progress(total, total)
    return _disjoint(parts)


def _span(sighting: Sighting, info: VideoInfo) -> tuple[int, int]:
    """Rows of a sighting; one that lasts to the end of the video has no end that could cut it."""
    start = round(sighting.start_s * info.rate_hz)
    if sighting.stop_s >= info.duration_s - 1e-6:
        return start, max(info.frame_count, start + 1) + round(info.rate_hz)
    return start, round(sighting.stop_s * info.rate_hz)


def _steady(visible: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Without changes that last for less than `rows` rows."""
    if rows < 2 or not len(visible):
        return visible
    width = 2 * (rows // 2) + 1
    padded = np.pad(visible.astype(np.int32), width // 2, mode="edge")
    near = np.lib.stride_tricks.sliding_window_view(padded, width).sum(axis=1)
    return np.asarray(near * 2 > width)


def _disjoint(parts: list[Part]) -> list[Part]:
    """No row belongs to two parts: the one that shows longer keeps it."""
    parts = sorted(parts, key=lambda part: (-part.visible_rows, part.start))
    stop = max(part.start + len(part.reading.visible) for part in parts)
    taken = np.zeros(stop, np.bool_)
    result = []
    for part in parts:
        rows = slice(part.start, part.start + len(part.reading.visible))
        visible = part.reading.visible & ~taken[rows]
        taken[rows] |= visible
        result.append(replace(part, reading=replace(part.reading, visible=visible)))
    return result


def _write(out: Path, parts: list[Part], cut: Cut) -> Extracted:
    folder = Path(out) / cut.video_id
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be replaced: {error}") from error
    chunks: list[Path] = []
    densities: list[float] = []
    idle = hidden = 0
    for part in sorted(parts, key=lambda part: part.start):
        written = write_part(out, part, cut, len(chunks))
        chunks += written.chunks
        densities += written.densities
        idle, hidden = idle + written.idle, hidden + written.hidden
    if not any(part.visible_rows for part in parts):
        raise ExtractionError(f"{cut.info.path}: an overlay was expected but shows in no frame")
    _log.info("%s: %d chunks, %d idle, %d hidden", cut.video_id, len(chunks), idle, hidden)
    return Extracted(cut.info.path, cut.video_id, cut.info, parts, chunks, idle, hidden, densities)
