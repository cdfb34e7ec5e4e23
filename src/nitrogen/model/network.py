"""The policy network: a frame to a plan of gamepad actions, by a learned flow.

Joins tower, mixing blocks and diffusion transformer as published. Knows tensors only: where frames
come from, what the action values mean (`layout`) and how weights are stored (`checkpoint`) is
elsewhere. Plans with fewer operations, same numbers: `sampler`.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.errors import CheckpointError
from nitrogen.model import flow
from nitrogen.model.dit import DiT, MixingBlock, TransformerConfig, time_code
from nitrogen.model.flow import FlowConfig, Solver
from nitrogen.model.layout import ACTION_VALUES
from nitrogen.model.readout import Readout
from nitrogen.model.siglip import VisionConfig, VisionTower, normalise


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The whole network; the defaults are the published one."""

    vision: VisionConfig = field(default_factory=VisionConfig)
    mixing: TransformerConfig = field(default_factory=lambda: TransformerConfig(layers=4))
    dit: TransformerConfig = field(default_factory=lambda: TransformerConfig(layers=8))
    flow: FlowConfig = field(default_factory=FlowConfig)
    horizon: int = 18
    """Actions in a plan, T."""
    positions: int | None = 1024
    """Rows of the table of action positions, at least `horizon`; None: no table."""
    actions_per_token: int = 1
    """Consecutive actions that share one token; more than one makes small networks faster."""
    frames: int = 1
    """Frames in the context, oldest first."""
    frame_spacing: int = 1
    """Game frames between two frames of the context."""
    action_shift: int = 0
    """Rows between the last frame and the first action of its plan, in training."""
    rate_hz: float = 60.0
    """Actions per second that the network was trained on."""
    pads: int = 0
    """Zero tokens before the image tokens, attended like real ones."""
    games: tuple[str, ...] = ()
    """Names of the games that a plan may be conditioned on."""
    readout: int = 0
    """Values of each context token that the direct readout keeps (`readout`); 0: none."""

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit each other."""
        problems = [
            text
            for text, wrong in (
                ("image_size must be a multiple of patch_size",
                 self.vision.image_size % self.vision.patch_size),
                ("vision.width must be a multiple of vision.heads",
                 self.vision.width % self.vision.heads),
                ("mixing.width must be a multiple of mixing.heads",
                 self.mixing.width % self.mixing.heads),
                ("dit.width must be a multiple of dit.heads", self.dit.width % self.dit.heads),
                ("mixing.width must equal vision.width", self.mixing.width != self.vision.width),
                ("dit.cross_width must equal vision.width",
                 self.dit.cross_width != self.vision.width),
                ("horizon must be a multiple of actions_per_token",
                 self.horizon % self.actions_per_token),
                ("a readout needs dit.width equal to vision.width",
                 self.readout and self.dit.width != self.vision.width),
                ("positions must be at least horizon / actions_per_token",
                 self.positions is not None
                 and self.positions < self.horizon // self.actions_per_token),
            )
            if wrong
        ]  # fmt: skip
        if problems:
            raise CheckpointError(f"network sizes do not fit: {'; '.join(problems)}")

    @property
    def action_tokens(self) -> int:
        """Tokens that stand for a plan."""
        return self.horizon // self.actions_per_token

    @property
    def folds_pads(self) -> bool:
        """Whether the pads may be merged into one token: they are equal unless positions differ."""
        return self.pads > 1 and not self.mixing.sinusoidal


class ActionEncoder(nn.Module):
    """Noisy actions and their time to action tokens."""

    def __init__(self, config: NetworkConfig) -> None:
        """Fresh weights; see `_initial_weights`."""
        super().__init__()
        width = config.dit.width
        self.embed = nn.Linear(ACTION_VALUES * config.actions_per_token, width)
        self.join = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, width)
        _initial_weights(self, config)

    def forward(self, x: Tensor, bucket: Tensor) -> Tensor:
        """Grouped actions (B, T, A) and integer times (B,) to tokens (B, T, D)."""
        width = self.out.in_features
        by_action, by_time = self.join.weight[:, :width], self.join.weight[:, width:]
        code = time_code(bucket, width, cosine_first=False).to(by_time.dtype)
        of_time = F.linear(code, by_time, self.join.bias)[:, None]  # (B, 1, D)
        out: Tensor = self.out(F.silu(F.linear(self.embed(x), by_action) + of_time))
        return out


class ActionDecoder(nn.Module):
    """Action tokens to velocities."""

    def __init__(self, config: NetworkConfig) -> None:
        """Fresh weights; see `_initial_weights`."""
        super().__init__()
        width = config.dit.width
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, ACTION_VALUES * config.actions_per_token)
        _initial_weights(self, config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to grouped velocities (B, T, A)."""
        out: Tensor = self.out(F.relu(self.hidden(x)))
        return out


class NitroGen(nn.Module):
    """The policy network."""

    def __init__(self, config: NetworkConfig) -> None:
        """Fresh weights, drawn from torch's global generator."""
        super().__init__()
        self.config = config
        width = config.dit.width
        self.vision = VisionTower(config.vision)
        self.mixing = nn.ModuleList(MixingBlock(config.mixing) for _ in range(config.mixing.layers))
        self.action_encoder = ActionEncoder(config)
        self.dit = DiT(config.dit)
        self.action_decoder = ActionDecoder(config)
        self.centre: Tensor | None
        self.deviation: Tensor | None
        for name in ("centre", "deviation"):
            values = getattr(config.flow, name)
            scale = None if values is None else torch.tensor(values, device="cpu")  # never meta
            self.register_buffer(name, scale, persistent=False)
        self.readout: Readout | None = None
        if config.readout:
            extra = bool(config.games) + (1 if config.folds_pads else config.pads)
            self.readout = Readout(
                tokens=config.frames * config.vision.tokens + extra,
                width=config.vision.width,
                kept=config.readout,
                summaries=config.action_tokens,
                out=width,
            )
        self.positions: nn.Parameter | None = None
        if config.positions is not None:
            self.positions = nn.Parameter(0.02 * torch.randn(config.positions, width))
        self.games: nn.Parameter | None = None
        if config.games:  # row 0: no game in particular
            rows = 0.02 * torch.randn(len(config.games) + 1, config.vision.width)
            self.games = nn.Parameter(rows)

    def encode(self, frames: Tensor, game: Tensor | None = None) -> Tensor:
        """Frames to the context that a plan is conditioned on, (B, N, D).

        frames: uint8 (B, H, W, 3), or (B, F, H, W, 3) with the oldest frame first.
        game: (B,) indices into `config.games` plus 1; 0 or None is no game in particular.
        """
        if frames.ndim == 4:
            frames = frames[:, None]
        pictures = normalise(frames.flatten(0, 1), self.config.vision.image_size)
        pictures = pictures.to(self.vision.positions.dtype)
        return self.encode_pictures(pictures.reshape(*frames.shape[:2], *pictures.shape[1:]), game)

    def encode_pictures(self, pictures: Tensor, game: Tensor | None = None) -> Tensor:
        """The same from normalised pictures (B, F, 3, S, S)."""
        if pictures.shape[1] != self.config.frames:
            raise CheckpointError(
                f"the network was made for {self.config.frames} frames, not {pictures.shape[1]}"
            )
        tokens = self.vision(pictures.flatten(0, 1))  # (B F, N, D)
        return self.mix(tokens.reshape(len(pictures), -1, tokens.shape[-1]), game)

    def mix(self, tokens: Tensor, game: Tensor | None = None) -> Tensor:
        """Image tokens (B, N, D) through padding, game token and mixing blocks."""
        x = join_tokens(self.config, tokens, self.games, game)
        bias = context_bias(self.config, x)
        for block in self.mixing:
            x = block(x, bias)
        return x if self.readout is None else self.readout.join(x)

    def velocity(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """Direction from noise to actions at x (B R, T, A), t (B R,); context is (B, N, D).

        R consecutive rows of x share one row of context.
        """
        if self.centre is None or self.deviation is None:
            return self._raw_velocity(x, t, context)
        scale_in, skip, scale_out = flow.precondition(t, self.deviation)
        x = x - t[:, None, None] * self.centre
        return self.centre + skip * x + scale_out * self._raw_velocity(scale_in * x, t, context)

    def _raw_velocity(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        bucket = flow.bucket(t, self.config.flow)
        group = self.config.actions_per_token
        grouped = x.reshape(len(x), -1, group * ACTION_VALUES)
        tokens = self.action_encoder(grouped, bucket)  # (B R, T / group, D)
        if self.positions is not None:
            tokens = tokens + self.positions[: tokens.shape[1]]
        if self.readout is not None:
            summary = context[:, -tokens.shape[1] :]
            tokens = tokens + summary.repeat_interleave(len(x) // len(context), dim=0)
        bias = context_bias(self.config, context)
        out: Tensor = self.action_decoder(self.dit(tokens, bucket, context, bias))
        return out.reshape(x.shape)

    def loss(
        self,
        frames: Tensor,
        actions: Tensor,
        mask: Tensor | None = None,
        *,
        draws: int = 1,
        weights: Tensor | None = None,
        generator: torch.Generator | None = None,
        game: Tensor | None = None,
    ) -> Tensor:
        """Flow-matching loss, a scalar; `encode` once, then `flow_loss`."""
        context = self.encode(frames, game)
        return self.flow_loss(
            context, actions, mask, draws=draws, weights=weights, generator=generator
        )

    def flow_loss(  # noqa: PLR0913 - every random choice can be given
        self,
        context: Tensor,
        actions: Tensor,
        mask: Tensor | None = None,
        *,
        draws: int = 1,
        weights: Tensor | None = None,
        generator: torch.Generator | None = None,
        noise: Tensor | None = None,
        t: Tensor | None = None,
        committed: Tensor | None = None,
    ) -> Tensor:
        """Weighted squared error of the velocity, a scalar.

        context: (B, N, D) from `encode`.
        actions: (B, T, A), in the scale of `layout`.
        mask: (B, T) or (B, T, A), 0 where an action does not count (beyond the end of a clip).
        draws: noise and time draws per context; the context is encoded only once.
        weights: (B, T, A) or anything that broadcasts to it, importance of each value.
        generator: of noise and times, on the CPU.
        noise, t: (B draws, T, A) and (B draws,) instead of drawing them.
        committed: (B draws,), how many actions at the start of each plan are given: the network
            sees them as they are, as in `flow.integrate`, and they do not count.
        """
        actions = actions.repeat_interleave(draws, dim=0)  # (B R, T, A)
        if noise is None:
            noise = torch.randn(actions.shape, generator=generator).to(actions)
        if t is None:
            t = flow.draw_times(len(actions), self.config.flow, generator).to(actions.device)
        x, target = flow.interpolate(actions, noise, t)
        free = None
        if committed is not None:
            rows = torch.arange(actions.shape[1], device=committed.device)
            free = (rows >= committed[:, None])[..., None]  # (B R, T, 1)
            x = torch.where(free, x, actions)
        error = (self.velocity(x, t, context) - target) ** 2  # (B R, T, A)
        weight = torch.ones_like(actions[:1])
        if mask is not None:
            weight = weight * (mask if mask.ndim == 3 else mask[..., None]).to(error.dtype)
        if weights is not None:
            weight = weight * weights.to(error.dtype)
        if free is None:
            error = error.reshape(-1, draws, *error.shape[1:]).mean(1)  # (B, T, A)
        else:
            weight = weight.expand(len(context), *error.shape[1:]).repeat_interleave(draws, 0)
            weight = weight * free
        weight = weight.expand_as(error)
        total: Tensor = (error * weight).sum() / (weight.sum() + 1e-6)
        return total

    @torch.inference_mode()
    def sample(
        self,
        frames: Tensor,
        noise: Tensor,
        steps: int | None = None,
        *,
        solver: Solver = "euler",
        game: Tensor | None = None,
    ) -> Tensor:
        """Plans (B, T, A) from frames and N(0, 1) noise (B, T, A), the plain way."""
        return self.sample_context(self.encode(frames, game), noise, steps, solver=solver)

    @torch.inference_mode()
    def sample_context(
        self, context: Tensor, noise: Tensor, steps: int | None = None, *, solver: Solver = "euler"
    ) -> Tensor:
        """The same from the context (B, N, D) that `encode` returned."""
        return flow.integrate(
            lambda x, t: self.velocity(x, t, context),
            noise,
            steps or self.config.flow.steps,
            solver=solver,
        )


def join_tokens(
    config: NetworkConfig, tokens: Tensor, games: Tensor | None, game: Tensor | None
) -> Tensor:
    """Pads, game token and image tokens (B, N, D), in this order; equal pads become one.

    games: rows of the game table; game: (B,) rows to take, row 0 where None.
    """
    if games is not None:
        index = tokens.new_zeros(len(tokens), dtype=torch.long) if game is None else game
        tokens = torch.cat([games[index][:, None].to(tokens.dtype), tokens], dim=1)
    elif game is not None:
        raise CheckpointError("this network knows no games; leave the game out")
    pads = 1 if config.folds_pads else config.pads
    return F.pad(tokens, (0, 0, pads, 0)) if pads else tokens


def context_bias(config: NetworkConfig, context: Tensor) -> Tensor | None:
    """What is added to the attention logits of each token of a context (B, N, D), (N,).

    P equal pads weigh exactly as much as one with log P on its logit.
    """
    if not config.folds_pads:
        return None
    bias = context.new_zeros(context.shape[1])
    bias[0] = math.log(config.pads)
    return bias


def _initial_weights(module: nn.Module, config: NetworkConfig) -> None:
    """As published; narrow networks on short budgets need a signal of unit size from the start."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            if config.flow.deviation is None:
                nn.init.normal_(part.weight, std=0.02)
            else:
                nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
