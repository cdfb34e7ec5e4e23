"""Compare our network with recorded outputs of the published code.

    python scripts/parity.py CASE.pt CASE.npz --json

prints the largest absolute difference for each recorded array: with `--json` one JSON object, array
name to number. Where both samplers of ours apply, the larger difference counts. The exit status is
1 if any exceeds 2e-5. Layout of a case: docs/concepts/flow.md.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nitrogen.model import layout, published
from nitrogen.model.network import NitroGen, context_bias
from nitrogen.model.sampler import Sampler

TOLERANCE = 2e-5
IMAGE_TOKEN = 1
Recorded = dict[str, Tensor]


def main() -> int:
    """Print the differences; 0 if all are within the tolerance."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="published checkpoint (.pt)")
    parser.add_argument("recorded", type=Path, help="fixed inputs and recorded outputs (.npz)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = differences(options.checkpoint, options.recorded)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:24s} {value:.2e}{'' if value <= TOLERANCE else '  too large'}")
    return int(not all(value <= TOLERANCE for value in found.values()))


@torch.no_grad()
def differences(source: Path, recorded: Path) -> dict[str, float]:
    """Largest absolute difference of each recorded array."""
    with np.load(recorded, allow_pickle=False) as file:
        arrays = dict(file)
    vision = json.loads(str(arrays.pop("vision_config", "{}")))
    case: Recorded = {name: torch.from_numpy(value) for name, value in arrays.items()}
    network = published.read(source, vision_heads=vision.get("num_attention_heads"))
    _fit_pads(network, case)
    outputs = [*_encoded(network, case), *_planned(network, case), *_trained(network, case)]
    found: dict[str, float] = {}
    for name, value in outputs:
        if name in case:
            difference = (value.double() - case[name].double()).abs().max().item()
            found[name] = max(found.get(name, 0.0), difference)
    return found


def _fit_pads(network: NitroGen, case: Recorded) -> None:
    """Take the number of pads from the recorded tokens: it is an input, not a weight."""
    tokens = case["vl_token_ids"]  # (B, pads + N)
    images = case["images"].shape[1] * network.config.vision.tokens
    pads = tokens.shape[1] - images - bool(network.config.games)
    is_image = tokens == IMAGE_TOKEN
    if pads < 0 or not is_image[:, -images:].all() or is_image[:, :-images].any():
        raise SystemExit("the recorded tokens are not pads followed by all image tokens")
    network.config = replace(network.config, pads=pads, frames=case["images"].shape[1])


def _encoded(network: NitroGen, case: Recorded) -> list[tuple[str, Tensor]]:
    """The first step, part by part."""
    noise = case["noise"]
    tokens = network.vision(case["images"].flatten(0, 1))
    context = network.encode_pictures(case["images"])
    bucket = torch.zeros(len(noise), dtype=torch.long)
    encoded = network.action_encoder(noise, bucket)
    placed = encoded
    if network.positions is not None:
        placed = encoded + network.positions[: encoded.shape[1]]
    transformed = network.dit(placed, bucket, context, context_bias(network.config, context))
    return [
        ("vision_first", _as_recorded(tokens, case, "vision_first")),
        ("vl_mix_first", _unfolded(network, context)),
        ("action_encoder_first", encoded),
        ("dit_first", transformed),
        ("velocity_first", network.velocity(noise, torch.zeros(len(noise)), context)),
    ]


def _planned(network: NitroGen, case: Recorded) -> list[tuple[str, Tensor]]:
    """Plans of the plain and of the fast sampler, guided and not, and their decoded form."""
    pictures, noise = case["images"], case["noise"]
    outputs = []
    sampler = Sampler(network)
    context = sampler.encode_pictures(pictures)
    plain = network.sample_context(network.encode_pictures(pictures), noise)
    for plan in (plain, sampler.plan(context, noise)):
        outputs += [("action_tensor", plan), *_decoded(plan)]
    if "action_tensor_cfg2" in case:
        # recorded as v_c + 2 (v_c - v_u), which is our weight 3; v_u saw the pictures mirrored
        free = sampler.encode_pictures(pictures.flip(-1))
        guided = sampler.plan(context, noise, unconditional=free, guidance=3.0)
        outputs.append(("action_tensor_cfg2", guided))
    return outputs


def _decoded(plan: Tensor) -> list[tuple[str, Tensor]]:
    sticks = np.stack([layout.from_tensor(one).sticks for one in plan])
    return [
        ("buttons", (plan[..., : len(layout.TENSOR_BUTTONS)] > layout.PRESSED).float()),
        ("j_left", torch.from_numpy(sticks[..., :2])),
        ("j_right", torch.from_numpy(sticks[..., 2:])),
    ]


def _trained(network: NitroGen, case: Recorded) -> list[tuple[str, Tensor]]:
    """The loss, with the recorded noise and times."""
    if "train_loss" not in case:
        return []
    context = network.encode_pictures(case["images"])
    loss = network.flow_loss(context, case["train_actions"], noise=case["noise"], t=case["train_t"])
    return [("train_loss", loss)]


def _unfolded(network: NitroGen, context: Tensor) -> Tensor:
    """The context with its merged pad repeated as often as it counts."""
    if not network.config.folds_pads:
        return context
    pad, rest = context[:, :1], context[:, 1:]
    return torch.cat([pad.expand(-1, network.config.pads, -1), rest], dim=1)


def _as_recorded(tokens: Tensor, case: Recorded, name: str) -> Tensor:
    return tokens.reshape(case[name].shape) if name in case else tokens


if __name__ == "__main__":
    sys.exit(main())
