"""A small network that tells where the cap of a stick is, at twice the reader's resolution.

Thin rings, dark caps on dark pads and caps of made-up shapes are lost in the reader's small
picture. Here a window round a stick is looked at closely: the picture, how it differs from the
resting picture, that one itself, and how much every pixel changes over the video, which shows the
ground that a cap covers. Each cell of a map says how likely a cap's middle is there and where in it
exactly (CenterNet; Zhou, Wang, Krähenbühl 2019).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.extract import networks
from nitrogen.extract.networks import Residual, convolution

Gray = NDArray[np.float32]

ACROSS = 256
"""Pixels across the overlay's box."""
WINDOW = 72
"""Pixels across the window round a stick."""
STRIDE = 4
"""Pixels per cell."""
CHANNELS = 4
"""Of what the network sees."""
FORMAT = "nitrogen.caps/1"
SHIPPED = Path(__file__).parent / "weights" / "caps"
"""The network that comes with the package, with its recipe beside it (docs/guides/fit.md)."""


@dataclass(frozen=True, kw_only=True)
class CapNetworkConfig:
    """The content of its `config.json`."""

    widths: tuple[int, int, int]
    """Channels at 1/2, 1/4 and 1/8 of the size."""
    storage: networks.Storage
    sha256: str
    """Of `model.safetensors`."""


class CapNetwork(nn.Module):
    """Windows (B, 4, H, W) to logits (B, H/4, W/4) and offsets (B, 2, H/4, W/4) in cells."""

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 48)) -> None:
        """Random weights; widths: channels at 1/2, 1/4 and 1/8 of the size."""
        super().__init__()
        self.widths = widths
        a, b, c = widths
        self.fourth = nn.Sequential(convolution(CHANNELS, a, 2), convolution(a, b, 2), Residual(b))
        self.eighth = nn.Sequential(convolution(b, c, 2), Residual(c), Residual(c), Residual(c))
        self.lateral = nn.Conv2d(c, b, 1)
        self.head = networks.head(b, 3)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets: x and y of the cap's middle from the cell's."""
        near = self.fourth(pictures)
        wide = F.interpolate(self.lateral(self.eighth(near)), size=near.shape[2:])
        made = self.head(near + wide).float()
        return made[:, 0], made[:, 1:]


def stacked(
    pictures: NDArray[np.uint8],
    rest: Gray,
    spread: Gray,
    corner: tuple[int, int],
    size: tuple[int, int] = (WINDOW, WINDOW),
) -> Gray:
    """What the network sees of (N, H, W) brightness in a window, (N, 4, h, w).

    rest, spread: (H, W) median and standard deviation over the video; corner: x and y of the
    window, which may reach beyond the picture.
    """
    x, y = corner
    height, width = rest.shape
    rows = np.clip(np.arange(y, y + size[1]), 0, height - 1)[:, None]
    columns = np.clip(np.arange(x, x + size[0]), 0, width - 1)
    shown = pictures[:, rows, columns].astype(np.float32)
    still = np.broadcast_to(rest[rows, columns], shown.shape)
    varies = np.broadcast_to(spread[rows, columns], shown.shape)
    return np.stack(
        [(shown - 128) / 64, (shown - still) / 32, (still - 128) / 64, varies / 24 - 1], axis=1
    )


def found(logits: Tensor, offsets: Tensor) -> tuple[Gray, Gray]:
    """Where caps are in windows, (N, 2) pixels, and how likely, (N,)."""
    count, height, width = logits.shape
    scores = torch.sigmoid(logits)
    best = scores.flatten(1).argmax(1)
    row, column = (best // width).clamp(1, height - 2), (best % width).clamp(1, width - 2)
    total = torch.zeros(count)
    place = torch.zeros(count, 2)
    every = torch.arange(count)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            y, x = row + down, column + across
            weight = scores[every, y, x] ** 2
            at = torch.stack(
                [x + 0.5 + offsets[every, 0, y, x], y + 0.5 + offsets[every, 1, y, x]], 1
            )
            place += weight[:, None] * at
            total += weight
    place = STRIDE * place / total.clamp_min(1e-9)[:, None]
    return np.asarray(place.numpy(), np.float32), np.asarray(
        scores.flatten(1).amax(1).numpy(), np.float32
    )


def save_cap_network(
    folder: Path, network: CapNetwork, *, storage: networks.Storage = "float16"
) -> Path:
    """Write it as `config.json` and `model.safetensors`. Raises CheckpointError."""
    sha256 = networks.write_weights(folder, network, storage)
    described = CapNetworkConfig(widths=network.widths, storage=storage, sha256=sha256)
    return networks.write_config(folder, described, FORMAT)


def load_cap_network(folder: Path = SHIPPED) -> CapNetwork:
    """The network in a folder, in evaluation mode; by default the one that ships.

    Raises CheckpointError if a file is missing, damaged or does not fit.
    """
    described = networks.read_config(folder, CapNetworkConfig, FORMAT, "a cap network")
    network = CapNetwork(described.widths)
    networks.load_weights(folder, network, described)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
