"""From a reading to chunk folders: where chunks begin, which are worth keeping, what is written."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.data import curate, schema, store
from nitrogen.extract import refine
from nitrogen.extract.latency import Latency
from nitrogen.extract.reader import ReaderName, Reading
from nitrogen.extract.sightings import Sighting
from nitrogen.overlay.render import Placement
from nitrogen.video.info import VideoInfo

FORMAT = "nitrogen.extraction/1"
EXTRACTION_FILE = "extraction.json"
"""In each chunk: how it was read, what the published layout has no place for."""
DETAILS_FILE = "details.parquet"
"""In each chunk, per row: `confidence`, `visible`, `repeated`, trigger travel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One sighting, read."""

    sighting: Sighting
    reader: ReaderName
    why: str
    """Why this reader."""
    opacity: float | None
    start: int
    """Row of the video at which the reading begins."""
    reading: Reading
    repeated: NDArray[np.bool_]
    latency: Latency | None

    @property
    def visible_rows(self) -> int:
        """Rows in which the overlay shows."""
        return int(self.reading.visible.sum())


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How chunks are cut from a video and labelled."""

    video_id: str
    info: VideoInfo
    game: str
    controller: str
    source: str
    rows: int
    min_density: float
    min_visible: float


@dataclass
class Written:
    """What became of a part's rows."""

    chunks: list[Path]
    idle: int
    hidden: int
    densities: list[float]
    """Of every stretch long enough for a chunk in which the overlay shows, kept or not."""


def starts(visible: NDArray[np.bool_], rows: int, minimum: float) -> list[int]:
    """Where chunks of `rows` rows begin, so that each shows the overlay in a share of `minimum`.

    A chunk that would show it less begins anew behind the last row that hides it.
    """
    found, at = [], int(visible.argmax()) if visible.any() else len(visible)
    while at + rows <= len(visible):
        window = visible[at : at + rows]
        if window.mean() >= minimum:
            found.append(at)
            at += rows
            continue
        at += int(np.flatnonzero(~window)[-1]) + 1
        shown = np.flatnonzero(visible[at:])
        at = at + int(shown[0]) if len(shown) else len(visible)
    return found


def write_part(out: Path, part: Part, cut: Cut, first_chunk: int) -> Written:
    """Write the chunks of one part, numbered from `first_chunk`; idle ones are left out.

    Raises DataError if the disk refuses.
    """
    reading = part.reading
    raw = refine.held(reading.actions, reading.visible)
    processed = refine.refine(raw, confidence=reading.confidence, travel_known=reading.travel_known)
    places = starts(reading.visible, cut.rows, cut.min_visible)
    result = Written([], 0, max(len(raw) // cut.rows - len(places), 0), [])
    for place in places:
        rows = slice(place, place + cut.rows)
        density = curate.density(processed[rows])
        result.densities.append(round(density, 3))
        if density < cut.min_density:
            result.idle += 1
            continue
        metadata = _metadata(part, cut, first_chunk + len(result.chunks), part.start + place)
        details = _details(part, rows, density)
        result.chunks.append(
            store.write_chunk(out, metadata, raw[rows], processed[rows], details=details)
        )
    return result


def _metadata(part: Part, cut: Cut, number: int, start: int) -> schema.ChunkMetadata:
    chunk_id, rate_hz = f"{number:04d}", cut.info.rate_hz
    return schema.ChunkMetadata(
        uuid=schema.chunk_uuid(cut.video_id, chunk_id),
        chunk_id=chunk_id,
        chunk_size=cut.rows,
        game=cut.game,
        controller_type=cut.controller,
        bbox_controller_overlay=part.sighting.box,
        bbox_others=[list(other.box) for other in part.sighting.others] or None,
        original_video=schema.SourceVideo(
            video_id=cut.video_id,
            source=cut.source,
            url=cut.info.path.name,
            resolution=(cut.info.height, cut.info.width),
            start_time=start / rate_hz,
            end_time=(start + cut.rows) / rate_hz,
            duration=cut.rows / rate_hz,
            start_frame=start,
            end_frame=start + cut.rows,
        ),
    )


def _details(part: Part, rows: slice, density: float) -> dict[str, str | pa.Table]:
    reading, found = part.reading, part.sighting.found
    facts: dict[str, Any] = {
        "format": FORMAT,
        "reader": part.reader,
        "why": part.why,
        "skin": found.skin.name if found else "",
        "placement": placement_to_dict(found.placement) if found else None,
        "score": round(found.score, 4) if found else None,
        "opacity": None if part.opacity is None else round(part.opacity, 3),
        "confidence": round(float(reading.confidence[rows].mean()), 4),
        "visible": round(float(reading.visible[rows].mean()), 4),
        "repeated": round(float(part.repeated[rows].mean()), 4),
        "density": round(density, 4),
        "readable": sorted(reading.readable),
        "latency": asdict(part.latency) if part.latency else None,
        "others": [
            {"skin": other.name, "box": list(other.box), "score": round(other.score, 4)}
            for other in part.sighting.others
        ],
    }
    actions: Actions = reading.actions[rows]
    table = pa.table(
        {
            "confidence": pa.array(reading.confidence[rows]),
            "visible": pa.array(reading.visible[rows]),
            "repeated": pa.array(part.repeated[rows]),
            "left_trigger": pa.array(np.ascontiguousarray(actions.button("left_trigger"))),
            "right_trigger": pa.array(np.ascontiguousarray(actions.button("right_trigger"))),
        }
    )
    return {EXTRACTION_FILE: json.dumps(facts, indent=2) + "\n", DETAILS_FILE: table}


def placement_to_dict(placement: Placement) -> dict[str, float]:
    """For JSON, rounded to what can be known."""
    return {name: round(float(value), 5) for name, value in asdict(placement).items()}
