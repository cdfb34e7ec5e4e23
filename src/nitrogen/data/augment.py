"""Random changes to frames during training: colour, small rotation, crop.

Values follow the published recipe (facts: brightness, contrast, saturation, hue; rotation of ±5
degrees; random crop); its ranges were not published, the ones here are ours. Works on whole
batches, all choices drawn from one generator.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How far frames are changed; zeros leave them as they are."""

    brightness: float = 0.15
    """Largest change of brightness, as a share of full scale."""
    contrast: float = 0.2
    """Largest relative change of contrast."""
    saturation: float = 0.2
    """Largest relative change of saturation."""
    hue: float = 0.05
    """Largest rotation of hue, in turns."""
    rotation_degrees: float = 5.0
    """Largest rotation to either side."""
    crop: float = 0.06
    """Largest share cut off each dimension; the rest is stretched back to full size."""

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self == AugmentConfig(
            brightness=0, contrast=0, saturation=0, hue=0, rotation_degrees=0, crop=0
        )


@dataclass(frozen=True)
class Changes:
    """What happens to each frame of a batch; every tensor has one row per frame."""

    angle: Tensor
    """Radians."""
    scale: Tensor
    """Share of each dimension that is kept."""
    shift: Tensor
    """(B, 2), where the kept part lies: -1 to 1, times what is cut off."""
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    """Radians."""

    def __getitem__(self, rows: slice) -> "Changes":
        """The changes of some of the frames."""
        return Changes(**{name: value[rows] for name, value in vars(self).items()})

    def to(self, device: torch.device) -> "Changes":
        """The same on another device."""
        return Changes(**{name: value.to(device) for name, value in vars(self).items()})


def draw_changes(count: int, config: AugmentConfig, generator: torch.Generator) -> Changes:
    """Random changes for `count` frames."""
    angle = _uniform(count, math.radians(config.rotation_degrees), generator)
    scale = 1 - torch.rand(count, generator=generator) * config.crop
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * (1 - scale)[:, None]
    return Changes(
        angle=angle,
        scale=scale,
        shift=shift,
        brightness=_uniform(count, config.brightness, generator),
        contrast=1 + _uniform(count, config.contrast, generator),
        saturation=1 + _uniform(count, config.saturation, generator),
        hue=_uniform(count, 2 * math.pi * config.hue, generator),
    )


def augment(frames: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Change each frame by its own random amounts.

    frames: (B, H, W, 3) uint8; returns the same shape and type.
    """
    if config.is_identity:
        return frames
    return change(frames, draw_changes(len(frames), config, generator))


def change(frames: Tensor, changes: Changes) -> Tensor:
    """Frames (B, H, W, 3) uint8 with the given changes, same shape and type."""
    pictures = frames.permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W)
    pictures = _recolour(_move(pictures, changes), changes)
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def _uniform(count: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def _move(pictures: Tensor, changes: Changes) -> Tensor:
    """Rotate and crop in one bilinear look-up; what comes in from outside repeats the edge."""
    angle, scale, shift = changes.angle, changes.scale, changes.shift
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [
        torch.stack([cosine, -sine, shift[:, 0]], dim=1),
        torch.stack([sine, cosine, shift[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _recolour(pictures: Tensor, changes: Changes) -> Tensor:
    """Brightness, contrast, saturation and hue, all linear in RGB: one 3x3 matrix a frame.

    Saturation and hue act on the chroma plane of YIQ, which a rotation and a scale of that plane
    express exactly.
    """
    contrast, saturation, hue = changes.contrast, changes.saturation, changes.hue
    to_yiq = torch.tensor(
        [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]],
        device=pictures.device,
    )
    cosine, sine = torch.cos(hue) * saturation, torch.sin(hue) * saturation
    chroma = torch.zeros(len(pictures), 3, 3, device=pictures.device)
    chroma[:, 0, 0] = 1
    chroma[:, 1, 1], chroma[:, 1, 2] = cosine, -sine
    chroma[:, 2, 1], chroma[:, 2, 2] = sine, cosine
    matrix = torch.linalg.inv(to_yiq) @ chroma @ to_yiq * contrast[:, None, None]
    mean = pictures.mean(dim=(2, 3))  # (B, 3)
    offset = mean * (1 - contrast[:, None]) + changes.brightness[:, None]
    flat = torch.baddbmm(offset[:, :, None], matrix, pictures.flatten(2))
    return flat.view_as(pictures)
