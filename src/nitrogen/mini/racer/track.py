"""Race tracks from a seed: a closed road without crossings, and slower cars on it.

Lengths in metres, angles in radians, clockwise on screen (y grows down).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF_WIDTH = 8.0
"""From the middle of the road to its edge."""

_SPACING = 2.0
_LENGTHS = (330.0, 400.0)
_TIGHTEST = 13.0  # least radius of a bend
_APART = 2.7 * HALF_WIDTH  # least distance between two stretches of road


@dataclass(frozen=True)
class Rival:
    """A slower car that keeps its lane; it gets out of nobody's way."""

    start: float
    """Metres ahead of the start line at time 0."""
    speed: float
    lane: float
    """Metres right of the middle of the road."""


@dataclass(frozen=True, eq=False)
class Track:
    """A closed road as points `spacing` apart on its middle, in driving direction."""

    points: NDArray[np.float64]
    """(N, 2)."""
    headings: NDArray[np.float64]
    """(N,) direction of the road; 0 is to the right."""
    bends: NDArray[np.float64]
    """(N,) curvature, 1/m; positive turns right."""
    spacing: float
    rivals: tuple[Rival, ...]

    @property
    def length(self) -> float:
        """Of one lap."""
        return len(self.points) * self.spacing

    def point(self, index: int) -> tuple[float, float]:
        """Middle of the road at one of its points, as plain numbers."""
        return float(self.points[index, 0]), float(self.points[index, 1])

    def at(self, distance: float, lane: float = 0.0) -> tuple[float, float, float]:
        """Position and heading `distance` along the road, `lane` right of its middle."""
        place = distance / self.spacing
        index = int(place // 1)
        share, count = place - index, len(self.points)
        a, b = index % count, (index + 1) % count
        (ax, ay), (bx, by) = self.point(a), self.point(b)
        heading = float(self.headings[a])
        return (
            ax + (bx - ax) * share - math.sin(heading) * lane,
            ay + (by - ay) * share + math.cos(heading) * lane,
            heading,
        )


def generate(rng: np.random.Generator) -> Track:
    """A track of 330 to 400 m whose bends are wide enough to drive."""
    while True:
        points = _resample(_loop(rng), rng.uniform(*_LENGTHS))
        if rng.random() < 0.5:
            points = points[::-1].copy()
        headings, bends, spacing = _shape(points)
        if np.abs(bends).max() < 1 / _TIGHTEST and _is_apart(points):
            break
    places = np.array([45.0, 95.0, 140.0]) + rng.uniform(-10, 10, 3)
    lanes = rng.choice([-1, 1], 3) * rng.uniform(2.5, 4.5, 3)
    rivals = tuple(
        Rival(start=float(place), speed=float(rng.uniform(9, 11.5)), lane=float(lane))
        for place, lane in zip(places, lanes, strict=True)
    )
    return Track(points=points, headings=headings, bends=bends, spacing=spacing, rivals=rivals)


def _loop(rng: np.random.Generator) -> NDArray[np.float64]:
    """A random closed curve round the origin, densely sampled (Catmull-Rom through corners)."""
    corners = int(rng.integers(7, 12))
    angles = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners
    radii = rng.uniform(0.45, 1.0, corners)
    stretch = rng.uniform(0.65, 1.0)
    p1 = np.stack([radii * np.cos(angles), stretch * radii * np.sin(angles)], 1)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0, 1, 40, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in (p0, p1, p2, p3))
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )  # fmt: skip
    return np.asarray(curve.reshape(-1, 2))


def _resample(curve: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Points at equal distances on the closed curve, scaled to `length` and smoothed."""
    closed = np.concatenate([curve, curve[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], round(length / _SPACING), endpoint=False)
    points = np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], 1)
    for _ in range(12):
        points = 0.5 * points + 0.25 * (np.roll(points, 1, 0) + np.roll(points, -1, 0))
    return np.asarray(points * (length / along[-1]))


def _shape(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Headings, curvatures and mean spacing of closed points."""
    ahead, behind = np.roll(points, -1, 0) - points, points - np.roll(points, 1, 0)
    across = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    headings = np.arctan2(across[:, 1], across[:, 0])
    turns = np.arctan2(ahead[:, 1], ahead[:, 0]) - np.arctan2(behind[:, 1], behind[:, 0])
    spacing = float(np.hypot(*ahead.T).mean())
    return headings, ((turns + np.pi) % (2 * np.pi) - np.pi) / spacing, spacing


def _is_apart(points: NDArray[np.float64]) -> bool:
    """Whether stretches that are not neighbours keep their distance."""
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    index = np.arange(len(points))
    steps = np.abs(index[:, None] - index[None])
    steps = np.minimum(steps, len(points) - steps)
    return bool((distance[steps * _SPACING > 2 * _APART] > _APART).all())
