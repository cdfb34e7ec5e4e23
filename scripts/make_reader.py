"""Train the reader that ships with the package, into src/nitrogen/extract/weights.

    python scripts/make_reader.py RUN_FOLDER [--resume]
    python scripts/make_reader.py ANOTHER_FOLDER --skins SKINS_FOLDER [--resume]

The first command starts from nothing: made-up controllers and our own CC0 skins over our own games,
about 45 minutes on one shared core. The second goes on from the weights that ship, with a folder of
`padskin/1` skins shown beside these, also in other colours. Which skins were used is said
in docs/guides/fit.md. The settings are stored in the run's `fit.json` and beside the weights, as
`recipe.json` and `recipe_skins.json`.
"""

import argparse
import shutil
from pathlib import Path

import cv2
import torch

from nitrogen.extract import parser
from nitrogen.extract.fit import FitConfig, Progress, fit
from nitrogen.extract.pictures import PictureConfig
from nitrogen.extract.segformer import preset
from nitrogen.overlay.skin import load_skins, shipped_skins

FROM_NOTHING = FitConfig(
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


WITH_SKINS = FitConfig(
    network=preset("small"),
    pictures=PictureConfig(
        batch=48, easy_steps=1, easy_share=0.12, invented=0.4, recoloured=0.6, held=0.12, seed=7
    ),
    steps=2_400,
    learning_rate=1e-3,
    weight_decay=0.05,
    warmup_steps=40,
    decay_share=0.5,
    average=0.995,
    log_every=20,
    save_every=50,
)


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
    cli.add_argument("--skins", type=Path)
    cli.add_argument("--resume", action="store_true")
    options = cli.parse_args()
    config, skins, start, recipe = FROM_NOTHING, shipped_skins(), None, "recipe.json"
    if options.skins:
        config, start, recipe = WITH_SKINS, parser.SHIPPED, "recipe_skins.json"
        skins = [*skins, *load_skins(options.skins)]
    reader = fit(
        config, skins, options.out, start_from=start, resume=options.resume, on_progress=show
    )
    shutil.copytree(reader, parser.SHIPPED, dirs_exist_ok=True)
    shutil.copy(options.out / "fit.json", parser.SHIPPED / recipe)
    print(parser.SHIPPED)


if __name__ == "__main__":
    main()
