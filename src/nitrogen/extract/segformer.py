"""The network that reads a gamepad overlay without knowing its skin.

A SegFormer encoder looks at two consecutive crops joined side by side, as published, and here also
at how each differs from the video's resting picture. Queries then look for their control in the
features of each crop: 17 buttons (pressed, travel, shown) and two sticks (an 11 x 11 map of
deflections, shown).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.actions import BUTTONS
from nitrogen.model.mit import Encoder, MitConfig, as_tokens, attend, mit

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
THIN = 24
"""Channels of the map that is read directly."""


@dataclass(frozen=True, kw_only=True)
class SegformerConfig:
    """Sizes of the network."""

    height: int
    """Of one crop, in pixels, a multiple of 32."""
    width: int
    """Of one crop, in pixels, a multiple of 32."""
    encoder: MitConfig
    head_width: int
    reference: bool = True
    """Whether three more channels hold the crop minus the video's resting picture.

    The network then also sees `motion` between the two.
    """


Preset = Literal["small", "mit-b0", "mit-b1", "mit-b2"]


def preset(name: Preset) -> SegformerConfig:
    """A named size: `small` reads on a CPU; `mit-b*` take the published encoders' weights."""
    if name != "small":
        return SegformerConfig(height=192, width=256, encoder=mit(name), head_width=128)
    encoder = MitConfig(
        widths=(32, 64, 96, 128), depths=(0, 1, 1, 1), heads=(1, 1, 1, 2),
        reductions=(8, 4, 2, 1), expansion=2, batch_norm=True,
    )  # fmt: skip
    return SegformerConfig(height=96, width=128, encoder=encoder, head_width=64)


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
        channels, extra = (6, 4) if config.reference else (3, 0)
        self.encoder = Encoder(config.encoder, channels, extra=extra)
        self.head = Head(config)

    def forward(self, pictures: Tensor) -> Readout:
        """pictures: (B, 3 or 6, height, 2 * width), colours in -1..1, first crop to the left."""
        moved = motion(pictures) if self.config.reference else None
        readout: Readout = self.head(self.encoder(pictures, moved))
        return readout


def motion(pictures: Tensor) -> Tensor:
    """Which way things have moved since the resting picture, (B, 4, H/2, W/2): x, y at two scales.

    pictures: (B, 6, H, W), colours and their change. The displacement, in double pixels, that
    explains the change round each place best (Lucas and Kanade 1981). It has the same sign for a
    bright stick on a dark pad and a dark one on a bright pad; that product is slow to learn.
    """
    count, _, height, width = pictures.shape
    luma, change = pictures.float().view(count, 2, 3, height, width).mean(dim=2).unbind(1)
    both = F.avg_pool2d(torch.stack([luma - change / 2, change], dim=1), 2)
    made = []
    for size in (3, 7):
        middle, difference = _blur(both, size).unbind(1)
        across, down = ((middle.roll(-1, axis) - middle.roll(1, axis)) / 2 for axis in (2, 1))
        energy = across.square() + down.square() + difference.square() / 8
        products = torch.stack([-difference * across, -difference * down, energy], dim=1)
        x, y, energy = _blur(products, size).unbind(1)
        made += [x / (energy + 1e-4), y / (energy + 1e-4)]
    return torch.stack(made, dim=-1).permute(0, 3, 1, 2)


def _blur(pictures: Tensor, size: int) -> Tensor:
    half = size // 2
    rows = F.avg_pool2d(pictures, (size, 1), 1, (half, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, size), 1, (0, half), count_include_pad=False)


def deflection(maps: Tensor) -> Tensor:
    """The expected deflection under maps (..., 121): (..., 2), x right and y down, unclipped."""
    along = torch.linspace(-REACH, REACH, GRID, device=maps.device)
    weights = maps.float().softmax(-1).view(*maps.shape[:-1], GRID, GRID)
    x = (weights.sum(-2) * along).sum(-1)
    y = (weights.sum(-1) * along).sum(-1)
    return torch.stack([x, y], -1)


def hill(middle: Tensor) -> Tensor:
    """Logits (..., 121) of a bell of one cell's width round `middle` (..., 2)."""
    along = torch.linspace(-REACH, REACH, GRID, device=middle.device)
    apart = -(middle[..., None] - along).square() / (2 * (2 * REACH / (GRID - 1)) ** 2)
    return (apart[..., 1, :, None] + apart[..., 0, None, :]).flatten(-2)


def soft_target(sticks: Tensor) -> Tensor:
    """The map (..., 121) that is 1 in sum and has the mean `sticks` (..., 2): bilinear weights."""
    place = (sticks.clamp(-REACH, REACH) + REACH) * ((GRID - 1) / (2 * REACH))
    cells = torch.arange(GRID, device=sticks.device)
    weights = (1 - (place[..., None] - cells).abs()).clamp_min(0)  # (..., 2, 11)
    return (weights[..., 1, :, None] * weights[..., 0, None, :]).flatten(-2)


class Head(nn.Module):
    """The stages from the second on in one map at 1/8 size, read in two ways.

    Directly: the map of a crop, with few channels, goes through a layer that knows all places. And
    by queries, which attend to the map; what they look for depends on the layout seen directly.
    """

    def __init__(self, config: SegformerConfig) -> None:
        """Random weights."""
        super().__init__()
        width = config.head_width
        self.grid = (config.height // 8, config.width // 8)
        self.stages = nn.ModuleList(nn.Conv2d(w, width, 1) for w in config.encoder.widths[1:])
        self.thin = nn.Sequential(nn.Conv2d(width, THIN, 1), nn.BatchNorm2d(THIN), nn.ReLU())
        self.layout = nn.Sequential(
            nn.Linear(THIN * self.grid[0] * self.grid[1], 4 * width), nn.GELU()
        )
        self.sought = nn.Linear(4 * width, CONTROLS * SLOTS * width)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.randn(self.grid[0] * self.grid[1], width) * 0.02)
        self.queries = nn.Parameter(torch.randn(CONTROLS * SLOTS, width) * 0.5)
        self.looks = nn.ModuleList(Look(width) for _ in range(2))
        self.norm_out = nn.LayerNorm(width)
        seen = SLOTS * width
        self.button = nn.Parameter(torch.randn(len(BUTTONS), seen, 2) * seen**-0.5)
        self.button_bias = nn.Parameter(torch.tensor([-2.0, -2.0]).repeat(len(BUTTONS), 1))
        self.stick = nn.Sequential(
            nn.Linear(seen, 2 * seen), nn.GELU(), nn.Linear(2 * seen, GRID * GRID + 2)
        )
        self.shown = nn.Linear(seen, 1)
        self.direct = nn.Linear(4 * width, 3 * len(BUTTONS) + 2 * (GRID * GRID + 3))

    def forward(self, maps: list[Tensor]) -> Readout:
        """maps: the encoder's stages of the joined picture."""
        fused = self.stages[0](maps[1])
        for project, stage in zip(self.stages[1:], maps[2:], strict=True):
            fused = fused + F.interpolate(project(stage), size=fused.shape[2:], mode="nearest")
        crops = _crops(fused)  # (2B, D, H, W)
        tokens = self.norm(as_tokens(crops))  # (2B, N, D)
        layout = self.layout(as_tokens(self.thin(crops)).flatten(1))
        queries = self.queries + self.sought(layout).view(len(tokens), *self.queries.shape)
        where = tokens + self.position
        for look in self.looks:
            queries = look(queries, where, tokens)
        queries = (
            self.norm_out(queries).float().view(-1, CROPS, CONTROLS, SLOTS * queries.shape[-1])
        )
        buttons = len(BUTTONS)
        with torch.autocast(queries.device.type, enabled=False):
            direct = self.direct(layout.float()).view(len(queries), CROPS, -1)
            pressed, travel, shown, sticks = direct.split(
                (buttons, buttons, CONTROLS, 2 * (GRID * GRID + 2)), dim=-1
            )
            sticks = sticks.view(-1, CROPS, 2, GRID * GRID + 2) + self.stick(
                queries[:, :, buttons:]
            )
            both = torch.einsum("bcnd,ndk->bcnk", queries[:, :, :buttons], self.button)
            both = both + self.button_bias
            return Readout(
                both[..., 0] + pressed,
                (both[..., 1] + travel).sigmoid(),
                sticks[..., 2:] + hill(sticks[..., :2]),
                self.shown(queries).squeeze(-1) + shown,
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


def _crops(joined: Tensor) -> Tensor:
    """(B, C, H, 2 * W) as the crops it was joined from, (2 * B, C, H, W)."""
    return torch.stack(joined.chunk(CROPS, dim=3), dim=1).flatten(0, 1)
