"""Transformers around the flow: mixing blocks for image tokens, and the diffusion transformer.

The diffusion transformer (Peebles & Xie 2022, arXiv 2212.09748) works on action tokens. Time enters
by adaptive norms; pictures enter by cross-attention, in every block or in every other one with
self-attention between. Structure and sizes are those of the published network; attention
projections are stored fused.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.model.attention import attend

NORM_EPS = 1e-5
OUT_NORM_EPS = 1e-6
TIME_CODE_WIDTH = 256


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """A stack of transformer blocks: the mixing blocks, or the diffusion transformer."""

    layers: int
    width: int = 1024
    heads: int = 16
    dropout: float = 0.0
    """After attention (twice), after the activation and at the end of the feed-forward part."""
    sinusoidal: bool = False
    """Add fixed sine positions to the normed tokens before each attention."""
    interleave: bool = True
    """Diffusion transformer only: cross-attention in even blocks, self-attention in odd ones."""
    cross_width: int = 1024
    """Diffusion transformer only: width of the context tokens."""

    def is_cross(self, index: int) -> bool:
        """Whether block `index` of the diffusion transformer attends to the context."""
        return index % 2 == 0 or not self.interleave


class FeedForward(nn.Module):
    """Linear, tanh-GELU, linear; four times as wide inside."""

    def __init__(self, config: TransformerConfig) -> None:
        """Sizes from the stack's config."""
        super().__init__()
        self.fc1 = nn.Linear(config.width, 4 * config.width)
        self.fc2 = nn.Linear(4 * config.width, config.width)
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) to (..., D)."""
        hidden = F.gelu(self.fc1(x), approximate="tanh")
        if self.training and self.dropout:
            hidden = F.dropout(hidden, self.dropout)
            return F.dropout(self.fc2(hidden), self.dropout)
        out: Tensor = self.fc2(hidden)
        return out


class SelfAttention(nn.Module):
    """Multi-head attention of tokens to each other."""

    def __init__(self, config: TransformerConfig) -> None:
        """Sizes from the stack's config."""
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(B, N, D) to (B, N, D); `bias` (N,) is added to the logits of each key."""
        q, k, v = self.qkv(x).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = attend(q, k, v, bias)  # (B, heads, N, d)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


class CrossAttention(nn.Module):
    """Multi-head attention of tokens to the context."""

    def __init__(self, config: TransformerConfig) -> None:
        """Sizes from the stack's config."""
        super().__init__()
        self.heads = config.heads
        self.q = nn.Linear(config.width, config.width)
        self.kv = nn.Linear(config.cross_width, 2 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        """x (B R, T, D) attends to context (B, N, D): R consecutive rows share one context.

        Tokens attend independently of each other, so the R rows are laid end to end as one longer
        row of queries and the context is never repeated.
        """
        q = self.q(x).reshape(len(context), -1, self.heads, x.shape[-1] // self.heads)
        both = self.kv(context).view(*context.shape[:2], 2, self.heads, -1)
        k, v = both.permute(2, 0, 3, 1, 4)  # (B, heads, N, d) each
        q = q.transpose(1, 2)  # (B, heads, R T, d)
        attended = attend(q, k, v, bias)  # (B, heads, R T, d)
        out: Tensor = self.out(attended.transpose(1, 2).reshape(x.shape))
        return out


class MixingBlock(nn.Module):
    """Pre-norm self-attention and feed-forward over the context."""

    def __init__(self, config: TransformerConfig) -> None:
        """Sizes from the stack's config."""
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.attention = SelfAttention(config)
        self.norm2 = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.feed_forward = FeedForward(config)
        self.dropout, self.sinusoidal = config.dropout, config.sinusoidal

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(B, N, D) to (B, N, D); `bias` as in SelfAttention."""
        normed = self.norm1(x)
        if self.sinusoidal:
            normed = normed + sine_positions(x.shape[1], x.shape[2]).to(x)
        x = x + _dropped_twice(self.attention(normed, bias), self.dropout, training=self.training)
        out: Tensor = x + self.feed_forward(self.norm2(x))
        return out


class DiTBlock(nn.Module):
    """Time-modulated attention, to the context or to each other, and plain feed-forward."""

    def __init__(self, config: TransformerConfig, *, cross: bool) -> None:
        """Sizes from the stack's config; `cross` decides what the block attends to."""
        super().__init__()
        self.modulation = nn.Linear(config.width, 2 * config.width)  # scale, then shift
        self.attention: CrossAttention | SelfAttention = (
            CrossAttention(config) if cross else SelfAttention(config)
        )
        self.feed_forward = FeedForward(config)
        self.dropout, self.sinusoidal = config.dropout, config.sinusoidal

    def forward(
        self, x: Tensor, time: Tensor, context: Tensor, bias: Tensor | None = None
    ) -> Tensor:
        """x (B R, T, D), activated time embedding (B R, D), context (B, N, D), its bias (N,)."""
        scale, shift = self.modulation(time)[:, None].chunk(2, dim=-1)  # (B R, 1, D) each
        normed = torch.addcmul(shift, F.layer_norm(x, x.shape[-1:], eps=NORM_EPS), 1 + scale)
        if self.sinusoidal:
            normed = normed + sine_positions(x.shape[1], x.shape[2]).to(x)
        cross = isinstance(self.attention, CrossAttention)
        attended = self.attention(normed, context, bias) if cross else self.attention(normed)
        x = x + _dropped_twice(attended, self.dropout, training=self.training)
        out: Tensor = x + self.feed_forward(F.layer_norm(x, x.shape[-1:], eps=NORM_EPS))
        return out


class DiT(nn.Module):
    """The diffusion transformer: noisy action tokens, time and context to action tokens."""

    def __init__(self, config: TransformerConfig) -> None:
        """Fresh weights start as torch's layers do, like the published ones."""
        super().__init__()
        width = config.width
        self.config = config
        self.time1 = nn.Linear(TIME_CODE_WIDTH, width)
        self.time2 = nn.Linear(width, width)
        self.blocks = nn.ModuleList(
            DiTBlock(config, cross=config.is_cross(index)) for index in range(config.layers)
        )
        self.out_modulation = nn.Linear(width, 2 * width)  # shift, then scale
        self.out = nn.Linear(width, width)

    def embed_time(self, bucket: Tensor) -> Tensor:
        """Integer times (B,) to activated embeddings (B, D), as every block reads them."""
        code = time_code(bucket, TIME_CODE_WIDTH, cosine_first=True).to(self.time1.weight.dtype)
        return F.silu(self.time2(F.silu(self.time1(code))))

    def forward(
        self, x: Tensor, bucket: Tensor, context: Tensor, bias: Tensor | None = None
    ) -> Tensor:
        """x (B R, T, D), integer times (B R,), context (B, N, D), its bias (N,) to (B R, T, D)."""
        time = self.embed_time(bucket)
        for block in self.blocks:
            x = block(x, time, context, bias)
        shift, scale = self.out_modulation(time)[:, None].chunk(2, dim=-1)
        normed = F.layer_norm(x, x.shape[-1:], eps=OUT_NORM_EPS)
        out: Tensor = self.out(torch.addcmul(shift, normed, 1 + scale))
        return out


def time_code(bucket: Tensor, width: int, *, cosine_first: bool) -> Tensor:
    """Sines and cosines of integer times (B,), (B, width) float32.

    The published network has two codes: the transformer's has the cosines first and ends at exactly
    1/10000, the action encoder's has the sines first and ends one step before it.
    """
    half = width // 2
    last = half - 1 if cosine_first else half
    index = torch.arange(half, dtype=torch.float32, device=bucket.device)
    angle = bucket.float()[:, None] * torch.exp(index * (-math.log(10_000.0) / last))
    pair = (angle.cos(), angle.sin()) if cosine_first else (angle.sin(), angle.cos())
    return torch.cat(pair, dim=-1)


def sine_positions(length: int, width: int) -> Tensor:
    """Fixed positions of Vaswani et al. 2017, sine and cosine alternating, (length, width)."""
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(length)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def _dropped_twice(x: Tensor, dropout: float, *, training: bool) -> Tensor:
    if not (training and dropout):
        return x
    return F.dropout(F.dropout(x, dropout), dropout)
