"""Controllers that nobody drew: random skins, small and fast, to train readers of unknown skins.

A `Sketch` is a skin taken apart at the size of a training picture: the released pad, what each
control pastes over it when pressed, and the caps of the sticks. `invent.random_sketch` makes one
up; `sketch_of` takes a `padskin/1` skin apart the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, Actions
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin, StickLayer, TriggerLayer
from nitrogen.overlay.sprites import scaled

Pixels = NDArray[np.uint8]
"""(H, W, 4) RGBA, premultiplied."""
Points = NDArray[np.float64]
"""(N, 2) in canvas widths."""

LEVELS = 8
"""Steps of a trigger's travel."""


class Part(NamedTuple):
    """What a button or trigger pastes over the released pad."""

    left: int
    top: int
    levels: NDArray[np.uint8]
    """(L, h, w, 4) premultiplied: one picture for a button, LEVELS travels for a trigger."""


class Cap(NamedTuple):
    """The moving part of a stick."""

    centre: tuple[float, float]
    """Of the cap at rest, in pixels."""
    reach: tuple[float, float]
    """Pixels at full deflection."""
    up: Pixels
    down: Pixels
    """Same size; the same picture where a click does not show on the cap."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """A skin at one size, ready to be drawn some thousand times a second."""

    base: Pixels
    """The released pad without caps."""
    parts: dict[str, list[Part]]
    """By button."""
    caps: dict[str, Cap]
    """By side, `left` and `right`."""

    def shows(self, name: str) -> bool:
        """Whether a button, or the stick `left` or `right`, can be seen."""
        return name in self.caps or name in self.parts or self._clicks(name)

    def draw(self, actions: Actions, out: NDArray[np.uint8]) -> None:
        """Draw T states into `out` (T, H, W, 4), premultiplied."""
        out[:] = self.base
        for name, parts in self.parts.items():
            travel = actions.button(name)
            for part in parts:
                count, height, width = part.levels.shape[:3]
                level = np.ceil(travel * count - 1e-6).astype(np.intp)
                rows = np.flatnonzero(level)
                area = out[:, part.top : part.top + height, part.left : part.left + width]
                area[rows] = part.levels[level[rows] - 1]
        for side, cap in self.caps.items():
            clicked = actions.button(f"{side}_thumb") > 0.5
            x, y = actions.stick(f"{side}_x"), actions.stick(f"{side}_y")
            for row in range(len(actions)):
                _stamp(
                    out[row],
                    cap.down if clicked[row] else cap.up,
                    cap.centre[0] + float(x[row]) * cap.reach[0],
                    cap.centre[1] + float(y[row]) * cap.reach[1],
                )

    def recoloured(self, rng: np.random.Generator) -> "Sketch":
        """The same pad in other colours: hue turned, sometimes inverted, contrast changed."""
        angle, contrast = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.3)
        if rng.random() < 0.35:
            contrast = -contrast
        grey = np.full((3, 3), 1 / 3)
        axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        turned = np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * axis
        matrix = contrast * (rng.uniform(0.5, 1.4) * turned + grey)
        offset = (1 - contrast) / 2 + rng.normal(0, 0.07)
        mixing = np.eye(4)
        mixing[:3, :3], mixing[:3, 3] = matrix, offset

        def repaint(pixels: Pixels) -> Pixels:
            tall: Any = pixels.reshape(-1, pixels.shape[-2], 4)
            made: Pixels = np.asarray(cv2.transform(tall, mixing), np.uint8).reshape(pixels.shape)
            np.minimum(made[..., :3], made[..., 3:], out=made[..., :3])
            return made

        parts = {
            name: [part._replace(levels=repaint(part.levels)) for part in each]
            for name, each in self.parts.items()
        }
        caps = {}
        for side, cap in self.caps.items():
            up = repaint(cap.up)
            caps[side] = cap._replace(up=up, down=up if cap.down is cap.up else repaint(cap.down))
        return Sketch(repaint(self.base), parts, caps)

    def leaving_caps(self) -> "Sketch":
        """The same pad with a picture of each cap left where it rests, as many real ones have."""
        base = self.base.copy()
        for cap in self.caps.values():
            _stamp(base, cap.up, *cap.centre)
        return Sketch(base, self.parts, self.caps)

    def _clicks(self, name: str) -> bool:
        cap = self.caps.get(name.removesuffix("_thumb")) if name.endswith("_thumb") else None
        return cap is not None and cap.up is not cap.down


def sketch_of(
    skin: Skin, size: tuple[int, int], *, margins: Sequence[float] = (0, 0, 0, 0)
) -> Sketch:
    """A skin taken apart at `size` (width, height), stretched to fill it.

    margins: left free at the left, top, right and bottom, as shares of the size; may be negative.
    """
    left, top, right, bottom = margins
    placement = Placement(
        left * size[0],
        top * size[1],
        size[0] * (1 - left - right) / skin.canvas[0],
        size[1] * (1 - top - bottom) / skin.canvas[1],
    )
    box = (0, 0, *size)
    sticks = [layer for layer in skin.layers if isinstance(layer, StickLayer)]
    still = tuple(layer for layer in skin.layers if not isinstance(layer, StickLayer))
    renderer = Renderer(replace(skin, layers=still), placement, box)
    base = _bytes(renderer.draw(Actions.released(1)))
    analogue = {
        layer.button
        for layer in still
        if isinstance(layer, TriggerLayer) and layer.mode != "switch"
    }
    parts = {}
    for name in sorted(replace(skin, layers=still).buttons):
        count = LEVELS if name in analogue else 1
        pictures = [
            _bytes(renderer.draw(_held(name, level / count))) for level in range(1, count + 1)
        ]
        part = _difference(base, np.stack(pictures))
        if part is not None:
            parts[name] = [part]
    caps: dict[str, Cap] = {layer.side: _cap_of(layer, placement) for layer in sticks}
    return Sketch(base, parts, caps)


def _held(name: str, travel: float) -> Actions:
    actions = Actions.released(1)
    actions.buttons[:, BUTTON_INDEX[name]] = travel
    return actions


def _cap_of(layer: StickLayer, placement: Placement) -> Cap:
    scale = (placement.scale_x, placement.scale_y)
    place = (placement.x + layer.pos[0] * scale[0], placement.y + layer.pos[1] * scale[1])
    down = layer.up if layer.down is None else layer.down
    left, top, up = scaled(layer.up, place, scale)
    _, _, pressed = scaled(down, place, scale)
    height, width = max(up.shape[0], pressed.shape[0]), max(up.shape[1], pressed.shape[1])
    caps = [np.zeros((height, width, 4), np.uint8) for _ in range(2)]
    for cap, drawn in zip(caps, (up, pressed), strict=True):
        cap[: drawn.shape[0], : drawn.shape[1]] = _bytes(drawn)
    return Cap(
        (left + (width - 1) / 2, top + (height - 1) / 2),
        (layer.travel[0] * scale[0], layer.travel[1] * scale[1]),
        caps[0],
        caps[0] if layer.down is None else caps[1],
    )


def _difference(base: Pixels, pictures: NDArray[np.uint8]) -> Part | None:
    """The smallest box that holds all changes."""
    changed = (pictures != base).any(axis=(0, 3))
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return None
    area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Part(int(columns[0]), int(rows[0]), pictures[:, area[0], area[1]].copy())


def _bytes(picture: NDArray[np.float32]) -> Pixels:
    scale = np.array([1, 1, 1, 255], np.float32)
    return (picture * scale + 0.5).clip(0, 255).astype(np.uint8)


def _stamp(picture: Pixels, cap: Pixels, x: float, y: float) -> None:
    """Blend a cap centred at (x, y), in pixels with fraction, into the picture."""
    height, width = cap.shape[:2]
    left, top = x - (width - 1) / 2, y - (height - 1) / 2
    column, row = int(np.floor(left)), int(np.floor(top))
    shift = np.array([[1, 0, left - column], [0, 1, top - row]])
    moved = cv2.warpAffine(cap, shift, (width + 1, height + 1), flags=cv2.INTER_LINEAR)
    end_row, end_column = min(row + height + 1, len(picture)), column + width + 1
    end_column = min(end_column, picture.shape[1])
    first_row, first_column = max(row, 0), max(column, 0)
    if end_row <= first_row or end_column <= first_column:
        return
    moved = moved[first_row - row : end_row - row, first_column - column : end_column - column]
    area = picture[first_row:end_row, first_column:end_column]
    keep = 255 - moved[..., 3:].astype(np.uint16)
    area[...] = np.minimum(moved + (area * keep + 127) // 255, 255)


def take_states(actions: Actions, sketch: Sketch) -> Actions:
    """The same states with the controls that the sketch does not show released."""
    buttons, sticks = actions.buttons.copy(), actions.sticks.copy()
    for name, index in BUTTON_INDEX.items():
        if not sketch.shows(name):
            buttons[:, index] = 0
        elif name in sketch.parts:
            count = max(len(part.levels) for part in sketch.parts[name])
            buttons[:, index] = np.ceil(buttons[:, index] * count - 1e-6) / count
    for index, side in enumerate(("left", "right")):
        if side not in sketch.caps:
            sticks[:, 2 * index : 2 * index + 2] = 0
    return Actions(buttons, sticks)
