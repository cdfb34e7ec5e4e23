"""`nitrogen train`: policies out of chunk folders and their videos."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional, UseAppendAction

from nitrogen.cli import show
from nitrogen.shipped import WEIGHTS

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from nitrogen.data.samples import Samples
    from nitrogen.train.loop import Progress
    from nitrogen.train.settings import TrainConfig

OWN = ("data", "videos", "out", "start-from", "resume", "dry-run", "set", "help")
"""Options of the command itself; every other one changes a field of the recipe."""


def train(
    recipe: Positional[str], /, *, data: tuple[str, ...], out: Path, videos: Path | None = None,
    start_from: str | None = None, resume: bool = False, dry_run: bool = False,
    set: UseAppendAction[tuple[str, ...]] = (),
) -> None:  # fmt: skip
    """Train a policy on chunk folders and their videos.

    Any field of the recipe is an option too: `--epochs 3 --batch 64 --optim.learning-rate 1e-5`;
    --dry-run shows them all. Under torchrun: `torchrun --nproc-per-node 8 -m nitrogen train ...`.

    Args:
        recipe: debug, quickstart, demo, pretrain or finetune.
        data: Folders of chunks, each as DIR or DIR=WEIGHT, or a JSON list of them.
        out: Folder for the run; the finished policy is OUT/policy.
        videos: Folder with the videos, to run `nitrogen prepare` first.
        start_from: A checkpoint to fine-tune: a folder, a published ng.pt, a hub id, or `shipped`.
        resume: Go on with the run in OUT.
        dry_run: Print configuration, data, sizes and memory as JSON, make one step, write nothing.
        set: NAME=VALUE, the long form of --NAME VALUE.
    """
    start_from = str(WEIGHTS) if start_from == "shipped" else start_from
    settings = _settings(recipe, set, start_from)
    first = os.environ.get("RANK", "0") == "0"
    with show.bars(visible=first) as bars:
        samples, validation = _samples(settings, data, videos, bars)
        if dry_run:
            from nitrogen.train.dryrun import rehearse

            found = rehearse(settings, samples, validation=validation, start_from=start_from)
        else:
            folder = _train(
                settings, samples, validation, out, start_from, resume=resume, bars=bars
            )
    if first:
        print(json.dumps(found, indent=2) if dry_run else folder)


def expanded(words: Sequence[str]) -> list[str]:
    """The words of a command line, with `--NAME VALUE` of a recipe's field as `--set NAME=VALUE`.

    Words of other commands stay as they are.
    """
    if words[:1] != ["train"]:
        return list(words)
    out, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        name, given, _ = word.removeprefix("--").partition("=")
        own = name.replace("_", "-").removeprefix("no-") in OWN
        if not word.startswith("--") or own:
            out.append(word)
            continue
        value = given or not rest or rest[0].startswith("--")
        text = word.removeprefix("--") if value else f"{name}={rest.pop(0)}"
        out += ["--set", text]
    return out


def _settings(recipe: str, entries: Sequence[str], start_from: str | None) -> "TrainConfig":
    """The recipe with the user's changes. Raises ConfigError on names that do not exist."""
    from dataclasses import replace

    from nitrogen.errors import ConfigError
    from nitrogen.model import hub
    from nitrogen.train import overrides, recipes

    settings = recipes.recipe(recipe)
    settings = replace(
        settings,
        machine=replace(settings.machine, device="auto", workers=1, report=("tensorboard",)),
    )
    if recipe == "finetune":
        if start_from is None:
            raise ConfigError("the recipe finetune needs a checkpoint: --start-from FOLDER")
        settings = recipes.fitted(settings, hub.load(start_from).config)
    return overrides.apply(settings, entries, also=OWN)


def _samples(
    settings: "TrainConfig", data: Sequence[str], videos: Path | None, bars: "Bars"
) -> "tuple[Samples, Samples | None]":
    """Samples to learn from and held-out ones, which come from other videos."""
    from nitrogen.cli.prepare import prepare_all
    from nitrogen.data import sets
    from nitrogen.errors import ConfigError

    network, sources = settings.network, sets.parse_sources(data)
    size = network.vision.image_size
    if videos is not None:
        if os.environ.get("WORLD_SIZE", "1") != "1":
            raise ConfigError("run `nitrogen prepare` before torchrun, and leave out --videos")
        prepare_all([source.path for source in sources], videos, size=size, bars=bars)
    opened = sets.open_sets(
        sources,
        size=size,
        rate_hz=network.rate_hz,
        horizon=network.horizon,
        shift=network.action_shift,
        in_memory=settings.machine.in_memory,
    )
    show.print_causes("chunks left out", opened.causes())
    if opened.validation is None and os.environ.get("RANK", "0") == "0":
        print("no video is held out for validation (about 1 in 20 is)", file=sys.stderr)
    return opened.train, opened.validation


def _train(
    settings: "TrainConfig", samples: "Samples", validation: "Samples | None", out: Path,
    start_from: str | None, *, resume: bool, bars: "Bars",
) -> Path:  # fmt: skip
    """Train under a progress bar; a signal ends the process with 128 + its number."""
    from nitrogen.errors import TrainingStoppedError
    from nitrogen.train.loop import train as run
    from nitrogen.train.settings import steps_of

    total = steps_of(settings, len(samples))
    bar = bars.add_task("training", total=total, note="")

    def on_progress(progress: "Progress") -> None:
        bars.update(bar, completed=progress.step, note=_note(progress))

    try:
        return run(
            settings,
            samples,
            out,
            validation=validation,
            start_from=start_from,
            resume=resume,
            on_progress=on_progress,
        )
    except TrainingStoppedError as error:
        bars.stop()
        if os.environ.get("RANK", "0") == "0":
            print(f"nitrogen: {error}", file=sys.stderr)
        raise SystemExit(128 + error.signal) from None


def _note(progress: "Progress") -> str:
    """Loss, speed and where the time goes, in one line."""
    shares = (
        f"{100 * getattr(progress, f'{phase}_share'):.0f} % {phase}"
        for phase in ("data", "forward", "backward", "optimiser")
    )
    return f"loss {progress.loss:.4f}, {progress.images_per_s:.0f} samples/s ({', '.join(shares)})"
