"""Train the reader that ships with the package, into src/nitrogen/extract/weights.

    python scripts/make_reader.py RUN_FOLDER [--resume]

Only made-up controllers and our own CC0 skins over our own games are seen, so the weights carry no
one else's art. About 45 minutes on one shared core; the settings are stored in the run's `fit.json`
and beside the weights as `recipe.json`.
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
from nitrogen.overlay.skin import shipped_skins

CONFIG = FitConfig(
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
    cli.add_argument("--resume", action="store_true")
    options = cli.parse_args()
    reader = fit(CONFIG, shipped_skins(), options.out, resume=options.resume, on_progress=show)
    shutil.copytree(reader, parser.SHIPPED, dirs_exist_ok=True)
    shutil.copy(options.out / "fit.json", parser.SHIPPED / "recipe.json")
    print(parser.SHIPPED)


if __name__ == "__main__":
    main()
