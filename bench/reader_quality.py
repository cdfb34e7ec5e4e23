"""How well the network reader reads skins that it has never seen, given only the overlay's box.

    python bench/reader_quality.py SKINS_FOLDER [--reader FOLDER] [--out FOLDER] [--only NAME,NAME]
        [--seconds 12] [--width 0.22] [--opacity 1.0] [--slack 0.02] [--bitrate 4000000] [--seed 0]
        [--behind TASK]

One clip per skin over pictures of built-in games, or of one task of the benchmark: the part of a
720p30 video round the overlay, at its share of a streaming bitrate; motion that looks played. The
box is off by up to `slack` of its size on each side, as one drawn by hand is. Clips are kept in OUT
and used again. Prints a row per skin and per author, with the baselines that do not look, and
writes OUT/reader_quality.json.
Controls that a skin does not show are left alone in its clip.
"""

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import cv2
import numpy as np
import torch

from nitrogen.actions import BUTTON_INDEX, BUTTONS, Actions, Frame
from nitrogen.benchmark.suite import task as find_task
from nitrogen.extract import parser
from nitrogen.extract.cap_network import load_cap_network
from nitrogen.extract.evaluate import Evaluation, compare
from nitrogen.extract.pictures import scenery
from nitrogen.extract.refine import refine
from nitrogen.mini.env import make
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin, load_skins
from nitrogen.overlay.synth import motion
from nitrogen.synth.backgrounds import GAMES
from nitrogen.video.pixels import Box, even_box
from nitrogen.video.reading import read_planes
from nitrogen.video.writing import VideoWriter

SIZE, RATE_HZ = (480, 320), 30
WHOLE = (1280, 720)
BATCH = 256


def played(skin: Skin, seed: int, frames: int) -> Actions:
    """Motion of the controls that the skin shows."""
    actions = motion(np.random.default_rng(seed), frames, rate_hz=RATE_HZ)
    buttons, sticks = actions.buttons.copy(), actions.sticks.copy()
    for name in set(BUTTONS) - skin.buttons:
        buttons[:, BUTTON_INDEX[name]] = 0
    for index, side in enumerate(("left", "right")):
        if side not in skin.sticks:
            sticks[:, 2 * index : 2 * index + 2] = 0
    return Actions(buttons, sticks)


def behind(frames: int, pictures: np.ndarray) -> Iterator[Frame]:
    """Pictures of games that drift and blend into each other."""
    big = [cv2.resize(p, SIZE, interpolation=cv2.INTER_LINEAR) for p in pictures]
    stops = frames // 15 + 2
    for first, second in pairwise(big[i % len(big)] for i in range(stops)):
        for step in range(15):
            yield np.roll(cv2.addWeighted(first, 1 - step / 15, second, step / 15, 0), 4 * step, 1)


def clip(skin: Skin, seed: int, options: argparse.Namespace, pictures: np.ndarray) -> Path:
    """The clip of one skin, made unless it is there."""
    settings = (options.width, options.opacity, options.seconds, options.seed)
    behind_it = [options.behind.replace("/", "-")] if options.behind else []
    name = "_".join([skin.name, *(f"{value:g}" for value in settings), *behind_it]) + ".mp4"
    path = options.out / name
    if path.exists():
        return path
    actions = played(skin, seed, round(options.seconds * RATE_HZ))
    renderer = renderer_of(skin, seed, options)
    share = SIZE[0] * SIZE[1] / (WHOLE[0] * WHOLE[1])
    encoding = {"bitrate": round(options.bitrate * share), "options": {"preset": "superfast"}}
    with VideoWriter(path, SIZE, rate_hz=RATE_HZ, **encoding) as writer:
        for row, frame in enumerate(behind(len(actions), pictures)):
            if row < len(actions):
                picture = np.ascontiguousarray(frame)
                renderer.blend(picture, actions[row : row + 1])
                writer.write(picture)
    return path


def renderer_of(skin: Skin, seed: int, options: argparse.Namespace) -> Renderer:
    """The skin as large as in the whole video, somewhere in the part that is encoded."""
    scale = options.width * WHOLE[0] / skin.canvas[0]
    room = np.maximum((SIZE[0] - skin.canvas[0] * scale, SIZE[1] - skin.canvas[1] * scale), 0)
    x, y = np.random.default_rng(seed).uniform(0, 1, 2) * room
    return Renderer(skin, Placement(float(x), float(y), scale, scale, options.opacity))


def off(box: Box, slack: float, seed: int) -> Box:
    """The box with each side moved by up to `slack` of its size."""
    x, y, width, height = box
    shift = np.random.default_rng(seed).uniform(-slack, slack, 4)
    left, top = x + shift[0] * width, y + shift[1] * height
    right, bottom = x + width * (1 + shift[2]), y + height * (1 + shift[3])
    return round(left), round(top), round(right - left), round(bottom - top)


def read(network: parser.Reader, path: Path, box: Box) -> Actions:
    """What the network reader reads in the box."""
    crops = [picture.pixels for picture in read_planes(path, even_box(box))]
    reader = parser.NetworkReader(
        network, box, crops[:: max(1, len(crops) // 200)], cap_network=load_cap_network()
    )
    trace = np.concatenate(
        [reader.scan(crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)]
    )
    reading = reader.read(trace)
    return refine(reading.actions, confidence=reading.confidence, travel_known=reading.travel_known)


def row_of(result: Evaluation) -> dict[str, float]:
    """What is printed."""
    return {
        "accuracy": round(result.read.accuracy, 4),
        "f1": round(result.read.f1, 4),
        "stick_r2": round(result.read.stick_r2, 4),
        "off_accuracy": round(result.always_off.accuracy, 4),
        "last_f1": round(result.copy_last.f1, 4),
    }


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("skins", type=Path)
    cli.add_argument("--reader", type=Path, default=parser.SHIPPED)
    cli.add_argument("--out", type=Path, default=Path("runs/reader_quality"))
    cli.add_argument("--only", default="")
    cli.add_argument("--seconds", type=float, default=12)
    cli.add_argument("--width", type=float, default=0.22)
    cli.add_argument("--opacity", type=float, default=1.0)
    cli.add_argument("--slack", type=float, default=0.02)
    cli.add_argument("--bitrate", type=int, default=4_000_000)
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--behind", default="", metavar="TASK")
    options = cli.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    network = parser.load_network(options.reader)
    chosen = options.only.split(",") if options.only else []
    skins = [s for s in load_skins(options.skins) if not chosen or s.name in chosen]
    games = [partial(make, name) for name in GAMES]
    if options.behind:
        games = [find_task(options.behind).render]
    pictures = scenery(games, 60, 1_000_000 + 100 * options.seed)
    rows, pairs = {}, defaultdict(list)
    for skin in skins:
        seed = zlib.crc32(skin.name.encode()) + options.seed
        path = clip(skin, seed, options, pictures)
        box = off(renderer_of(skin, seed, options).box, options.slack, seed)
        found = read(network, path, box)
        truth = played(skin, seed, len(found))
        result = compare(truth, found)
        worst = {n: round(v.f1, 2) for n, v in result.read.buttons.items() if not v.f1 >= 0.8}
        rows[skin.name] = {**row_of(result), "axes": result.read.sticks, "worst": worst}
        pairs[skin.author].append((truth, found))
        print(f"{skin.name:24}", rows[skin.name], flush=True)
    authors = {}
    for author, parts in [*pairs.items(), ("all", list(chain(*pairs.values())))]:
        joined = compare(*(Actions.concatenate(part[i] for part in parts) for i in range(2)))
        authors[author] = {"skins": len(parts), "rows": joined.read.rows, **row_of(joined)}
        print(f"{author[:24]:24}", authors[author])
    text = json.dumps({"skins": rows, "authors": authors}, indent=2)
    (options.out / "reader_quality.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
