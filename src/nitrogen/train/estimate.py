"""How much memory and arithmetic a run needs, derived from sizes alone.

Counts what stays in memory between forward and backward with fused attention, which is what GPUs
use. Workspaces, the allocator's slack and the framework's own memory come on top.
"""

from dataclasses import dataclass

import torch

from nitrogen.model.latency import flops
from nitrogen.model.network import NitroGen
from nitrogen.train import lora, optim
from nitrogen.train.settings import TrainConfig

FLOAT = 4
MOMENTS = 2


@dataclass(frozen=True)
class Estimate:
    """Bytes on one device, and work."""

    parameters: int
    trained: int
    """Parameters that learn."""
    weights: int
    """float32 weights, and the bfloat16 copies that autocast keeps."""
    gradients: int
    optimiser: int
    """The two moments of AdamW."""
    average: int
    activations: int
    """Of one part of a batch."""
    flop_per_sample: float
    """Forward and backward, products of matrices only."""

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.weights + self.gradients + self.optimiser + self.average + self.activations


def estimate(config: TrainConfig, *, processes: int = 1) -> Estimate:
    """What one of `processes` devices needs for `config`; precision `auto` counts as bfloat16."""
    with torch.device("meta"):
        network = NitroGen(config.network)
        lora.add(network, config.lora)
    optim.freeze(network, config.groups)
    named = dict(network.named_parameters())
    trained = sum(p.numel() for p in named.values() if p.requires_grad)
    matrices = sum(p.numel() for p in named.values() if p.ndim >= 2)
    everything = sum(p.numel() for p in named.values())
    shards = processes if config.machine.parallel == "fsdp" else 1
    copies = 2 * matrices if config.precision != "float32" else 0
    part = config.batch // (processes * config.accumulate)
    encode, denoise = flops(config.network, config.draws)
    return Estimate(
        parameters=everything,
        trained=trained,
        weights=FLOAT * everything // shards + copies,
        gradients=FLOAT * trained // shards,
        optimiser=MOMENTS * FLOAT * trained // shards,
        average=FLOAT * trained // shards,
        activations=part * activation_bytes(config, tower_learns=_learns(network)),
        flop_per_sample=3 * (encode + denoise),
    )


def _learns(network: NitroGen) -> bool:
    return any(parameter.requires_grad for parameter in network.vision.parameters())


def activation_bytes(config: TrainConfig, *, tower_learns: bool = True) -> int:
    """Bytes that one sample keeps for the backward pass.

    A frozen tower at the start of the network keeps nothing.
    """
    network, half = config.network, config.precision != "float32"
    images = network.frames * network.vision.tokens
    context = images + (1 if network.folds_pads else network.pads) + bool(network.games)
    queries = config.draws * network.action_tokens
    product = 2 if half else FLOAT
    keys = context + (network.action_tokens if network.readout else 0)
    blocks: list[tuple[int, int]] = []  # (kept inside, kept at the border) of each block
    if tower_learns:
        vision = network.vision
        inside = images * _block(vision.width, vision.mlp_width, product)
        blocks += [(inside, images * FLOAT * vision.width)] * vision.layers
    width = network.mixing.width
    inside = context * _block(width, 4 * width, product)
    blocks += [(inside, context * FLOAT * width)] * network.mixing.layers
    for index in range(network.dit.layers):
        width = network.dit.width
        inside = queries * (_block(width, 4 * width, product) + FLOAT * width)
        if network.dit.is_cross(index):  # queries alone; keys and values come from the context
            inside += queries * (-2 * product * width)
            inside += keys * product * (network.dit.cross_width + 2 * width)
        blocks.append((inside, queries * FLOAT * width))
    if config.recompute:
        return max(inside for inside, _ in blocks) + sum(border for _, border in blocks)
    return sum(inside for inside, _ in blocks)


def _block(width: int, hidden: int, product: int) -> int:
    """Bytes per token that a pre-norm block keeps.

    Two norms keep their float32 input; six products of matrices keep theirs: the block's two normed
    inputs, queries, keys and values, what attention returns, and the hidden layer twice.
    """
    return 2 * FLOAT * width + product * (2 * width + 3 * width + 2 * width + 2 * hidden)
