"""The encoder of SegFormer, a mix transformer (Xie et al. 2021).

Overlapping patch embedding, attention with reduced keys and mix-FFN in four stages. Parameters are
named and shaped like those of `transformers`, so that a published MiT checkpoint can initialise it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class MitConfig:
    """Sizes of the four stages."""

    widths: tuple[int, ...]
    """Channels."""
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    reductions: tuple[int, ...]
    """Of the grid that attention takes keys from."""
    expansion: int
    """Of the mix-FFN."""
    batch_norm: bool = False
    """Batch instead of layer norms round the stages: learns from scratch, fits no checkpoint."""


def mit(name: Literal["mit-b0", "mit-b1", "mit-b2"]) -> MitConfig:
    """A published size."""
    depths = {"mit-b0": (2, 2, 2, 2), "mit-b1": (2, 2, 2, 2), "mit-b2": (3, 4, 6, 3)}
    base = 32 if name == "mit-b0" else 64
    return MitConfig(
        widths=(base, 2 * base, 5 * base, 8 * base),
        depths=depths[name],
        heads=(1, 2, 5, 8),
        reductions=(8, 4, 2, 1),
        expansion=4,
    )


class Encoder(nn.Module):
    """Four stages at 1/4, 1/8, 1/16 and 1/32 of the picture's size."""

    def __init__(self, config: MitConfig, channels: int, *, extra: int = 0) -> None:
        """Random weights for pictures with `channels`, and a half-size map of `extra` channels."""
        super().__init__()
        before = (channels, *config.widths[:-1])
        self.patch_embeddings = nn.ModuleList(
            PatchEmbedding(
                inner, outer, *((7, 4) if stage == 0 else (3, 2)), batch_norm=config.batch_norm
            )
            for stage, (inner, outer) in enumerate(zip(before, config.widths, strict=True))
        )
        if extra:
            self.moved = nn.Conv2d(extra, config.widths[0], 3, 2, 1)
        self.block = nn.ModuleList(
            nn.ModuleList(Block(width, heads, reduction, config.expansion) for _ in range(depth))
            for width, heads, reduction, depth in zip(
                config.widths, config.heads, config.reductions, config.depths, strict=True
            )
        )
        self.layer_norm = nn.ModuleList(
            Normed(width) if config.batch_norm else nn.LayerNorm(width) for width in config.widths
        )

    def forward(self, pictures: Tensor, moved: Tensor | None = None) -> list[Tensor]:
        """The four feature maps, each (B, C, H, W).

        moved: (B, extra, H/2, W/2), added to the first patches.
        """
        result: list[Tensor] = []
        extra = None if moved is None else self.moved(moved)
        for embed, blocks, norm in zip(
            self.patch_embeddings, self.block, self.layer_norm, strict=True
        ):
            tokens, size = embed(pictures, None if result else extra)
            for block in blocks:  # type: ignore[attr-defined]
                tokens = block(tokens, size)
            pictures = as_map(norm(tokens), size)
            result.append(pictures)
        return result


class PatchEmbedding(nn.Module):
    """Overlapping patches to tokens."""

    def __init__(
        self, inner: int, outer: int, patch: int, stride: int, *, batch_norm: bool
    ) -> None:
        """`patch` pixels wide, `stride` apart."""
        super().__init__()
        self.proj = nn.Conv2d(inner, outer, patch, stride, patch // 2)
        self.layer_norm = Normed(outer) if batch_norm else nn.LayerNorm(outer)

    def forward(
        self, pictures: Tensor, extra: Tensor | None = None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Tokens (B, N, C) and their grid's height and width; `extra` is added to the patches."""
        patches = self.proj(pictures)
        if extra is not None:
            patches = patches + extra
        return self.layer_norm(as_tokens(patches)), (patches.shape[2], patches.shape[3])


class Normed(nn.Module):
    """Batch norm of tokens and a ReLU.

    What is the same in all pictures goes, so that the little that a press changes stands out: with
    layer norms a small network learned nothing in the time in which this one read half the presses.
    """

    def __init__(self, width: int) -> None:
        """`width` channels."""
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (B, N, C)."""
        return F.relu(self.norm(tokens.flatten(0, 1))).view(tokens.shape)


class Block(nn.Module):
    """Attention and mix-FFN, each with a norm before and a residual path."""

    def __init__(self, width: int, heads: int, reduction: int, expansion: int) -> None:
        """Random weights."""
        super().__init__()
        self.layer_norm_1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, reduction)
        self.layer_norm_2 = nn.LayerNorm(width)
        self.mlp = MixFFN(width, expansion)

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """tokens: (B, N, C)."""
        tokens = tokens + self.attention(self.layer_norm_1(tokens), size)
        mixed: Tensor = tokens + self.mlp(self.layer_norm_2(tokens), size)
        return mixed


class Attention(nn.Module):
    """Self-attention whose keys come from a grid reduced by a strided convolution."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        """Random weights."""
        super().__init__()
        # `self` and `output.dense` are the names in published checkpoints.
        self.add_module("self", ReducedAttention(width, heads, reduction))
        self.output = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """tokens: (B, N, C)."""
        result: Tensor = self.output["dense"](self.get_submodule("self")(tokens, size))
        return result


class ReducedAttention(nn.Module):
    """Queries from every token, keys and values from the reduced grid."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        """Random weights."""
        super().__init__()
        self.heads, self.reduction = heads, reduction
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.layer_norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """tokens: (B, N, C)."""
        fewer = tokens
        if self.reduction > 1:
            fewer = self.layer_norm(as_tokens(self.sr(as_map(tokens, size))))
        return attend(self.query(tokens), self.key(fewer), self.value(fewer), self.heads)


class MixFFN(nn.Module):
    """A feed-forward layer that sees its neighbours, which tells it where it is."""

    def __init__(self, width: int, expansion: int) -> None:
        """Random weights."""
        super().__init__()
        inner = width * expansion
        self.dense1 = nn.Linear(width, inner)
        self.dwconv = nn.ModuleDict({"dwconv": nn.Conv2d(inner, inner, 3, 1, 1, groups=inner)})
        self.dense2 = nn.Linear(inner, width)

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """tokens: (B, N, C)."""
        hidden = as_tokens(self.dwconv["dwconv"](as_map(self.dense1(tokens), size)))
        result: Tensor = self.dense2(F.gelu(hidden))
        return result


def load_published(encoder: Encoder, weights: Mapping[str, Tensor]) -> None:
    """Initialise an encoder from a `transformers` SegFormer checkpoint's tensors.

    The first three channels take the checkpoint's filters, further ones the same divided by two;
    what looks at the extra map stays random. Raises CheckpointError if a tensor is missing or has
    another shape.
    """
    own = encoder.state_dict()
    found = {
        name.removeprefix("segformer.").removeprefix("encoder."): value
        for name, value in weights.items()
        if not name.startswith(("decode_head.", "classifier."))
    }
    problems = []
    for name, value in own.items():
        given = found.get(name)
        if name.startswith("moved."):
            continue
        if given is not None and name == "patch_embeddings.0.proj.weight":
            given = torch.cat([given, given / 2], dim=1)[:, : value.shape[1]]
        if given is None or given.shape != value.shape:
            shape = None if given is None else tuple(given.shape)
            problems.append(f"{name}: {shape}, not {tuple(value.shape)}")
        else:
            own[name] = given.to(torch.float32)
    if problems:
        raise CheckpointError(
            f"these weights do not fit the encoder ({len(problems)} tensors, first {problems[0]});"
            " choose the preset of the checkpoint's size"
        )
    encoder.load_state_dict(own)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int = 1) -> Tensor:
    """Attention of (B, T, C) to (B, N, C), without torch's bfloat16 kernel, slow on CPUs."""
    query = query * (query.shape[-1] // heads) ** -0.5
    if heads == 1:
        weights = torch.bmm(query, key.transpose(1, 2)).softmax(-1)
        return torch.bmm(weights.to(value.dtype), value)
    batch, count, width = query.shape
    q, k, v = (
        part.view(batch, -1, heads, width // heads).transpose(1, 2) for part in (query, key, value)
    )
    weights = torch.matmul(q, k.transpose(-1, -2)).softmax(-1)
    mixed = torch.matmul(weights.to(v.dtype), v)
    return mixed.transpose(1, 2).reshape(batch, count, width)


def as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, N, C) as (B, C, H, W)."""
    return tokens.view(len(tokens), *size, tokens.shape[-1]).permute(0, 3, 1, 2)


def as_tokens(pictures: Tensor) -> Tensor:
    """(B, C, H, W) as (B, N, C)."""
    return pictures.permute(0, 2, 3, 1).flatten(1, 2)
