"""Finds overlays of unknown skins: a small network that looks at what stands still in a video.

It sees the mean of some pictures, its fine detail in standard errors, and how much the pictures
differ; so it knows a pad by its shape, by standing still while the game moves, and by the blurs
that its buttons and sticks leave. Boxes are told as in FCOS (Tian and others 2019): every cell says
how likely a pad's middle is there, and how far its four sides are.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.extract import networks
from nitrogen.extract.locate import Candidate
from nitrogen.extract.networks import Residual, convolution
from nitrogen.extract.still import Still, high_pass
from nitrogen.video.pixels import Box

FORMAT = "nitrogen.finder/1"
SHIPPED = Path(__file__).parent / "weights" / "finder"
"""The finder that comes with the package, with its recipe beside it (docs/guides/fit.md)."""

STRIDE = 8
"""Pixels per cell."""
CHANNELS = 4
"""Of what the network sees."""
_UNIT = 32.0
"""Pixels of a side's distance where the network says 0."""
_MARKS = 8.0
"""Standard errors beyond which detail counts no more."""

_SCALES = (512, 256)
"""Widths at which the whole frame is looked at."""
_ZOOMED = 84
"""Pixels across an overlay when it is looked at closely."""
_AROUND = 2.2
"""Widths and heights of the overlay that are seen then."""
_ROUNDS = 2
"""Of looking closely."""
_TALL = 1.4
"""Heights count for so much more, as pads are wider than high."""
_MOST = 6
"""Candidates that are looked at closely."""
_LEAST = 0.15
"""Score below which there is no candidate."""
_SAME = 0.4
"""Overlap from which two candidates are the same."""


@dataclass(frozen=True, kw_only=True)
class FinderConfig:
    """The content of a finder's `config.json`."""

    widths: tuple[int, int, int, int]
    """Channels at 1/2, 1/4, 1/8 and 1/16 of the size."""
    storage: networks.Storage
    sha256: str
    """Of `model.safetensors`."""


class FinderNetwork(nn.Module):
    """Pictures (B, 4, H, W) to logits (B, H/8, W/8) and sides (B, 4, H/8, W/8) in pixels."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        """Random weights; widths: channels at 1/2, 1/4, 1/8 and 1/16 of the size."""
        super().__init__()
        self.widths = widths
        a, b, c, d = widths
        self.eighth = nn.Sequential(
            convolution(CHANNELS, a, 2),
            convolution(a, b, 2),
            Residual(b),
            convolution(b, c, 2),
            Residual(c),
        )
        self.sixteenth = nn.Sequential(convolution(c, d, 2), Residual(d), Residual(d))
        self.lateral = nn.Conv2d(d, c, 1)
        self.head = networks.head(c, 5)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Sides: left, top, right, bottom, as distances from the cell's middle."""
        near = self.eighth(pictures)
        wide = F.interpolate(self.lateral(self.sixteenth(near)), size=near.shape[2:])
        made = self.head(near + wide).float()
        return made[:, 0], _UNIT * made[:, 1:].clamp(-6, 4).exp()


def as_input(still: Still) -> NDArray[np.float32]:
    """(4, H, W): brightness, detail, detail in standard errors, what differs from time to time."""
    spread = np.asarray(cv2.resize(still.spread, still.size), np.float32)
    detail = high_pass(still.mean, 4.0)
    error = np.sqrt(spread / np.float32(still.count) + np.float32(0.3))
    seen = [
        (still.mean - 128) / 64,
        detail / 24,
        np.clip(detail / error, -_MARKS, _MARKS) / 4,
        np.sqrt(spread) / 12,
    ]
    return np.stack(seen).astype(np.float32)


class Finder:
    """Finds overlays with a network."""

    def __init__(self, network: FinderNetwork) -> None:
        """network: in evaluation mode."""
        self._network = network

    def find(self, still: Still) -> list[Candidate]:
        """Where overlays of any skin may be, the surest first; the least sure are mostly none."""
        width, height = still.size
        rough: list[Candidate] = []
        for across in _SCALES:
            rough += self._seen(still, (0, 0, width, height), across / width)
        near = [self._nearer(still, candidate) for candidate in _distinct(rough)[:_MOST]]
        return _distinct([one for one in near if one is not None])

    def again(self, still: Still, candidate: Candidate) -> float:
        """How sure it is, 0..1, that the same overlay shows here."""
        found = self._closer(still, candidate)
        return found.score if found else 0.0

    def _nearer(self, still: Still, candidate: Candidate) -> Candidate | None:
        better: Candidate | None = candidate
        for _ in range(_ROUNDS):
            better = self._closer(still, better) if better else None
        return better

    def _closer(self, still: Still, candidate: Candidate) -> Candidate | None:
        """The candidate as it is seen when it fills the picture."""
        _, _, width, height = candidate.box
        window = _window(candidate.box, still.size)
        found = self._seen(still, window, _ZOOMED / max(width, _TALL * height, 16))
        same = [one for one in found if _overlap(one.box, candidate.box) > _SAME]
        return max(same, key=lambda one: one.score, default=None)

    def _seen(self, still: Still, window: Box, scale: float) -> list[Candidate]:
        """Candidates in a window of the frame, shown at a scale."""
        x, y, width, height = window
        size = tuple(max(16, 16 * round(side * scale / 16)) for side in (width, height))
        picture = torch.from_numpy(as_input(still.part(window, (size[0], size[1]))))
        with torch.inference_mode():
            logits, sides = self._network(picture[None])
        scores = torch.sigmoid(logits)
        peaks = (F.max_pool2d(scores, 3, 1, 1) == scores) & (scores > _LEAST)
        across, down = width / size[0], height / size[1]
        found = []
        for row, column in peaks[0].nonzero().tolist():
            left, top, right, bottom = sides[0, :, row, column].tolist()
            at = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
            box = (
                round(x + (at[0] - left) * across),
                round(y + (at[1] - top) * down),
                round((left + right) * across),
                round((top + bottom) * down),
            )
            found.append(Candidate(box, float(scores[0, row, column])))
        return found


def _window(box: Box, size: tuple[int, int]) -> Box:
    """Round a box, within a frame of this size."""
    x, y, width, height = box
    across = min(round(_AROUND * width), size[0])
    down = min(round(_TALL * _AROUND * height), size[1])
    left = int(np.clip(x + (width - across) / 2, 0, size[0] - across))
    top = int(np.clip(y + (height - down) / 2, 0, size[1] - down))
    return left, top, across, down


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """The surest of those that are the same, the surest first."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda candidate: -candidate.score):
        if all(_overlap(one.box, other.box) <= _SAME for other in kept):
            kept.append(one)
    return kept


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / max(a[2] * a[3] + b[2] * b[3] - both, 1)


def save_finder(
    folder: Path, network: FinderNetwork, *, storage: networks.Storage = "float16"
) -> Path:
    """Write a finder as `config.json` and `model.safetensors`. Raises CheckpointError."""
    sha256 = networks.write_weights(folder, network, storage)
    described = FinderConfig(widths=network.widths, storage=storage, sha256=sha256)
    return networks.write_config(folder, described, FORMAT)


def load_finder(folder: Path = SHIPPED) -> Finder:
    """The finder in a folder; by default the one that ships. Raises CheckpointError."""
    return Finder(load_network(folder))


def load_network(folder: Path = SHIPPED) -> FinderNetwork:
    """Its network, in evaluation mode.

    Raises CheckpointError if a file is missing, damaged or does not fit.
    """
    described = networks.read_config(folder, FinderConfig, FORMAT, "a finder")
    network = FinderNetwork(described.widths)
    networks.load_weights(folder, network, described)
    return network
