"""Pad logs beside videos: from what was pressed, at its own pace, to one action per frame.

Two kinds are read. Recorders such as the OBS plugin `input-rec` write `clip.parquet` beside
`clip.mkv`: a column `time` in microseconds since the recording began, SDL's names of buttons (bool)
and axes (16-bit integers, y grows down), about 500 rows a second, and no rows while no pad is
connected. Our own recordings have `clip.pad.parquet`, one row per frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.data import schema, store
from nitrogen.data.prepare import VIDEO_SUFFIXES
from nitrogen.data.truth import read_truth, truth_path
from nitrogen.errors import DataError
from nitrogen.video.info import VideoInfo, probe

SDL_BUTTONS = {
    "SOUTH": "south", "EAST": "east", "WEST": "west", "NORTH": "north", "BACK": "back",
    "GUIDE": "guide", "START": "start", "LEFT_STICK": "left_thumb", "RIGHT_STICK": "right_thumb",
    "LEFT_SHOULDER": "left_shoulder", "RIGHT_SHOULDER": "right_shoulder", "DPAD_UP": "dpad_up",
    "DPAD_DOWN": "dpad_down", "DPAD_LEFT": "dpad_left", "DPAD_RIGHT": "dpad_right",
}  # fmt: skip
"""Ours by SDL's name; others that a log may hold (paddles, MISC1) have no place on our pad."""
SDL_TRIGGERS = {"LEFT_TRIGGER": "left_trigger", "RIGHT_TRIGGER": "right_trigger"}
SDL_STICKS = {"LEFTX": "left_x", "LEFTY": "left_y", "RIGHTX": "right_x", "RIGHTY": "right_y"}

LONGEST_GAP_S = 0.1
"""Longer without a row means that no pad was connected; such frames get no action."""
_FULL = 32767.0
_MICROSECONDS = 1e6


@dataclass(frozen=True, eq=False)
class PadLog:
    """Pad states at the times when they were read."""

    time_s: NDArray[np.float64]
    """(N,), ascending, since the video began."""
    actions: Actions
    """N rows."""

    def at(self, times_s: NDArray[np.float64]) -> tuple[Actions, NDArray[np.bool_]]:
        """One action for each time, and whether the log covers it.

        Buttons are those of the last row before; sticks and triggers lie on the line between the
        rows around.
        """
        after = np.searchsorted(self.time_s, times_s, side="right")
        before = np.clip(after - 1, 0, len(self.time_s) - 1)
        after = np.clip(after, 0, len(self.time_s) - 1)
        gap = self.time_s[after] - self.time_s[before]
        outside = np.maximum(self.time_s[0] - times_s, times_s - self.time_s[-1])
        covered = (gap <= LONGEST_GAP_S) & (outside <= LONGEST_GAP_S)
        part = np.clip((times_s - self.time_s[before]) / np.maximum(gap, 1e-9), 0, 1)[:, None]
        held, following = self.actions.buttons[before].copy(), self.actions.buttons[after]
        for name in SDL_TRIGGERS.values():
            index = BUTTONS.index(name)
            held[:, index] += part[:, 0] * (following[:, index] - held[:, index])
        left, right = self.actions.sticks[before], self.actions.sticks[after]
        return Actions(held, left + part * (right - left)), covered


def log_path(clip: Path) -> Path | None:
    """The log beside a video: ours (`clip.pad.parquet`) or another's (`clip.parquet`)."""
    for path in (truth_path(clip), clip.with_suffix(".parquet")):
        if path.is_file():
            return path
    return None


def read_log(path: Path) -> PadLog:
    """Read a log with timestamps. Raises DataError if it is damaged or has other columns."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    names = {name.upper(): name for name in table.column_names}
    wanted = ["TIME", *SDL_BUTTONS, *SDL_TRIGGERS, *SDL_STICKS]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(
            f"{path} is no pad log: missing columns {missing}; expected time (microseconds) and"
            " SDL's names of buttons and axes"
        )

    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(table[names[name]], np.float64)

    try:
        time_s = column("TIME") / _MICROSECONDS
        buttons = Actions.released(len(time_s)).buttons
        for name, ours in SDL_BUTTONS.items():
            buttons[:, BUTTONS.index(ours)] = column(name)
        for name, ours in SDL_TRIGGERS.items():
            buttons[:, BUTTONS.index(ours)] = np.clip(column(name) / _FULL, 0, 1)
        by_ours = {ours: name for name, ours in SDL_STICKS.items()}
        sticks = [np.clip(column(by_ours[name]) / _FULL, -1, 1) for name in STICKS]
    except (TypeError, ValueError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} holds something else than numbers: {error}") from error
    if not len(time_s) or not np.isfinite(time_s).all() or (np.diff(time_s) < 0).any():
        raise DataError(f"{path}: times must be there and ascend")
    return PadLog(time_s, Actions(buttons, np.stack(sticks, axis=1).astype(np.float32)))


def import_log(clip: Path, out: Path, *, game: str = "other", offset_s: float = 0.0) -> list[Path]:
    """Write the chunks of a video with a pad log beside it; returns their folders.

    offset_s: added to the log's times, if it began later (or, negative, earlier) than the video.
    Frames that the log does not cover belong to no chunk, and no stretch of chunks reaches across
    them or from one episode of a recording to the next. Raises DataError or VideoError.
    """
    path = log_path(clip)
    if path is None:
        raise DataError(f"no pad log beside {clip}: expected {clip.with_suffix('.parquet')}")
    info = probe(clip)
    actions, covered, box = _per_frame(path, info, offset_s)
    folders: list[Path] = []
    for first, last in _stretches(covered):
        rows = round(schema.CHUNK_S * info.rate_hz)
        for start in range(first, last, rows):
            stop = min(start + rows, last)
            metadata = _metadata(clip, info, game, box, len(folders), start, stop)
            folders.append(store.write_chunk(out, metadata, actions[start:stop]))
    if not folders:
        raise DataError(f"{path} covers no frame of {clip}; is it the log of this video?")
    return folders


def _per_frame(
    path: Path, info: VideoInfo, offset_s: float
) -> tuple[Actions, NDArray[np.bool_], tuple[int, int, int, int]]:
    """Actions, which frames have one, and where an overlay is shown."""
    if path != truth_path(info.path):
        times = np.arange(info.frame_count) / info.rate_hz - offset_s
        return (*read_log(path).at(times), (0, 0, 0, 0))
    truth = read_truth(path)
    if len(truth.actions) != info.frame_count:
        raise DataError(
            f"{path} has {len(truth.actions)} rows, {info.path} has {info.frame_count} frames;"
            " record the clip again"
        )
    covered = np.ones(len(truth.actions), bool)
    if truth.episode is not None:
        # The last frame of an episode leads nowhere.
        covered[:-1] = truth.episode[1:] == truth.episode[:-1]
    x, y, width, height = truth.facts.get("box", (0, 0, 0, 0))
    return truth.actions, covered, (int(x), int(y), int(width), int(height))


def _stretches(covered: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First row and end of each unbroken stretch of covered rows."""
    edges = np.flatnonzero(np.diff(np.r_[False, covered, False].astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        yield int(first), int(last)


def _metadata(
    clip: Path,
    info: VideoInfo,
    game: str,
    box: tuple[int, int, int, int],
    number: int,
    start: int,
    stop: int,
) -> schema.ChunkMetadata:
    video_id, chunk_id = clip.stem, f"{number:04d}"
    return schema.ChunkMetadata(
        uuid=schema.chunk_uuid(video_id, chunk_id),
        chunk_id=chunk_id,
        chunk_size=stop - start,
        game=game,
        controller_type="other",
        bbox_controller_overlay=box,
        original_video=schema.SourceVideo(
            video_id=video_id,
            source="local",
            url=clip.name,
            resolution=(info.height, info.width),
            start_time=start / info.rate_hz,
            end_time=stop / info.rate_hz,
            duration=(stop - start) / info.rate_hz,
            start_frame=start,
            end_frame=stop,
        ),
    )


def beside_videos(folder: Path) -> list[Path]:
    """Videos below a folder, or the video itself, that have a pad log beside them."""
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    return [p for p in paths if p.suffix.lower() in VIDEO_SUFFIXES and log_path(p) is not None]
