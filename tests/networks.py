"""Small networks with weights of order one, and frames for them."""

import importlib.util
import sys
from pathlib import Path

import torch

from nitrogen.model.dit import TransformerConfig
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.siglip import VisionConfig


def small_config(**changes):
    return NetworkConfig(
        vision=VisionConfig(
            image_size=32, patch_size=16, width=32, layers=1, heads=2, mlp_width=64
        ),
        mixing=TransformerConfig(layers=1, width=32, heads=2, cross_width=32),
        dit=TransformerConfig(layers=2, width=32, heads=2, cross_width=32),
        **{"horizon": 4, "positions": 4, **changes},
    )


def build(**changes):
    torch.manual_seed(0)
    network = NitroGen(small_config(**changes)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return network


def frames(count, size=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, size, size, 3), generator=generator, dtype=torch.uint8)


def load_bench(name):
    """A module of `bench/`, which is no package."""
    path = Path(__file__).parents[1] / "bench" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
