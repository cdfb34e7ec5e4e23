"""LeRobot data sets, version 3.0, to chunk folders and videos.

Each episode becomes a video of its own, cut out of LeRobot's files without coding it again, and
chunks that label it. Then everything goes on as with any other data: `data.prepare`, training.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nitrogen.actions import BUTTON_INDEX, STICK_INDEX, Actions
from nitrogen.data import schema, store
from nitrogen.data.lerobot import INFO_PATH, VERSION
from nitrogen.data.store import Skip
from nitrogen.errors import ActionsError, DataError
from nitrogen.files import replacing

VIDEOS = "videos"
"""Folder for the episodes' videos, beside the chunks."""


@dataclass(frozen=True)
class Imported:
    """What was written."""

    chunks: list[Path]
    videos: Path
    skips: tuple[Skip, ...]
    """Episodes that could not be imported."""


def is_lerobot(path: Path) -> bool:
    """Whether the folder holds a LeRobot data set."""
    return (path / INFO_PATH).is_file()


def import_lerobot(root: Path, out: Path, *, video_key: str | None = None) -> Imported:
    """Write every episode of a LeRobot data set as a video and chunks below `out`.

    video_key: the camera, if there are several. The actions must be named after our buttons and
    stick axes; those that the data set lacks stay released. Raises DataError if the data set is of
    another version, cannot be read or has other actions.
    """
    info = _info(root)
    columns, key = _columns(info), _video_key(info, video_key)
    chunks, skips = [], []
    for episode in _episodes(root):
        number = int(episode["episode_index"])
        video_id = f"{root.name}_episode_{number:06d}"
        try:
            actions = _actions(root, info, episode, columns)
            clip = out / VIDEOS / f"{video_id}.mp4"
            size = _cut(root, info, episode, key, clip)
            game = str((episode.get("tasks") or ["other"])[0]).removeprefix("play ")
            chunks += _write(out, video_id, game, actions, float(info["fps"]), size)
        except DataError as error:
            skips.append(Skip(video_id, str(error)))
    if not chunks:
        cause = f": {skips[0].cause}" if skips else ""
        raise DataError(f"no episode of {root} could be imported{cause}")
    return Imported(chunks, out / VIDEOS, tuple(skips))


def _info(root: Path) -> dict[str, Any]:
    path = root / INFO_PATH
    try:
        info = json.loads(path.read_text())
        version, _ = info["codebase_version"], info["features"]["action"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} describes no LeRobot data set with actions: {error!r}") from error
    if version != VERSION:
        raise DataError(
            f"{root} has the LeRobot version {version}; convert it to {VERSION} with LeRobot's own"
            " tool first"
        )
    return cast(dict[str, Any], info)


def _columns(info: dict[str, Any]) -> list[str]:
    """Our names of the action's numbers, in the data set's order."""
    names = info["features"]["action"].get("names")
    if isinstance(names, dict):
        names = [name for group in names.values() for name in group]
    unknown = [n for n in names or [None] if n not in BUTTON_INDEX and n not in STICK_INDEX]
    if unknown:
        raise DataError(
            f"the actions of this data set are no gamepad's: {unknown[:5]}; rename them in"
            f" meta/info.json to {', '.join([*BUTTON_INDEX, *STICK_INDEX])}"
        )
    return list(names)


def _video_key(info: dict[str, Any], wanted: str | None) -> str:
    keys = [key for key, one in info["features"].items() if one.get("dtype") == "video"]
    if wanted is not None and wanted not in keys:
        raise DataError(f"no camera {wanted!r}; cameras: {', '.join(keys) or 'none'}")
    if wanted is None and len(keys) != 1:
        raise DataError(f"choose one of the cameras: {', '.join(keys) or 'there is none'}")
    return wanted or keys[0]


def _episodes(root: Path) -> Iterator[dict[str, Any]]:
    paths = sorted((root / "meta" / "episodes").glob("*/*.parquet"))
    if not paths:
        raise DataError(f"{root} has no meta/episodes; is the download complete?")
    for path in paths:
        table = _read(path)
        kept = [name for name in table.column_names if not name.startswith("stats/")]
        yield from table.select(kept).to_pylist()


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _actions(
    root: Path, info: dict[str, Any], episode: dict[str, Any], columns: list[str]
) -> Actions:
    path = root / info["data_path"].format(
        chunk_index=episode["data/chunk_index"], file_index=episode["data/file_index"]
    )
    table = _read(path, ["action", "episode_index", "frame_index"])
    table = table.filter(pc.field("episode_index") == episode["episode_index"])
    table = table.sort_by("frame_index")
    if len(table) != episode["length"]:
        raise DataError(f"{path} has {len(table)} rows of an episode of {episode['length']}")
    rows = np.asarray(table["action"].to_pylist(), np.float32).reshape(len(table), -1)
    if rows.shape[1] != len(columns):
        raise DataError(f"{path} has actions of {rows.shape[1]} numbers, not {len(columns)}")
    actions = Actions.released(len(rows))
    for place, name in enumerate(columns):
        if name in BUTTON_INDEX:
            actions.buttons[:, BUTTON_INDEX[name]] = rows[:, place]
        else:
            actions.sticks[:, STICK_INDEX[name]] = rows[:, place]
    try:
        return Actions(actions.buttons, actions.sticks)
    except ActionsError as error:
        raise DataError(f"{path}, episode {episode['episode_index']}: {error}") from error


def _cut(
    root: Path, info: dict[str, Any], episode: dict[str, Any], key: str, clip: Path
) -> tuple[int, int]:
    """Copy the packets of an episode to a file of its own; returns its width and height."""
    source = root / info["video_path"].format(
        video_key=key,
        chunk_index=episode[f"videos/{key}/chunk_index"],
        file_index=episode[f"videos/{key}/file_index"],
    )
    begin, rate_hz = float(episode[f"videos/{key}/from_timestamp"]), float(info["fps"])
    end = begin + (int(episode["length"]) - 0.5) / rate_hz
    clip.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(clip) as partial:
            with (
                av.open(str(source)) as container,
                cast(Any, av.open(str(partial), "w", format="mp4")) as target,
            ):
                stream = container.streams.video[0]
                copy = target.add_stream_from_template(stream)
                count = 0
                for packet in _between(container, stream, begin - 0.5 / rate_hz, end):
                    if not count and not packet.is_keyframe:
                        raise DataError(f"{source}: the episode does not begin with a keyframe")
                    packet.stream = copy
                    target.mux(packet)
                    count += 1
                size = (stream.width, stream.height)
            if count != episode["length"]:
                raise DataError(
                    f"{source} has {count} frames of an episode of {episode['length']} rows"
                )
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise DataError(f"{source} cannot be cut into episodes: {error}") from error
    return size


def _between(container: Any, stream: Any, begin_s: float, end_s: float) -> Iterator[Any]:
    """Packets shown from `begin_s` to `end_s`, with times that begin at zero."""
    container.seek(max(0, int((begin_s - 1) / stream.time_base)), stream=stream)
    first = None
    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        shown = float(packet.pts * stream.time_base)
        if begin_s <= shown < end_s:
            first = packet.pts if first is None else first
            packet.pts -= first
            packet.dts = packet.pts if packet.dts is None else packet.dts - first
            yield packet
        elif shown > end_s + 1:
            return


def _write(
    out: Path,
    video_id: str,
    game: str,
    actions: Actions,
    rate_hz: float,
    size: tuple[int, int],
) -> list[Path]:
    rows = round(schema.CHUNK_S * rate_hz)
    folders = []
    for index, start in enumerate(range(0, len(actions), rows)):
        part = actions[start : start + rows]
        chunk_id, stop = f"{index:04d}", start + len(part)
        source = schema.SourceVideo(
            video_id=video_id,
            source="lerobot",
            url=f"{VIDEOS}/{video_id}.mp4",
            resolution=(size[1], size[0]),
            start_time=start / rate_hz,
            end_time=stop / rate_hz,
            duration=len(part) / rate_hz,
            start_frame=start,
            end_frame=stop,
        )
        metadata = schema.ChunkMetadata(
            uuid=schema.chunk_uuid(video_id, chunk_id),
            chunk_id=chunk_id,
            chunk_size=len(part),
            game=game,
            controller_type="other",
            bbox_controller_overlay=(0, 0, 0, 0),
            original_video=source,
        )
        folders.append(store.write_chunk(out, metadata, part))
    return folders
