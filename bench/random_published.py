"""Random checkpoints in the published layout, of any size, for tests and benchmarks."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes and settings of a published checkpoint."""

    width: int = 64
    heads: int = 4
    layers: int = 4
    mixing_layers: int = 2
    vision_layers: int = 2
    image_size: int = 64
    mlp_width: int = 128
    rows: int = 32
    """Of the table of action positions."""
    pads: int = 0
    frames: int = 1
    games: int = 0
    interleave: bool = True
    sinusoidal: bool = False

    @property
    def tokens(self) -> int:
        """Image tokens of one frame."""
        return (self.image_size // 16) ** 2


FULL = Shape(
    width=1024, heads=16, layers=8, mixing_layers=4, vision_layers=24, image_size=256,
    mlp_width=4096, rows=1024,
)  # fmt: skip
"""The published network."""


def random_published(shape: Shape, *, seed: int = 0) -> dict[str, Any]:
    """The content of a published file: random weights, settings of `shape`."""
    draw = _Draw(torch.Generator().manual_seed(seed))
    _vision(draw, shape)
    _stack(draw, "model", shape.layers, shape)
    _stack(draw, "vl_self_attention_model", shape.mixing_layers, shape)
    width = shape.width
    embedder = "model.timestep_encoder.timestep_embedder"
    draw.linear(f"{embedder}.linear_1", width, 256)
    draw.linear(f"{embedder}.linear_2", width, width)
    draw.linear("model.proj_out_1", 2 * width, width)
    draw.linear("model.proj_out_2", width, width)
    for name, inputs, out in (
        ("action_encoder.W1", 25, width), ("action_encoder.W2", 2 * width, width),
        ("action_encoder.W3", width, width), ("action_decoder.layer1", width, width),
        ("action_decoder.layer2", width, 25),
    ):  # fmt: skip
        draw.normal(f"{name}.W", 1, inputs, out, scale=inputs**-0.5)
        draw.normal(f"{name}.b", 1, out, scale=0.1)
    draw.normal("position_embedding.weight", shape.rows, width, scale=0.5)
    if shape.games:
        draw.normal("game_embedding.weight", shape.games + 1, width, scale=1.0)
    return {"model": draw.tensors, "step": 0, "epoch": 0, "ckpt_config": _settings(shape)}


@dataclass
class _Draw:
    generator: torch.Generator
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def normal(self, name: str, *shape: int, scale: float) -> None:
        self.tensors[name] = torch.randn(shape, generator=self.generator) * scale

    def linear(self, name: str, out: int, inputs: int) -> None:
        self.normal(f"{name}.weight", out, inputs, scale=inputs**-0.5)
        self.normal(f"{name}.bias", out, scale=0.1)

    def norm(self, name: str, width: int) -> None:
        self.normal(f"{name}.weight", width, scale=0.1)
        self.tensors[f"{name}.weight"] += 1
        self.normal(f"{name}.bias", width, scale=0.1)


def _vision(draw: _Draw, shape: Shape) -> None:
    width, hidden = shape.width, shape.mlp_width
    prefix = "vision_encoder.embeddings"
    draw.normal(f"{prefix}.patch_embedding.weight", width, 3, 16, 16, scale=768**-0.5)
    draw.normal(f"{prefix}.patch_embedding.bias", width, scale=0.1)
    draw.normal(f"{prefix}.position_embedding.weight", shape.tokens, width, scale=0.5)
    for index in range(shape.vision_layers):
        name = f"vision_encoder.encoder.layers.{index}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            draw.linear(f"{name}.self_attn.{part}", width, width)
        draw.linear(f"{name}.mlp.fc1", hidden, width)
        draw.linear(f"{name}.mlp.fc2", width, hidden)
        draw.norm(f"{name}.layer_norm1", width)
        draw.norm(f"{name}.layer_norm2", width)
    draw.norm("vision_encoder.post_layernorm", width)
    head = "vision_encoder.head"
    draw.normal(f"{head}.probe", 1, 1, width, scale=1.0)
    draw.normal(f"{head}.attention.in_proj_weight", 3 * width, width, scale=0.1)
    draw.normal(f"{head}.attention.in_proj_bias", 3 * width, scale=0.1)
    draw.linear(f"{head}.attention.out_proj", width, width)
    draw.norm(f"{head}.layernorm", width)
    draw.linear(f"{head}.mlp.fc1", hidden, width)
    draw.linear(f"{head}.mlp.fc2", width, hidden)


def _stack(draw: _Draw, stack: str, layers: int, shape: Shape) -> None:
    width = shape.width
    for index in range(layers):
        name = f"{stack}.transformer_blocks.{index}"
        for part in ("q", "k", "v", "out.0"):
            draw.linear(f"{name}.attn1.to_{part}", width, width)
        draw.linear(f"{name}.ff.net.0.proj", 4 * width, width)
        draw.linear(f"{name}.ff.net.2", width, 4 * width)
        if stack == "model":
            draw.linear(f"{name}.norm1.linear", 2 * width, width)
        else:
            draw.norm(f"{name}.norm1", width)
            draw.norm(f"{name}.norm3", width)
        if shape.sinusoidal:
            draw.tensors[f"{name}.pos_embed.pe"] = _sine_table(512, width)


def _sine_table(rows: int, width: int) -> Tensor:
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(rows)[:, None] * frequency
    table = torch.zeros(1, rows, width)
    table[0, :, 0::2], table[0, :, 1::2] = angle.sin(), angle.cos()
    return table


def _settings(shape: Shape) -> dict[str, Any]:
    stack = {
        "num_attention_heads": shape.heads, "attention_head_dim": shape.width // shape.heads,
        "output_dim": shape.width, "dropout": 0.2, "attention_bias": True,
        "activation_fn": "gelu-approximate",
        "positional_embeddings": "sinusoidal" if shape.sinusoidal else None,
    }  # fmt: skip
    games = {f"game {index}": index for index in range(1, shape.games + 1)}
    return {
        "model_cfg": {
            "add_pos_embed": True,
            "diffusion_model_cfg": {
                **stack, "num_layers": shape.layers, "norm_type": "ada_norm",
                "interleave_self_attention": shape.interleave, "cross_attention_dim": None,
            },
            "vl_self_attention_cfg": {**stack, "num_layers": shape.mixing_layers},
            "hidden_size": shape.width, "max_seq_len": shape.rows, "action_dim": 25,
            "action_horizon": 18, "noise_beta_alpha": 1.6, "noise_beta_beta": 0.8,
            "noise_s": 0.999, "num_timestep_buckets": 1000, "num_inference_timesteps": 16,
            "max_num_embodiments": 1, "vision_hidden_size": shape.width,
            "vision_encoder_name": "google/siglip2-large-patch16-256",
        },
        "tokenizer_cfg": {
            "num_visual_tokens_per_frame": shape.tokens, "action_horizon": 18,
            "max_sequence_length": shape.frames * shape.tokens + shape.pads + bool(shape.games),
            "game_mapping_cfg": games or None, "old_layout": False,
        },
        "modality_cfg": {
            "frame_per_sample": shape.frames, "frame_spacing": 18, "action_per_chunk": 18,
            "action_shift": 3, "action_interleaving": False,
        },
    }  # fmt: skip
