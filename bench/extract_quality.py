"""How well extraction reads overlays: one synthetic clip per skin over moving games.

    python bench/extract_quality.py SKINS_FOLDER [--out FOLDER] [--seconds 40] [--width 0.22]
        [--opacity 1.0] [--only NAME,NAME] [--bitrate 4000000]

Every clip shows pad motion that looks played over a built-in game, encoded at a streaming bitrate;
the whole library competes in locating it. Prints a table per skin and per controller family, and
writes OUT/quality.json. Controls that a skin does not show are left alone in its clip.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from nitrogen.data.truth import read_truth
from nitrogen.errors import NitrogenError
from nitrogen.extract.evaluate import evaluate
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.overlay.look import Look
from nitrogen.overlay.skin import Skin, load_skins, shipped_skins
from nitrogen.synth.backgrounds import GAMES, background
from nitrogen.synth.clips import played, synthesize
from nitrogen.synth.settings import SynthConfig

CORNERS = ("bottom_right", "top_left", "bottom_left", "top_right")
SIZE, RATE_HZ = (1280, 720), 30
FAMILIES = {
    "xboxone": "Xbox", "xbox": "Xbox", "xbone": "Xbox", "ds3": "PS3", "ps1": "PS1",
    "dualsense": "PS5", "scuf": "PS4", "streamer_ps": "PS4", "switch": "Switch",
}  # fmt: skip


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    width = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def family(name: str) -> str:
    """The maker's family that a skin's name hints at."""
    return next((value for key, value in FAMILIES.items() if key in name), "other")


def measure(skin: Skin, number: int, library: Library, options: argparse.Namespace) -> dict:
    """Make one clip, extract it, compare."""
    config = SynthConfig(
        seconds=options.seconds, size=SIZE, rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ,
        corner=CORNERS[number % 4], width=options.width, bitrate=options.bitrate,
        look=Look(opacity=options.opacity),
    )  # fmt: skip
    path = options.out / f"{skin.name}.mp4"
    truth = synthesize(
        path, skin=skin, config=config, seed=number,
        frames=background(GAMES[number % 3], seed=100 * number, rate_hz=RATE_HZ),
        actions=played(skin, config, np.random.default_rng(number)),
    )  # fmt: skip
    box = tuple(read_truth(truth).facts["box"])
    row = {"skin": skin.name, "family": family(skin.name), "game": GAMES[number % 3]}
    start = time.process_time()
    try:
        done = extract(
            path, options.out / "chunks", skins=library, config=ExtractConfig(min_density=0.0)
        )
        result = evaluate(options.out / "chunks" / done.video_id, truth)
    except NitrogenError as error:
        return {**row, "error": str(error)}
    finally:
        path.unlink()
    seconds = time.process_time() - start
    return {
        **row,
        "found": done.found.skin.name,
        "iou": round(overlap(done.found.box, box), 4),
        "score": round(done.found.score, 3),
        "accuracy": round(result.read.accuracy, 5),
        "f1": round(result.read.f1, 4),
        "stick_r2": round(result.read.stick_r2, 4),
        "always_off": round(result.always_off.accuracy, 4),
        "worst": {k: round(v.f1, 3) for k, v in result.read.buttons.items() if not v.f1 >= 0.97},
        "frames_per_s": round(done.info.frame_count / seconds, 1),
    }


def main() -> None:
    """Measure all skins."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("skins", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/extract_quality"))
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--width", type=float, default=0.22)
    parser.add_argument("--opacity", type=float, default=1.0)
    parser.add_argument("--bitrate", type=int, default=4_000_000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    skins = shipped_skins() + load_skins(options.skins)
    library = Library(skins)
    wanted = set(options.only.split(",")) - {""}
    rows = []
    for number, skin in enumerate(skins):
        if wanted and skin.name not in wanted:
            continue
        rows.append(measure(skin, number, library, options))
        print(json.dumps(rows[-1]), flush=True)
    good = [row for row in rows if "error" not in row]
    for name in sorted({row["family"] for row in good}):
        part = [row for row in good if row["family"] == name]
        means = [np.nanmean([row[key] for row in part]) for key in ("stick_r2", "accuracy", "f1")]
        print(
            f"{name:8} {len(part):3}  R2 {means[0]:.3f}  accuracy {means[1]:.4f}  F1 {means[2]:.3f}"
        )
    (options.out / "quality.json").write_text(json.dumps(rows, indent=1))
    sys.exit(0 if len(good) == len(rows) else 1)


if __name__ == "__main__":
    main()
