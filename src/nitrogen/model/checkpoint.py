"""A checkpoint folder: `config.json` and `model.safetensors`; atomic write, strict read.

Knows files. `config.json` holds the network's sizes and the hash of its weights, so a truncated,
swapped or half-copied folder is refused and nothing is ever unpickled.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nitrogen import config as configs
from nitrogen import files
from nitrogen.errors import CheckpointError, ConfigError
from nitrogen.model.network import NetworkConfig, NitroGen

FORMAT = "nitrogen.checkpoint/1"
CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"

Storage = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """The content of `config.json`."""

    network: NetworkConfig
    storage: Storage
    """Number format of the weights in the file; they are loaded back to float32."""
    sha256: str
    """Of `model.safetensors`."""


def save(folder: Path | str, network: NitroGen, *, storage: Storage = "float32") -> Path:
    """Write `config.json` and `model.safetensors` into `folder`, made if missing.

    Each file is written under a temporary name and renamed, weights first. Returns the folder.
    Raises CheckpointError if the disk does not take it; what was there before then still is.
    """
    folder = Path(folder)
    kind: torch.dtype = getattr(torch, storage)
    weights = {name: value.to(kind) for name, value in network.state_dict().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_tensors(folder / WEIGHTS_NAME, weights)
        described = CheckpointConfig(
            network=network.config, storage=storage, sha256=sha256(folder / WEIGHTS_NAME)
        )
        files.write_text(folder / CONFIG_NAME, configs.to_json(described, format=FORMAT))
    except OSError as error:
        raise CheckpointError(f"cannot write the checkpoint {folder}: {error}") from error
    return folder


def load(folder: Path | str, *, device: str | torch.device = "cpu") -> NitroGen:
    """The network of a checkpoint folder, in float32, in evaluation mode.

    Raises CheckpointError if a file is missing, damaged, of another format or does not fit.
    """
    folder = Path(folder)
    described = read_config(folder)
    path = folder / WEIGHTS_NAME
    found = sha256(path)
    if found != described.sha256:
        raise CheckpointError(
            f"{path} is damaged or not the file that {CONFIG_NAME} describes"
            f" (SHA-256 {found[:12]}…, expected {described.sha256[:12]}…); copy the folder again"
        )
    weights = read_tensors(path)
    return build(described.network, weights, where=str(path)).to(device)


def read_config(folder: Path | str) -> CheckpointConfig:
    """The `config.json` of a checkpoint folder; CheckpointError if it is missing or ill-formed."""
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(
            f"no checkpoint folder {folder}; make one with `nitrogen train` or `nitrogen convert`"
        )
    try:
        return configs.read(folder / CONFIG_NAME, CheckpointConfig, format=FORMAT)
    except ConfigError as error:
        raise CheckpointError(f"not a checkpoint folder: {error}") from error


def build(network: NetworkConfig, weights: dict[str, Tensor], *, where: str) -> NitroGen:
    """A network with exactly these weights, in float32 and evaluation mode.

    Raises CheckpointError, listing what is missing, left over, ill-shaped or not finite.
    """
    with torch.device("meta"):
        built = NitroGen(network)
    expected = built.state_dict()
    problems = [f"missing {name}" for name in expected if name not in weights]
    problems += [f"unknown {name}" for name in weights if name not in expected]
    for name in expected.keys() & weights.keys():
        wanted, found = tuple(expected[name].shape), tuple(weights[name].shape)
        if wanted != found:
            problems.append(f"{name} has shape {found}, not {wanted}")
        elif not weights[name].is_floating_point():
            problems.append(f"{name} is {weights[name].dtype}, not floating point")
        elif not torch.isfinite(weights[name]).all():
            problems.append(f"{name} holds NaN or infinity")
    if problems:
        shown = "; ".join(sorted(problems)[:10])
        more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise CheckpointError(f"{where} does not fit the network: {shown}{more}")
    # a copy: torch aligns it, and results depend on the alignment in the last bit
    floats = {name: value.to(torch.float32, copy=True) for name, value in weights.items()}
    built.load_state_dict(floats, assign=True)
    return built.requires_grad_(requires_grad=True).eval()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file; CheckpointError if it is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError, struct.error) as error:
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}") from error


def write_tensors(
    path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file under a temporary name, then rename it."""
    with files.replacing(path) as partial:
        partial.touch()
        mode = partial.stat().st_mode  # what the user's umask allows; safetensors is stricter
        save_file({name: v.contiguous() for name, v in tensors.items()}, partial, metadata)
        partial.chmod(mode)


def sha256(path: Path) -> str:
    """Hash of a file, in hexadecimal; CheckpointError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
