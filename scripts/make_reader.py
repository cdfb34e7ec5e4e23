"""Train the reader that ships with the package, into src/nitrogen/extract/weights.

    python scripts/make_reader.py RUN_FOLDER [--resume]
    python scripts/make_reader.py ANOTHER_FOLDER --stage 2 --skins SKINS_FOLDER [--resume]
    (and so on to stage 5, each in a folder of its own)

The first stage starts from nothing: made-up controllers and our own CC0 skins over our own games.
The others go on from the weights that ship, with a folder of `padskin/1` skins shown beside these,
also in other colours. Which skins were used is said in docs/guides/fit.md. The settings are stored
in the run's `fit.json` and beside the weights as `recipe_1.json`, `recipe_2.json` and so on.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from nitrogen.extract import parser
from nitrogen.extract.fit import FitConfig, Progress, fit
from nitrogen.extract.pictures import PictureConfig
from nitrogen.extract.segformer import preset
from nitrogen.overlay.skin import load_skins, shipped_skins

FIRST = FitConfig(
    network=preset("small"),
    pictures=PictureConfig(batch=48),
    steps=6_600,
    learning_rate=1e-3,
    weight_decay=0.05,
    warmup_steps=100,
    decay_share=0.33,
    average=0.998,
    save_every=150,
)
SECOND = replace(
    FIRST,
    pictures=PictureConfig(
        batch=48, easy_steps=1, easy_share=0.12, invented=0.4, recoloured=0.6, held=0.12, seed=7
    ),
    steps=2_400,
    warmup_steps=40,
    decay_share=0.5,
    average=0.995,
    log_every=20,
    save_every=50,
)
THIRD = replace(
    SECOND,
    pictures=replace(SECOND.pictures, seed=8),
    steps=1_300,
    learning_rate=8e-4,
    warmup_steps=20,
    decay_share=0.9,
)
FOURTH = replace(
    SECOND,
    pictures=replace(SECOND.pictures, invented=0.5, seed=9),
    decay_share=0.6,
)
GAMES = ("platformer", "racer", "arena", "maze", "flyer")
FIFTH = replace(
    FOURTH, pictures=replace(FOURTH.pictures, games=GAMES, scenery=250, seed=10), steps=2_200
)
STAGES = {1: FIRST, 2: SECOND, 3: THIRD, 4: FOURTH, 5: FIFTH}


def show(progress: Progress) -> None:
    """Print how far it is."""
    print(
        f"{progress.step}/{progress.steps} loss {progress.loss:.3f}"
        f" wrong buttons {progress.button_error:.4f} sticks off {progress.stick_error:.3f}"
        f" {progress.pictures_per_s:.0f} pictures/s",
        flush=True,
    )


def main() -> None:
    """Train and copy."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("out", type=Path)
    cli.add_argument("--stage", type=int, choices=STAGES, default=1)
    cli.add_argument("--skins", type=Path)
    cli.add_argument("--resume", action="store_true")
    options = cli.parse_args()
    later = options.stage > 1
    if later != (options.skins is not None):
        cli.error("stages from 2 on need --skins, and stage 1 takes none")
    reader = fit(
        STAGES[options.stage],
        [*shipped_skins(), *(load_skins(options.skins) if later else [])],
        options.out,
        start_from=parser.SHIPPED if later else None,
        resume=options.resume,
        on_progress=show,
    )
    shutil.copytree(reader, parser.SHIPPED, dirs_exist_ok=True)
    shutil.copy(options.out / "fit.json", parser.SHIPPED / f"recipe_{options.stage}.json")
    print(parser.SHIPPED)


if __name__ == "__main__":
    main()
