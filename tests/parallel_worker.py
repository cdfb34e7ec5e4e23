"""What each of two processes does in test_parallel: train, sharded or copied; note the losses."""

import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from training import CONFIG, samples

from nitrogen.train.loop import train
from nitrogen.train.lora import LoraConfig
from nitrogen.train.settings import Machine

EXACT = dataclasses.replace(
    CONFIG,
    precision="float32",
    log_every=1,
    steps=6,
    save_every=3,
    onset_weight=2.0,
    accumulate=2,
    validate_every=6,
    optim=dataclasses.replace(CONFIG.optim, learning_rate=1e-3),
)
ADAPTED = dataclasses.replace(
    EXACT, lora=LoraConfig(rank=2, groups=("vision",)), recompute=True, prefix=2
)


class HaltedError(Exception):
    pass


def run(config, out, *, stop_at=None, **options):
    """Losses by step; ends before the step after `stop_at` is saved."""
    found = {}

    def on_progress(progress):
        found[progress.step] = progress.loss
        if progress.step == stop_at:
            raise HaltedError

    with contextlib.suppress(HaltedError):
        train(
            config, samples(), out, validation=samples(seed=1), on_progress=on_progress, **options
        )
    return found


def main(folder):
    torch.set_num_threads(1)
    found = {}
    for name, config, how in (
        ("ddp", EXACT, "ddp"),
        ("fsdp", EXACT, "fsdp"),
        ("lora", ADAPTED, "fsdp"),
    ):
        config = dataclasses.replace(config, machine=Machine(parallel=how))
        found[name] = run(config, folder / name)
    fsdp = dataclasses.replace(EXACT, machine=Machine(parallel="fsdp"))
    found["resumed"] = run(fsdp, folder / "one-process", resume=True)
    if os.environ["RANK"] == "0":
        (folder / "losses.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
