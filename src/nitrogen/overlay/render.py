"""Controller state → picture of the skin.

Sprites are scaled once for a placement and remembered by state; fixed images lie in one base
picture, so a frame costs a copy of it and one small blend per control.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, PRESSED, Actions, Frame
from nitrogen.errors import SkinError
from nitrogen.overlay.skin import (
    SWITCH,
    ButtonLayer,
    DpadLayer,
    ImageLayer,
    Layer,
    Skin,
    Sprite,
    StickLayer,
    TriggerLayer,
)
from nitrogen.overlay.sprites import (
    BULGE,
    UPRIGHT,
    Lean,
    Premultiplied,
    lay_over,
    scaled,
    straight,
)

_STEPS = 16
"""Positions per pixel, travel steps are twice as many: finer differences cannot be seen."""

_DPAD = ("dpad_left", "dpad_right", "dpad_up", "dpad_down")


@dataclass(frozen=True)
class Placement:
    """Where a skin sits in a frame."""

    x: float
    """Of the canvas's left edge, in frame pixels."""
    y: float
    scale_x: float
    """Frame pixels per canvas pixel."""
    scale_y: float
    opacity: float = 1.0

    def box(self, canvas: tuple[int, int]) -> tuple[int, int, int, int]:
        """x, y, width, height of the canvas in whole frame pixels, rounded outwards."""
        left, top = math.floor(self.x + 1e-6), math.floor(self.y + 1e-6)
        right = math.ceil(self.x + canvas[0] * self.scale_x - 1e-6)
        bottom = math.ceil(self.y + canvas[1] * self.scale_y - 1e-6)
        return left, top, right - left, bottom - top


def place(
    skin: Skin,
    size: tuple[int, int],
    *,
    corner: str = "bottom_right",
    width: float = 0.22,
    margin: float = 0.02,
    opacity: float = 1.0,
) -> Placement:
    """A placement in a corner of a frame of `size` (width, height).

    width: of the overlay as a share of the frame's width; margin likewise. Raises SkinError if the
    corner is not `top_left`, `top_right`, `bottom_left` or `bottom_right`.
    """
    if corner not in ("top_left", "top_right", "bottom_left", "bottom_right"):
        raise SkinError(f"no corner {corner!r}; corners are top_left, ..., bottom_right")
    scale = width * size[0] / skin.canvas[0]
    gap = margin * size[0]
    right = size[0] - gap - skin.canvas[0] * scale
    bottom = size[1] - gap - skin.canvas[1] * scale
    return Placement(
        x=gap if corner.endswith("left") else right,
        y=gap if corner.startswith("top") else bottom,
        scale_x=scale,
        scale_y=scale,
        opacity=opacity,
    )


class Renderer:
    """Draws one skin at one placement."""

    def __init__(
        self, skin: Skin, placement: Placement, box: tuple[int, int, int, int] | None = None
    ) -> None:
        """The picture covers `box`: by default `placement.box(skin.canvas)`."""
        self.skin, self.placement = skin, placement
        self.box = box or placement.box(skin.canvas)
        self._origin = (placement.x - self.box[0], placement.y - self.box[1])
        self._shape = (self.box[3], self.box[2])
        self._base = np.zeros((*self._shape, 4), np.float32)
        self._parts = self._split(skin.layers)
        self._picture = np.zeros_like(self._base)
        self._over: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._shown: list[Any] = []

    def draw(self, actions: Actions) -> Premultiplied:
        """The picture of one frame's state, premultiplied; valid until the next call."""
        return self.draw_state(actions.buttons[0], actions.sticks[0])

    def draw_state(
        self, buttons: NDArray[np.float32], sticks: NDArray[np.float32]
    ) -> Premultiplied:
        """The picture for `buttons` (17,) and `sticks` (4,), premultiplied; see `draw`."""
        states = [part.state(buttons, sticks) for part in self._parts]
        if states != self._shown:
            np.copyto(self._picture, self._base)
            for part, state in zip(self._parts, states, strict=True):
                made = part.pixels(state)
                if made is not None:
                    left, top, pixels, keep = made
                    height, width = keep.shape[:2]
                    area = self._picture[top : top + height, left : left + width]
                    area *= keep
                    area += pixels
            self._shown, self._over = states, None
        return self._picture

    def rgba(self, actions: Actions) -> Sprite:
        """The picture of one frame's state as (H, W, 4) uint8 with straight alpha."""
        return straight(self.draw(actions))

    def blend(self, frame: Frame, actions: Actions) -> None:
        """Draw one frame's state onto `frame`, (H, W, 3), in place; what lies outside is cut."""
        picture = self.draw(actions)
        if self._over is None:
            opacity = self.placement.opacity
            self._over = picture[..., :3] * opacity, 1 - picture[..., 3:] * opacity
        x, y, width, height = self.box
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, frame.shape[1]), min(y + height, frame.shape[0])
        if right <= left or bottom <= top:
            return
        rows, columns = slice(top - y, bottom - y), slice(left - x, right - x)
        area = frame[top:bottom, left:right]
        colour, keep = self._over[0][rows, columns], self._over[1][rows, columns]
        area[...] = (colour + area * keep + 0.5).astype(np.uint8)

    def sprite(
        self, sprite: Sprite, pos: tuple[float, float], lean: Lean = UPRIGHT
    ) -> tuple[int, int, Premultiplied]:
        """A sprite at canvas position `pos`: its left, top and pixels in the picture, cut to it."""
        x = self._origin[0] + pos[0] * self.placement.scale_x
        y = self._origin[1] + pos[1] * self.placement.scale_y
        scale = (self.placement.scale_x, self.placement.scale_y)
        left, top, pixels = scaled(sprite, (x, y), scale, lean)
        cut_x, cut_y = max(-left, 0), max(-top, 0)
        end_x, end_y = self._shape[1] - left, self._shape[0] - top
        return left + cut_x, top + cut_y, pixels[cut_y : max(end_y, 0), cut_x : max(end_x, 0)]

    def split_at(
        self, layer: Layer, actions: Actions | None = None
    ) -> tuple[Premultiplied, Premultiplied]:
        """The skin (released when None) below `layer` and above it, without it, premultiplied."""
        shown = actions or Actions.released(1)
        below, above = self._base.copy(), np.zeros_like(self._base)
        reached = False
        for part in self._parts:
            if part.layer is layer:
                reached = True
                continue
            made = part.pixels(part.state(shown.buttons[0], shown.sticks[0]))
            if made is not None:
                lay_over(above if reached else below, *made[:3])
        return below, above

    def _split(self, layers: tuple[Layer, ...]) -> "list[_Part]":
        """Draw fixed images that nothing moving lies under into the base; the rest are parts."""
        parts: list[_Part] = []
        moving = np.zeros(self._shape, np.bool_)
        for layer in layers:
            reach = self.reach(layer)
            if isinstance(layer, ImageLayer) and not (moving & reach).any():
                lay_over(self._base, *self.sprite(layer.sprite, layer.pos))
            else:
                moving |= reach
                parts.append(_Part(self, layer))
        return parts

    def reach(self, layer: Layer) -> NDArray[np.bool_]:
        """The picture's pixels that the layer may change, (H, W)."""
        mask = np.zeros(self._shape, np.bool_)
        x, y = layer.pos
        far_x, far_y = layer.travel if isinstance(layer, StickLayer) else (0.0, 0.0)
        sprites = list(_sprites(layer))
        width = max(sprite.shape[1] for sprite in sprites)
        height = max(sprite.shape[0] for sprite in sprites)
        if isinstance(layer, StickLayer) and layer.tilt:
            far_x, far_y = far_x + BULGE * width, far_y + BULGE * height
        p, (ox, oy) = self.placement, self._origin
        left = math.floor(ox + (x - far_x) * p.scale_x) - 1
        top = math.floor(oy + (y - far_y) * p.scale_y) - 1
        right = math.ceil(ox + (x + width + far_x) * p.scale_x) + 1
        bottom = math.ceil(oy + (y + height + far_y) * p.scale_y) + 1
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
        return mask


def _sprites(layer: Layer) -> list[Sprite]:
    if isinstance(layer, ImageLayer | TriggerLayer):
        return [layer.sprite]
    if isinstance(layer, DpadLayer):
        return list(layer.states.values())
    return [sprite for sprite in (layer.up, layer.down) if sprite is not None]


class _Part:
    """One layer that changes, with its latest pictures by state."""

    def __init__(self, renderer: Renderer, layer: Layer) -> None:
        self._renderer, self.layer = renderer, layer
        self.state = _reader(layer, renderer.placement)
        self.pixels = lru_cache(maxsize=512)(self._make)

    def _make(self, value: Any) -> tuple[int, int, Premultiplied, Premultiplied] | None:
        made = self._place(value)
        if made is None or not made[2].size:
            return None
        return *made, np.ascontiguousarray(1 - made[2][..., 3:])

    def _place(self, value: Any) -> tuple[int, int, Premultiplied] | None:
        layer, renderer = self.layer, self._renderer
        if isinstance(layer, ImageLayer):
            return renderer.sprite(layer.sprite, layer.pos)
        if isinstance(layer, ButtonLayer):
            sprite = layer.down if value else layer.up
            return None if sprite is None else renderer.sprite(sprite, layer.pos)
        if isinstance(layer, DpadLayer):
            return renderer.sprite(layer.states[value], layer.pos)
        if isinstance(layer, TriggerLayer):
            return None if value == 0 else renderer.sprite(_trigger(layer, value), layer.pos)
        clicked, x, y = value
        sprite = layer.down if clicked and layer.down is not None else layer.up
        shift_x = x / _STEPS / renderer.placement.scale_x
        shift_y = y / _STEPS / renderer.placement.scale_y
        pos = (layer.pos[0] + shift_x, layer.pos[1] + shift_y)
        if not layer.tilt:
            return renderer.sprite(sprite, pos)
        share_x = shift_x / layer.travel[0] if layer.travel[0] else 0.0
        share_y = shift_y / layer.travel[1] if layer.travel[1] else 0.0
        return renderer.sprite(sprite, pos, (layer.tilt * share_x, layer.tilt * share_y))


def _trigger(layer: TriggerLayer, travel: float) -> Sprite:
    """The part of a trigger's sprite that shows at `travel`, with a soft edge."""
    sprite = layer.sprite.copy()
    if layer.mode == "switch":
        return sprite
    if layer.mode == "fade":
        sprite[..., 3] = np.round(sprite[..., 3] * travel)
        return sprite
    sideways = layer.direction in ("left", "right")
    length = sprite.shape[1 if sideways else 0]
    cover = np.clip(travel * length - np.arange(length), 0, 1)
    if layer.direction in ("up", "left"):
        cover = cover[::-1]
    shaped = cover[None, :] if sideways else cover[:, None]
    sprite[..., 3] = np.round(sprite[..., 3] * shaped)
    return sprite


def _reader(layer: Layer, placement: Placement) -> Any:
    """A function from (buttons, sticks) to what the layer shows, as a small hashable value."""
    if isinstance(layer, ImageLayer):
        return lambda buttons, sticks: 0
    if isinstance(layer, ButtonLayer):
        index = BUTTON_INDEX[layer.button]
        return lambda buttons, sticks: buttons[index] > PRESSED
    if isinstance(layer, TriggerLayer):
        return _trigger_reader(layer)
    if isinstance(layer, DpadLayer):
        left, right, up, down = (BUTTON_INDEX[name] for name in _DPAD)

        def direction(buttons: NDArray[np.float32], sticks: NDArray[np.float32]) -> str:
            pressed = buttons > PRESSED
            vertical = ("", "u", "d", "")[int(pressed[up]) + 2 * int(pressed[down])]
            sideways = ("", "l", "r", "")[int(pressed[left]) + 2 * int(pressed[right])]
            return vertical + sideways or "c"

        return direction
    return _stick_reader(layer, placement)


def _trigger_reader(layer: TriggerLayer) -> Any:
    index = BUTTON_INDEX[layer.button]
    if layer.mode == "switch":
        return lambda buttons, sticks: 1.0 if (buttons[index] >= SWITCH) != layer.reverse else 0.0

    def travel(buttons: NDArray[np.float32], sticks: NDArray[np.float32]) -> float:
        value = round(float(buttons[index]) * 2 * _STEPS) / (2 * _STEPS)
        return 1 - value if layer.reverse else value

    return travel


def _stick_reader(layer: StickLayer, placement: Placement) -> Any:
    first = 0 if layer.side == "left" else 2
    thumb = BUTTON_INDEX[f"{layer.side}_thumb"]
    reach_x = layer.travel[0] * placement.scale_x * _STEPS
    reach_y = layer.travel[1] * placement.scale_y * _STEPS

    def position(
        buttons: NDArray[np.float32], sticks: NDArray[np.float32]
    ) -> tuple[bool, int, int]:
        x, y = float(sticks[first]), float(sticks[first + 1])
        clicked = bool(buttons[thumb] > PRESSED) and layer.down is not None
        return clicked, round(x * reach_x), round(y * reach_y)

    return position
