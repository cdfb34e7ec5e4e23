"""Drawing at any resolution: the same calls fill a 256x256 observation and a 720p window.

A canvas shows `VIEW` units (16:9) whatever its size in pixels, so a square one holds the wide
picture squashed. Knows shapes and colours. Knows nothing of games.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Frame

VIEW = (160.0, 90.0)
"""Width and height of what a canvas shows, in view units; y grows down."""

Colour = tuple[int, int, int]
"""Red, green and blue in 0..255."""

Points = NDArray[np.float64]
"""(N, 2) corners of a polygon, x and y."""

_SHIFT = 4  # sub-pixel bits of OpenCV's fixed-point coordinates
_ONE = 1 << _SHIFT


class Part(NamedTuple):
    """One filled convex polygon of a sprite, in the sprite's own units."""

    colour: Colour
    points: Points


Sprite = tuple[Part, ...]
"""Parts in the order of drawing; x right, y down, the origin where the sprite is placed."""


class Canvas:
    """A picture that is drawn in units of its view, or of a camera set by `look`."""

    def __init__(self, height: int, width: int) -> None:
        """`height` and `width` in pixels."""
        self.pixels: Frame = np.zeros((height, width, 3), np.uint8)
        self._unit = np.array([width / VIEW[0], height / VIEW[1]])
        self._backdrops: dict[object, Frame] = {}
        self.look(0.0, 0.0, 1.0)

    def look(self, x: float, y: float, zoom: float) -> None:
        """From now on draw in world units: (x, y) at the top left corner, `zoom` view units each.

        `look(0, 0, 1)` goes back to view units.
        """
        scale = self._unit * zoom
        self._scale = scale * _ONE
        # OpenCV puts whole numbers at pixel centres.
        self._offset = -np.array([x, y]) * self._scale - 0.5 * _ONE
        self._sx, self._sy = float(self._scale[0]), float(self._scale[1])
        self._ox, self._oy = float(self._offset[0]), float(self._offset[1])

    def fill(self, colour: Colour) -> None:
        """Paint everything."""
        height, width = self.pixels.shape[:2]
        cv2.rectangle(self.pixels, (0, 0), (width, height), colour, cv2.FILLED)

    def backdrop(self, key: object, paint: Callable[["Canvas"], None]) -> None:
        """Paint everything with a picture that stays the same, drawn once per `key`."""
        if key not in self._backdrops:
            paint(self)
            self._backdrops = {key: self.pixels.copy()}
        else:
            np.copyto(self.pixels, self._backdrops[key])

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill the rectangle between two corners."""
        corners = (x0, y0), (x1, y0), (x1, y1), (x0, y1)
        self.polygon(corners, colour)

    def polygon(self, points: Sequence[tuple[float, float]] | Points, colour: Colour) -> None:
        """Fill a convex polygon."""
        fixed = (np.asarray(points) * self._scale + self._offset).astype(np.int32)
        cv2.fillConvexPoly(self.pixels, fixed, colour, cv2.LINE_AA, _SHIFT)

    def shape(self, points: Points, colour: Colour) -> None:
        """Fill a polygon that need not be convex."""
        fixed = (points * self._scale + self._offset).astype(np.int32)
        cv2.fillPoly(self.pixels, [fixed], colour, cv2.LINE_AA, _SHIFT)

    def polygons(self, polygons: NDArray[np.float64], colour: Colour) -> None:
        """Fill convex polygons of as many corners each, (M, N, 2)."""
        for fixed in (polygons * self._scale + self._offset).astype(np.int32):
            cv2.fillConvexPoly(self.pixels, fixed, colour, cv2.LINE_AA, _SHIFT)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.discs(np.array([[x, y]]), np.array([radius]), colour)

    def discs(self, centres: Points, radii: NDArray[np.float64], colour: Colour) -> None:
        """Fill circles round `centres` (M, 2) with `radii` (M,), one colour for all."""
        circle = _CIRCLE if len(self.pixels) > _FINE else _ROUGH_CIRCLE
        self.polygons(centres[:, None] + circle * radii[:, None, None], colour)

    def sprite(
        self,
        sprite: Sprite,
        x: float,
        y: float,
        *,
        matrix: NDArray[np.float64] | None = None,
    ) -> None:
        """Draw a sprite at (x, y), its points first multiplied by `matrix` (2, 2) as rows."""
        scale, offset = self._scale, np.array([x, y]) * self._scale + self._offset
        whole = np.diag(scale) if matrix is None else matrix * scale
        for colour, points in sprite:
            fixed = (points @ whole + offset).astype(np.int32)
            cv2.fillConvexPoly(self.pixels, fixed, colour, cv2.LINE_AA, _SHIFT)


def turn(angle: float, *, width: float = 1.0, height: float = 1.0) -> NDArray[np.float64]:
    """The matrix that stretches a sprite, then turns it by `angle` (radians, clockwise on screen).

    For row vectors: `points @ turn(angle)`.
    """
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[width * c, width * s], [-height * s, height * c]])


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """The corners of a rectangle."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def round_box(x0: float, y0: float, x1: float, y1: float, *, corner: float) -> Points:
    """A rectangle with its corners cut off, 8 points."""
    c = corner
    return np.array(
        [
            [x0 + c, y0], [x1 - c, y0], [x1, y0 + c], [x1, y1 - c],
            [x1 - c, y1], [x0 + c, y1], [x0, y1 - c], [x0, y0 + c],
        ]
    )  # fmt: skip


def oval(x: float, y: float, rx: float, ry: float, *, corners: int = 14) -> Points:
    """An ellipse, or with few corners a regular polygon whose first corner points up."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + rx * np.sin(angle), y - ry * np.cos(angle)], axis=1)


_CIRCLE = oval(0, 0, 1, 1, corners=40)
_ROUGH_CIRCLE = oval(0, 0, 1, 1, corners=16)
_FINE = 300  # rows from which on circles need many corners
