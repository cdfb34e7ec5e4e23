"""Plans of the published network on an NVIDIA GPU: bfloat16, 16 steps, replayed as a CUDA graph.

    python bench/gpu_latency.py [--batches 1 8 64] [--runs 50] [--json]

Prints milliseconds per call, p50 and p99, of the eager sampler and of the graph, the largest
difference to float32 on the same device, the roofline of the device as measured, and the distance
from it. Random weights of the published size. Needs CUDA.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nitrogen.model import latency
from nitrogen.model.graphs import GraphedSampler
from nitrogen.model.network import NitroGen
from nitrogen.model.presets import preset
from nitrogen.model.sampler import Sampler


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="nitrogen-500m")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device here; bench/sampler_speed.py measures CPUs")
    torch.manual_seed(0)
    network = NitroGen(preset(options.preset)).eval().cuda()
    found = [measure(network, batch, options.runs) for batch in options.batches]
    if options.json:
        print(json.dumps({"device": torch.cuda.get_device_name(), "rows": found}, indent=2))
        return
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    for row in found:
        print(", ".join(f"{name} {value:.4g}" for name, value in row.items()))


def measure(network: NitroGen, batch: int, runs: int) -> dict[str, Any]:
    """One row: eager and graph, bfloat16, and the error against float32."""
    config = network.config
    size = config.vision.image_size
    shape = (batch, config.frames, size, size, 3)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda")
    noise = torch.randn(batch, config.horizon, 25, device="cuda")
    exact = Sampler(network)
    wanted = exact.plan(exact.encode(frames), noise)
    del exact
    sampler = Sampler(network, dtype=torch.bfloat16)
    graph = GraphedSampler(sampler, batch)
    eager = _milliseconds(lambda: sampler.plan(sampler.encode(frames), noise), runs)
    replayed = _milliseconds(lambda: graph.plan(frames, noise), runs)
    report = latency.measure(
        network, batches=[batch], steps=[config.flow.steps], runs=3, dtype=torch.bfloat16
    )
    floor = report.rows[0].roofline_ms
    p50 = statistics.median(replayed)
    return {
        "batch": batch,
        "eager p50 ms": statistics.median(eager),
        "graph p50 ms": p50,
        "graph p99 ms": sorted(replayed)[int(0.99 * (len(replayed) - 1))],
        "error": (graph.plan(frames, noise) - wanted).abs().max().item(),
        "roofline ms": floor,
        "distance": p50 / floor,
        "VRAM MB": torch.cuda.max_memory_allocated() / 2**20,
    }


def _milliseconds(run: Callable[[], Tensor], runs: int) -> list[float]:
    for _ in range(3):
        run()
    found = []
    for _ in range(runs):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        found.append(start.elapsed_time(end))
    return found


if __name__ == "__main__":
    main()
