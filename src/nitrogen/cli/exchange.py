"""`nitrogen import` and `nitrogen export`: data of others in, data for others out."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tyro.conf import Positional, UseAppendAction

from nitrogen.cli import show
from nitrogen.errors import DataError, NitrogenError


def import_data(
    source: Positional[Path], out: Positional[Path], /, *, videos: Path | None = None,
    game: UseAppendAction[tuple[str, ...]] = (), camera: str | None = None, offset_s: float = 0.0,
) -> None:  # fmt: skip
    """Turn data of others into chunk folders: label archives, LeRobot data sets, pad logs.

    What SOURCE is decides what is done. A published label archive (tar or zip): its chunks are
    unpacked. A LeRobot data set (v3.0): episodes become videos and chunks. A video with a pad log
    beside it, or a folder of them: one action per frame. `nitrogen prepare` comes next.

    Args:
        source: An archive, a data set's folder, a video or a folder of videos.
        out: Where the chunk folders are written.
        videos: Archives: take only chunks of videos that are in this folder.
        game: Archives: take only this game; may be given several times. Pad logs: its name.
        camera: LeRobot: the video key, if there are several.
        offset_s: Pad logs: seconds by which the log began after the video.
    """
    from nitrogen.data.lerobot_import import is_lerobot
    from nitrogen.data.shards import is_archive

    if is_archive(source):
        _labels(source, out, videos, game)
    elif is_lerobot(source):
        _lerobot(source, out, camera)
    elif source.exists():
        _logs(source, out, game[0] if game else "other", offset_s)
    else:
        raise DataError(f"no file or folder {source}")
    print(out)


def _labels(archive: Path, out: Path, videos: Path | None, games: Sequence[str]) -> None:
    from nitrogen.data.prepare import VideoFolder
    from nitrogen.data.shards import unpack

    wanted = VideoFolder(videos).ids if videos else None
    done = unpack(archive, out, games=games or None, videos=wanted)
    print(
        f"{done.written} chunks written, {done.present} were there, {done.unwanted} not wanted",
        file=sys.stderr,
    )
    show.print_causes("chunks left out", Counter(skip.cause for skip in done.skips))


def _lerobot(root: Path, out: Path, camera: str | None) -> None:
    from nitrogen.data.lerobot_import import import_lerobot

    done = import_lerobot(root, out, video_key=camera)
    print(f"{len(done.chunks)} chunks; their videos are in {done.videos}", file=sys.stderr)
    show.print_causes("episodes left out", Counter(skip.cause for skip in done.skips))


def _logs(source: Path, out: Path, game: str, offset_s: float) -> None:
    from nitrogen.data.padlogs import beside_videos, import_log

    clips = beside_videos(source)
    if not clips:
        raise DataError(
            f"{source} is no label archive and no LeRobot data set, and holds no video with a pad"
            " log (clip.mp4 with clip.parquet) either"
        )
    causes: Counter[str] = Counter()
    chunks = 0
    with show.bars() as bars:
        bar = bars.add_task("importing", total=len(clips), note="")
        for clip in clips:
            try:
                chunks += len(import_log(clip, out, game=game, offset_s=offset_s))
            except NitrogenError as error:
                causes[str(error)] += 1
            bars.update(bar, advance=1, note=clip.name)
    show.print_causes("videos left out", causes)
    if not chunks:
        raise DataError(f"no video in {source} could be imported")
    print(f"{chunks} chunks of {len(clips) - causes.total()} videos", file=sys.stderr)


def export_data(
    chunks: Positional[Path], out: Positional[Path], /, *, size: int = 256,
    rate_hz: float | None = None,
) -> None:  # fmt: skip
    """Write prepared chunks as a LeRobot data set (v3.0).

    Args:
        chunks: Folder of chunks, prepared with `nitrogen prepare`.
        out: The data set's folder; must not exist.
        size: Of the prepared frames, in pixels.
        rate_hz: Take only chunks of this rate, if there are several.
    """
    from nitrogen.data.lerobot import export
    from nitrogen.data.store import scan_chunks

    found, broken = scan_chunks(chunks)
    done = export(found, out, size=size, rate_hz=rate_hz)
    print(f"{done.episodes} episodes, {done.rows} frames", file=sys.stderr)
    show.print_causes("chunks left out", Counter(s.cause for s in (*broken, *done.skips)))
    print(done.folder)
