"""The fast sampler: the network's own numbers, with everything constant computed once.

What the plain sampler repeats at each of its steps is here done once per network (folding the
linear pairs, tabulating all that depends on time alone) or once per frame (tower, mixing, all keys
and values of the cross-attention in one product). Prepacked weights use a private operator of
torch where it exists and torch's own `linear` where it does not.
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nitrogen.model import dit, flow, siglip
from nitrogen.model.attention import attend
from nitrogen.model.dit import (
    CrossAttention,
    DiTBlock,
    FeedForward,
    MixingBlock,
    SelfAttention,
)
from nitrogen.model.flow import Solver
from nitrogen.model.layout import ACTION_VALUES
from nitrogen.model.network import NitroGen, context_bias, join_tokens
from nitrogen.model.precision import multiplies_bfloat16
from nitrogen.model.siglip import VisionBlock

log = logging.getLogger(__name__)

ALWAYS_PACKED = 2**18
"""Weights of a matrix from which the prepacked product is used for any input."""

PACKED_FROM = 2**20
"""Multiplications from which it is used for smaller matrices; below, the call costs more."""


EXACT = torch.float32
"""Number format of what is small and decides most: residual stream, norms, action layers."""


CACHE = 2**23
"""Bytes of hidden values of the tower from which a larger batch is slower on CPUs."""

NARROW = 256
"""Width of the diffusion transformer below which bfloat16 is slower than float32 on CPUs."""


def can_prepack(dtype: torch.dtype = EXACT) -> bool:
    """Whether this build of torch has private operators for prepacked weights of `dtype` here."""
    packs = hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    packs = packs and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return packs and (dtype == EXACT or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))


class Linear:
    """A frozen linear layer, optionally prepacked for the CPU, optionally with an activation."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, *, pack: bool, activation: str = "none"
    ) -> None:
        """`activation` is `none`, `gelu` (tanh), `relu` or `silu`."""
        self.weight, self.bias = weight, bias
        self._plain = _ACTIVATIONS[activation]
        name = "swish" if activation == "silu" else activation
        self._fused: tuple[str, list[float], str] = (name, [], "tanh")
        self._packed: Any = None
        self._from_size = 0
        if pack:
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
            self._run = torch.ops.mkldnn._linear_pointwise.default
            if weight.numel() >= ALWAYS_PACKED:
                del self.weight
                return
            self._from_size = PACKED_FROM // len(weight)  # of the input
        self.weight = weight.clone(memory_format=torch.contiguous_format)

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        if self._packed is not None and x.numel() >= self._from_size:
            out: Tensor = self._run(x, self._packed, self.bias, *self._fused)
            return out
        return self._plain(F.linear(x, self.weight, self.bias))


def _same(x: Tensor) -> Tensor:
    return x


def _gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": _same,
    "gelu": _gelu,
    "relu": F.relu,
    "silu": F.silu,
}


@dataclass(frozen=True)
class Context:
    """What a plan needs to know of the frames: keys and values for each cross block."""

    keys: list[Tensor]
    """(B, heads, N, d) each."""
    values: list[Tensor]
    bias: Tensor | None
    """(N,), logarithm of how many tokens each stands for."""
    summary: Tensor | None
    """(B, T, D), what the direct readout adds to the action tokens."""


class Sampler:
    """Plans of one network with one number of steps, in one number format.

    A snapshot: later changes of the network's weights are not seen.
    """

    def __init__(
        self,
        network: NitroGen,
        *,
        steps: int | None = None,
        solver: Solver = "euler",
        dtype: torch.dtype = torch.float32,
        prepack: bool | None = None,
    ) -> None:
        """`prepack=None` prepacks on CPUs where torch can.

        With `dtype` bfloat16 the products of matrices in tower, mixing and transformer are in it;
        the integrated actions, the residual stream, norms, tables and the encoder and decoder of
        actions stay float32. On CPUs narrow networks stay float32 altogether, which is faster.
        """
        self.config = network.config
        self.steps, self.solver = steps or network.config.flow.steps, solver
        self.device = network.dit.out.weight.device
        on_cpu = self.device.type == "cpu"
        self.dtype = EXACT if on_cpu and network.config.dit.width < NARROW else dtype
        if self.dtype == torch.bfloat16 and not multiplies_bfloat16(self.device):
            log.warning("%s has no instructions for bfloat16: float32 is faster here", self.device)
        self._pack = can_prepack() and on_cpu if prepack is None else prepack
        with torch.inference_mode():
            self._fold_encoder(network)
            self._fold_flow(network)

    def _linear(self, layer: nn.Linear, activation: str = "none") -> Linear:
        return self._raw(layer.weight, layer.bias, activation, self.dtype)

    def _raw(
        self, weight: Tensor, bias: Tensor, activation: str = "none", dtype: torch.dtype = EXACT
    ) -> Linear:
        weight, bias = weight.detach().to(dtype), bias.detach().to(dtype, copy=True)
        pack = self._pack and can_prepack(dtype)
        return Linear(weight, bias, pack=pack, activation=activation)

    def _norm(self, norm: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
        weight, bias = _frozen(norm.weight), _frozen(norm.bias)
        shape, eps, dtype = norm.normalized_shape, norm.eps, self.dtype
        return lambda x: F.layer_norm(x, shape, weight, bias, eps).to(dtype)

    def _fold_encoder(self, network: NitroGen) -> None:
        tower = network.vision
        self._patches = tower.patches
        self._patch = self._linear(tower.patch)
        self._places = _frozen(tower.positions)
        self._games = None if network.games is None else _frozen(network.games)
        self._tower = [self._block(block) for block in tower.blocks]  # type: ignore[arg-type]
        self._tower_norm = (_frozen(tower.norm.weight), _frozen(tower.norm.bias))
        self._mixing = [self._block(block) for block in network.mixing]  # type: ignore[arg-type]
        self._readout = copy.deepcopy(network.readout)  # small, and kept in float32

    def _block(self, block: MixingBlock | VisionBlock) -> Callable[[Tensor, Tensor | None], Tensor]:
        """A pre-norm block of the tower or of the mixing blocks, on frozen layers."""
        if isinstance(block, MixingBlock):
            attention: SelfAttention | VisionBlock = block.attention
            feed_forward: FeedForward | VisionBlock = block.feed_forward
            sinusoidal = block.sinusoidal
        else:
            attention = feed_forward = block
            sinusoidal = False
        heads = attention.heads
        norm1, norm2 = self._norm(block.norm1), self._norm(block.norm2)
        qkv, out = self._linear(attention.qkv), self._linear(attention.out)
        fc1, fc2 = self._linear(feed_forward.fc1, "gelu"), self._linear(feed_forward.fc2)

        def run(x: Tensor, bias: Tensor | None) -> Tensor:
            normed = norm1(x)
            if sinusoidal:
                normed = normed + dit.sine_positions(x.shape[1], x.shape[2]).to(normed)
            x = x + out(_self_attend(qkv(normed), heads, bias))
            return x + fc2(fc1(norm2(x)))

        return run

    def _fold_flow(self, network: NitroGen) -> None:
        width = self.config.dit.width
        device = self.device
        moments = torch.tensor(flow.times(self.steps, self.solver), dtype=torch.float32)
        buckets = flow.bucket(moments.to(device), self.config.flow)  # (S,)
        self._centre = network.centre
        self._scales: list[tuple[Tensor, ...]] | None = None
        if network.deviation is not None:
            tables = (moments, *flow.precondition(moments.to(device), network.deviation))
            self._scales = list(zip(*(table.unbind() for table in tables), strict=True))
        # in float64, so that folding adds no rounding of its own
        encoder, decoder, out = network.action_encoder, network.action_decoder, network.dit.out
        join = encoder.join.weight.double()
        by_action, by_time = join[:, :width], join[:, width:]
        code = dit.time_code(buckets, width, cosine_first=False).double()
        offset = code @ by_time.T + encoder.join.bias.double()
        offset = offset + by_action @ encoder.embed.bias.double()
        self._offset = offset.float()  # (S, D)
        zero = torch.zeros(width, device=device)
        self._embed = self._raw(by_action @ encoder.embed.weight.double(), zero)
        self._embed_out = self._raw(encoder.out.weight, encoder.out.bias)
        tokens = self.config.horizon // self.config.actions_per_token
        self._positions = None
        if network.positions is not None:
            self._positions = _frozen(network.positions[:tokens])
        hidden = decoder.hidden.weight.double()
        folded_bias = hidden @ out.bias.double() + decoder.hidden.bias.double()
        self._hidden = self._raw(hidden @ out.weight.double(), folded_bias, "relu")
        self._decode = self._raw(decoder.out.weight, decoder.out.bias)
        time = network.dit.embed_time(buckets)  # (S, D)
        shift, scale = network.dit.out_modulation(time).chunk(2, dim=-1)
        self._last = list(zip((1 + scale).unbind(), shift.unbind(), strict=True))
        blocks = [block for block in network.dit.blocks if isinstance(block, DiTBlock)]
        self._blocks = [self._flow_block(block, time) for block in blocks]
        crosses = [block.attention for block in blocks]
        kv = [attention.kv for attention in crosses if isinstance(attention, CrossAttention)]
        kv_weight, kv_bias = (torch.cat([getattr(x, n) for x in kv]) for n in ("weight", "bias"))
        self._kv = self._raw(kv_weight, kv_bias, dtype=self.dtype)
        self._kv_count = len(kv)

    def _flow_block(
        self, block: DiTBlock, time: Tensor
    ) -> Callable[[Tensor, int, tuple[Tensor, Tensor, Tensor | None] | None], Tensor]:
        """A block of the diffusion transformer, its modulation tabulated over the steps."""
        scale, shift = block.modulation(time).chunk(2, dim=-1)  # (S, D) each
        table = list(zip((1 + scale).unbind(), shift.unbind(), strict=True))
        shape = (self.config.dit.width,)
        heads, attention = self.config.dit.heads, block.attention
        first = self._linear(attention.qkv if isinstance(attention, SelfAttention) else attention.q)
        out = self._linear(attention.out)
        fc1 = self._linear(block.feed_forward.fc1, "gelu")
        fc2 = self._linear(block.feed_forward.fc2)
        sinusoidal, dtype = block.sinusoidal, self.dtype

        def run(x: Tensor, step: int, kv: tuple[Tensor, Tensor, Tensor | None] | None) -> Tensor:
            normed = F.layer_norm(x, shape, *table[step], dit.NORM_EPS).to(dtype)
            if sinusoidal:
                normed = normed + dit.sine_positions(x.shape[1], x.shape[2]).to(normed)
            if kv is None:
                attended = _self_attend(first(normed), heads, None)
            else:
                q = first(normed).view(*x.shape[:2], heads, -1).transpose(1, 2)
                attended = attend(q, *kv).transpose(1, 2).flatten(2)
            x = x + out(attended)
            return x + fc2(fc1(F.layer_norm(x, shape, eps=dit.NORM_EPS).to(dtype)))

        return run

    @torch.inference_mode()
    def encode(self, frames: Tensor, game: Tensor | None = None) -> Tensor:
        """uint8 frames (B, H, W, 3) or (B, F, H, W, 3) to context tokens (B, N, D)."""
        if frames.ndim == 4:
            frames = frames[:, None]
        pictures = siglip.normalise(frames.flatten(0, 1), self.config.vision.image_size)
        return self.encode_pictures(pictures.reshape(*frames.shape[:2], *pictures.shape[1:]), game)

    @torch.inference_mode()
    def encode_pictures(self, pictures: Tensor, game: Tensor | None = None) -> Tensor:
        """The same from normalised pictures (B, F, 3, S, S); on CPUs a cacheful at a time."""
        vision = self.config.vision
        hidden = pictures.shape[1] * vision.tokens * vision.mlp_width * self.dtype.itemsize
        at_once = max(1, CACHE // hidden) if self.device.type == "cpu" else len(pictures)
        if len(pictures) <= at_once:
            return self._encode_some(pictures, game)
        games = [None] * len(pictures) if game is None else torch.split(game, at_once)
        parts = zip(torch.split(pictures, at_once), games, strict=False)
        return torch.cat([self._encode_some(part, of_part) for part, of_part in parts])

    def _encode_some(self, pictures: Tensor, game: Tensor | None) -> Tensor:
        x = self._patch(self._patches(pictures.flatten(0, 1).to(self.dtype))) + self._places
        for block in self._tower:
            x = block(x, None)
        tokens = F.layer_norm(x, x.shape[-1:], *self._tower_norm, siglip.NORM_EPS)  # (B F, N, D)
        tokens = tokens.reshape(len(pictures), -1, x.shape[-1])
        tokens = join_tokens(self.config, tokens, self._games, game)
        bias = context_bias(self.config, tokens)
        for block in self._mixing:
            tokens = block(tokens, bias)
        return tokens if self._readout is None else self._readout.join(tokens.float())

    @torch.inference_mode()
    def prepare(self, context: Tensor) -> Context:
        """Keys and values of all cross blocks from context tokens (B, N, D), in one product."""
        heads, count = self.config.dit.heads, self._kv_count
        both = self._kv(context.to(self.dtype)).view(*context.shape[:2], count, 2, heads, -1)
        both = both.permute(2, 3, 0, 4, 1, 5).contiguous()  # (blocks, 2, B, heads, N, d)
        summary = None
        if self._readout is not None:
            summary = context[:, -self.config.action_tokens :].float()
        return Context(
            keys=list(both[:, 0].unbind()),
            values=list(both[:, 1].unbind()),
            bias=context_bias(self.config, context),
            summary=summary,
        )

    @torch.inference_mode()
    def plan(
        self,
        context: Tensor,
        noise: Tensor,
        *,
        prefix: Tensor | None = None,
        unconditional: Tensor | None = None,
        guidance: float = 1.0,
    ) -> Tensor:
        """Plans (B, T, A) float32 from context (B, N, D) and noise (B, T, A).

        prefix: (B, k, A), actions already committed; see `flow.integrate`.
        unconditional: context (B, N, D) of no game in particular. With it the velocity is
            v_u + guidance (v_c - v_u): 1 is conditional only, 0 is unconditional only.
        """
        guided = unconditional is not None and guidance != 1.0
        if guided:
            assert unconditional is not None
            context = torch.cat([context, unconditional])
        prepared = self.prepare(context)
        step = -1

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            nonlocal step
            step += 1  # the tables are in the order in which `integrate` asks
            if not guided:
                return self._velocity(x, step, prepared)
            both = self._velocity(torch.cat([x, x]), step, prepared)
            conditional, free = both.chunk(2)
            return free + guidance * (conditional - free)

        return flow.integrate(
            velocity, noise.float(), self.steps, solver=self.solver, prefix=prefix
        )

    def _velocity(self, x: Tensor, step: int, context: Context) -> Tensor:
        if self._scales is None or self._centre is None:
            return self._raw_velocity(x, step, context)
        t, scale_in, skip, scale_out = self._scales[step]
        x = x - t * self._centre
        return self._centre + skip * x + scale_out * self._raw_velocity(scale_in * x, step, context)

    def _raw_velocity(self, x: Tensor, step: int, context: Context) -> Tensor:
        group = self.config.actions_per_token
        grouped = x.reshape(len(x), -1, group * ACTION_VALUES)
        tokens = self._embed_out(F.silu(self._embed(grouped) + self._offset[step]))
        if self._positions is not None:
            tokens = tokens + self._positions
        if context.summary is not None:
            tokens = tokens + context.summary
        cross = zip(context.keys, context.values, strict=True)
        for index, block in enumerate(self._blocks):
            is_cross = self.config.dit.is_cross(index)
            tokens = block(tokens, step, (*next(cross), context.bias) if is_cross else None)
        scale, shift = self._last[step]
        normed = F.layer_norm(tokens, tokens.shape[-1:], scale, shift, dit.OUT_NORM_EPS)
        return self._decode(self._hidden(normed)).reshape(x.shape)


def _frozen(values: Tensor) -> Tensor:
    return values.detach().to(torch.float32, copy=True)


def _self_attend(qkv: Tensor, heads: int, bias: Tensor | None) -> Tensor:
    q, k, v = qkv.view(*qkv.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)  # (B, heads, N, d)
    return attend(q, k, v, bias).transpose(1, 2).flatten(2)  # (B, N, D)
