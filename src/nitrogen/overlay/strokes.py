"""Shapes, lines and colours for made-up controllers, drawn on a board FINE times too large."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.sketch import Pixels

Points = NDArray[np.float64]
"""(N, 2), x and y."""
Colour = NDArray[np.float64]
"""Red, green, blue in 0..255 and alpha in 0..1."""

FINE = 4
"""Boards are this many times larger than what is made of them, for smooth edges."""


def circle(x: float, y: float, radius: float, *, corners: int = 20, turn: float = 0.1) -> Points:
    """A circle as a polygon; few corners make a triangle, a square, an octagon."""
    turns = np.arange(corners) * (2 * np.pi / corners) + turn
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)


def box(x: float, y: float, width: float, height: float) -> Points:
    """A rectangle with cut corners."""
    c = 0.25 * min(width, height)
    right, bottom = x + width, y + height
    across = [x + c, right - c, right, right, right - c, x + c, x, x]
    down = [y, y, y + c, bottom - c, bottom, bottom, bottom - c, y + c]
    return np.stack([across, down], axis=1)


def arm(inner: float, length: float, thick: float, *, pointed: bool) -> Points:
    """One arm of a directional pad, pointing along x."""
    half = thick / 2
    if pointed:
        neck = inner + half
        return np.array([(inner, 0), (neck, -half), (length, -half), (length, half), (neck, half)])
    return np.array([(inner, -half), (length, -half), (length, half), (inner, half)])


def smooth(points: Points, steps: int = 6) -> Points:
    """A closed Catmull-Rom curve through the points."""
    a, b, c, d = (np.roll(points, shift, axis=0)[:, None] for shift in (1, 0, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
    return np.asarray((curve + (3 * b - a - 3 * c + d) * t**3).reshape(-1, 2) / 2)


def polygon(board: Pixels, points: Points, colour: Colour | None) -> None:
    """Fill a shape, in board pixels; what was there goes."""
    if colour is not None:
        cv2.fillPoly(
            board, [np.round(points * 8).astype(np.int32)], _premultiplied(colour), shift=3
        )


def line(board: Pixels, points: Points, colour: Colour | None, width: float) -> None:
    """Draw a closed line, `width` board pixels wide."""
    if colour is not None:
        thick = max(1, round(width))
        at = np.round(points * 8).astype(np.int32)
        cv2.polylines(board, [at], True, _premultiplied(colour), thick, shift=3)  # noqa: FBT003


def letter(board: Pixels, middle: Points, mark: str, ink: Colour, radius: float) -> None:
    """Write a capital letter that fits a circle."""
    scale = radius / 14
    at = (int(middle[0] - 9 * scale), int(middle[1] + 10 * scale))
    thick = max(1, round(2 * scale))
    cv2.putText(board, mark, at, cv2.FONT_HERSHEY_SIMPLEX, scale * 0.95, _premultiplied(ink), thick)


def small(board: Pixels) -> Pixels:
    """The picture that a board makes."""
    size = (board.shape[1] // FINE, board.shape[0] // FINE)
    return np.asarray(cv2.resize(board, size, interpolation=cv2.INTER_AREA), np.uint8)


def grey(rng: np.random.Generator, low: float, high: float) -> Colour:
    """Nearly grey, between two levels."""
    level = rng.uniform(low, high)
    return np.array([*np.clip(level + rng.normal(0, 6, 3), 0, 255), 1.0])


def any_colour(rng: np.random.Generator, alpha: float) -> Colour:
    """Dark, light or vivid; transparent to some degree unless alpha is 1."""
    colour = grey(rng, 10, 90) if rng.random() < 0.45 else grey(rng, 140, 250)
    if rng.random() < 0.3:
        colour = vivid(rng)
    colour[3] = alpha if alpha == 1 else rng.uniform(0.2, 0.8)
    return colour


def vivid(rng: np.random.Generator) -> Colour:
    """A saturated colour."""
    hue = np.array([[rng.integers((0, 120, 130), (180, 256, 256))]], np.uint8)
    return np.array([*cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(float), 1.0])


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour in the one."""
    return np.asarray(one + (other - one) * np.array([share, share, share, max(share, 0.5)]))


def _premultiplied(colour: Colour) -> Sequence[float]:
    return [float(value) for value in (*(colour[:3] * colour[3]), 255 * colour[3])]
