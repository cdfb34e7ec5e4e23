"""Named network sizes, as data.

A preset is a `NetworkConfig`; `preset(name, ...)` looks one up and changes what the caller names.
"""

import difflib
from dataclasses import replace

from nitrogen.errors import ConfigError
from nitrogen.model.dit import TransformerConfig
from nitrogen.model.flow import FlowConfig
from nitrogen.model.layout import CENTRE, DEVIATION
from nitrogen.model.network import NetworkConfig
from nitrogen.model.siglip import VisionConfig

PRESETS = {
    # the published network: 493,631,513 parameters in its file, pooling head of the tower included
    "nitrogen-500m": NetworkConfig(frame_spacing=18, action_shift=3),
    "small": NetworkConfig(
        vision=VisionConfig(
            image_size=128, patch_size=16, width=320, layers=8, heads=5, mlp_width=1280
        ),
        mixing=TransformerConfig(layers=2, width=320, heads=5),
        dit=TransformerConfig(layers=6, width=320, heads=5, cross_width=320),
        flow=FlowConfig(centre=CENTRE, deviation=DEVIATION),
        horizon=16,
        positions=16,
    ),
    # plays and trains on one laptop core; the plan is made of 4 tokens of 4 actions each
    "tiny": NetworkConfig(
        vision=VisionConfig(
            image_size=64, patch_size=8, width=128, layers=2, heads=4, mlp_width=512
        ),
        mixing=TransformerConfig(layers=1, width=128, heads=4, cross_width=128),
        dit=TransformerConfig(layers=4, width=128, heads=4, cross_width=128),
        flow=FlowConfig(centre=CENTRE, deviation=DEVIATION),
        horizon=16,
        positions=4,
        actions_per_token=4,
        readout=16,
    ),
}
"""Every preset by name."""


def preset(
    name: str, *, patch_size: int | None = None, vision_layers: int | None = None, **changes: object
) -> NetworkConfig:
    """The preset called `name`, with some of the fields of `NetworkConfig` changed.

    `patch_size` and `vision_layers` change the tower. Raises ConfigError on an unknown name.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"no preset {name!r}; presets: {', '.join(PRESETS)}{hint}")
    config = PRESETS[name]
    tower = replace(
        config.vision,
        patch_size=patch_size or config.vision.patch_size,
        layers=vision_layers or config.vision.layers,
    )
    return replace(config, vision=tower, **changes)  # type: ignore[arg-type]
