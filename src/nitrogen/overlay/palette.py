"""How the controls of a made-up controller look, released and pressed."""

from typing import NamedTuple

import numpy as np

from nitrogen.overlay.sketch import Pixels
from nitrogen.overlay.strokes import (
    Colour,
    Points,
    any_colour,
    circle,
    grey,
    letter,
    line,
    mix,
    polygon,
    vivid,
)


class Look(NamedTuple):
    """Of one control in one state; None leaves out."""

    fill: Colour | None
    line: Colour | None
    ink: Colour | None
    scale: float = 1.0


class Palette:
    """Colours of one pad and how its controls show a press."""

    def __init__(self, rng: np.random.Generator) -> None:
        """All choices from `rng`."""
        self.rng = rng
        clear = rng.random()
        self.body: Colour | None = (
            None if clear < 0.3 else any_colour(rng, 1.0 if clear > 0.45 else 0.5)
        )
        self.dark = self.body is not None and self.body[:3].mean() < 110
        light, deep = grey(rng, 190, 255), grey(rng, 5, 80)
        self.line = light if self.body is None or self.dark else deep
        if rng.random() < 0.25:
            self.line = any_colour(rng, 1.0)
        self.ink = self.line if rng.random() < 0.7 else any_colour(rng, 1.0)
        plate = self.body if self.body is not None else grey(rng, 20, 230)
        self.plate: Colour | None = mix(plate, grey(rng, 0, 255), rng.uniform(0.05, 0.5))
        if self.body is None and rng.random() < 0.5:
            self.plate = None
        self.hot = vivid(rng) if rng.random() < 0.65 else grey(rng, 200, 255)
        self.manner = self.pick_manner()
        self.outlined = bool(rng.random() < 0.7) or self.plate is None

    def pick_manner(self) -> str:
        """How a press shows."""
        return str(self.rng.choice(
            ["hot", "bright", "dark", "invert", "line", "only", "push", "half"],
            p=[0.36, 0.14, 0.06, 0.12, 0.05, 0.12, 0.06, 0.09],
        ))  # fmt: skip

    def looks(self, tint: Colour | None = None) -> tuple[Look, Look]:
        """Released and pressed looks of a group of controls."""
        rng = self.rng
        manner = self.manner if rng.random() < 0.75 else self.pick_manner()
        plate = self.plate if rng.random() < 0.8 or self.plate is None else any_colour(rng, 1.0)
        ink = tint if tint is not None and rng.random() < 0.8 else self.ink
        up = Look(plate, self.line if self.outlined else None, ink)
        hot = tint if tint is not None and rng.random() < 0.3 else self.hot
        down = pressed_look(rng, up, manner, hot)
        return (Look(None, None, None) if manner == "only" else up), down


def pressed_look(rng: np.random.Generator, up: Look, manner: str, hot: Colour) -> Look:
    """How a control that looks like `up` looks when pressed; `hot` is the colour of a press."""
    white, black = np.array([255, 255, 255, 1.0]), np.array([0, 0, 0, 1.0])
    ground = up.fill if up.fill is not None else np.array([128, 128, 128, 1.0])
    if manner in ("hot", "only"):
        ink = up.ink if rng.random() < 0.6 else grey(rng, 0, 60)
        return Look(hot, hot if rng.random() < 0.4 else up.line, ink)
    if manner == "bright":
        return Look(mix(ground, white, rng.uniform(0.4, 1.0)), up.line, up.ink)
    if manner == "dark":
        if ground[:3].mean() < 90:
            return Look(mix(ground, white, rng.uniform(0.4, 1.0)), up.line, up.ink)
        return Look(mix(ground, black, rng.uniform(0.5, 1.0)), up.line, up.ink)
    if manner == "invert" and up.ink is not None:
        return Look(up.ink, up.line, mix(ground, black, 0.5))
    if manner == "line":
        return Look(up.fill, hot, hot)
    if manner == "push":
        shade = black if ground[:3].mean() > 100 else white
        return Look(mix(ground, shade, rng.uniform(0.3, 0.6)), up.line, up.ink, 0.85)
    return Look(mix(ground, hot, rng.uniform(0.45, 0.7)), up.line, up.ink)


def glyph(board: Pixels, points: Points, look: Look, mark: str | None, stroke: float) -> None:
    """Draw a control with this look: its shape, and its mark (a letter or the name of a button)."""
    middle = points.mean(axis=0)
    shape = middle + (points - middle) * look.scale
    polygon(board, shape, look.fill)
    line(board, shape, look.line, stroke)
    if mark is None or look.ink is None:
        return
    radius = float(np.ptp(shape, axis=0).min()) / 2
    if len(mark) == 1:
        letter(board, middle, mark, look.ink, radius)
        return
    corners = {"south": 2, "east": 16, "west": 4, "north": 3}[mark]
    turn = 0.785 if corners in (2, 4) else -1.571
    inner = middle + (circle(0, 0, 0.55, corners=corners, turn=turn) * radius)
    line(board, inner, look.ink, stroke * 0.7)
    if mark == "south":
        line(board, middle + (inner - middle) * (-1, 1), look.ink, stroke * 0.7)
