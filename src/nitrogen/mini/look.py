"""Colours from a seed, chosen so that what matters stands out from what does not.

Knows colour arithmetic. Knows nothing of games or drawing.
"""

import colorsys

import numpy as np

from nitrogen.mini.canvas import Colour


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Colour from hue (in turns, wraps round), saturation and value in 0..1."""
    rgb = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return _colour(rgb)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """From `a` (share 0) to `b` (share 1)."""
    return _colour(tuple((x + (y - x) * share) / 255 for x, y in zip(a, b, strict=True)))


def shade(colour: Colour, factor: float) -> Colour:
    """Darker (factor below 1) or lighter, towards white (factor above 1)."""
    if factor <= 1:
        return mix((0, 0, 0), colour, factor)
    return mix(colour, (255, 255, 255), factor - 1)


def far_hue(rng: np.random.Generator, hues: list[float], *, gap: float) -> float:
    """A random hue at least `gap` turns away from all of `hues`, or the farthest of 64 tries."""
    tries = rng.random(64)
    distance = np.min([np.abs((tries - hue + 0.5) % 1.0 - 0.5) for hue in hues], axis=0)
    wide = np.flatnonzero(distance >= gap)
    return float(tries[wide[0]] if len(wide) else tries[np.argmax(distance)])


def _colour(rgb: tuple[float, ...]) -> Colour:
    red, green, blue = (int(min(max(v, 0.0), 1.0) * 255 + 0.5) for v in rgb)
    return red, green, blue
