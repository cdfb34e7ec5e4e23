"""Which fine-tuning fits on which card: derived from sizes, nothing is run.

    python bench/train_memory.py [--preset nitrogen-500m] [--draws 1]

For each way of training, the most samples that a card holds at once (a "part" of a batch; the rest
of the batch is accumulated), leaving 1 GB to the framework and a tenth to the allocator. The counts
are those of `nitrogen.train.estimate`, which tests compare with what autograd keeps.
"""

import argparse
import dataclasses

from nitrogen.model.presets import preset
from nitrogen.train.estimate import estimate
from nitrogen.train.lora import LoraConfig
from nitrogen.train.optim import GroupRates
from nitrogen.train.settings import TrainConfig

CARDS_GB = (8, 12, 16, 24, 80)
FRAMEWORK_GB = 1.0
USABLE = 0.9
LARGEST = 4096


def ways(config: TrainConfig) -> dict[str, TrainConfig]:
    """Ways of fine-tuning, the dearest first."""
    return {
        "everything": config,
        "`--groups.vision 0`": dataclasses.replace(config, groups=GroupRates(vision=0.0)),
        "`--lora.rank 16`": dataclasses.replace(config, lora=LoraConfig(rank=16)),
    }


def largest_part(config: TrainConfig, card_gb: float) -> int:
    """Most samples at once; 0 if not even one fits."""
    room = (card_gb * USABLE - FRAMEWORK_GB) * 2**30
    one = estimate(dataclasses.replace(config, batch=1))
    fixed = one.total - one.activations
    return min(LARGEST, max(0, int((room - fixed) // one.activations)))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="nitrogen-500m")
    parser.add_argument("--draws", type=int, default=1)
    options = parser.parse_args()
    config = TrainConfig(network=preset(options.preset), draws=options.draws, batch=1)
    cards = " | ".join(f"{card} GB" for card in CARDS_GB)
    print(f"| what learns | learning parameters | fixed, GB | per sample, MB | {cards} |")
    print("|---|" + "--:|" * (3 + len(CARDS_GB)))
    for name, way in ways(config).items():
        for recompute in (False, True):
            changed = dataclasses.replace(way, recompute=recompute)
            found = estimate(changed)
            parts = " | ".join(str(largest_part(changed, card) or "-") for card in CARDS_GB)
            print(
                f"| {name}{' `--recompute`' if recompute else ''} | {found.trained / 1e6:.0f} M"
                f" | {(found.total - found.activations) / 2**30:.1f}"
                f" | {found.activations / 2**20:.0f} | {parts} |"
            )
    flop = estimate(config).flop_per_sample
    print(
        f"\nWork when everything learns: {flop / 1e12:.2f} TFLOP per sample and step; at F TFLOP/s"
    )
    print(f"delivered, {1000 * flop / 1e12:.0f} / F seconds per 1,000 samples.")


if __name__ == "__main__":
    main()
