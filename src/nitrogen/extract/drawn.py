"""A skin as brightness, and where it can be compared with a picture."""

import cv2
import numpy as np

from nitrogen.actions import Actions
from nitrogen.extract.still import Gray
from nitrogen.overlay.render import Renderer
from nitrogen.overlay.skin import ButtonLayer, StickLayer

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709: what 720p and larger videos use."""

_GROUND = 100.0
"""Brightness behind a drawn skin; removed by the high-pass."""


def gray_of(
    renderer: Renderer, actions: Actions | None = None, ground: float | Gray = _GROUND
) -> Gray:
    """The skin in the given state (released when None) on an even ground, (h, w) brightness."""
    ink, cover = ink_and_cover(renderer, actions)
    return np.asarray(ink + (1 - cover) * ground, np.float32)


def ink_and_cover(renderer: Renderer, actions: Actions | None = None) -> tuple[Gray, Gray]:
    """Brightness that the skin adds, and the share of what is behind that it hides; (h, w) each."""
    picture = renderer.draw(actions or Actions.released(1))
    return np.ascontiguousarray(picture[..., :3] @ LUMA), np.ascontiguousarray(picture[..., 3])


def weight_of(renderer: Renderer) -> Gray:
    """Where the skin is, less where its controls move; (h, w) in 0..1."""
    _, cover = ink_and_cover(renderer)
    near = cv2.dilate(cover, np.ones((5, 5), np.uint8))
    weight = np.clip(near, 0, 1).astype(np.float32)
    for layer in renderer.skin.layers:
        if isinstance(layer, StickLayer):
            weight[renderer.reach(layer)] *= 0.2
        elif isinstance(layer, ButtonLayer):
            weight[renderer.reach(layer)] *= 0.6
    return weight
