"""The network that reads a gamepad overlay without knowing its skin.

A SegFormer encoder (Xie et al. 2021: overlapping patch embedding, attention with reduced keys,
mix-FFN) looks at two consecutive crops joined side by side. Queries then look for their control in
the features of each crop: 17 buttons (pressed, travel, shown) and two sticks (an 11 x 11 map of
deflections, shown). The encoder's parameters are named and shaped like those of `transformers`, so
that a published MiT checkpoint can initialise it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.actions import BUTTONS
from nitrogen.errors import CheckpointError

GRID = 11
"""Cells along each side of a stick's map."""
REACH = 1.1
"""Deflection at the outermost cells, so that a full deflection is no corner case."""
CROPS = 2
"""Consecutive crops joined into one picture."""
CONTROLS = len(BUTTONS) + 2
"""The buttons, the left stick, the right stick."""
SLOTS = 2
"""Queries per control."""


@dataclass(frozen=True, kw_only=True)
class SegformerConfig:
    """Sizes of the network."""

    height: int
    """Of one crop, in pixels, a multiple of 32."""
    width: int
    """Of one crop, in pixels, a multiple of 32."""
    widths: tuple[int, ...]
    """Channels of the four stages."""
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    reductions: tuple[int, ...]
    """Of the grid that attention takes keys from, by stage."""
    expansion: int
    """Of the mix-FFN."""
    head_width: int
    reference: bool = True
    """Whether three more channels hold the crop minus the video's resting picture."""

    @property
    def channels(self) -> int:
        """Of the input."""
        return 6 if self.reference else 3


def preset(name: Literal["small", "mit-b0", "mit-b1", "mit-b2"]) -> SegformerConfig:
    """A named size: `small` reads on a CPU; `mit-b*` take the published encoders' weights."""
    depths = {"mit-b0": (2, 2, 2, 2), "mit-b1": (2, 2, 2, 2), "mit-b2": (3, 4, 6, 3)}
    if name == "small":
        return SegformerConfig(
            height=96, width=128, widths=(32, 48, 96, 128), depths=(1, 1, 2, 1),
            heads=(1, 1, 2, 4), reductions=(8, 4, 2, 1), expansion=2, head_width=64,
        )  # fmt: skip
    base = 32 if name == "mit-b0" else 64
    return SegformerConfig(
        height=192, width=256, widths=(base, 2 * base, 5 * base, 8 * base), depths=depths[name],
        heads=(1, 2, 5, 8), reductions=(8, 4, 2, 1), expansion=4, head_width=128,
    )  # fmt: skip


class Readout(NamedTuple):
    """What the network says of each of two crops; B pairs."""

    buttons: Tensor
    """(B, 2, 17) logits of being pressed."""
    travel: Tensor
    """(B, 2, 17) in 0..1; of use for the triggers."""
    sticks: Tensor
    """(B, 2, 2, 121) logits of the deflection maps, rows from top to bottom."""
    shown: Tensor
    """(B, 2, 19) logits of the control being in the picture."""


class Reader(nn.Module):
    """Pairs of crops in, `Readout` out."""

    def __init__(self, config: SegformerConfig) -> None:
        """Random weights."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.head = Head(config)

    def forward(self, pictures: Tensor) -> Readout:
        """pictures: (B, channels, height, 2 * width), colours in -1..1, first crop to the left."""
        readout: Readout = self.head(self.encoder(pictures))
        return readout


def deflection(maps: Tensor) -> Tensor:
    """The expected deflection under maps (..., 121): (..., 2), x right and y down, unclipped."""
    along = torch.linspace(-REACH, REACH, GRID, device=maps.device)
    weights = maps.float().softmax(-1).view(*maps.shape[:-1], GRID, GRID)
    x = (weights.sum(-2) * along).sum(-1)
    y = (weights.sum(-1) * along).sum(-1)
    return torch.stack([x, y], -1)


def soft_target(sticks: Tensor) -> Tensor:
    """The map (..., 121) that is 1 in sum and has the mean `sticks` (..., 2): bilinear weights."""
    place = (sticks.clamp(-REACH, REACH) + REACH) * ((GRID - 1) / (2 * REACH))
    cells = torch.arange(GRID, device=sticks.device)
    weights = (1 - (place[..., None] - cells).abs()).clamp_min(0)  # (..., 2, 11)
    return (weights[..., 1, :, None] * weights[..., 0, None, :]).flatten(-2)


def load_encoder(network: Reader, weights: Mapping[str, Tensor]) -> None:
    """Initialise the encoder from a `transformers` SegFormer checkpoint's tensors.

    Colours take the checkpoint's filters, the channels of change start at the same filters divided
    by two. Raises CheckpointError if a tensor is missing or has another shape.
    """
    own = network.encoder.state_dict()
    found = {
        name.removeprefix("segformer.").removeprefix("encoder."): value
        for name, value in weights.items()
        if not name.startswith(("decode_head.", "classifier."))
    }
    problems = []
    for name, value in own.items():
        given = found.get(name)
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
    network.encoder.load_state_dict(own)


class Encoder(nn.Module):
    """Four stages at 1/4, 1/8, 1/16 and 1/32 of the picture's size."""

    def __init__(self, config: SegformerConfig) -> None:
        """Random weights."""
        super().__init__()
        before = (config.channels, *config.widths[:-1])
        self.patch_embeddings = nn.ModuleList(
            PatchEmbedding(inner, outer, *((7, 4) if stage == 0 else (3, 2)))
            for stage, (inner, outer) in enumerate(zip(before, config.widths, strict=True))
        )
        self.block = nn.ModuleList(
            nn.ModuleList(Block(width, heads, reduction, config.expansion) for _ in range(depth))
            for width, heads, reduction, depth in zip(
                config.widths, config.heads, config.reductions, config.depths, strict=True
            )
        )
        self.layer_norm = nn.ModuleList(nn.LayerNorm(width) for width in config.widths)
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """The four feature maps, each (B, C, H, W)."""
        result = []
        for embed, blocks, norm in zip(
            self.patch_embeddings, self.block, self.layer_norm, strict=True
        ):
            tokens, size = embed(pictures)
            for block in blocks:  # type: ignore[attr-defined]
                tokens = block(tokens, size)
            pictures = _as_map(norm(tokens), size)
            result.append(pictures)
        return result


class PatchEmbedding(nn.Module):
    """Overlapping patches to tokens."""

    def __init__(self, inner: int, outer: int, patch: int, stride: int) -> None:
        """`patch` pixels wide, `stride` apart."""
        super().__init__()
        self.proj = nn.Conv2d(inner, outer, patch, stride, patch // 2)
        self.layer_norm = nn.LayerNorm(outer)

    def forward(self, pictures: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Tokens (B, N, C) and their grid's height and width."""
        patches = self.proj(pictures)
        return self.layer_norm(_as_tokens(patches)), (patches.shape[2], patches.shape[3])


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
            fewer = self.layer_norm(_as_tokens(self.sr(_as_map(tokens, size))))
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
        hidden = _as_tokens(self.dwconv["dwconv"](_as_map(self.dense1(tokens), size)))
        result: Tensor = self.dense2(F.gelu(hidden))
        return result


class Head(nn.Module):
    """All stages in one map at 1/4 size; every control's query attends to its crop's half of it."""

    def __init__(self, config: SegformerConfig) -> None:
        """Random weights."""
        super().__init__()
        width = config.head_width
        self.grid = (config.height // 4, config.width // 4)
        self.stages = nn.ModuleList(nn.Conv2d(w, width, 1) for w in config.widths)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.randn(self.grid[0] * self.grid[1], width) * 0.02)
        self.queries = nn.Parameter(torch.randn(CONTROLS * SLOTS, width) * 0.5)
        self.looks = nn.ModuleList(Look(width) for _ in range(2))
        self.norm_out = nn.LayerNorm(width)
        seen = SLOTS * width
        self.button = nn.Parameter(torch.randn(len(BUTTONS), seen, 2) * seen**-0.5)
        self.button_bias = nn.Parameter(torch.tensor([-2.0, -2.0]).repeat(len(BUTTONS), 1))
        self.stick = nn.Sequential(
            nn.Linear(seen, 2 * seen), nn.GELU(), nn.Linear(2 * seen, GRID * GRID)
        )
        self.shown = nn.Linear(seen, 1)

    def forward(self, maps: list[Tensor]) -> Readout:
        """maps: the encoder's stages of the joined picture."""
        fused = self.stages[0](maps[0])
        for project, stage in zip(self.stages[1:], maps[1:], strict=True):
            fused = fused + F.interpolate(project(stage), size=fused.shape[2:], mode="nearest")
        halves = torch.stack(fused.chunk(CROPS, dim=3), dim=1)  # (B, 2, D, H, W)
        tokens = self.norm(halves.permute(0, 1, 3, 4, 2).flatten(2, 3).flatten(0, 1))  # (2B, N, D)
        where = tokens + self.position
        queries = self.queries.expand(len(tokens), -1, -1)
        for look in self.looks:
            queries = look(queries, where, tokens)
        queries = (
            self.norm_out(queries).float().view(-1, CROPS, CONTROLS, SLOTS * queries.shape[-1])
        )
        buttons = len(BUTTONS)
        with torch.autocast(queries.device.type, enabled=False):
            both = torch.einsum("bcnd,ndk->bcnk", queries[:, :, :buttons], self.button)
            both = both + self.button_bias
            return Readout(
                both[..., 0],
                both[..., 1].sigmoid(),
                self.stick(queries[:, :, buttons:]),
                self.shown(queries).squeeze(-1),
            )


class Look(nn.Module):
    """Queries attend to a crop's tokens, then to each other, then think."""

    def __init__(self, width: int) -> None:
        """Random weights."""
        super().__init__()
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(width) for _ in range(3))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.mix, self.mix_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, queries: Tensor, where: Tensor, tokens: Tensor) -> Tensor:
        """queries: (B, 19, D); where: (B, N, D) tokens with positions; tokens: (B, N, D)."""
        looked = attend(self.query(self.norm_1(queries)), self.key(where), self.value(tokens))
        queries = queries + self.out(looked)
        mixed = attend(*self.mix(self.norm_2(queries)).chunk(3, dim=-1))
        queries = queries + self.mix_out(mixed)
        result: Tensor = queries + self.mlp(self.norm_3(queries))
        return result


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


def _as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    return tokens.view(len(tokens), *size, tokens.shape[-1]).permute(0, 3, 1, 2)


def _as_tokens(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 2, 3, 1).flatten(1, 2)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
