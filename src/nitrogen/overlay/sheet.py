"""A contact sheet of a skin: every state in one picture, so that a person sees whether it is right.

Knows skins and drawing; writes nothing.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from nitrogen import draw
from nitrogen.actions import BUTTONS, Actions, Frame
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin

_DIAGONAL = 0.7071
_COMPASS = (
    ("E", 1, 0), ("SE", _DIAGONAL, _DIAGONAL), ("S", 0, 1), ("SW", -_DIAGONAL, _DIAGONAL),
    ("W", -1, 0), ("NW", -_DIAGONAL, -_DIAGONAL), ("N", 0, -1), ("NE", _DIAGONAL, -_DIAGONAL),
)  # fmt: skip
_GROUNDS = ((46, 52, 64), (120, 128, 140))
"""Two greys of the chequered ground, so that transparency shows."""
_LABEL = 22


def states(skin: Skin) -> Iterator[tuple[str, Actions]]:
    """What the sheet shows: neutral, each control pressed, sticks at 8 directions, half triggers.

    Controls that the skin cannot show are left out.
    """
    yield "neutral", Actions.released(1)
    for name in BUTTONS:
        if name in skin.buttons:
            yield name, Actions.of(name)
    for side in ("left", "right"):
        if f"{side}_trigger" in skin.buttons:
            yield f"{side}_trigger 0.5", Actions.of(length=1, **{f"{side}_trigger": 0.5})
    if {"dpad_up", "dpad_left"} <= skin.buttons:
        yield "dpad_up + left", Actions.of("dpad_up", "dpad_left")
    for side in ("left", "right"):
        if side in skin.sticks:
            for name, x, y in _COMPASS:
                moved = {f"{side}_x": x, f"{side}_y": y}
                yield f"{side} stick {name}", Actions.of(length=1, **moved)


def contact_sheet(skin: Skin, *, columns: int = 6, width: int = 240) -> Frame:
    """All states of a skin as (H, W, 3), each `width` pixels wide, with its name below."""
    height = max(1, round(skin.canvas[1] * width / skin.canvas[0]))
    scale = width / skin.canvas[0]
    renderer = Renderer(skin, Placement(0, 0, scale, scale), (0, 0, width, height))
    shown = list(states(skin))
    rows = -(-len(shown) // columns)
    head = 2 * _LABEL
    sheet = np.full((head + rows * (height + _LABEL), columns * width, 3), 24, np.uint8)
    lacking = [name for name in BUTTONS if name not in skin.buttons]
    title = f"{skin.name}, {skin.author}, {skin.licence}, {skin.canvas[0]}x{skin.canvas[1]}"
    draw.label(sheet, title, (8, 18), size=0.5)
    if lacking:
        draw.label(sheet, f"cannot show: {', '.join(lacking)}", (8, 36), size=0.4)
    ground = _ground(width, height)
    for index, (name, actions) in enumerate(shown):
        left, top = index % columns * width, head + index // columns * (height + _LABEL)
        tile = ground.copy()
        renderer.blend(tile, actions)
        sheet[top : top + height, left : left + width] = tile
        draw.label(sheet, name, (left + 6, top + height + 15), size=0.42)
    return sheet


def invisible(skin: Skin, *, width: int = 120) -> list[str]:
    """Names of the states that look the same as neutral, which nobody can read from this skin."""
    scale = width / skin.canvas[0]
    renderer = Renderer(skin, Placement(0, 0, scale, scale))
    (_, released), *others = states(skin)
    neutral = renderer.draw(released).copy()
    return [
        name
        for name, actions in others
        if np.abs(renderer.draw(actions) - neutral).max() < _VISIBLE
    ]


_VISIBLE = 2.0
"""Brightness steps of 255 by which a pressed control must differ somewhere."""


def _ground(width: int, height: int) -> Frame:
    squares = np.indices((height, width)) // 12
    return np.asarray(np.array(_GROUNDS, np.uint8)[squares.sum(axis=0) % 2])


def encode_png(picture: Frame) -> bytes:
    """A picture as the bytes of a PNG."""
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
