"""What became of one video, in one line of a batch's ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.extract.latency import Latency
from nitrogen.extract.pipeline import Extracted


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What became of one video."""

    video: str
    """Path as given."""
    video_id: str
    size: int
    """Bytes."""
    library: str
    """Short name of the set of skins that was looked for."""
    cause: str = ""
    """Why nothing came out; empty if something did. What follows is 0 or empty then."""
    seconds: float = 0.0
    """Length of the video."""
    rate_hz: float = 0.0
    chunks: int = 0
    idle: int = 0
    hidden: int = 0
    sightings: int = 0
    reader: str = ""
    why: str = ""
    """Why this reader."""
    skin: str = ""
    """Empty if it is not known."""
    score: float = 0.0
    opacity: float | None = None
    box: list[int] | None = None
    others: list[str] | None = None
    """Skins of further overlays, which were not read."""
    confidence: float = 0.0
    visible: float = 0.0
    """Share of the rows read in which the overlay shows."""
    repeated: float = 0.0
    """Share of frames that are the one before again."""
    densities: list[float] | None = None
    """Share of active rows of every possible chunk."""
    latency_s: list[float] | None = None
    """Estimate, and the ends of its 95 % interval; None if nothing answers clearly."""


def finished(result: Extracted, size: int, library: str) -> Entry:
    """The entry of a video that was read."""
    part, found = result.parts[0], result.found
    lag: Latency | None = part.latency
    rows = [one.reading.visible for one in result.parts]
    return Entry(
        video=str(result.video),
        video_id=result.video_id,
        size=size,
        library=library,
        seconds=round(result.info.duration_s, 3),
        rate_hz=round(result.info.rate_hz, 4),
        chunks=len(result.chunks),
        idle=result.idle,
        hidden=result.hidden,
        sightings=len(result.parts),
        reader=part.reader,
        why=part.why,
        skin=found.skin.name if found else "",
        score=round(found.score, 4) if found else 0.0,
        opacity=None if part.opacity is None else round(part.opacity, 3),
        box=list(part.sighting.box),
        others=[other.name for other in part.sighting.others],
        confidence=round(result.confidence, 4),
        visible=_mean(rows),
        repeated=_mean([one.repeated for one in result.parts]),
        densities=result.densities,
        latency_s=[lag.seconds, lag.low_s, lag.high_s] if lag else None,
    )


def failed(video: Path, video_id: str, size: int, library: str, cause: str) -> Entry:
    """The entry of a video out of which nothing came."""
    return Entry(video=str(video), video_id=video_id, size=size, library=library, cause=cause)


def _mean(rows: list[Any]) -> float:
    return round(float(np.concatenate(rows).mean()), 4)
