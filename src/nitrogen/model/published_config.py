"""The settings of the published checkpoint, read strictly.

Every setting that changes a result is read; one that we do not support is refused, not ignored.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nitrogen.errors import CheckpointError
from nitrogen.model.dit import TransformerConfig
from nitrogen.model.flow import FlowConfig
from nitrogen.model.layout import ACTION_VALUES
from nitrogen.model.network import NetworkConfig
from nitrogen.model.siglip import VisionConfig

TOWERS = {"base": (768, 12), "large": (1024, 16), "so400m": (1152, 16), "giant-opt": (1536, 16)}
"""Width and number of heads of the SigLIP towers, by the size in their name."""


class _Settings:
    """Looks settings up and collects what is missing or unsupported."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.problems: list[str] = []

    def get(self, path: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """The setting at `path`, or `default` and a problem noted."""
        value: Any = self._values
        for key in path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                self.problems.append(f"setting {path} is missing")
                return default
            value = value[key]
        if not isinstance(value, kind):
            self.problems.append(f"setting {path} is {value!r}")
            return default
        return value

    def whole(self, path: str, least: int = 1) -> int:
        """A whole number of at least `least`."""
        value = self.get(path, int, least)
        if isinstance(value, bool) or value < least:
            self.problems.append(f"setting {path} is {value!r}")
            return least
        return int(value)

    def expect(self, path: str, wanted: Any) -> None:
        """Note a problem unless the setting, where present, is `wanted`."""
        value: Any = self._values
        for key in path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                return
            value = value[key]
        if value != wanted:
            self.problems.append(f"setting {path} is {value!r}, and only {wanted!r} is supported")


def network_config(
    tensors: Mapping[str, Tensor], values: dict[str, Any], vision_heads: int | None, *, where: str
) -> NetworkConfig:
    """Our config from the file's settings, and from tensors where the settings are silent.

    Raises CheckpointError that lists every setting that is missing or not supported.
    """
    settings = _Settings(values)
    for stack in ("diffusion_model_cfg", "vl_self_attention_cfg"):
        settings.expect(f"model_cfg.{stack}.attention_bias", wanted=True)
        settings.expect(f"model_cfg.{stack}.activation_fn", "gelu-approximate")
        settings.expect(f"model_cfg.{stack}.norm_eps", 1e-5)
    settings.expect("model_cfg.diffusion_model_cfg.norm_type", "ada_norm")
    settings.expect("model_cfg.diffusion_model_cfg.norm_elementwise_affine", wanted=False)
    settings.expect("model_cfg.action_dim", ACTION_VALUES)
    settings.expect("model_cfg.max_num_embodiments", 1)
    settings.expect("model_cfg.add_view_embed", wanted=False)
    settings.expect("modality_cfg.action_interleaving", wanted=False)
    vision = _vision_config(tensors, settings, vision_heads)
    horizon = settings.whole("model_cfg.action_horizon")
    settings.expect("tokenizer_cfg.action_horizon", horizon)
    settings.expect("tokenizer_cfg.num_visual_tokens_per_frame", vision.tokens)
    frames = settings.whole("modality_cfg.frame_per_sample")
    games = _games(settings, tensors)
    length = settings.whole("tokenizer_cfg.max_sequence_length")
    pads = length - frames * vision.tokens - bool(games)
    if pads < 0:
        settings.problems.append(
            f"setting tokenizer_cfg.max_sequence_length is {length}, less than the"
            f" {length - pads} tokens of {frames} frames"
        )
    mixing = _stack(settings, "vl_self_attention_cfg", cross_width=vision.width)
    dit = _stack(settings, "diffusion_model_cfg", cross_width=vision.width)
    settings.expect("model_cfg.hidden_size", dit.width)
    if pads > 0 and mixing.sinusoidal:
        settings.expect("tokenizer_cfg.old_layout", wanted=False)
    has_positions = settings.get("model_cfg.add_pos_embed", bool, default=False)
    positions = settings.whole("model_cfg.max_seq_len") if has_positions else None
    spacing = settings.whole("modality_cfg.frame_spacing", 0)
    shift = settings.whole("modality_cfg.action_shift", 0)
    flow = _flow_config(settings)
    if settings.problems:
        raise CheckpointError(f"{where} does not fit: {'; '.join(settings.problems)}")
    return NetworkConfig(
        vision=vision,
        mixing=mixing,
        dit=dit,
        flow=flow,
        horizon=horizon,
        positions=positions,
        frames=frames,
        frame_spacing=spacing,
        action_shift=shift,
        pads=pads,
        games=games,
    )


def _flow_config(settings: _Settings) -> FlowConfig:
    return FlowConfig(
        alpha=float(settings.get("model_cfg.noise_beta_alpha", (int, float), 1.0)),
        beta=float(settings.get("model_cfg.noise_beta_beta", (int, float), 1.0)),
        scale=float(settings.get("model_cfg.noise_s", (int, float), 1.0)),
        buckets=settings.whole("model_cfg.num_timestep_buckets"),
        steps=settings.whole("model_cfg.num_inference_timesteps"),
    )


def _stack(settings: _Settings, name: str, *, cross_width: int) -> TransformerConfig:
    path = f"model_cfg.{name}"
    heads = settings.whole(f"{path}.num_attention_heads")
    width = heads * settings.whole(f"{path}.attention_head_dim")
    settings.expect(f"{path}.output_dim", width)
    positions = settings.get(f"{path}.positional_embeddings", (str, type(None)), None)
    if positions not in (None, "sinusoidal"):
        settings.problems.append(f"setting {path}.positional_embeddings is {positions!r}")
    interleave = True
    if name == "diffusion_model_cfg":
        interleave = settings.get(f"{path}.interleave_self_attention", bool, default=True)
        context = settings.get(f"{path}.cross_attention_dim", (int, type(None)), None)
        if context not in (None, cross_width):
            settings.problems.append(
                f"setting {path}.cross_attention_dim is {context}, the tower's width {cross_width}"
            )
    return TransformerConfig(
        layers=settings.whole(f"{path}.num_layers"),
        width=width,
        heads=heads,
        dropout=float(settings.get(f"{path}.dropout", (int, float), 0.0)),
        sinusoidal=positions == "sinusoidal",
        interleave=interleave,
        cross_width=cross_width,
    )


def _vision_config(
    tensors: Mapping[str, Tensor], settings: _Settings, heads: int | None
) -> VisionConfig:
    name = settings.get("model_cfg.vision_encoder_name", str, "")
    patch = tensors.get("vision_encoder.embeddings.patch_embedding.weight")
    places = tensors.get("vision_encoder.embeddings.position_embedding.weight")
    fc1 = tensors.get("vision_encoder.encoder.layers.0.mlp.fc1.weight")
    if patch is None or places is None or fc1 is None or patch.ndim != 4:
        settings.problems.append("the vision tower's first tensors are missing or ill-shaped")
        return VisionConfig()
    width, patch_size = patch.shape[0], patch.shape[-1]
    settings.expect("model_cfg.vision_hidden_size", width)
    known = [sizes for size, sizes in TOWERS.items() if f"-{size}-" in name]
    if heads is None:
        if not known or known[0][0] != width:
            settings.problems.append(
                f"the number of heads of a tower {width} wide does not follow from its name"
                f" {name!r}; give vision_heads"
            )
        heads = known[0][1] if known else 1
    side = round(places.shape[0] ** 0.5)
    layers = {key.split(".")[3] for key in tensors if key.startswith("vision_encoder.encoder.")}
    return VisionConfig(
        image_size=side * patch_size,
        patch_size=patch_size,
        width=width,
        layers=len(layers),
        heads=heads,
        mlp_width=fc1.shape[0],
    )


def _games(settings: _Settings, tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    mapping = settings.get("tokenizer_cfg.game_mapping_cfg", (Mapping, type(None)), None)
    rows = tensors.get("game_embedding.weight")
    if rows is None:
        return ()
    names = _game_names(mapping or {}, len(rows) - 1)
    if len(names) != len(rows) - 1:
        settings.problems.append(
            f"game_embedding has {len(rows)} rows, the game mapping {len(names)} games"
        )
    return names


def _game_names(mapping: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Names of games 1 to `count`, from a mapping of name to row where the file has one."""
    by_row = {row: str(name) for name, row in mapping.items() if isinstance(row, int)}
    return tuple(by_row.get(row, f"game-{row}") for row in range(1, count + 1))
