"""Columns, metadata and folder layout of a chunk: those of the published data set.

The one place that knows the published names. A chunk is 20 s of one video with its actions, in a
folder `<video_id>/<video_id>_chunk_NNNN/` that holds `metadata.json`, `actions_raw.parquet` and
often `actions_processed.parquet`. Row i belongs to source frame `start_frame` + i.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nitrogen.actions import BUTTONS, Actions
from nitrogen.errors import DataError

METADATA_FILE = "metadata.json"
RAW_FILE = "actions_raw.parquet"
PROCESSED_FILE = "actions_processed.parquet"
STICK_COLUMNS = ("j_left", "j_right")
CHUNK_S = 20.0
"""Length of a published chunk in seconds."""

COLUMNS = pa.schema(
    [*((name, pa.bool_()) for name in BUTTONS)]
    + [(name, pa.list_(pa.float32())) for name in STICK_COLUMNS]
)
"""How we write both action files; published files also hold integers."""

_NAMESPACE = uuid.UUID("6b0f3f0e-8b0c-5a8e-9f43-0c6d0f1f7a11")


@dataclass(frozen=True, kw_only=True)
class GameArea:
    """The part of the picture that shows the game, in shares of width and height."""

    xtl: float
    ytl: float
    xbr: float
    ybr: float


@dataclass(frozen=True, kw_only=True)
class SourceVideo:
    """Where a chunk was cut from."""

    video_id: str
    source: str
    url: str
    resolution: tuple[int, int]
    """(height, width) in pixels."""
    start_time: float
    """Of the chunk, in seconds."""
    end_time: float
    duration: float
    start_frame: int
    end_frame: int


@dataclass(frozen=True, kw_only=True)
class ChunkMetadata:
    """What `metadata.json` holds."""

    uuid: str
    chunk_id: str
    """Four digits, "0007"."""
    chunk_size: int
    """Rows."""
    game: str
    controller_type: str
    bbox_controller_overlay: tuple[int, int, int, int]
    """x, y, width, height in source pixels; may reach beyond the frame."""
    original_video: SourceVideo
    bbox_game_area: GameArea | None = None
    bbox_others: list[Any] | None = None

    @property
    def rate_hz(self) -> float:
        """Rows per second; the layout has no key for it."""
        duration = self.original_video.duration
        return self.chunk_size / (duration if duration > 0 else CHUNK_S)

    @property
    def folder_name(self) -> str:
        """`<video_id>_chunk_<chunk_id>`."""
        return f"{self.original_video.video_id}_chunk_{self.chunk_id}"

    def overlay_box(self) -> tuple[int, int, int, int]:
        """The overlay's x, y, width and height, clamped to the frame."""
        return self._clamped(self.bbox_controller_overlay)

    def masked_boxes(self) -> list[tuple[int, int, int, int]]:
        """What a policy must not see: the overlay and every other one, clamped to the frame."""
        others = [
            _box(other)
            for other in self.bbox_others or []
            if isinstance(other, list) and len(other) == 4
        ]
        return [self.overlay_box(), *(self._clamped(other) for other in others)]

    def _clamped(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        height, width = self.original_video.resolution
        x, y, w, h = box
        left, top = min(max(x, 0), width), min(max(y, 0), height)
        right, bottom = min(max(x + w, left), width), min(max(y + h, top), height)
        return left, top, right - left, bottom - top


def chunk_uuid(video_id: str, chunk_id: str) -> str:
    """The same name for the same chunk, whenever it is made."""
    return str(uuid.uuid5(_NAMESPACE, f"{video_id}/{chunk_id}"))


def metadata_to_json(metadata: ChunkMetadata) -> str:
    """The text of `metadata.json`; keys without a value are left out as in published files."""
    video = metadata.original_video
    values: dict[str, Any] = {
        "uuid": metadata.uuid,
        "chunk_id": metadata.chunk_id,
        "chunk_size": metadata.chunk_size,
        "game": metadata.game,
        "controller_type": metadata.controller_type,
        "bbox_controller_overlay": list(metadata.bbox_controller_overlay),
    }
    if metadata.bbox_game_area is not None:
        values["bbox_game_area"] = vars(metadata.bbox_game_area)
    if metadata.bbox_others is not None:
        values["bbox_others"] = metadata.bbox_others
    values["original_video"] = {**vars(video), "resolution": list(video.resolution)}
    return json.dumps(values, indent=2) + "\n"


def metadata_from_json(text: str, *, where: str) -> ChunkMetadata:
    """Read `metadata.json`, ours or published. Raises DataError, naming `where` and the key."""
    try:
        values = json.loads(text)
        video = values["original_video"]
        area = values.get("bbox_game_area")
        return ChunkMetadata(
            uuid=str(values["uuid"]),
            chunk_id=str(values["chunk_id"]),
            chunk_size=int(values["chunk_size"]),
            game=str(values.get("game") or "other"),
            controller_type=str(values.get("controller_type") or "other"),
            bbox_controller_overlay=_box(values["bbox_controller_overlay"]),
            bbox_game_area=None if area is None else GameArea(**{k: float(area[k]) for k in area}),
            bbox_others=values.get("bbox_others"),
            original_video=SourceVideo(
                video_id=str(video["video_id"]),
                source=str(video.get("source", "")),
                url=str(video.get("url", "")),
                resolution=(int(video["resolution"][0]), int(video["resolution"][1])),
                start_time=float(video["start_time"]),
                end_time=float(video["end_time"]),
                duration=float(video["duration"]),
                start_frame=int(video["start_frame"]),
                end_frame=int(video["end_frame"]),
            ),
        )
    except KeyError as error:
        raise DataError(f"{where}: missing key {error}; is this a chunk's metadata?") from None
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(f"{where} cannot be read as a chunk's metadata: {error}") from error


def _box(values: Any) -> tuple[int, int, int, int]:
    x, y, w, h = (round(float(value)) for value in values)
    return x, y, w, h


def actions_to_table(actions: Actions) -> pa.Table:
    """The 17 button columns as bool (travel above one half) and `j_left`, `j_right` as lists."""
    pressed = actions.pressed()
    columns = [pa.array(pressed[:, index]) for index in range(len(BUTTONS))]
    offsets = pa.array(np.arange(0, 2 * len(actions) + 1, 2, dtype=np.int32))
    for first in (0, 2):
        flat = np.ascontiguousarray(actions.sticks[:, first : first + 2]).ravel()
        columns.append(pa.ListArray.from_arrays(offsets, pa.array(flat)))
    return pa.table(columns, schema=COLUMNS)


def actions_from_table(table: pa.Table, *, where: str) -> Actions:
    """Read either action file, ours or published: bool or integer buttons, any number as stick.

    Raises DataError if a column is missing, empty cells appear or values are out of range.
    """
    missing = [name for name in (*BUTTONS, *STICK_COLUMNS) if name not in table.column_names]
    if missing:
        raise DataError(f"{where}: missing columns {missing}")
    try:
        buttons = [np.asarray(table[name], np.float32) for name in BUTTONS]
        sticks = [_stick(table[name]) for name in STICK_COLUMNS]
        flat = np.concatenate(sticks, axis=1) if len(table) else np.zeros((0, 4), np.float32)
        return Actions(
            np.stack(buttons, axis=1).reshape(len(table), len(BUTTONS)), np.clip(flat, -1, 1)
        )
    except (ValueError, TypeError, pa.ArrowInvalid) as error:
        raise DataError(f"{where} does not hold actions: {error}") from error


def _stick(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    flat = np.asarray(column.combine_chunks().flatten(), np.float32)
    if flat.size != 2 * len(column) or not np.isfinite(flat).all():
        raise ValueError("every stick cell must be a list [x, y] of numbers")
    return flat.reshape(-1, 2)
