"""How much faster the sampler plans than one that works as the published code does.

    python bench/sampler_speed.py [--batch 1] [--runs 3] [--small] [--json]

One process, the samplers alternated, process (CPU) time, medians. Also prints the baseline's
profile, the error against the float32 baseline, and whether any button decision changed. The full
size needs 8 GB of memory and some minutes.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from baseline import Baseline
from random_published import FULL, Shape, random_published
from torch import Tensor

from nitrogen.model import checkpoint, published
from nitrogen.model.layout import PRESSED, TENSOR_BUTTONS
from nitrogen.model.sampler import Sampler


def main() -> None:
    """Build the network, run all samplers in turn, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pads", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="a network of test size")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sizes = (Shape() if options.small else FULL).__dict__ | {"pads": options.pads}
    found = measure(Shape(**sizes), batch=options.batch, runs=options.runs)
    print(json.dumps(found, indent=2) if options.json else table(found))


def measure(shape: Shape, *, batch: int, runs: int) -> dict[str, Any]:
    """Seconds, speed-up and error of each sampler."""
    content = random_published(shape)
    tensors, settings = content["model"], content["ckpt_config"]
    config, plan = published.describe(tensors, settings, vision_heads=shape.heads, where="random")
    network = checkpoint.build(config, published.assemble(plan, tensors), where="random")
    generator = torch.Generator().manual_seed(1)
    size = shape.image_size
    pictures = torch.rand(batch, 1, 3, size, size, generator=generator) * 2 - 1
    noise = torch.randn(batch, config.horizon, 25, generator=generator)
    reference = Baseline(tensors, settings, shape.heads)
    rough = Baseline(tensors, settings, shape.heads)

    def autocast() -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return rough.sample(pictures, noise)

    def ours(sampler: Sampler) -> Callable[[], Tensor]:
        return lambda: sampler.plan(sampler.encode_pictures(pictures), noise)

    samplers = {
        "published, float32": lambda: reference.sample(pictures, noise),
        "published, bfloat16 autocast": autocast,
        "ours, float32, plain": ours(Sampler(network, prepack=False)),
        "ours, float32": ours(Sampler(network)),
        "ours, bfloat16": ours(Sampler(network, dtype=torch.bfloat16)),
    }
    del network
    seconds, plans = _alternate(samplers, runs, [reference.seconds, rough.seconds])
    exact = plans["published, float32"]
    return {
        "batch": batch,
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "profile": {
            "float32": _shares(reference.seconds),
            "bfloat16 autocast": _shares(rough.seconds),
        },
        "span": exact.abs().max().item(),
        "samplers": {
            name: {
                "seconds": statistics.median(seconds[name]),
                "speed-up": statistics.median(seconds["published, float32"])
                / statistics.median(seconds[name]),
                "error": (plans[name] - exact).abs().max().item(),
                "changed buttons": int((_pressed(plans[name]) != _pressed(exact)).sum()),
            }
            for name in samplers
        },
    }


def _alternate(
    samplers: dict[str, Callable[[], Tensor]], runs: int, clocks: list[dict[str, float]]
) -> tuple[dict[str, list[float]], dict[str, Tensor]]:
    plans = {name: run() for name, run in samplers.items()}  # warm-up
    for clock in clocks:
        clock.clear()
    seconds: dict[str, list[float]] = {name: [] for name in samplers}
    for _ in range(runs):
        for name, run in samplers.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return seconds, plans


def _pressed(plan: Tensor) -> Tensor:
    return plan[..., : len(TENSOR_BUTTONS)] > PRESSED


def _shares(seconds: dict[str, float]) -> dict[str, float]:
    total = sum(seconds.values())
    return {part: value / total for part, value in seconds.items()}


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"batch {found['batch']}, torch {found['torch']}, {found['capability']}"]
    for kind, shares in found["profile"].items():
        parts = ", ".join(f"{part} {share:.1%}" for part, share in shares.items())
        lines.append(f"profile of the baseline, {kind}: {parts}")
    lines.append(f"{'sampler':30s} {'CPU s':>8s} {'ratio':>7s} {'error':>9s} {'buttons':>8s}")
    for name, row in found["samplers"].items():
        lines.append(
            f"{name:30s} {row['seconds']:8.3f} {row['speed-up']:7.2f} {row['error']:9.1e}"
            f" {row['changed buttons']:8d}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
