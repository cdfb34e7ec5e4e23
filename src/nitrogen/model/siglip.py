"""Vision transformer: a normalised picture to image tokens.

The vision tower of SigLIP 2 (Tschannen et al. 2025, arXiv 2502.14786; architecture of Dosovitskiy
et al. 2020): learned positions, pre-norm blocks, tanh-GELU. Output is all tokens after the last
norm; the published pooling head is not built, for nothing reads it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.model.attention import attend

NORM_EPS = 1e-6


@dataclass(frozen=True, kw_only=True)
class VisionConfig:
    """Size of the tower. Defaults: google/siglip2-large-patch16-256."""

    image_size: int = 256
    """Height and width of the picture it works on, pixels; larger frames are area-averaged."""
    patch_size: int = 16
    width: int = 1024
    layers: int = 24
    heads: int = 16
    mlp_width: int = 4096

    @property
    def tokens(self) -> int:
        """Tokens per picture."""
        return (self.image_size // self.patch_size) ** 2


class VisionBlock(nn.Module):
    """Pre-norm self-attention and MLP."""

    def __init__(self, config: VisionConfig) -> None:
        """All sizes come from the tower's config."""
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.fc1 = nn.Linear(width, config.mlp_width)
        self.fc2 = nn.Linear(config.mlp_width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens to tokens, (B, N, D)."""
        qkv = self.qkv(self.norm1(x)).view(*x.shape[:2], 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, N, d) each
        attended = attend(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.out(attended)  # (B, N, D)
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.norm2(x)), approximate="tanh"))
        return out


class VisionTower(nn.Module):
    """Pictures to tokens."""

    def __init__(self, config: VisionConfig) -> None:
        """Fresh weights: Xavier for matrices, as SigLIP starts."""
        super().__init__()
        self.config = config
        self.patch = nn.Linear(3 * config.patch_size**2, config.width)
        self.positions = nn.Parameter(torch.randn(config.tokens, config.width) * config.width**-0.5)
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, eps=NORM_EPS)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """Normalised pictures (B, 3, image_size, image_size) to tokens (B, N, D)."""
        x = self.patch(self.patches(pictures)) + self.positions  # (B, N, D)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out

    def patches(self, pictures: Tensor) -> Tensor:
        """(B, 3, S, S) pictures cut into patches (B, N, 3 p p), in channel, row, column order."""
        batch, size = len(pictures), self.config.patch_size
        side = self.config.image_size // size
        cut = pictures.reshape(batch, 3, side, size, side, size)
        return cut.permute(0, 2, 4, 1, 3, 5).reshape(batch, side * side, 3 * size * size)


def normalise(frames: Tensor, image_size: int) -> Tensor:
    """uint8 frames (B, H, W, 3) to pictures (B, 3, image_size, image_size) float32 in [-1, 1].

    H and W must be `image_size` or a whole multiple of it. A larger frame is averaged over whole
    blocks of pixels and rounded to a whole number (half to even), exactly as OpenCV's INTER_AREA
    does, so it does not matter who shrinks a frame.
    """
    pictures = frames.permute(0, 3, 1, 2).to(torch.float32)  # (B, 3, H, W)
    factor = frames.shape[1] // image_size
    if factor > 1:
        pictures = F.avg_pool2d(pictures.contiguous(), factor).round()
    return pictures / 127.5 - 1
