"""Folders of the small networks that ship: `config.json` and `model.safetensors`."""

from pathlib import Path
from typing import Literal, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen import config as configs
from nitrogen import files
from nitrogen.errors import CheckpointError, ConfigError
from nitrogen.model import checkpoint

Storage = Literal["float16", "float32"]


class Described(Protocol):
    """The content of a `config.json`."""

    @property
    def storage(self) -> Storage:
        """How the weights are stored."""

    @property
    def sha256(self) -> str:
        """Of `model.safetensors`."""


_Config = TypeVar("_Config", bound=Described)


def write_weights(folder: Path, network: nn.Module, storage: Storage) -> str:
    """Write `model.safetensors`; its SHA-256. Raises CheckpointError."""
    weights = {n: v.to(getattr(torch, storage)) for n, v in network.state_dict().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_tensors(folder / checkpoint.WEIGHTS_NAME, weights)
        return checkpoint.sha256(folder / checkpoint.WEIGHTS_NAME)
    except OSError as error:
        raise CheckpointError(f"cannot write {folder}: {error}") from error


def write_config(folder: Path, described: Described, form: str) -> Path:
    """Write `config.json`, last of all; the folder. Raises CheckpointError."""
    try:
        files.write_text(folder / checkpoint.CONFIG_NAME, configs.to_json(described, format=form))
    except OSError as error:
        raise CheckpointError(f"cannot write {folder}: {error}") from error
    return folder


def read_config(folder: Path, kind: type[_Config], form: str, what: str) -> _Config:
    """The content of `config.json`. Raises CheckpointError, saying that it is not `what`."""
    try:
        return configs.read(folder / checkpoint.CONFIG_NAME, kind, format=form)
    except ConfigError as error:
        raise CheckpointError(f"not {what}: {error}") from error


def load_weights(folder: Path, network: nn.Module, described: Described) -> None:
    """Read the weights into the network, to be used only. Raises CheckpointError if unfit."""
    path = folder / checkpoint.WEIGHTS_NAME
    if checkpoint.sha256(path) != described.sha256:
        raise CheckpointError(f"{path} is damaged or was swapped; copy the folder again")
    floats = {n: v.to(torch.float32, copy=True) for n, v in checkpoint.read_tensors(path).items()}
    try:
        network.load_state_dict(floats)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit its config.json: {error}") from error
    network.eval().requires_grad_(requires_grad=False)


def convolution(ins: int, outs: int, stride: int = 1) -> nn.Sequential:
    """3 x 3, normalised by batch, ReLU."""
    return nn.Sequential(
        nn.Conv2d(ins, outs, 3, stride, 1, bias=False), nn.BatchNorm2d(outs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He and others 2016)."""

    def __init__(self, width: int) -> None:
        """width: channels in and out."""
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to the same."""
        return F.relu(x + self.second(self.first(x)))


def head(width: int, outs: int) -> nn.Sequential:
    """What a map's cells say; the first output is a logit of something rare."""
    last = nn.Conv2d(width, outs, 1)
    assert last.bias is not None
    nn.init.constant_(last.bias[:1], -4.0)
    return nn.Sequential(Residual(width), last)
