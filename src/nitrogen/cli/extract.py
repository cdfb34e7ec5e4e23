"""`nitrogen extract` and `nitrogen extract-eval`: actions out of videos."""

import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from nitrogen.cli import show
from nitrogen.errors import VideoError

if TYPE_CHECKING:
    from nitrogen.extract.pipeline import ExtractConfig


def extract(
    video: Positional[Path], out: Positional[Path], /, *, skins: Path | None = None,
    game: str = "other", min_density: float = 0.5, workers: int = 1,
) -> None:  # fmt: skip
    """Read the gamepad actions out of videos that show a controller overlay.

    Args:
        video: The video, or a folder of videos; with a folder, `OUT/ledger.jsonl` says what became
            of each, and running it again goes on where it was.
        out: Where chunk folders in the published layout are written.
        skins: A folder of `padskin/1` skins to look for, beside those that ship.
        game: Name of the game, for the metadata.
        min_density: Chunks with a smaller share of active frames are dropped.
        workers: Videos that are read at the same time.
    """
    from nitrogen.extract.pipeline import ExtractConfig
    from nitrogen.extract.pipeline import extract as run_extract
    from nitrogen.overlay.skin import load_skins, shipped_skins

    if not video.exists():
        raise VideoError(f"no video {video}")
    config = ExtractConfig(game=game, min_density=min_density)
    if video.is_dir():
        _extract_folder(video, out, skins, config, workers)
        return
    known = [*shipped_skins(), *(load_skins(skins) if skins else [])]
    with show.bars() as bars:
        bar = bars.add_task(video.name, total=None, note="")
        done = run_extract(
            video,
            out,
            skins=known,
            config=config,
            on_progress=lambda count, total: bars.update(bar, completed=count, total=total),
        )
    name = done.found.skin.name if done.found else "unknown skin"
    print(
        f"{name} at {done.parts[0].sighting.box}, confidence {done.confidence:.2f};"
        f" {len(done.chunks)} chunks written, {done.idle} idle and {done.hidden} hidden left out",
        file=sys.stderr,
    )
    for folder in done.chunks:
        print(folder)


def _extract_folder(
    folder: Path, out: Path, skins: Path | None, config: "ExtractConfig", workers: int
) -> None:
    from nitrogen.extract.batch import extract_all, find_videos
    from nitrogen.overlay.skin import SHIPPED

    roots = [SHIPPED, *([skins] if skins else [])]
    videos = find_videos(folder)
    with show.bars() as bars:
        bar = bars.add_task(folder.name, total=len(videos), note="")
        entries = extract_all(
            videos,
            out,
            skins=[path.parent for root in roots for path in sorted(root.glob("*/skin.json"))],
            config=config,
            workers=workers,
            on_done=lambda entry, done, total: bars.update(
                bar, completed=done, total=total, note=f"{entry.video_id}: {entry.chunks} chunks"
            ),
        )
    for entry in entries:
        if entry.cause:
            print(f"left out: {entry.video}: {entry.cause}", file=sys.stderr)
    print(out / "ledger.jsonl")


def extract_eval(chunks: Positional[Path], truth: Positional[Path], /) -> None:
    """Compare the extracted chunks of one video with its true pad log; prints JSON.

    Args:
        chunks: Folder of the video's chunks.
        truth: The `.pad.parquet` that was recorded with the video.
    """
    from nitrogen.extract.evaluate import evaluate

    print(dumps(evaluate(chunks, truth).as_dict(), indent=2))
