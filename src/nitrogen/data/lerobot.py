"""LeRobot data sets, version 3.0: the layout, and writing it from prepared chunks.

An unbroken stretch of chunks becomes an episode. Pictures are those that a policy would see,
overlay masked; actions are 21 numbers, the 17 buttons and 4 stick axes by name.

    meta/info.json  meta/stats.json  meta/tasks.parquet  meta/episodes/chunk-000/file-000.parquet
    data/chunk-000/file-000.parquet  videos/observation.images.screen/chunk-000/file-000.mp4
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.data import frames
from nitrogen.data.store import Chunk, Skip
from nitrogen.errors import DataError
from nitrogen.files import replacing_folder
from nitrogen.video.writing import VideoWriter

VERSION = "v3.0"
VIDEO_KEY = "observation.images.screen"
ACTION_NAMES = [*BUTTONS, *STICKS]
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
DATA_PATH = f"data/{FILE}.parquet"
VIDEO_PATH = f"videos/{{video_key}}/{FILE}.mp4"
EPISODES_PATH = f"meta/episodes/{FILE}.parquet"
INFO_PATH, STATS_PATH, TASKS_PATH = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
FILES_PER_CHUNK = 1000
ROWS_PER_FILE = 50_000
"""Rows after which a new data and video file begins: some 100 MB of video at 256 px."""
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
_COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
_SAMPLED = 64
"""Frames of an episode from which the statistics of its pictures are taken."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    episodes: int
    rows: int
    skips: tuple[Skip, ...]
    """Chunks without frames of that size, or with broken labels."""


@dataclass
class _File:
    """The data and video file that is being filled."""

    chunk_index: int
    file_index: int
    video: VideoWriter
    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0


def export(
    chunks: Sequence[Chunk], out: Path, *, size: int = 256, rate_hz: float | None = None
) -> Exported:
    """Write prepared chunks as a LeRobot data set at `out`, which appears when it is complete.

    size: of the prepared frames. rate_hz: take chunks of this rate only; a LeRobot data set has
    one. Raises DataError if `out` exists, nothing is prepared or the rates differ.
    """
    if out.exists():
        raise DataError(f"{out} exists; remove it or choose another folder")
    usable, skips = _usable(chunks, size, rate_hz)
    try:
        with replacing_folder(out) as partial:
            writer = _Writer(partial, size, usable[0].rate_hz)
            for stretch in frames.stretches(usable):
                writer.add(stretch)
            writer.finish()
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error}") from error
    return Exported(out, len(writer.episodes), writer.rows, tuple(skips))


def _usable(
    chunks: Sequence[Chunk], size: int, rate_hz: float | None
) -> tuple[list[Chunk], list[Skip]]:
    usable, skips = [], []
    for chunk in chunks:
        if rate_hz is not None and abs(chunk.rate_hz / rate_hz - 1) > 1e-6:
            skips.append(Skip(chunk.folder.name, f"has {chunk.rate_hz:g} Hz, not {rate_hz:g} Hz"))
            continue
        try:
            frames.load(chunk, size)
            chunk.actions()
            usable.append(chunk)
        except DataError as error:
            skips.append(Skip(chunk.folder.name, str(error)))
    if not usable:
        cause = f": {skips[0].cause}" if skips else ""
        raise DataError(f"none of {len(chunks)} chunks can be exported{cause}")
    rates = sorted({round(chunk.rate_hz, 4) for chunk in usable})
    if len(rates) > 1:
        raise DataError(
            f"the chunks have rates of {rates} Hz, a LeRobot data set has one; export each rate by"
            " itself"
        )
    return usable, skips


class _Writer:
    """Writes episodes one after the other and the metadata at the end."""

    def __init__(self, root: Path, size: int, rate_hz: float) -> None:
        self._root, self._size, self._rate_hz = root, size, rate_hz
        self.episodes: list[dict[str, Any]] = []
        self.rows = 0
        self._tasks: list[str] = []
        self._stats: list[dict[str, Stats]] = []
        self._file: _File | None = None

    def _place(self, path: str, file: _File, **more: str) -> Path:
        place = self._root / path.format(
            chunk_index=file.chunk_index, file_index=file.file_index, **more
        )
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _next_file(self) -> _File:
        number = 0
        if self._file is not None:
            number = self._file.chunk_index * FILES_PER_CHUNK + self._file.file_index + 1
            self._close_file()
        chunk_index, file_index = divmod(number, FILES_PER_CHUNK)
        path = self._root / VIDEO_PATH.format(
            video_key=VIDEO_KEY, chunk_index=chunk_index, file_index=file_index
        )
        # As LeRobot writes it: every second frame is a keyframe, so that random access is cheap.
        writer = VideoWriter(
            path, (self._size, self._size), rate_hz=self._rate_hz, crf=16,
            options={"bf": "0", "x264-params": "keyint=2:min-keyint=2:scenecut=0"},
        )  # fmt: skip
        self._file = _File(chunk_index, file_index, writer)
        return self._file

    def _close_file(self) -> None:
        assert self._file is not None
        self._file.video.close()
        pq.write_table(pa.concat_tables(self._file.tables), self._place(DATA_PATH, self._file))

    def add(self, stretch: Sequence[Chunk]) -> None:
        """One episode."""
        stored, actions = frames.joined(stretch, self._size)
        file, rows, number = self._file, len(stored), len(self.episodes)
        if file is None or file.rows + rows > ROWS_PER_FILE:
            file = self._next_file()
        task = f"play {stretch[0].metadata.game}"
        if task not in self._tasks:
            self._tasks.append(task)
        table = _rows(actions, self._rate_hz, number, self.rows, self._tasks.index(task))
        file.tables.append(table)
        stats = {
            "action": Stats.of(np.stack(table["action"].to_numpy())),
            **{name: Stats.of(np.asarray(table[name])[:, None]) for name in _COUNTERS},
        }
        sampled = np.unique(np.linspace(0, rows - 1, min(rows, _SAMPLED)).round().astype(int))
        pixels = []
        for index in range(rows):
            frame = stored[index]
            file.video.write(frame)
            if index in sampled:
                pixels.append(frame.reshape(-1, 3)[::7] / 255)
        stats[VIDEO_KEY] = Stats.of(np.concatenate(pixels), count=len(sampled), picture=True)
        self._stats.append(stats)
        place = {"chunk_index": file.chunk_index, "file_index": file.file_index}
        self.episodes.append({
            "episode_index": number,
            "tasks": [task],
            "length": rows,
            "dataset_from_index": self.rows,
            "dataset_to_index": self.rows + rows,
            **{f"data/{name}": value for name, value in place.items()},
            **{f"videos/{VIDEO_KEY}/{name}": value for name, value in place.items()},
            f"videos/{VIDEO_KEY}/from_timestamp": file.rows / self._rate_hz,
            f"videos/{VIDEO_KEY}/to_timestamp": (file.rows + rows) / self._rate_hz,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
            "nitrogen/video_id": stretch[0].video_id,
            "nitrogen/start_frame": stretch[0].start_frame,
        })  # fmt: skip
        file.rows += rows
        self.rows += rows

    def finish(self) -> None:
        """Close the last files and write everything in `meta`."""
        self._close_file()
        columns = {name: [one[name] for one in self.episodes] for name in self.episodes[0]}
        for key in self._stats[0]:
            for name in self._stats[0][key].as_json():
                columns[f"stats/{key}/{name}"] = [one[key].as_json()[name] for one in self._stats]
        path = self._root / EPISODES_PATH.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), path)
        pq.write_table(_task_table(self._tasks), self._root / TASKS_PATH)
        joined = {key: Stats.joined([one[key] for one in self._stats]) for key in self._stats[0]}
        texts = {
            STATS_PATH: {key: stats.as_json() for key, stats in joined.items()},
            INFO_PATH: self._info(),
        }
        for name, values in texts.items():
            (self._root / name).write_text(json.dumps(values, indent=4))

    def _info(self) -> dict[str, Any]:
        size, rate = self._size, round(self._rate_hz, 4)
        rate = int(rate) if rate == int(rate) else rate
        counters = {
            name: {
                "dtype": "float32" if name == "timestamp" else "int64",
                "shape": [1],
                "names": None,
            }
            for name in _COUNTERS
        }
        picture = {
            "dtype": "video",
            "shape": [size, size, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": size,
                "video.width": size,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": rate,
                "video.channels": 3,
                "has_audio": False,
            },
        }
        action = {"dtype": "float32", "shape": [len(ACTION_NAMES)], "names": ACTION_NAMES}
        return {
            "codebase_version": VERSION,
            "robot_type": "gamepad",
            "total_episodes": len(self.episodes),
            "total_frames": self.rows,
            "total_tasks": len(self._tasks),
            "chunks_size": FILES_PER_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": rate,
            "splits": {"train": f"0:{len(self.episodes)}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "features": {VIDEO_KEY: picture, "action": action, **counters},
        }


@dataclass(frozen=True, eq=False)
class Stats:
    """Statistics of one feature, as LeRobot keeps them."""

    values: dict[str, NDArray[np.float64]]
    """`min`, `max`, `mean`, `std`, `q01` to `q99`, each (D,)."""
    count: int
    picture: bool = False

    @classmethod
    def of(cls, rows: NDArray[Any], *, count: int | None = None, picture: bool = False) -> "Stats":
        """Of the rows (N, D); pictures are rows of pixels."""
        rows = rows.astype(np.float64)
        values = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
        for share, row in zip(QUANTILES, np.quantile(rows, QUANTILES, axis=0), strict=True):
            values[f"q{round(100 * share):02d}"] = row
        return cls(values, len(rows) if count is None else count, picture)

    @classmethod
    def joined(cls, parts: Sequence["Stats"]) -> "Stats":
        """Of all together; quantiles are averaged by count, as LeRobot does."""
        weights = np.array([part.count for part in parts], np.float64)[:, None]
        weights /= weights.sum()
        stacked = {name: np.stack([p.values[name] for p in parts]) for name in parts[0].values}
        values = {name: (column * weights).sum(0) for name, column in stacked.items()}
        values["min"], values["max"] = stacked["min"].min(0), stacked["max"].max(0)
        spread = stacked["std"] ** 2 + (stacked["mean"] - values["mean"]) ** 2
        values["std"] = np.sqrt((spread * weights).sum(0))
        return cls(values, sum(part.count for part in parts), parts[0].picture)

    def as_json(self) -> dict[str, list[Any]]:
        """Lists; of pictures (3, 1, 1)."""
        values = {name: column.tolist() for name, column in self.values.items()}
        if self.picture:
            values = {name: [[[one]] for one in column] for name, column in values.items()}
        return {**values, "count": [self.count]}


def _rows(actions: Actions, rate_hz: float, episode: int, first: int, task: int) -> pa.Table:
    """The data of one episode."""
    count = len(actions)
    flat = np.concatenate([actions.buttons, actions.sticks], axis=1).astype(np.float32).ravel()
    index = np.arange(count, dtype=np.int64)
    return pa.table({
        "action": pa.FixedSizeListArray.from_arrays(pa.array(flat), len(ACTION_NAMES)),
        "timestamp": pa.array((index / rate_hz).astype(np.float32)),
        "frame_index": pa.array(index),
        "episode_index": pa.array(np.full(count, episode, np.int64)),
        "index": pa.array(index + first),
        "task_index": pa.array(np.full(count, task, np.int64)),
    })  # fmt: skip


def _task_table(tasks: Iterable[str]) -> pa.Table:
    """Task numbers, the names being the index of a pandas table."""
    names = list(tasks)
    index = "__index_level_0__"
    column = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64",
              "numpy_type": "int64", "metadata": None}  # fmt: skip
    label = {"name": None, "field_name": index, "pandas_type": "unicode",
             "numpy_type": "object", "metadata": None}  # fmt: skip
    pandas = {"index_columns": [index], "column_indexes": [], "columns": [column, label],
              "pandas_version": "2.2.0"}  # fmt: skip
    table = pa.table({"task_index": pa.array(range(len(names)), pa.int64()), index: names})
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})
