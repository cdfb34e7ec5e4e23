"""The quality of a batch: JSON for machines, one HTML page for people, both out of its ledger."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen import files
from nitrogen.errors import DataError
from nitrogen.extract.batch import Progress
from nitrogen.extract.entry import Entry
from nitrogen.report import Report

FORMAT = "nitrogen.quality/1"
QUALITY_JSON = "quality.json"
QUALITY_HTML = "quality.html"

_DOUBTFUL = 0.5
"""Videos read with less confidence are listed for a person to look at."""


def summarize(entries: Sequence[Entry]) -> dict[str, Any]:
    """Totals and means of a batch, for JSON."""
    read = [entry for entry in entries if not entry.cause]
    densities = [density for entry in read for density in entry.densities or []]
    seconds = sum(entry.seconds for entry in read)
    weights = [max(entry.seconds, 1e-6) for entry in read]
    return {
        "videos": len(entries),
        "read": len(read),
        "hours": round(seconds / 3600, 4),
        "chunks": sum(entry.chunks for entry in entries),
        "idle": sum(entry.idle for entry in entries),
        "hidden": sum(entry.hidden for entry in entries),
        "confidence": _mean([entry.confidence for entry in read], weights),
        "visible": _mean([entry.visible for entry in read], weights),
        "repeated": _mean([entry.repeated for entry in read], weights),
        "density": _mean(densities),
        "readers": dict(Counter(entry.reader for entry in read)),
        "skins": dict(Counter(entry.skin or "unknown" for entry in read)),
        "causes": dict(Counter(_kind(entry.cause) for entry in entries if entry.cause)),
        "doubtful": [entry.video for entry in read if entry.confidence < _DOUBTFUL],
    }


def write_quality(out: Path, entries: Sequence[Entry], progress: Progress | None = None) -> Path:
    """Write `quality.json` and `quality.html` into `out`; returns the page.

    progress: of the run just ended, for its speed. Raises DataError if the disk refuses.
    """
    summary = summarize(entries)
    values = {"format": FORMAT, **summary, "entries": [asdict(entry) for entry in entries]}
    path, page = out / QUALITY_JSON, out / QUALITY_HTML
    try:
        out.mkdir(parents=True, exist_ok=True)
        files.write_text(path, json.dumps(values, indent=1) + "\n")
        _page(summary, entries, progress).write(page)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    return page


def _page(summary: dict[str, Any], entries: Sequence[Entry], progress: Progress | None) -> Report:
    lead = (
        f"{summary['read']} of {summary['videos']} videos read, {summary['hours']:.2f} hours;"
        f" {summary['chunks']} chunks written, {summary['idle']} idle and {summary['hidden']}"
        " without overlay left out."
    )
    if progress and progress.video_hours:
        lead += f" This run: {progress.hours_per_hour:.1f} hours of video per hour."
    report = Report("Quality of an extraction", lead)
    read = [entry for entry in entries if not entry.cause]
    report.table(
        "Videos",
        ["video", "min", "skin", "reader", "score", "opacity", "confidence", "visible", "density",
         "repeated", "latency ms", "chunks"],
        [_row(entry) for entry in sorted(read, key=lambda entry: entry.confidence)],
        note="The least certain first. Density: mean share of rows with a button pressed or a stick"
        " beyond 0.2. Latency: by how much the game's picture answers after the overlay, with its"
        " 95 % interval; it includes the game's own time to answer and is never applied."
        " Chunks: written + idle + without overlay.",
    )  # fmt: skip
    report.table(
        "Left out",
        ["cause", "videos"],
        [[cause, str(count)] for cause, count in summary["causes"].items()] or [["none", "0"]],
    )
    refused = [[Path(entry.video).name, entry.cause] for entry in entries if entry.cause]
    if refused:
        report.table("Videos left out", ["video", "cause"], refused)
    curves = {
        "confidence": _sorted([entry.confidence for entry in read]),
        "density of possible chunks": _sorted([d for e in read for d in e.densities or []]),
    }
    lines = {name: line for name, line in curves.items() if len(line[0])}
    if lines:
        report.curves(
            "Confidence and density",
            lines,
            x="share of videos or chunks, sorted",
            y="value",
            note="How many videos lie below which confidence, and chunks below which density.",
        )
    return report


def _row(entry: Entry) -> list[str]:
    lag = "-"
    if entry.latency_s:
        middle, low, high = (round(1000 * value) for value in entry.latency_s)
        lag = f"{middle} [{low}, {high}]"
    density = f"{np.mean(entry.densities):.2f}" if entry.densities else "-"
    skin = entry.skin or "unknown"
    if entry.others:
        skin += f" (beside {', '.join(entry.others)})"
    return [
        Path(entry.video).name,
        f"{entry.seconds / 60:.1f}",
        skin,
        entry.reader,
        f"{entry.score:.2f}",
        "-" if entry.opacity is None else f"{entry.opacity:.2f}",
        f"{entry.confidence:.2f}",
        f"{entry.visible:.2f}",
        density,
        f"{entry.repeated:.2f}",
        lag,
        f"{entry.chunks} + {entry.idle} + {entry.hidden}",
    ]


def _kind(cause: str) -> str:
    """A cause without what differs from video to video."""
    kinds = {
        "no known overlay": "no known overlay", "no video stream": "no video stream",
        "cut off": "cut off or damaged", "holds no": "no frame", "cannot be opened": "not a video",
        "cannot decode": "unknown codec", "time stamps": "broken time stamps",
        "too few": "too short", "its worker died": "worker died",
    }  # fmt: skip
    return next((kind for words, kind in kinds.items() if words in cause), "other")


def _mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    return round(float(np.average(values, weights=weights)), 4) if len(values) else None


def _sorted(values: Sequence[float]) -> tuple[list[float], list[float]]:
    ordered = sorted(values)
    return [(place + 0.5) / len(ordered) for place in range(len(ordered))], ordered
