"""Latency of a policy, part by part; `nitrogen bench policy` prints the same.

    python bench/act_latency.py CHECKPOINT|PRESET [--dtype float32] [--device cpu] [--threads 1]

A preset name measures random weights of that size.
"""

import argparse
import json

import torch

from nitrogen.model import hub, latency
from nitrogen.model.network import NitroGen
from nitrogen.model.presets import PRESETS, preset


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", help="checkpoint folder, ng.pt, hub id or preset name")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.source in PRESETS:
        torch.manual_seed(0)
        network = NitroGen(preset(options.source)).eval().to(options.device)
    else:
        network = hub.load(options.source, device=options.device)
    found = latency.measure(network, runs=options.runs, dtype=getattr(torch, options.dtype))
    print(json.dumps(found.to_values(), indent=2) if options.json else latency.table(found))


if __name__ == "__main__":
    main()
