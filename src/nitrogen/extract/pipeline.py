"""Video in, chunk folders out.

Locate, read, refine, filter, write. Work in progress lies in `<out>/.work/<video_id>` so that an
interrupted run loses at most the stretch in flight, and the next one ends in the same result.
"""

import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nitrogen.actions import Actions
from nitrogen.data import curate, schema, store
from nitrogen.errors import DataError, VideoError
from nitrogen.extract import refine
from nitrogen.extract.locate import Found, Gray, Library, locate, mean_picture
from nitrogen.extract.matched import MatchedReader, Planes, reading_box
from nitrogen.extract.reader import Reading
from nitrogen.overlay.render import Placement
from nitrogen.overlay.skin import Skin
from nitrogen.video import VideoInfo, keyframes, probe, read_planes

FORMAT = "nitrogen.extraction/1"
EXTRACTION_FILE = "extraction.json"
"""In each chunk: how it was read, what the published layout has no place for."""
DETAILS_FILE = "details.parquet"
"""In each chunk, per row: `confidence`, `visible`, trigger travel."""

_BATCH = 256
_SAMPLES = 120
_FEW = 40
_KEYFRAMES = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How chunks are cut and chosen."""

    game: str = "other"
    controller: str = "other"
    source: str = "local"
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
    found: Found
    chunks: list[Path]
    """Folders written."""
    idle: int
    """Chunks dropped because too little was pressed."""
    hidden: int
    """Chunks dropped because the overlay was not in sight."""
    confidence: float
    """Mean over the video."""


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
    with frames done and frames in all. Running it again continues, or returns the finished result.
    Raises VideoError if the video cannot be read and ExtractionError if no overlay is found.
    """
    config = config or ExtractConfig()
    video_id = video_id or id_of(video)
    info = probe(video)
    if info.rate_hz <= 0:
        raise VideoError(f"{video} has no frame rate; convert it to a constant rate first")
    library = skins if isinstance(skins, Library) else Library(skins)
    pictures = keyframes(video, limit=_KEYFRAMES)
    found = locate(mean_picture(pictures), library)
    reader = MatchedReader(found, _samples(video, found, info))
    work = Path(out) / ".work" / video_id
    rows = round(config.chunk_s * info.rate_hz)
    trace = _scan(video, reader, work=work, rows=rows, total=info.frame_count,
                  key=_key(info, found, config), on_progress=on_progress)  # fmt: skip
    reading = reader.read(trace)
    result = _write(out, video_id, info, found, reading, config)
    shutil.rmtree(work, ignore_errors=True)
    return result


def id_of(video: Path) -> str:
    """A video's id: its file name without suffix, with only letters, digits, `-` and `_`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(video).stem) or "video"


def _samples(video: Path, found: Found, info: VideoInfo) -> list[Planes]:
    """Crops of the overlay from all over the video, for the reader's statistics."""
    box = reading_box(found)
    crops = [p.pixels for p in keyframes(video, limit=_SAMPLES, box=box, planes=True)]
    if len(crops) < _FEW:
        every = max(1, info.frame_count // _FEW)
        pictures = read_planes(video, box)
        crops += [p.pixels for p in pictures if p.index % every == every // 2]
    return crops


def _key(info: VideoInfo, found: Found, config: ExtractConfig) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "bytes": info.path.stat().st_size,
        "skin": found.skin.name,
        "placement": asdict(found.placement),
        "chunk_s": config.chunk_s,
    }


def _scan(
    video: Path,
    reader: MatchedReader,
    *,
    work: Path,
    rows: int,
    total: int,
    key: dict[str, Any],
    on_progress: Callable[[int, int], None],
) -> Gray:
    """The trace of the whole video, stretch by stretch; stretches on disk are not done again."""
    ledger = work / "ledger.json"
    if not ledger.is_file() or json.loads(ledger.read_text()) != key:
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir(parents=True)
            ledger.write_text(json.dumps(key))
        except OSError as error:
            raise DataError(f"{work} cannot be written: {error}") from error
    done = 0
    while (work / f"{done:06d}.npy").is_file():
        done += 1
    parts = [np.load(work / f"{index:06d}.npy") for index in range(done)]
    for part in _stretches(video, reader, rows=rows, start=done * rows):
        target = work / f"{done:06d}.npy"
        partial = work / f".{done:06d}.partial.npy"
        try:
            np.save(partial, part)
            partial.replace(target)
        except OSError as error:
            raise DataError(f"{target} cannot be written: {error}") from error
        parts.append(part)
        done += 1
        on_progress(min(done * rows, total), total)
    return np.concatenate(parts).astype(np.float32)


def _stretches(video: Path, reader: MatchedReader, *, rows: int, start: int) -> Iterator[Gray]:
    crops: list[Planes] = []
    parts: list[Gray] = []
    count = 0
    for picture in read_planes(video, reader.box, start=start):
        crops.append(picture.pixels)
        count += 1
        if len(crops) == _BATCH or count == rows:
            parts.append(reader.scan(crops))
            crops = []
        if count == rows:
            yield np.concatenate(parts)
            parts, count = [], 0
    if crops:
        parts.append(reader.scan(crops))
    if parts:
        yield np.concatenate(parts)


def _write(
    out: Path,
    video_id: str,
    info: VideoInfo,
    found: Found,
    reading: Reading,
    config: ExtractConfig,
) -> Extracted:
    rows = round(config.chunk_s * info.rate_hz)
    processed = refine.refine(reading.actions, confidence=reading.confidence)
    chunks: list[Path] = []
    idle = hidden = 0
    for index in range(len(processed) // rows):
        part = slice(index * rows, (index + 1) * rows)
        if reading.visible[part].mean() < config.min_visible:
            hidden += 1
        elif curate.density(processed[part]) < config.min_density:
            idle += 1
        else:
            metadata = _metadata(video_id, index, info, found, config)
            chunks.append(
                store.write_chunk(
                    out,
                    metadata,
                    reading.actions[part],
                    processed[part],
                    details=_details(found, reading, part),
                )
            )
    _log.info("%s: %d chunks, %d idle, %d hidden", video_id, len(chunks), idle, hidden)
    confidence = float(reading.confidence.mean()) if len(processed) else 0.0
    return Extracted(info.path, video_id, info, found, chunks, idle, hidden, confidence)


def _metadata(
    video_id: str, index: int, info: VideoInfo, found: Found, config: ExtractConfig
) -> schema.ChunkMetadata:
    rows = round(config.chunk_s * info.rate_hz)
    chunk_id = f"{index:04d}"
    return schema.ChunkMetadata(
        uuid=schema.chunk_uuid(video_id, chunk_id),
        chunk_id=chunk_id,
        chunk_size=rows,
        game=config.game,
        controller_type=config.controller,
        bbox_controller_overlay=found.box,
        original_video=schema.SourceVideo(
            video_id=video_id,
            source=config.source,
            url=info.path.name,
            resolution=(info.height, info.width),
            start_time=index * rows / info.rate_hz,
            end_time=(index + 1) * rows / info.rate_hz,
            duration=rows / info.rate_hz,
            start_frame=index * rows,
            end_frame=(index + 1) * rows,
        ),
    )


def _details(found: Found, reading: Reading, part: slice) -> dict[str, str | pa.Table]:
    facts = {
        "format": FORMAT,
        "reader": "matched",
        "skin": found.skin.name,
        "placement": placement_to_dict(found.placement),
        "score": round(found.score, 4),
        "confidence": round(float(reading.confidence[part].mean()), 4),
        "readable": sorted(reading.readable),
    }
    actions: Actions = reading.actions[part]
    table = pa.table(
        {
            "confidence": pa.array(reading.confidence[part]),
            "visible": pa.array(reading.visible[part]),
            "left_trigger": pa.array(np.ascontiguousarray(actions.button("left_trigger"))),
            "right_trigger": pa.array(np.ascontiguousarray(actions.button("right_trigger"))),
        }
    )
    return {EXTRACTION_FILE: json.dumps(facts, indent=2) + "\n", DETAILS_FILE: table}


def placement_to_dict(placement: Placement) -> dict[str, float]:
    """For JSON, rounded to what can be known."""
    return {name: round(float(value), 5) for name, value in asdict(placement).items()}
