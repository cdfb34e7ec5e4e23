"""How well extraction reads overlays: encoded clips of every skin, by family and by author.

    python bench/extract_quality.py SKINS_FOLDER [--out FOLDER] [--seconds 20] [--clips 1] [--hard]
        [--tallest 1080] [--width 0.22] [--opacity 1.0] [--bitrate 4000000] [--only NAME,NAME]
        [--shipped]

Every clip shows pad motion that looks played over a built-in game; the whole library, with the
skins that ship, competes in locating it. Without --hard all clips are 720p30 in H.264; with it,
settings are drawn at random: size, rate, codec, bitrate, uploads, opacity, tint, blur, shadow,
boxes, latency, duplicates, letterbox, cropped edges. Clips that are complete are not made again.
Skins are split by author, by a hash of the name.

Prints a row per clip, then tables by split and family beside the published figures; writes
OUT/quality.json and OUT/quality.html. Controls that a skin does not show are left alone in its
clip.
"""

import argparse
import hashlib
import json
import shutil
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.data.truth import read_truth, truth_path
from nitrogen.errors import NitrogenError
from nitrogen.extract.evaluate import (
    PUBLISHED,
    PUBLISHED_MEAN,
    Judged,
    family_of,
    judge_all,
    summarize,
)
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.scorecard import write_html, write_json
from nitrogen.overlay.look import Look
from nitrogen.overlay.skin import Skin, load_skins, shipped_skins
from nitrogen.synth.backgrounds import GAMES, background
from nitrogen.synth.clips import played, synthesize
from nitrogen.synth.settings import SynthConfig, random_config

CORNERS = ("bottom_right", "top_left", "bottom_left", "top_right")
SIZE, RATE_HZ = (1280, 720), 30
CHUNK_S = 4.0
"""Short chunks, so that little of a short clip is left out at its end."""
READ = ExtractConfig(min_density=0.0, min_visible=0.5, chunk_s=CHUNK_S)


def is_held_out(author: str) -> bool:
    """Whether an author's skins are left out of development: decided by a hash of the name."""
    return hashlib.sha256(author.encode()).digest()[0] % 3 != 1


def settings(number: int, rng: np.random.Generator, options: argparse.Namespace) -> SynthConfig:
    """Of clip `number`: the given ones, or drawn at random."""
    if options.hard:
        drawn = random_config(rng, seconds=options.seconds)
        return drawn if drawn.size[1] <= options.tallest else replace(drawn, size=SIZE)
    return SynthConfig(
        seconds=options.seconds, size=SIZE, rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ,
        corner=CORNERS[number % 4], width=options.width, bitrate=options.bitrate,
        look=Look(opacity=options.opacity),
    )  # fmt: skip


def make_clip(skin: Skin, number: int, options: argparse.Namespace) -> Path:
    """The clip `number` of a skin, made once."""
    path = options.out / "clips" / f"{skin.name}_{number}.mp4"
    if path.is_file() and truth_path(path).is_file():
        return path
    seed = zlib.crc32(f"{skin.name}/{number}".encode())
    rng = np.random.default_rng(seed)
    config = settings(seed, rng, options)
    synthesize(
        path, skin=skin, config=config, seed=seed,
        frames=background(GAMES[seed % len(GAMES)], seed=seed, rate_hz=config.rate_hz),
        actions=played(skin, config, rng),
        notes={"author": skin.author, "background": GAMES[seed % len(GAMES)]},
    )  # fmt: skip
    return path


def overlap(a: Sequence[int], b: Sequence[int]) -> float:
    """Intersection over union of two boxes."""
    width = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def read_clip(path: Path, library: Library, out: Path) -> dict[str, Any]:
    """Extract one clip; what was found where, and how fast."""
    facts = read_truth(truth_path(path)).facts
    row = {"clip": path.stem, "skin": facts["skin"], "author": facts["author"]}
    shutil.rmtree(out / "chunks" / path.stem, ignore_errors=True)
    start = time.process_time()
    try:
        done = extract(path, out / "chunks", skins=library, config=READ)
    except NitrogenError as error:
        return {**row, "error": str(error)}
    seconds = time.process_time() - start
    box = done.parts[0].sighting.box
    return {
        **row,
        "found": done.found.skin.name if done.found else "",
        "iou": round(overlap(box, facts["box"]), 4),
        "readers": sorted({part.reader for part in done.parts}),
        "chunks": len(done.chunks),
        "frames_per_s": round(done.info.frame_count / seconds, 1),
    }


def table(judged: Sequence[Judged], title: str) -> None:
    """Print one split by family beside the published figures."""
    good = [one for one in judged if not one.cause]
    if not good:
        return
    summary = summarize(good)
    print(f"\n{title}: {len(judged)} clips, {len(judged) - len(good)} unread")
    print(f"{'family':14} clips   R² (published)   accuracy (published)      F1  presses found")
    groups = {**summary["families"], "all": summary["all"]}
    for name, group in groups.items():
        r2, accuracy = PUBLISHED_MEAN if name == "all" else PUBLISHED.get(name, (None, None))
        read = group["read"]
        print(
            f"{name:14} {group['videos']:5} {_text(read['stick_r2'])} ({_text(r2, 2)})"
            f"      {_text(read['accuracy'], 4)} ({_text(accuracy, 2)})"
            f"    {_text(read['f1'])}   {_text(read['recall'])}"
        )


def _text(value: float | None, digits: int = 3) -> str:
    return "    –" if value is None else f"{value:.{digits}f}"


def print_means(name: str, rows: list[dict]) -> None:
    """One line of a table: means, and the worst."""
    texts = []
    for key in ("stick_r2", "accuracy", "f1"):
        values = [row[key] for row in rows if row[key] == row[key]]
        texts.append(f"{key} {np.mean(values):.4f} (least {min(values):.4f})" if values else "")
    print(f"{name:8} {len(rows):3}  " + "  ".join(texts))


def main() -> None:
    """Measure all skins."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("skins", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/extract_quality"))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clips", type=int, default=1, help="of every skin")
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--tallest", type=int, default=1080, help="larger clips become 720p")
    parser.add_argument("--shipped", action="store_true", help="measure our own skins too")
    parser.add_argument("--width", type=float, default=0.22)
    parser.add_argument("--opacity", type=float, default=1.0)
    parser.add_argument("--bitrate", type=int, default=4_000_000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    others, own = load_skins(options.skins), shipped_skins()
    library = Library(own + others)
    wanted = set(options.only.split(",")) - {""}
    rows = []
    for skin in others + (own if options.shipped else []):
        for number in range(options.clips):
            if not wanted or skin.name in wanted:
                rows.append(read_clip(make_clip(skin, number, options), library, options.out))
                rows[-1]["family"] = family_of(skin.name)
                print(json.dumps(rows[-1]), flush=True)
    judged = judge_all(options.out / "chunks", options.out / "clips")
    authors = {row["clip"]: row["author"] for row in rows}
    judged = [one for one in judged if one.video_id in authors]
    for title, held in (("development", False), ("held out", True)):
        table([one for one in judged if is_held_out(authors[one.video_id]) == held], title)
    table(judged, "all")
    summary = {**summarize(judged), "clips": rows}
    write_json(summary, options.out / "quality.json")
    write_html(summary, options.out / "quality.html")
    sys.exit(0 if all("error" not in row for row in rows) else 1)


if __name__ == "__main__":
    main()
