"""The published checkpoint: its names, its settings, and how they become ours.

The only file that knows them. Every tensor is used once or listed as dropped, every setting
is read from the file's own configuration, and what does not fit is refused with the whole list.
Nothing is unpickled: the published file is read with torch's weights-only reader.
"""

from _pickle import UnpicklingError  # only the name of what torch's safe reader raises
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nitrogen.errors import CheckpointError
from nitrogen.model import checkpoint
from nitrogen.model.checkpoint import Storage
from nitrogen.model.dit import sine_positions
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.published_config import network_config
from nitrogen.model.siglip import VisionConfig

POOLING_HEAD = (
    "probe", "attention.in_proj_weight", "attention.in_proj_bias",
    "attention.out_proj.weight", "attention.out_proj.bias",
    "layernorm.weight", "layernorm.bias",
    "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias",
)  # fmt: skip
"""The 11 tensors of the tower's pooling head: known, never used, dropped."""

_READ_ERRORS = (UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError)

Plan = dict[str, tuple[str, ...]]
"""Our parameter to the foreign tensors that it is made of, joined along their first dimension."""


def convert(
    source: Path | str,
    folder: Path | str,
    *,
    vision_heads: int | None = None,
    storage: Storage = "float32",
) -> Path:
    """Convert a published checkpoint (`ng.pt`) to a checkpoint folder of ours; returns the folder.

    `vision_heads` is needed only where the encoder's name does not tell the number of heads.
    Raises CheckpointError, listing every problem, if the file is damaged or does not fit.
    """
    return checkpoint.save(folder, read(source, vision_heads=vision_heads), storage=storage)


def read(source: Path | str, *, vision_heads: int | None = None) -> NitroGen:
    """The network of a published checkpoint, float32, in evaluation mode; raises as `convert`."""
    source = Path(source)
    tensors, settings = _open(source)
    network, plan = describe(tensors, settings, vision_heads=vision_heads, where=source.name)
    weights = assemble(plan, tensors)
    return checkpoint.build(network, weights, where=source.name)


def describe(
    tensors: Mapping[str, Tensor],
    settings: dict[str, Any],
    *,
    vision_heads: int | None = None,
    where: str,
) -> tuple[NetworkConfig, Plan]:
    """Our config for these tensors and settings, and what each of our parameters is made of.

    Raises CheckpointError unless every tensor is used once or known to be dropped.
    """
    network = network_config(tensors, settings, vision_heads, where=where)
    plan = _plan(network)
    _check_complete(plan, tensors, network, where=where)
    return network, plan


def published_parameters(network: NetworkConfig) -> int:
    """Parameters that the published file holds for this network: its own and the pooling head."""
    with torch.device("meta"):
        own = sum(parameter.numel() for parameter in NitroGen(network).parameters())
    width, hidden = network.vision.width, network.vision.mlp_width
    attention = width + 4 * (width * width + width)  # probe, projections
    return own + attention + 2 * width + 2 * width * hidden + hidden + width


def _open(source: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not source.is_file():
        raise CheckpointError(f"no file {source}; the published checkpoint is called ng.pt")
    try:
        content = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except _READ_ERRORS as error:
        reason = str(error).strip().splitlines()[:1]
        raise CheckpointError(
            f"{source} cannot be read as plain weights (truncated, or not only tensors and"
            f" settings): {''.join(reason)}"
        ) from error
    if not isinstance(content, dict) or not {"model", "ckpt_config"} <= set(content):
        raise CheckpointError(f"{source} is not a published checkpoint: no model and ckpt_config")
    tensors, settings = content["model"], content["ckpt_config"]
    if not isinstance(settings, dict) or not _are_tensors(tensors):
        raise CheckpointError(f"{source} is not a published checkpoint: its parts are ill-typed")
    return dict(tensors), settings


def _are_tensors(tensors: Any) -> bool:
    return isinstance(tensors, Mapping) and all(isinstance(x, Tensor) for x in tensors.values())


def _plan(network: NetworkConfig) -> Plan:
    plan = vision_plan(network.vision, "vision_encoder.")
    for index in range(network.mixing.layers):
        ours, theirs = f"mixing.{index}", f"vl_self_attention_model.transformer_blocks.{index}"
        plan |= _block_plan(ours, theirs, cross=False)
        plan |= _layer(f"{ours}.norm1", f"{theirs}.norm1") | _layer(
            f"{ours}.norm2", f"{theirs}.norm3"
        )
    for index in range(network.dit.layers):
        ours, theirs = f"dit.blocks.{index}", f"model.transformer_blocks.{index}"
        plan |= _block_plan(ours, theirs, cross=network.dit.is_cross(index))
        plan |= _layer(f"{ours}.modulation", f"{theirs}.norm1.linear")
    embedder = "model.timestep_encoder.timestep_embedder"
    for ours, theirs in (
        ("dit.time1", f"{embedder}.linear_1"),
        ("dit.time2", f"{embedder}.linear_2"),
        ("dit.out_modulation", "model.proj_out_1"),
        ("dit.out", "model.proj_out_2"),
    ):
        plan |= _layer(ours, theirs)
    for ours, theirs in _TRANSPOSED.items():
        plan |= {f"{ours}.weight": (f"{theirs}.W",), f"{ours}.bias": (f"{theirs}.b",)}
    if network.positions is not None:
        plan["positions"] = ("position_embedding.weight",)
    if network.games:
        plan["games"] = ("game_embedding.weight",)
    return plan


_TRANSPOSED = {
    "action_encoder.embed": "action_encoder.W1",
    "action_encoder.join": "action_encoder.W2",
    "action_encoder.out": "action_encoder.W3",
    "action_decoder.hidden": "action_decoder.layer1",
    "action_decoder.out": "action_decoder.layer2",
}
"""Linear layers that the published file stores as (1, in, out) and (1, out)."""


def _block_plan(ours: str, theirs: str, *, cross: bool) -> Plan:
    attention = f"{theirs}.attn1.to_"
    if cross:
        plan = _layer(f"{ours}.attention.q", f"{attention}q")
        plan |= _layer(f"{ours}.attention.kv", f"{attention}k", f"{attention}v")
    else:
        names = (f"{attention}q", f"{attention}k", f"{attention}v")
        plan = _layer(f"{ours}.attention.qkv", *names)
    plan |= _layer(f"{ours}.attention.out", f"{attention}out.0")
    plan |= _layer(f"{ours}.feed_forward.fc1", f"{theirs}.ff.net.0.proj")
    return plan | _layer(f"{ours}.feed_forward.fc2", f"{theirs}.ff.net.2")


def vision_plan(vision: VisionConfig, prefix: str) -> Plan:
    """How the tower is made of foreign tensors whose names start with `prefix`."""
    plan = _layer("vision.patch", f"{prefix}embeddings.patch_embedding")
    plan["vision.positions"] = (f"{prefix}embeddings.position_embedding.weight",)
    plan |= _layer("vision.norm", f"{prefix}post_layernorm")
    for index in range(vision.layers):
        ours, theirs = f"vision.blocks.{index}", f"{prefix}encoder.layers.{index}"
        attention = f"{theirs}.self_attn"
        names = (f"{attention}.q_proj", f"{attention}.k_proj", f"{attention}.v_proj")
        plan |= _layer(f"{ours}.qkv", *names)
        plan |= _layer(f"{ours}.out", f"{attention}.out_proj")
        plan |= _layer(f"{ours}.norm1", f"{theirs}.layer_norm1")
        plan |= _layer(f"{ours}.norm2", f"{theirs}.layer_norm2")
        plan |= _layer(f"{ours}.fc1", f"{theirs}.mlp.fc1")
        plan |= _layer(f"{ours}.fc2", f"{theirs}.mlp.fc2")
    return plan


def _layer(ours: str, *theirs: str) -> Plan:
    return {f"{ours}.{part}": tuple(f"{x}.{part}" for x in theirs) for part in ("weight", "bias")}


def _check_complete(
    plan: Plan, tensors: Mapping[str, Tensor], network: NetworkConfig, *, where: str
) -> None:
    """Refuse unless each tensor is used once, dropped by name, or a table that we compute."""
    used = [name for names in plan.values() for name in names]
    assert len(used) == len(set(used)), "a tensor would be used twice"
    tables = {
        f"{stack}.transformer_blocks.{index}.pos_embed.pe"
        for stack, config in (("model", network.dit), ("vl_self_attention_model", network.mixing))
        for index in range(config.layers)
        if config.sinusoidal
    }
    dropped = {f"vision_encoder.head.{name}" for name in POOLING_HEAD}
    problems = [f"missing {name}" for name in [*used, *sorted(tables)] if name not in tensors]
    problems += [f"unknown {name}" for name in tensors if name not in {*used, *tables, *dropped}]
    problems += [
        f"{name} is not the usual table of sine positions"
        for name in sorted(tables & set(tensors))
        if not _is_sine_table(tensors[name])
    ]
    problems += _shape_problems(_TRANSPOSED.values(), tensors)
    if problems:
        more = f"; and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise CheckpointError(f"{where} does not fit: {'; '.join(problems[:20])}{more}")


def _shape_problems(names: Iterable[str], tensors: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name}.{part} has shape {tuple(tensor.shape)}, not (1, …)"
        for name in names
        for part, ndim in (("W", 3), ("b", 2))
        if (tensor := tensors.get(f"{name}.{part}")) is not None
        if tensor.ndim != ndim or tensor.shape[0] != 1
    ]


def _is_sine_table(table: Tensor) -> bool:
    if table.ndim != 3:
        return False
    expected = sine_positions(*table.shape[1:])
    # the last bit of a frequency, which differs between machines, moves row 511 by 3e-5
    return table.shape[0] == 1 and torch.allclose(table[0].float(), expected, atol=1e-3)


def assemble(plan: Plan, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our parameters from foreign tensors; those of `plan` must be there."""
    weights = {}
    for ours, theirs in plan.items():
        layer, _, part = ours.rpartition(".")
        value = torch.cat([tensors[name] for name in theirs]) if len(theirs) > 1 else None
        value = tensors[theirs[0]] if value is None else value
        if layer in _TRANSPOSED:
            value = value[0].T if part == "weight" else value[0]
        elif ours == "vision.patch.weight":
            value = value.flatten(1)
        weights[ours] = value.contiguous()
    return weights
