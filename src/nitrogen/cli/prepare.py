"""`nitrogen prepare`: frames for training out of chunk folders and their videos."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from nitrogen.cli import show

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from nitrogen.data.prepare import Prepared


def prepare(
    chunks: Positional[Path], /, *, videos: Path, size: int = 256, workers: int = 1,
    store: Literal["h264", "raw"] = "h264", min_density: float = 0.0,
) -> None:  # fmt: skip
    """Cut the frames of chunks out of their videos, at the size at which a policy sees them.

    What is there is not done again. CHUNKS/prepare.jsonl says what became of each chunk.

    Args:
        chunks: Folder of chunks: extracted, published or imported ones.
        videos: Folder with the videos, named <video_id>.mp4 or `Title [<video_id>].mkv`.
        size: Height and width in pixels; that of the policy, at most 256.
        workers: Processes; each takes 5 minutes of a video at a time.
        store: h264 is small; raw is exact and needs no decoding, at 12 KB a frame at 64 px.
        min_density: Chunks with a smaller share of active rows are left out.
    """
    with show.bars() as bars:
        results = prepare_all(
            [chunks],
            videos,
            size=size,
            bars=bars,
            workers=workers,
            store=store,
            min_density=min_density,
        )
    done, present = (sum(getattr(one, name) for one in results) for name in ("done", "present"))
    print(f"{done} chunks prepared, {present} were there before", file=sys.stderr)
    print(chunks / "prepare.jsonl")
    if not done + present:
        raise SystemExit(1)


def prepare_all(
    roots: Sequence[Path], videos: Path, *, size: int, bars: "Bars", workers: int = 1,
    store: Literal["h264", "raw"] = "h264", min_density: float = 0.0,
) -> "list[Prepared]":  # fmt: skip
    """Prepare the chunks of several folders under a progress bar; causes go to stderr."""
    from collections import Counter
    from functools import partial

    from nitrogen.data import prepare as preparing
    from nitrogen.data.store import scan_chunks

    find_video, results = preparing.VideoFolder(videos), []
    for root in roots:
        chunks, broken = scan_chunks(root)
        bar = bars.add_task(f"preparing {root.name}", total=len(chunks), note="")
        done = preparing.prepare(
            chunks,
            find_video,
            size=size,
            store=store,
            min_density=min_density,
            workers=workers,
            ledger=root / preparing.LEDGER,
            on_part=partial(_show, bars, bar),
        )
        causes = preparing.causes(done) + Counter(skip.cause for skip in broken)
        show.print_causes("chunks left out", causes)
        results += done
    return results


def _show(bars: "Bars", bar: "TaskID", one: "Prepared") -> None:
    bars.update(bar, advance=one.chunks, note=one.video_id)
