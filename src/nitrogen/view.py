"""Look at what was extracted: the actions drawn beside the video, and one page about all chunks.

Reads chunk folders, ours or published; what a chunk does not have is said to be missing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nitrogen import draw
from nitrogen.actions import BUTTON_INDEX, BUTTONS, FRAME_SIZE, Actions, Frame
from nitrogen.data import curate
from nitrogen.data.store import Chunk
from nitrogen.errors import DataError
from nitrogen.extract.chunks import DETAILS_FILE, EXTRACTION_FILE
from nitrogen.report import Report
from nitrogen.video.info import VideoInfo, probe
from nitrogen.video.reading import read
from nitrogen.video.writing import VideoWriter

_AHEAD_S = 1.5
"""How much of what comes is drawn as a roll of curves beside the picture."""
_THUMBS, _COLUMNS, _THUMB = 36, 3, (304, 171)
_EMBED = 12_000_000
"""Bytes of a film that still go into the page."""
_CURVES = ("confidence", "visible", "repeated")
_TRIGGERS = ("left_trigger", "right_trigger")


@dataclass(frozen=True, eq=False)
class Notes:
    """What extraction wrote beside a chunk's actions; empty for labels of other origin."""

    facts: dict[str, Any]
    """`reader`, `skin`, `score`, `latency`, ..."""
    columns: dict[str, NDArray[np.float32]]
    """Per row: `confidence`, `visible`, `repeated`, travel of the triggers."""


def read_notes(chunk: Chunk) -> Notes:
    """The notes of a chunk. Raises DataError if a file is there and cannot be read."""
    facts_file, rows_file = chunk.folder / EXTRACTION_FILE, chunk.folder / DETAILS_FILE
    try:
        facts = json.loads(facts_file.read_text()) if facts_file.is_file() else {}
        table = pq.read_table(rows_file) if rows_file.is_file() else pa.table({})
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise DataError(f"{chunk.folder}: its notes cannot be read: {error}") from error
    columns = {name: np.asarray(table[name], np.float32) for name in table.column_names}
    if any(len(column) != chunk.metadata.chunk_size for column in columns.values()):
        raise DataError(f"{rows_file} has another number of rows than the chunk's metadata says")
    return Notes(facts, columns)


def view(
    chunks: Sequence[Chunk], video: Path, out: Path, *, seconds: float = 60.0
) -> tuple[Path, Path]:
    """Write `view.mp4` (the first `seconds` of the chunks) and `view.html`; returns both paths.

    Raises DataError if the chunks are of several videos, or not of this one, and VideoError if the
    video cannot be read.
    """
    info = _checked(chunks, video)
    clip = film(chunks, video, out / "view.mp4", seconds=seconds)
    thumbs = out / ".thumbs.jpg"
    try:
        thumbs.write_bytes(_jpeg(thumbnails(chunks, video)))
        page = report(chunks, info, thumbs, clip)
        page.write(out / "view.html")
    finally:
        thumbs.unlink(missing_ok=True)
    return clip, out / "view.html"


def film(chunks: Sequence[Chunk], video: Path, path: Path, *, seconds: float = 60.0) -> Path:
    """A 720p video: each frame, what the policy would see of it, its actions and those to come."""
    info = _checked(chunks, video)
    left = round(seconds * info.rate_hz)
    with VideoWriter(
        path, (1280, 720), rate_hz=info.rate_hz, crf=27, options={"preset": "ultrafast"}
    ) as writer:
        for chunk in chunks:
            for picture in _scenes(chunk, video, min(left, chunk.metadata.chunk_size)):
                writer.write(picture)
            left -= chunk.metadata.chunk_size
            if left <= 0:
                break
    return path


def _scenes(chunk: Chunk, video: Path, rows: int) -> Iterator[Frame]:
    notes, start = read_notes(chunk), chunk.start_frame
    actions = shown_actions(chunk, notes)
    ahead = max(2, round(_AHEAD_S * chunk.rate_hz))
    for picture in read(video, start=start, stop=start + rows):
        row = picture.index - start
        lines = [f"frame {picture.index}", f"{picture.time_s:.2f} s"]
        for name in _CURVES[:2]:
            value = notes.columns.get(name)
            lines.append(f"{name} " + ("missing" if value is None else f"{value[row]:.2f}"))
        yield draw.scene(
            _marked(picture.pixels, chunk), _seen(picture.pixels, chunk),
            actions[row : row + ahead], execute=1, title=chunk.folder.name, lines=lines,
            caption=f"actions, the next {_AHEAD_S:g} s (framed: this frame)",
        )  # fmt: skip


def shown_actions(chunk: Chunk, notes: Notes) -> Actions:
    """The chunk's actions, with the travel of the triggers where it was written."""
    actions = chunk.actions()
    buttons = actions.buttons.copy()
    for name in _TRIGGERS:
        if name in notes.columns:
            buttons[:, BUTTON_INDEX[name]] = np.clip(notes.columns[name], 0, 1)
    return Actions(buttons, actions.sticks)


def thumbnails(chunks: Sequence[Chunk], video: Path) -> Frame:
    """The middle frame of up to 36 chunks with the overlay framed and the actions read there."""
    step = max(1, -(-len(chunks) // _THUMBS))
    chosen = chunks[::step]
    width, height = _THUMB
    rows = -(-len(chosen) // _COLUMNS)
    sheet = np.full((rows * (height + 26), _COLUMNS * (width + 8), 3), draw.BACKGROUND, np.uint8)
    for index, chunk in enumerate(chosen):
        row = chunk.metadata.chunk_size // 2
        frame = next(read(video, start=chunk.start_frame + row)).pixels
        small = cv2.resize(_marked(frame, chunk), _THUMB, interpolation=cv2.INTER_AREA)
        left, top = index % _COLUMNS * (width + 8), index // _COLUMNS * (height + 26)
        sheet[top : top + height, left : left + width] = small
        pad = np.full((78, 120, 3), draw.BACKGROUND, np.uint8)
        draw.pad(pad, (0, 0, 120, 78), shown_actions(chunk, read_notes(chunk))[row : row + 1])
        sheet[top : top + 78, left + width - 120 : left + width] = pad
        at = chunk.metadata.original_video.start_time + row / chunk.rate_hz
        name = f"chunk {chunk.metadata.chunk_id}, {int(at) // 60}:{at % 60:04.1f}"
        draw.label(sheet, name, (left + 2, top + height + 17), size=0.42)
    return sheet


def report(
    chunks: Sequence[Chunk], info: VideoInfo, thumbs: Path | None, clip: Path | None
) -> Report:
    """One page about the chunks of one video: facts, curves, thumbnails, presses, film."""
    notes = [read_notes(chunk) for chunk in chunks]
    rate_hz = chunks[0].rate_hz
    page = Report(
        f"Extracted from {info.path.name}",
        f"{len(chunks)} chunks, {sum(c.metadata.chunk_size for c in chunks)} rows at {rate_hz:g} Hz"
        f" out of {info.duration_s:.0f} s of {info.width}x{info.height} {info.codec}.",
    )
    page.table("Chunks", ("chunk", "from", "reader", "skin", "score", "confidence", "visible",
                          "density", "latency"),
               [_row(chunk, note) for chunk, note in zip(chunks, notes, strict=True)],
               note="Density: share of rows with a button pressed or a stick beyond"
               f" {curate.STICK_ACTIVE}. Latency: by how many milliseconds the game's picture"
               " answers after the overlay shows the input, with its 95 % interval.")  # fmt: skip
    _curves(page, chunks, notes)
    if thumbs is not None:
        page.picture("Middle frames", thumbs, note="The framed part is hidden from the policy.")
    page.table("Presses", ("button", "presses", "per minute", "share held", "median ms"),
               list(_presses(chunks)))  # fmt: skip
    if clip is not None and clip.stat().st_size <= _EMBED:
        page.clip("Film", clip, note="What the policy sees is small on the right: no overlay.")
    return page


def _curves(page: Report, chunks: Sequence[Chunk], notes: Sequence[Notes]) -> None:
    lines = {}
    for name in _CURVES:
        values = [note.columns.get(name) for note in notes]
        if all(value is not None for value in values):
            lines[name] = _by_second(chunks, [v for v in values if v is not None])
    missing = [name for name in _CURVES if name not in lines]
    if lines:
        page.curves("Confidence, overlay in sight, repeated frames", lines, x="minutes", y="share",
                    note=f"Missing: {', '.join(missing)}." if missing else "")  # fmt: skip
    else:
        page.table("Confidence", ("",), [("missing: these labels came without notes",)])
    density = [curate.active(chunk.actions()).astype(np.float32) for chunk in chunks]
    page.curves("Density", {"active rows": _by_second(chunks, density)}, x="minutes", y="share",
                note="By the second; gaps are parts of the video that were left out.")  # fmt: skip


def _by_second(
    chunks: Sequence[Chunk], values: Sequence[NDArray[np.float32]]
) -> tuple[list[float], list[float]]:
    """Means by the second of the video, with a gap (NaN) between chunks that do not touch."""
    xs: list[float] = []
    ys: list[float] = []
    for chunk, column in zip(chunks, values, strict=True):
        start_s = chunk.start_frame / chunk.rate_hz
        if xs and start_s - 60 * xs[-1] > 1.5:
            xs.append((60 * xs[-1] + 0.5) / 60)
            ys.append(float("nan"))
        second = max(1, round(chunk.rate_hz))
        for first in range(0, len(column), second):
            xs.append((start_s + (first + second / 2) / chunk.rate_hz) / 60)
            ys.append(float(column[first : first + second].mean()))
    return xs, ys


def _row(chunk: Chunk, notes: Notes) -> list[str]:
    facts = notes.facts

    def number(key: str) -> str:
        value = facts.get(key)
        return "missing" if value is None else f"{value:.2f}"

    latency = facts.get("latency")
    answer = "missing"
    if isinstance(latency, dict):
        low, middle, high = (1000 * float(latency[k]) for k in ("low_s", "seconds", "high_s"))
        answer = f"{middle:.0f} [{low:.0f}, {high:.0f}] ms"
    density = curate.density(chunk.actions())
    at = chunk.metadata.original_video.start_time
    return [
        chunk.metadata.chunk_id, f"{int(at) // 60}:{at % 60:04.1f}",
        str(facts.get("reader") or "missing"), str(facts.get("skin") or "missing"),
        number("score"), number("confidence"), number("visible"), f"{density:.2f}", answer,
    ]  # fmt: skip


def _presses(chunks: Sequence[Chunk]) -> Iterator[list[str]]:
    pressed = [chunk.actions().pressed() for chunk in chunks]
    minutes = sum(len(part) / chunk.rate_hz for part, chunk in zip(pressed, chunks, strict=True))
    for index, name in enumerate(BUTTONS):
        lengths: list[float] = []
        for part, chunk in zip(pressed, chunks, strict=True):
            edges = np.diff(part[:, index].astype(np.int8), prepend=0, append=0)
            runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
            lengths += [float(run) / chunk.rate_hz for run in runs]
        held = float(np.mean(np.concatenate([part[:, index] for part in pressed])))
        yield [
            name, str(len(lengths)), f"{60 * len(lengths) / minutes:.1f}", f"{held:.3f}",
            f"{1000 * float(np.median(lengths)):.0f}" if lengths else "",
        ]  # fmt: skip


def _checked(chunks: Sequence[Chunk], video: Path) -> VideoInfo:
    ids = sorted({chunk.video_id for chunk in chunks})
    if len(ids) != 1:
        raise DataError(f"give the chunks of one video, not of {len(ids)}: {ids[:5]}")
    info = probe(video)
    height, width = chunks[0].metadata.original_video.resolution
    last = max(chunk.start_frame + chunk.metadata.chunk_size for chunk in chunks)
    if abs(width / height - info.width / info.height) > 0.02:
        raise DataError(
            f"the chunks were read from a video of {width}x{height}, {video} is"
            f" {info.width}x{info.height}; is it the right one?"
        )
    if last > info.frame_count + info.rate_hz:
        raise DataError(f"the chunks end at frame {last}, {video} has {info.frame_count}")
    return info


def _box(chunk: Chunk, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The overlay's box in a picture of `size` that shows the whole frame."""
    height, width = chunk.metadata.original_video.resolution
    return curate.scale_box(chunk.overlay_box, (width, height), size)


def _marked(frame: Frame, chunk: Chunk) -> Frame:
    x, y, width, height = _box(chunk, (frame.shape[1], frame.shape[0]))
    thick = max(1, frame.shape[0] // 240)
    marked = frame.copy()
    cv2.rectangle(marked, (x, y), (x + width - 1, y + height - 1), draw.WARM, thick)
    return marked


def _seen(frame: Frame, chunk: Chunk) -> Frame:
    size = (FRAME_SIZE, FRAME_SIZE)
    small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return curate.mask_overlay(small, _box(chunk, size))


def _jpeg(picture: Frame) -> bytes:
    code = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", code, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
