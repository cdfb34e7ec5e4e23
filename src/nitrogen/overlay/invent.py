"""Make up controllers: layout, shapes, colours and the manner of showing a press, all at random."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import cv2
import numpy as np

from nitrogen.overlay.palette import Look, Palette, glyph, pressed_look
from nitrogen.overlay.sketch import LEVELS, Cap, Part, Pixels, Sketch
from nitrogen.overlay.strokes import (
    FINE,
    Points,
    any_colour,
    arm,
    box,
    circle,
    grey,
    line,
    mix,
    polygon,
    small,
    smooth,
    vivid,
)

Spot = tuple[float, float]
"""x and y in canvas widths."""

FACE: dict[str, Spot] = {"south": (0, 1), "east": (1, 0), "west": (-1, 0), "north": (0, -1)}
_ROUND_SOUTH: dict[str, Spot] = {
    "south": (0, 0),
    "east": (1.1, -0.2),
    "west": (-1, 0.7),
    "north": (-0.2, -1.1),
}
"""A large button with three smaller ones round it, as the GameCube has."""
ARMS = {"dpad_up": (0, -1), "dpad_down": (0, 1), "dpad_left": (-1, 0), "dpad_right": (1, 0)}
_LAYOUTS: dict[str, dict[str, Spot]] = {
    "offset": {"left": (0.26, 0.27), "right": (0.62, 0.41), "dpad": (0.38, 0.41),
               "face": (0.755, 0.27), "menu": (0.5, 0.26), "guide": (0.5, 0.18)},
    "parallel": {"left": (0.365, 0.42), "right": (0.635, 0.42), "dpad": (0.225, 0.275),
                 "face": (0.775, 0.275), "menu": (0.5, 0.2), "guide": (0.5, 0.4)},
    "row": {"left": (0.11, 0.3), "right": (0.63, 0.3), "dpad": (0.36, 0.3), "face": (0.87, 0.3),
            "menu": (0.5, 0.17), "guide": (0.5, 0.4)},
    "cube": {"left": (0.2, 0.28), "right": (0.66, 0.46), "dpad": (0.34, 0.46),
             "face": (0.76, 0.28), "menu": (0.48, 0.28), "guide": (0.5, 0.16)},
    "retro": {"dpad": (0.2, 0.28), "face": (0.79, 0.28), "menu": (0.47, 0.3), "guide": (0.5, 0.17)},
}  # fmt: skip
_ODDS = {"offset": 0.36, "parallel": 0.32, "row": 0.07, "cube": 0.1, "retro": 0.15}
_BODY = np.array([(0.5, 0.12), (0.63, 0.125), (0.75, 0.12), (0.86, 0.15), (0.93, 0.28), (0.97, 0.5),
                  (0.96, 0.62), (0.88, 0.65), (0.82, 0.6), (0.72, 0.5), (0.6, 0.47)])  # fmt: skip


@dataclass
class _Pad:
    """One pad in the making."""

    rng: np.random.Generator
    board: Pixels
    """FINE times as large as the sketch."""
    spots: dict[str, Spot]
    origin: Spot
    span: Spot
    """Canvas widths that the board covers, x and y."""
    stroke: float
    parts: dict[str, list[Part]] = field(default_factory=dict)
    caps: dict[str, Cap] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def pixels(self, points: Any) -> Points:
        """Canvas widths to pixels of the board."""
        size = (self.board.shape[1], self.board.shape[0])
        return np.asarray((np.asarray(points) - self.origin) / self.span * size, np.float64)


def random_sketch(rng: np.random.Generator, size: tuple[int, int]) -> Sketch:
    """A pad made up from `rng` at `size` (width, height)."""
    kind = str(rng.choice(list(_ODDS), p=list(_ODDS.values())))
    pad = _empty(rng, size, kind)
    palette = Palette(rng)
    _body(pad, palette, kind)
    _sticks(pad, palette)
    _face(pad, palette, kind)
    _dpad(pad, palette)
    _menu(pad, palette)
    _shoulders(pad, palette)
    parts = {name: parts for name, parts in pad.parts.items() if not _is_covered(parts, pad.caps)}
    return Sketch(small(pad.board), parts, pad.caps)


def _is_covered(parts: list[Part], caps: dict[str, Cap]) -> bool:
    """Whether a control lies under the cap of a resting stick."""
    for part, cap in product(parts, caps.values()):
        size = np.array(part.levels.shape[2:0:-1])
        corner, room = np.array((part.left, part.top)), np.array(cap.up.shape[1::-1]) / 2
        if (corner > cap.centre - room).all() and (corner + size < cap.centre + room).all():
            return True
    return False


def _empty(rng: np.random.Generator, size: tuple[int, int], kind: str) -> _Pad:
    spots = {
        name: (x + rng.normal(0, 0.025), y + rng.normal(0, 0.025))
        for name, (x, y) in _LAYOUTS[kind].items()
    }
    if rng.random() < 0.08 and "left" in spots:
        spots["left"], spots["dpad"] = spots["dpad"], spots["left"]
    for name, odds in (("right", 0.06), ("dpad", 0.05), ("guide", 0.3), ("menu", 0.04)):
        if rng.random() < odds:
            spots.pop(name, None)
    left, right = rng.uniform(-0.06, 0.05), 1 - rng.uniform(-0.06, 0.05)
    top, bottom = rng.uniform(-0.14, 0.03), rng.uniform(0.62, 0.78)
    if kind in ("row", "retro"):
        bottom = rng.uniform(0.45, 0.62)
    return _Pad(
        rng,
        np.zeros((size[1] * FINE, size[0] * FINE, 4), np.uint8),
        spots,
        (left, top),
        (right - left, bottom - top),
        stroke=float(rng.uniform(0.5, 1.8)) * FINE,
    )


def _body(pad: _Pad, palette: Palette, kind: str) -> None:
    rng = pad.rng
    bare = palette.body is None and (kind in ("row", "cube") or pad.chance(0.35))
    if bare:
        return
    half = _BODY + rng.normal(0, 0.012, _BODY.shape)
    if kind in ("row", "retro"):
        half = half * (1, 0.62) + (0, 0.08)
    outline = smooth(np.concatenate([half, half[::-1] * (-1, 1) + (1, 0)]))
    if kind == "retro" and pad.chance(0.5):
        outline = box(0.02, 0.08, 0.96, 0.4)
    polygon(pad.board, pad.pixels(outline), palette.body)
    for _ in range(int(rng.integers(0, 7))):
        ground = palette.body if palette.body is not None else grey(rng, 60, 255)
        shade = mix(ground, any_colour(rng, 1.0), rng.uniform(0.05, 0.5))
        x, y = rng.uniform(0.2, 0.8), rng.uniform(0.12, 0.5)
        w, h = rng.uniform(0.01, 0.3), rng.uniform(0.005, 0.12)
        shape = pad.pixels(box(x - w / 2, y - h / 2, w, h) if pad.chance(0.6) else circle(x, y, h))
        if palette.body is None or pad.chance(0.4):
            line(pad.board, shape, shade, pad.stroke * 0.7)
        else:
            polygon(pad.board, shape, shade)
    if palette.body is not None and pad.chance(0.45):
        _shade(pad)
    if palette.body is None or pad.chance(0.5):
        line(pad.board, pad.pixels(outline), palette.line, pad.stroke)


def _shade(pad: _Pad) -> None:
    """Light from above and a cloudy texture, as photographs have."""
    rng, (height, width) = pad.rng, pad.board.shape[:2]
    rough = rng.normal(1, rng.uniform(0.02, 0.2), (8, 10, 1)) * np.linspace(
        rng.uniform(0.9, 1.4), rng.uniform(0.5, 1.0), 8
    ).reshape(8, 1, 1)
    light = np.clip(rough * [1, 1, 1] * 128, 0, 255).astype(np.uint8)
    light = np.concatenate([light, np.full((8, 10, 1), 128, np.uint8)], axis=2)
    big = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(pad.board, big, dst=pad.board, scale=1 / 128)
    np.minimum(pad.board[..., :3], pad.board[..., 3:], out=pad.board[..., :3])


def _face(pad: _Pad, palette: Palette, kind: str) -> None:
    x, y = pad.spots["face"]
    apart, radius = pad.between(0.055, 0.09), pad.between(0.024, 0.045)
    radius = min(radius, apart * 0.66)
    tints = [vivid(pad.rng) for _ in range(4)] if pad.chance(0.35) else [None] * 4
    marks = pad.rng.choice(["letters", "shapes", "none"], p=[0.5, 0.25, 0.25])
    looks = palette.looks()
    places, letters = FACE, {"south": "A", "east": "B", "west": "X", "north": "Y"}
    if kind == "cube" and pad.chance(0.6):
        places, letters = _ROUND_SOUTH, {"south": "A", "east": "X", "west": "B", "north": "Y"}
    elif kind == "retro" and pad.chance(0.4):
        rise = pad.between(0.0, 0.5) if pad.chance(0.4) else 0.0
        places = {"south": (-0.65, rise), "east": (0.65, -rise)}
        letters = {"south": "B", "east": "A"}
    elif pad.chance(0.3):
        letters = {"south": "B", "east": "A", "west": "Y", "north": "X"}
    for (name, (dx, dy)), tint in zip(places.items(), tints, strict=False):
        if tint is not None:
            looks = palette.looks(tint)
        spot = (x + dx * apart, y + dy * apart)
        large = 1.4 if places is _ROUND_SOUTH and name == "south" else 1.0
        mark = None if marks == "none" else letters[name] if marks == "letters" else name
        _control(pad, name, circle(*spot, radius * large), looks, mark=mark)


def _dpad(pad: _Pad, palette: Palette) -> None:
    if "dpad" not in pad.spots:
        return
    x, y = pad.spots["dpad"]
    length, thick = pad.between(0.05, 0.09), pad.between(0.03, 0.055)
    gap = pad.between(0.0, 0.02)
    looks, pointed, apart = palette.looks(), pad.chance(0.3), pad.chance(0.12)
    if pad.chance(0.3) and looks[0].line is not None:
        ring = pad.pixels(circle(x, y, length * 1.15))
        line(pad.board, ring, looks[0].line, pad.stroke)
    for name, (dx, dy) in ARMS.items():
        inner = gap + (thick / 2 if gap < 0.006 else 0)
        if apart:
            shape = circle(x + dx * length * 0.9, y + dy * length * 0.9, thick * 0.6)
        else:
            shape = arm(inner, length, thick, pointed=pointed) @ [[dx, dy], [-dy, dx]] + (x, y)
        _control(pad, name, shape, looks)


def _menu(pad: _Pad, palette: Palette) -> None:
    looks = palette.looks()
    if "menu" in pad.spots:
        x, y = pad.spots["menu"]
        apart, long, high = (
            pad.between(0.04, 0.17),
            pad.between(0.015, 0.035),
            pad.between(0.008, 0.018),
        )
        for name, side in (("back", -1), ("start", 1)):
            spot = x + side * apart
            if pad.chance(0.5):
                shape = box(spot - long, y - high, 2 * long, 2 * high)
            else:
                shape = circle(spot, y, max(0.013, (long + high) / 2))
            _control(pad, name, shape, looks)
    if "guide" in pad.spots:
        shape = circle(*pad.spots["guide"], pad.between(0.018, 0.04))
        _control(pad, "guide", shape, palette.looks(), mark="N" if pad.chance(0.5) else None)


def _shoulders(pad: _Pad, palette: Palette) -> None:
    rng = pad.rng
    x, y = pad.between(0.17, 0.28), pad.between(0.08, 0.13)
    width, height = pad.between(0.09, 0.22), pad.between(0.022, 0.05)
    if not pad.chance(0.04):
        looks = palette.looks()
        slope = pad.between(-0.03, 0.03) if pad.chance(0.5) else 0.0
        for name, middle, sign in (("left_shoulder", x, 1), ("right_shoulder", 1 - x, -1)):
            shape = box(middle - width / 2, y - height / 2, width, height)
            shape = shape + np.stack(
                [0 * shape[:, 0], -sign * slope * (shape[:, 0] - middle) / width], 1
            )
            _control(pad, name, shape, looks, mark="LR"[sign < 0] if pad.chance(0.3) else None)
    if pad.chance(0.08):
        return
    looks = palette.looks()
    wide, high = width * pad.between(0.4, 1.1), pad.between(0.03, 0.1)
    spot = (x + pad.between(-0.06, 0.05), y - height / 2 - high / 2 - pad.between(0, 0.03))
    place = rng.random()
    if place < 0.12:
        spot, wide, high = (
            (pad.between(0.0, 0.06), 0.3),
            pad.between(0.02, 0.05),
            pad.between(0.1, 0.3),
        )
    elif place < 0.3:
        spot, wide, high = (
            (pad.between(0.3, 0.4), y - 0.01),
            pad.between(0.06, 0.1),
            pad.between(0.03, 0.05),
        )
    mode = str(rng.choice(["fill", "fade", "switch"], p=[0.4, 0.25, 0.35]))
    side = str(rng.choice(["up", "down", "out", "in"], p=[0.5, 0.2, 0.15, 0.15]))
    for name, middle, sign in (("left_trigger", spot[0], 1), ("right_trigger", 1 - spot[0], -1)):
        shape = box(middle - wide / 2, spot[1] - high / 2, wide, high)
        if pad.chance(0.5) and place >= 0.3:
            shape[:, 0] += sign * 0.3 * wide * (spot[1] + high / 2 - shape[:, 1]) / high
        _control(pad, name, shape, looks, levels=_levels(mode, side, sign))


def _levels(mode: str, side: str, sign: int) -> Callable[[Pixels, Pixels], list[Pixels]]:
    """How a trigger shows its travel, from its released and pressed pictures."""

    def make(up: Pixels, down: Pixels) -> list[Pixels]:
        if mode == "switch":
            return [down]
        travel = np.arange(1, LEVELS + 1) / LEVELS
        height, width = up.shape[:2]
        if mode == "fade":
            cover = np.broadcast_to(travel[:, None, None], (LEVELS, height, width))
        else:
            sideways = side in ("out", "in")
            length = width if sideways else height
            along = np.clip(travel[:, None] * length - np.arange(length), 0, 1)
            if side == "up" or (side == "out") == (sign > 0):
                along = along[:, ::-1]
            shape = (LEVELS, 1, width) if sideways else (LEVELS, height, 1)
            cover = np.broadcast_to(along.reshape(shape), (LEVELS, height, width))
        mixed = up + (down.astype(np.float32) - up) * cover[..., None]
        return list((mixed + 0.5).astype(np.uint8))

    return make


def _sticks(pad: _Pad, palette: Palette) -> None:
    well, shape = (
        pad.between(0.05, 0.1),
        pad.rng.choice(["round", "octagon", "none"], p=[0.75, 0.1, 0.15]),
    )
    cap = well * pad.between(0.25, 0.95)
    reach = min(pad.between(0.01, 0.055), well)
    up, down = palette.looks()
    if up.fill is None and (up.line is None or pad.chance(0.6)):
        up = up._replace(fill=grey(pad.rng, 20, 240))
        down = pressed_look(pad.rng, up, "hot", palette.hot)
    if palette.body is None and pad.chance(0.35):
        # Lines only: the cap is a ring, often without a well round it.
        up = Look(None, palette.line, None)
        down = pressed_look(pad.rng, up, palette.manner, palette.hot)
        shape = "none" if pad.chance(0.6) else shape
    clicks = str(pad.rng.choice(["cap", "plate", "both", "none"], p=[0.6, 0.22, 0.06, 0.12]))
    hollow = None if pad.chance(0.4) else mix(grey(pad.rng, 0, 255), palette.line, 0.1)
    if hollow is not None and up.fill is not None and pad.chance(0.25):
        # A cap of nearly the colour of its well: its edge and rings are all there is to see.
        shade = grey(pad.rng, 0, 255)
        up = up._replace(fill=mix(hollow, shade, pad.between(0.02, 0.15)))
        down = pressed_look(pad.rng, up, palette.manner, palette.hot)
    where = pad.between(-0.4, 1.6), pad.between(1.2, 2.2)
    plates = palette.looks()
    rings = int(pad.rng.integers(0, 3))
    for side in ("left", "right"):
        if side not in pad.spots:
            continue
        x, y = pad.spots[side]
        if shape != "none":
            outline = pad.pixels(circle(x, y, well, corners=8 if shape == "octagon" else 28))
            polygon(pad.board, outline, hollow)
            line(pad.board, outline, palette.line, pad.stroke)
        pad.caps[side] = _cap(
            pad, (x, y), cap, reach, (up, down if clicks in ("cap", "both") else up), rings
        )
        if clicks in ("plate", "both"):
            sign = 1 if side == "right" else -1
            spot = (x + sign * well * where[0], y + well * where[1])
            _control(pad, f"{side}_thumb", box(spot[0] - 0.04, spot[1] - 0.02, 0.08, 0.04), plates)


def _cap(
    pad: _Pad, spot: Spot, radius: float, reach: float, looks: tuple[Look, Look], rings: int
) -> Cap:
    span = np.array(pad.board.shape[1::-1]) / pad.span
    half = np.ceil(radius * span / FINE).astype(int) + 1
    size = (2 * half + 1) * FINE
    middle = size / 2
    drawn = []
    for look in looks:
        board = np.zeros((size[1], size[0], 4), np.uint8)
        for ring, ratio in enumerate((1.0, 0.65, 0.35)[: rings + 1]):
            outline = circle(0, 0, radius * ratio * look.scale) * span + middle
            if ring == 0:
                polygon(board, outline, look.fill)
            if ring or look.line is not None:
                line(board, outline, look.line if look.line is not None else look.ink, pad.stroke)
        drawn.append(small(board))
    up, down = drawn
    centre = pad.pixels(spot) / FINE - 0.5
    travel = reach * span / FINE
    return Cap(
        (float(centre[0]), float(centre[1])),
        (float(travel[0]), float(travel[1])),
        up,
        up if np.array_equal(up, down) else down,
    )


def _control(
    pad: _Pad,
    name: str,
    shape: Points,
    looks: tuple[Look, Look],
    *,
    mark: str | None = None,
    levels: Callable[[Pixels, Pixels], list[Pixels]] = lambda up, down: [down],
) -> None:
    """Draw a control's released state on the board and keep what a press pastes."""
    points = pad.pixels(shape)
    low = np.floor((points.min(axis=0) - 1.5 * pad.stroke) / FINE).astype(int)
    high = np.ceil((points.max(axis=0) + 1.5 * pad.stroke) / FINE).astype(int)
    low = np.maximum(low, 0)
    high = np.minimum(high, (pad.board.shape[1] // FINE, pad.board.shape[0] // FINE))
    if (high - low).min() < 2:
        return
    area = pad.board[low[1] * FINE : high[1] * FINE, low[0] * FINE : high[0] * FINE]
    pressed = area.copy()
    for target, look in ((area, looks[0]), (pressed, looks[1])):
        glyph(target, points - low * FINE, look, mark, pad.stroke)
    up, down = small(area), small(pressed)
    if np.abs(up.astype(int) - down).sum(axis=2).mean() < 8:
        return
    made = np.stack(levels(up, down))
    pad.parts.setdefault(name, []).append(Part(int(low[0]), int(low[1]), made))
