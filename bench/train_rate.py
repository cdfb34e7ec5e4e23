"""How many samples per second training gets through, data loading included, and where time goes.

    python bench/train_rate.py                      tiny at 64 px: one and four draws, plain loop
    python bench/train_rate.py --preset nitrogen-500m --device cuda --compile --batch 64

Each line is the real loop (`nitrogen.train.loop`) on frames in memory, after a warm-up; the plain
loop beside it is one that a user would write: float32, one pass of the tower for each draw, the
average and the optimiser parameter by parameter. CPU time is that of all threads, so that "samples
per second of 2 cores" = 2 x samples / CPU seconds holds on a busy machine too.
"""

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from nitrogen.actions import Actions
from nitrogen.data.augment import augment
from nitrogen.data.samples import Run, Samples
from nitrogen.model.network import NitroGen
from nitrogen.model.precision import chosen
from nitrogen.model.presets import preset
from nitrogen.train import batches
from nitrogen.train.estimate import estimate
from nitrogen.train.loop import train
from nitrogen.train.recipes import demo
from nitrogen.train.settings import Machine, TrainConfig

WARM_UP = 3


def samples_of(size: int, horizon: int, rows: int = 2_000) -> Samples:
    """Noise with labels; what is in the pictures does not matter for speed."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (rows, size, size, 3), dtype=np.uint8)
    actions = Actions.released(rows)
    actions.sticks[:] = rng.uniform(-1, 1, (rows, 4))
    return Samples([Run("noise", frames, actions)], horizon=horizon)


def measure(config: TrainConfig, samples: Samples) -> dict[str, float]:
    """Rate and shares of the real loop."""
    marks = []

    def on_progress(progress: object) -> None:
        marks.append((time.process_time(), progress))

    with tempfile.TemporaryDirectory() as folder:
        train(config, samples, Path(folder) / "run", on_progress=on_progress)
    (before, _), (after, last) = marks[0], marks[-1]
    shares = {name: getattr(last, name) for name in vars(last) if name.endswith("_share")}
    done = (config.steps - config.log_every) * config.batch
    return {"wall": last.images_per_s, "cpu": done / (after - before), **shares}


def plain(config: TrainConfig, samples: Samples, steps: int) -> dict[str, float]:
    """Rate of a loop without any of the tricks."""
    device = torch.device("cuda" if config.machine.device == "cuda" else "cpu")
    network = NitroGen(config.network).to(device).train()
    adam = torch.optim.AdamW(network.parameters(), lr=1e-4, foreach=False)
    average = [parameter.detach().clone() for parameter in network.parameters()]
    generator = torch.Generator().manual_seed(0)
    stream = batches.stream(samples, config, steps=range(steps + 1))
    for step, (frames, plans) in enumerate(stream):
        if step == 1:
            wall, cpu = time.perf_counter(), time.process_time()
        frames = augment(frames, config.augment, generator).to(device)
        repeated = [x.repeat_interleave(config.draws, dim=0) for x in (frames, plans.to(device))]
        loss = network.loss(*repeated, generator=generator)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=False)
        adam.step()
        for value, parameter in zip(average, network.parameters(), strict=True):
            value.mul_(0.999).add_(parameter.detach(), alpha=0.001)
        float(loss.detach())
    done = steps * config.batch
    return {
        "wall": done / (time.perf_counter() - wall),
        "cpu": done / (time.process_time() - cpu),
    }


def peak_flops(device: str) -> float:
    """Largest rate of a bfloat16 product that this machine reaches, in operations per second."""
    place = torch.device("cuda" if device == "cuda" else "cpu")
    side = 8192 if place.type == "cuda" else 2048
    a, b = (torch.randn(side, side, dtype=torch.bfloat16, device=place) for _ in range(2))
    best = 0.0
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        if place.type == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * side**3 / (time.perf_counter() - start))
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--precision", nargs="+", default=["auto"])
    parser.add_argument("--compile", action="store_true", help="also with torch.compile")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = preset(options.preset)
    samples = samples_of(network.vision.image_size, network.horizon)
    peak = peak_flops(options.device)
    print(f"{options.preset}, batch {options.batch}, {options.device}, {options.threads} threads,")
    print(f"peak of a bfloat16 product {peak / 1e9:.0f} GFLOP/s")
    for draws in options.draws:
        config = dataclasses.replace(
            demo(),
            network=network,
            machine=Machine(device=options.device),
            draws=draws,
            batch=options.batch,
            steps=WARM_UP + options.steps,
            log_every=WARM_UP,
            save_every=10**9,
        )
        config = dataclasses.replace(config, steps=WARM_UP * (1 + options.steps // WARM_UP))
        flop = estimate(config).flop_per_sample
        rows = {"plain loop": plain(config, samples, max(2, options.steps // 3))}
        for precision in options.precision:
            precise = dataclasses.replace(config, precision=precision)
            rows[f"ours, {chosen(precision, options.device)}"] = measure(precise, samples)
        if options.compile:
            machine = dataclasses.replace(config.machine, compile=True)
            rows["ours, compiled"] = measure(dataclasses.replace(config, machine=machine), samples)
        for name, found in rows.items():
            shares = ", ".join(
                f"{key.removesuffix('_share')} {100 * value:.0f} %"
                for key, value in found.items()
                if key.endswith("_share")
            )
            print(
                f"draws {draws} {name:16s} {found['wall']:8.0f} samples/s of wall time,"
                f" {found['cpu']:7.0f} per CPU second, {found['wall'] * flop / peak:6.1%} of peak"
                f"  {shares}"
            )


if __name__ == "__main__":
    main()
