"""An unoptimised sampler that does what the published one does, as the baseline of speed tests.

Works on the tensors of a published checkpoint by their own names, straight from the description of
the semantics, sharing no code with `nitrogen.model`: so it is also an independent reference for
tests. Like the published sampler it recomputes mixing, cross keys and values and every constant at
each step, and attends to each pad.
"""

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


class Baseline:
    """The published network over its own tensors; `seconds` adds up process time per part."""

    def __init__(
        self, tensors: Mapping[str, Tensor], settings: Mapping[str, Any], vision_heads: int
    ) -> None:
        """`tensors` and `settings` are `model` and `ckpt_config` of the published file."""
        self.w, self.heads = tensors, vision_heads
        self.model = settings["model_cfg"]
        self.length = settings["tokenizer_cfg"]["max_sequence_length"]
        self.seconds: dict[str, float] = defaultdict(float)

    @torch.inference_mode()
    def sample(
        self, pictures: Tensor, noise: Tensor, guide: tuple[Tensor, float] | None = None
    ) -> Tensor:
        """Plans (B, T, 25) from pictures (B, F, 3, S, S); `guide`: other pictures and a scale s.

        Guided velocity: v_c + s (v_c - v_u).
        """
        tokens = self.timed("tower", self.tower, pictures)
        free = None if guide is None else self.timed("tower", self.tower, guide[0])
        steps = self.model["num_inference_timesteps"]
        x = noise.float()
        for step in range(steps):
            bucket = int(step / steps * self.model["num_timestep_buckets"])
            velocity = self.velocity(x, bucket, tokens)
            if guide is not None:
                velocity = velocity + guide[1] * (velocity - self.velocity(x, bucket, free))
            x = x + velocity.float() / steps
        return x

    def velocity(self, x: Tensor, bucket: int, tokens: Tensor) -> Tensor:
        """One evaluation, context mixing included."""
        times = torch.full((len(x),), bucket)
        context = self.timed("mixing", self.mix, tokens)
        encoded = self.timed("action", self.encode_actions, x, times)
        hidden = self.timed("dit", self.dit, encoded, times, context)
        return self.timed("action", self.decode_actions, hidden)

    def timed(self, part: str, function: Any, *inputs: Any) -> Tensor:
        """Call and add the process time to `part`."""
        start = time.process_time()
        out: Tensor = function(*inputs)
        self.seconds[part] += time.process_time() - start
        return out

    def tower(self, pictures: Tensor) -> Tensor:
        """Pictures (B, F, 3, S, S) to tokens (B, F N, D)."""
        prefix = "vision_encoder.embeddings"
        patch = self.w[f"{prefix}.patch_embedding.weight"]
        x = F.conv2d(
            pictures.flatten(0, 1), patch, self.w[f"{prefix}.patch_embedding.bias"],
            stride=patch.shape[-1],
        )  # fmt: skip
        x = x.flatten(2).transpose(1, 2) + self.w[f"{prefix}.position_embedding.weight"]
        index = 0
        while f"vision_encoder.encoder.layers.{index}.layer_norm1.weight" in self.w:
            name = f"vision_encoder.encoder.layers.{index}"
            normed = self.norm(x, f"{name}.layer_norm1", 1e-6)
            own = f"{name}.self_attn"
            projections = tuple(
                f"{own}.{part}" for part in ("q_proj", "k_proj", "v_proj", "out_proj")
            )
            x = x + self.attention(normed, normed, projections, self.heads)
            normed = self.norm(x, f"{name}.layer_norm2", 1e-6)
            hidden = F.gelu(self.linear(normed, f"{name}.mlp.fc1"), approximate="tanh")
            x = x + self.linear(hidden, f"{name}.mlp.fc2")
            index += 1
        x = self.norm(x, "vision_encoder.post_layernorm", 1e-6)
        return x.reshape(len(pictures), -1, x.shape[-1])

    def mix(self, tokens: Tensor) -> Tensor:
        """Pads on the left, then the mixing blocks."""
        config = self.model["vl_self_attention_cfg"]
        x = F.pad(tokens, (0, 0, self.length - tokens.shape[1], 0))
        for index in range(config["num_layers"]):
            name = f"vl_self_attention_model.transformer_blocks.{index}"
            normed = self.placed(self.norm(x, f"{name}.norm1", 1e-5), config)
            x = x + self.attention(
                normed, normed, _projections(name), config["num_attention_heads"]
            )
            x = x + self.feed_forward(self.norm(x, f"{name}.norm3", 1e-5), name)
        return x

    def encode_actions(self, x: Tensor, times: Tensor) -> Tensor:
        """Noisy actions (B, T, 25) to action tokens (B, T, D)."""
        width = self.w["action_encoder.W1.b"].shape[-1]
        frequency = torch.exp(-math.log(10_000) / (width // 2) * torch.arange(width // 2))
        angle = times[:, None] * frequency
        code = torch.cat([angle.sin(), angle.cos()], -1)[:, None].expand(-1, x.shape[1], -1)
        embedded = x @ self.w["action_encoder.W1.W"][0] + self.w["action_encoder.W1.b"][0]
        joined = torch.cat([embedded, code], -1)
        joined = F.silu(
            joined @ self.w["action_encoder.W2.W"][0] + self.w["action_encoder.W2.b"][0]
        )
        out = joined @ self.w["action_encoder.W3.W"][0] + self.w["action_encoder.W3.b"][0]
        if self.model["add_pos_embed"]:
            out = out + self.w["position_embedding.weight"][: x.shape[1]]
        return out

    def dit(self, x: Tensor, times: Tensor, context: Tensor) -> Tensor:
        """Action tokens to action tokens."""
        config = self.model["diffusion_model_cfg"]
        frequency = torch.exp(-math.log(10_000) / 127 * torch.arange(128))
        angle = times[:, None] * frequency
        code = torch.cat([angle.cos(), angle.sin()], -1)
        embedder = "model.timestep_encoder.timestep_embedder"
        time_ = self.linear(
            F.silu(self.linear(code, f"{embedder}.linear_1")), f"{embedder}.linear_2"
        )
        for index in range(config["num_layers"]):
            name = f"model.transformer_blocks.{index}"
            scale, shift = self.linear(F.silu(time_), f"{name}.norm1.linear")[:, None].chunk(2, -1)
            normed = F.layer_norm(x, x.shape[-1:], eps=1e-5) * (1 + scale) + shift
            normed = self.placed(normed, config)
            own = index % 2 == 1 and config["interleave_self_attention"]
            source = normed if own else context
            x = x + self.attention(
                normed, source, _projections(name), config["num_attention_heads"]
            )
            x = x + self.feed_forward(F.layer_norm(x, x.shape[-1:], eps=1e-5), name)
        shift, scale = self.linear(F.silu(time_), "model.proj_out_1")[:, None].chunk(2, -1)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
        return self.linear(x, "model.proj_out_2")

    def decode_actions(self, x: Tensor) -> Tensor:
        """Action tokens to velocities (B, T, 25)."""
        w = {
            part: self.w[f"action_decoder.{part}"][0]
            for part in ("layer1.W", "layer1.b", "layer2.W", "layer2.b")
        }
        return F.relu(x @ w["layer1.W"] + w["layer1.b"]) @ w["layer2.W"] + w["layer2.b"]

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A linear layer by its published name."""
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def norm(self, x: Tensor, name: str, eps: float) -> Tensor:
        """A layer norm by its published name."""
        return F.layer_norm(x, x.shape[-1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"], eps)

    def placed(self, x: Tensor, config: Mapping[str, Any]) -> Tensor:
        """With the sine positions of Vaswani et al. 2017 added, if the stack has them."""
        if config["positional_embeddings"] is None:
            return x
        width = x.shape[-1]
        table = torch.zeros(x.shape[1], width)
        for column in range(0, width, 2):
            angle = torch.arange(x.shape[1]) * math.exp(-math.log(10_000) * column / width)
            table[:, column], table[:, column + 1] = angle.sin(), angle.cos()
        return x + table

    def attention(self, x: Tensor, source: Tensor, names: tuple[str, ...], heads: int) -> Tensor:
        """Multi-head attention of x to `source`, with the four projections by name."""
        q, k, v = (
            self.linear(inputs, name).unflatten(-1, (heads, -1)).transpose(1, 2)
            for inputs, name in zip((x, source, source), names[:3], strict=True)
        )
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.linear(attended.transpose(1, 2).flatten(2), names[3])

    def feed_forward(self, x: Tensor, name: str) -> Tensor:
        """Linear, tanh-GELU, linear."""
        hidden = F.gelu(self.linear(x, f"{name}.ff.net.0.proj"), approximate="tanh")
        return self.linear(hidden, f"{name}.ff.net.2")


def _projections(block: str) -> tuple[str, ...]:
    return tuple(f"{block}.attn1.to_{part}" for part in ("q", "k", "v", "out.0"))
