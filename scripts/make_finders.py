"""Train the finder and the cap network that ship, into src/nitrogen/extract/weights.

    python scripts/make_finders.py finder RUN_FOLDER --skins SKINS_FOLDER [--only NAME,NAME]
    python scripts/make_finders.py caps RUN_FOLDER --skins SKINS_FOLDER [--only NAME,NAME]
    (each again with --go-on, to train what ships for longer)

Pads are made up, our own CC0 skins and those of the folder; docs/guides/fit.md says which were
used. Behind them are our own games, played by their experts, and games of the benchmark, by the
demonstrations that ship (`make system` installs them). One process draws, one learns. The settings
are stored beside the weights as `recipe_1.json`, `recipe_2.json` and so on.
"""

import argparse
import contextlib
import json
import multiprocessing
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

import cv2
import numpy as np
import torch

from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.suite import ALL_TASKS
from nitrogen.benchmark.task import Task
from nitrogen.extract import cap_network, finder
from nitrogen.extract.cap_pictures import Windows, windows
from nitrogen.extract.heat_maps import Batch, TrainConfig, cap_loss, finder_loss, train
from nitrogen.extract.pictures import scenery
from nitrogen.extract.stills import Stills
from nitrogen.mini.env import make
from nitrogen.overlay.crops import Backgrounds, textures
from nitrogen.overlay.degrade import Stack
from nitrogen.overlay.sketch import Sketch, sketch_of
from nitrogen.overlay.skin import Skin, load_skins, shipped_skins

OWN = ("platformer", "racer", "arena", "maze", "flyer")
REAL = ("freedoom", "flare", "mrboom", "neverputt", "armagetronad")
"""The other games of the benchmark are for tests."""
SIZE = (192, 160)
"""Of a sample for the finder."""
SMALL = (480, 270)
"""Of scenery."""
APART = 16
"""Game frames from one picture of a demonstration to the next."""
STEPS = {"finder": 2_500, "caps": 2_600}
"""Of 32 samples, and of about 190 windows."""


def shown(task: Task) -> Stack:
    """Pictures of the demonstration that ships with a task, (K, H, W, 3)."""
    assert task.demonstration is not None
    demonstration = Demonstration.load(task.demonstration)
    env: Any = task.render()
    env.reset(seed=demonstration.facts.seed)
    made = []
    for row in range(len(demonstration.actions)):
        *_, terminated, truncated, _ = env.step(demonstration.actions[row : row + 1].as_step())
        if row % APART == 0:
            made.append(cv2.resize(env.render(), SMALL, interpolation=cv2.INTER_AREA))
        if terminated or truncated:
            break
    env.close()
    return np.stack(made)


def sequences() -> list[Stack]:
    """Games in order of time: our own, two stretches of each, and the benchmark's."""
    made = [scenery([partial(make, game)], 100, seed) for seed in (3, 77) for game in OWN]
    tasks = [task for task in ALL_TASKS if task.game in REAL and task.demonstration]
    return made + [shown(task) for task in tasks]


def finder_batches(skins: list[Skin], seed: int, invented: float) -> Iterator[Batch]:
    """Samples and boxes without end."""
    stills = Stills(np.random.default_rng(0), sequences(), skins, SIZE)
    rng = np.random.default_rng(seed)
    while True:
        drawn = [stills.sample(rng, invented=invented) for _ in range(32)]
        seen = np.stack([finder.as_input(sample.still) for sample in drawn])
        boxes = np.array([sample.box or (0, 0, 0, 0) for sample in drawn], np.float32)
        yield seen.astype(np.float16), boxes


def sketches(skins: list[Skin], rng: np.random.Generator) -> Iterator[Sketch]:
    """Skins with sticks, each in three boxes drawn by hand."""
    for skin in skins:
        for _ in range(3 if skin.sticks else 0):
            left, top, right, bottom = rng.uniform(-0.04, 0.1, 4)
            aspect = skin.canvas[1] / skin.canvas[0] * (1 - left - right) / (1 - top - bottom)
            size = (cap_network.ACROSS, min(240, round(cap_network.ACROSS * aspect)))
            yield sketch_of(skin, size, margins=(left, top, right, bottom))


def cap_batches(skins: list[Skin], seed: int, invented: float) -> Iterator[Batch]:
    """Windows and places without end."""
    rng = np.random.default_rng(0)
    behind = Backgrounds(np.concatenate([textures(rng, 120), *sequences()]))
    pads = list(sketches(skins, rng))
    rng = np.random.default_rng(seed)
    while True:
        drawn = [windows(rng, behind, pads, invented=invented) for _ in range(8)]
        joined = Windows.concatenate(drawn)
        yield joined.pictures.astype(np.float16), joined.places


def drawn_elsewhere(draw: Any, *how: Any) -> Iterator[Batch]:
    """The batches of `draw`, made in a process of its own."""
    fresh = multiprocessing.get_context("spawn")  # a fork of torch's threads would hang
    queue: Any = fresh.Queue(20)
    drawing = fresh.Process(target=_put, args=(draw, how, queue), daemon=True)
    drawing.start()
    while drawing.is_alive():
        with contextlib.suppress(Empty):
            yield queue.get(timeout=10)
    raise SystemExit("the process that draws has died; see what it said above")


def _put(draw: Any, how: tuple[Any, ...], queue: Any) -> None:
    cv2.setNumThreads(1)
    for batch in draw(*how):
        queue.put(batch)


def main() -> None:
    """Train and copy."""
    torch.set_num_threads(1)
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("network", choices=STEPS)
    cli.add_argument("out", type=Path)
    cli.add_argument("--skins", type=Path, required=True)
    cli.add_argument("--only", default="")
    cli.add_argument("--steps", type=int)
    cli.add_argument("--seed", type=int, default=1, help="of the pictures")
    cli.add_argument("--invented", type=float, default=0.6, help="share of made-up pads")
    cli.add_argument("--decay-share", type=float, default=0.5)
    cli.add_argument("--go-on", action="store_true", help="from what ships")
    options = cli.parse_args()
    chosen = options.only.split(",") if options.only else []
    given = [skin for skin in load_skins(options.skins) if not chosen or skin.name in chosen]
    skins = [*shipped_skins(), *given]
    config = TrainConfig(
        steps=options.steps or STEPS[options.network], decay_share=options.decay_share
    )
    how = (skins, options.seed, options.invented)
    losses, start = list[float](), time.perf_counter()

    def show(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 50 == 0:
            each = (time.perf_counter() - start) / step
            print(f"{step} loss {np.mean(losses[-50:]):.3f}, {each:.2f} s a step", flush=True)

    if options.network == "finder":
        target = finder.SHIPPED
        found = train(
            lambda: finder.load_network() if options.go_on else finder.FinderNetwork(),
            drawn_elsewhere(finder_batches, *how), finder_loss, config, on_step=show,
        )  # fmt: skip
        folder = finder.save_finder(options.out / "finder", found)
    else:
        target = cap_network.SHIPPED
        network = train(
            lambda: cap_network.load_cap_network() if options.go_on else cap_network.CapNetwork(),
            drawn_elsewhere(cap_batches, *how), cap_loss, config, on_step=show,
        )  # fmt: skip
        folder = cap_network.save_cap_network(options.out / "caps", network)
    stage = len(list(target.glob("recipe_*.json"))) + 1 if options.go_on else 1
    settings = {"pictures_seed": options.seed, "invented": options.invented}
    recipe = {**asdict(config), **settings, "skins": [skin.name for skin in skins]}
    (folder / f"recipe_{stage}.json").write_text(json.dumps(recipe, indent=2) + "\n")
    shutil.copytree(folder, target, dirs_exist_ok=True)
    print(target)


if __name__ == "__main__":
    main()
