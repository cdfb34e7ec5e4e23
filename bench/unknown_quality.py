"""How well overlays of unknown skins are found and read without a box, over real games.

    python bench/unknown_quality.py SKINS_FOLDER [--only NAME,NAME] [--clips 2] [--seed 2]
        [--games supertux,blobwars,starfighter,neverball] [--out FOLDER]

The games play the demonstrations that ship with their tasks (`make system` installs them) and are
filmed once, in 720p30. Every skin is laid over some of them: 12 to 30 % of the frame wide, in any
corner, two in three opaque, the others at 0.75, H.264 at 4 Mbit/s, 20 s, with motion that looks
played. Extraction gets the video and the package's own skins, and nothing else. Prints a row per
clip, the means, and how much the games alone look like a gamepad; writes OUT/unknown_quality.json.
Controls that a skin does not show are left alone in its clip. Clips are kept and used again.
"""

import argparse
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.suite import ALL_TASKS
from nitrogen.benchmark.task import Task
from nitrogen.data.truth import read_truth, truth_path
from nitrogen.errors import NitrogenError
from nitrogen.extract.evaluate import evaluate
from nitrogen.extract.finder import load_finder
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.sightings import windows
from nitrogen.extract.still import joined
from nitrogen.overlay.look import Look
from nitrogen.overlay.skin import Skin, load_skins, shipped_skins
from nitrogen.synth.backgrounds import background
from nitrogen.synth.clips import played, synthesize
from nitrogen.synth.settings import SynthConfig
from nitrogen.video.info import probe
from nitrogen.video.writing import VideoWriter

SIZE, RATE_HZ = (1280, 720), 30
MOST_FRAMES = 900
GAMES = "supertux,blobwars,starfighter,neverball"
"""None of which the finder was trained on."""
CORNERS = ("bottom_right", "top_left", "bottom_left", "top_right")
READ = ExtractConfig(min_density=0.0, min_visible=0.5, chunk_s=4.0)


def film(task: Task, folder: Path) -> Path:
    """The demonstration of a task, every other frame."""
    path = folder / f"{task.name.replace('/', '-')}.mp4"
    if path.exists():
        return path
    assert task.demonstration is not None
    shown = Demonstration.load(task.demonstration)
    env: Any = task.render()
    env.reset(seed=shown.facts.seed)
    part = path.with_suffix(".part.mp4")
    with VideoWriter(part, SIZE, rate_hz=RATE_HZ, bitrate=4_000_000) as writer:
        for row in range(min(len(shown.actions), 2 * MOST_FRAMES)):
            *_, terminated, truncated, _ = env.step(shown.actions[row : row + 1].as_step())
            if row % 2 == 0:
                writer.write(cv2.resize(env.render(), SIZE, interpolation=cv2.INTER_LINEAR))
            if terminated or truncated:
                break
    env.close()
    return part.rename(path)


def clip(skin: Skin, seed: int, game: Path, folder: Path) -> Path:
    """A skin over a game."""
    path = folder / f"{skin.name}_{seed}_{game.stem}.mp4"
    if path.exists() and truth_path(path).exists():
        return path
    rng = np.random.default_rng(seed)
    config = SynthConfig(
        seconds=20, size=SIZE, rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ,
        corner=CORNERS[int(rng.integers(4))], width=float(rng.uniform(0.12, 0.3)),
        bitrate=4_000_000, look=Look(opacity=float(rng.choice([1, 1, 0.75]))),
    )  # fmt: skip
    synthesize(
        path, skin=skin, config=config, seed=seed, actions=played(skin, config, rng),
        frames=background(str(game), seed=seed, rate_hz=RATE_HZ),
    )  # fmt: skip
    return path


def row_of(path: Path, library: Library, out: Path) -> dict[str, Any]:
    """What is found in one clip, and how well it is read."""
    shutil.rmtree(out / path.stem, ignore_errors=True)
    x, y, width, height = read_truth(truth_path(path)).facts["box"]
    try:
        done = extract(path, out, skins=library, config=READ)
    except NitrogenError as error:
        return {"clip": path.stem, "error": str(error)}
    sighting = done.parts[0].sighting
    left, top, across, down = sighting.box
    shared = max(0, min(x + width, left + across) - max(x, left))
    shared *= max(0, min(y + height, top + down) - max(y, top))
    result = evaluate(out / done.video_id, truth_path(path)).read
    return {
        "clip": path.stem,
        "skin": sighting.found.skin.name if sighting.found else "",
        "score": sighting.score,
        "iou": round(shared / (width * height + across * down - shared), 3),
        "accuracy": round(result.accuracy, 4),
        "f1": round(result.f1, 3),
        "stick_r2": round(result.stick_r2, 3),
    }


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("skins", type=Path)
    cli.add_argument("--out", type=Path, default=Path("runs/unknown_quality"))
    cli.add_argument("--only", default="")
    cli.add_argument("--games", default=GAMES)
    cli.add_argument("--clips", type=int, default=2, help="of every skin")
    cli.add_argument("--seed", type=int, default=2)
    options = cli.parse_args()
    for name in ("games", "clips", "chunks"):
        (options.out / name).mkdir(parents=True, exist_ok=True)
    given = {skin.name: skin for skin in load_skins(options.skins)}
    skins = [given[name] for name in options.only.split(",")] if options.only else [*given.values()]
    wanted = options.games.split(",")
    tasks = [task for task in ALL_TASKS if task.game in wanted and task.demonstration]
    games = sorted(film(task, options.out / "games") for task in tasks)
    library, rows = Library(shipped_skins()), []
    for number, skin in enumerate(skins):
        for copy in range(options.clips):
            seed = zlib.crc32(skin.name.encode()) + 1000 * options.seed + copy
            game = games[(5 * number + 3 * copy + options.seed) % len(games)]
            path = clip(skin, seed, game, options.out / "clips")
            rows.append(row_of(path, library, options.out / "chunks"))
            print(json.dumps(rows[-1]), flush=True)
    read = [row for row in rows if "error" not in row]
    means = {
        key: round(float(np.nanmean([row[key] for row in read])), 4)
        for key in ("iou", "accuracy", "f1", "stick_r2")
        if read
    }
    finder, alone = load_finder(), {}
    for game in games:
        found = finder.find(joined([window.still for window in windows(probe(game))]))
        alone[game.stem] = round(max((one.score for one in found), default=0.0), 2)
    summary = {"clips": len(rows), "found": len(read), "means": means, "games_alone": alone}
    print(json.dumps(summary, indent=2))
    text = json.dumps({**summary, "rows": rows}, indent=2) + "\n"
    (options.out / "unknown_quality.json").write_text(text)


if __name__ == "__main__":
    main()
