"""How the racer looks from above, the car's nose always up; the look comes from the seed.

The speed, which a single picture would not tell, stands in a bar at the bottom.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nitrogen.mini.canvas import (
    VIEW,
    Canvas,
    Colour,
    Part,
    Points,
    Sprite,
    box,
    oval,
    round_box,
    turn,
)
from nitrogen.mini.look import far_hue, hsv, mix, shade
from nitrogen.mini.racer.track import HALF_WIDTH, Track
from nitrogen.mini.racer.world import TOP_SPEED, RacerWorld

_WIDTH = 72.0  # metres across the picture
ZOOM = VIEW[0] / _WIDTH
_CAR_AT = (0.5 * _WIDTH, 0.74 * VIEW[1] / ZOOM)
_AROUND = (-38.0, -33.0, 38.0, 13.0)  # what the picture shows round the car, and a little more
_KERB = 1.3

_DARK = (22, 20, 26)
_WHITE = (250, 250, 246)


class _Eye:
    """Turns points of the world, (..., 2), into the view from above the car, nose up."""

    def __init__(self, world: RacerWorld) -> None:
        self._at = np.array([world.x, world.y])
        self._rotation = turn(-world.heading - math.pi / 2)

    def see(self, points: Points) -> Points:
        return np.asarray((points - self._at) @ self._rotation)

    def near(self, points: Points, *, room: float = 0.0) -> NDArray[np.intp]:
        """Indices of the points (N, 2) in the picture, or less than `room` outside."""
        x, y = self.see(points).T
        left, top, right, bottom = _AROUND
        inside = (x > left - room) & (x < right + room) & (y > top - room) & (y < bottom + room)
        return np.flatnonzero(inside)


class RacerView:
    """Draws one track in one look."""

    def __init__(self, track: Track, rng: np.random.Generator) -> None:
        """`rng` decides the look."""
        self._track = track
        across = np.stack([-np.sin(track.headings), np.cos(track.headings)], 1)
        self._edges = [
            (track.points - wide * across, track.points + wide * across)
            for wide in (HALF_WIDTH + _KERB, HALF_WIDTH)
        ]
        self._kerbs = np.stack(
            [_band(track, HALF_WIDTH, HALF_WIDTH + _KERB, points=2),
             _band(track, -HALF_WIDTH - _KERB, -HALF_WIDTH, points=2)], axis=1
        )  # fmt: skip
        self._dashes = _band(track, -0.3, 0.3, points=2)
        self._start = _checkers(track)
        self._colours(rng)
        self._patches, self._trees, self._sizes = self._scenery(rng)
        self._player = _car(self._paint, rng)
        self._rivals = [_car(paint, rng) for paint in self._rival_paints]

    def _colours(self, rng: np.random.Generator) -> None:
        grass = rng.random()
        light = rng.uniform(0.45, 0.8)
        self._grass = hsv(grass, rng.uniform(0.3, 0.65), light)
        self._patch = shade(self._grass, rng.choice([0.86, 1.14]))
        road = rng.uniform(0.16, 0.3) if rng.random() < 0.75 else rng.uniform(0.86, 0.95)
        self._road = hsv(rng.random(), rng.uniform(0.0, 0.12), road)
        self._line = mix(self._road, _WHITE if road < 0.5 else _DARK, 0.5)
        kerb = far_hue(rng, [grass], gap=0.2)
        self._kerb = (hsv(kerb, 0.85, 0.9), _WHITE if road < 0.5 else hsv(kerb, 0.8, 0.3))
        paint = far_hue(rng, [grass], gap=0.15)
        self._paint = hsv(paint, 0.9, 0.98)
        self._rival_paints = [
            hsv(far_hue(rng, [paint, grass], gap=0.15), 0.75, 0.8) for _ in self._track.rivals
        ]
        leaf = hsv(grass + rng.uniform(-0.2, 0.2), 0.6, light * 0.62)
        self._leaves = (shade(self._grass, 0.6), leaf, shade(leaf, 1.2))

    def _scenery(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Patches of ground (M, 6, 2), and places and sizes of trees, all off the road."""
        points = self._track.points
        low, high = points.min(0) - 30, points.max(0) + 30
        places = rng.uniform(low, high, (900, 2))
        apart = np.hypot(*(places[:, None] - points[None]).transpose(2, 0, 1)).min(1)
        places = places[(apart > HALF_WIDTH + 5) & (apart < 45)]
        trees, spots = places[: len(places) // 4], places[len(places) // 4 :: 2]
        kind = int(rng.integers(3, 8))
        forms = oval(0, 0, 1.0, 1.0, corners=kind)[None] * rng.uniform(0.6, 1.6, (len(spots), 1, 1))
        return spots[:, None] + forms, trees, rng.uniform(1.4, 2.6, len(trees))

    def draw(self, world: RacerWorld, canvas: Canvas) -> None:
        """Paint the present state of `world`."""
        canvas.look(-_CAR_AT[0], -_CAR_AT[1], ZOOM)
        canvas.fill(self._grass)
        eye = _Eye(world)
        canvas.polygons(eye.see(self._patches[eye.near(self._patches[:, 0])]), self._patch)
        self._draw_road(canvas, eye)
        canvas.sprite(self._player, 0, 0)
        rivals = world.rivals()
        for index in eye.near(np.array([rival[:2] for rival in rivals]), room=4.0):
            x, y, heading = rivals[index]
            where = eye.see(np.array([x, y]))
            matrix = turn(heading - world.heading)
            canvas.sprite(self._rivals[index], where[0], where[1], matrix=matrix)
        self._draw_trees(canvas, eye)
        canvas.look(0, 0, 1)
        self._draw_instruments(world, canvas)

    def _draw_road(self, canvas: Canvas, eye: _Eye) -> None:
        points = self._track.points
        index, count = eye.near(points, room=HALF_WIDTH + 2.0), len(points)
        runs = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)
        self._draw_strip(canvas, eye, runs, self._edges[0], self._kerb[1])
        kerbs = self._kerbs[index[index % 4 == 0]].reshape(-1, 4, 2)
        canvas.polygons(eye.see(kerbs), self._kerb[0])
        self._draw_strip(canvas, eye, runs, self._edges[1], self._road)
        canvas.polygons(eye.see(self._dashes[index[index % 4 == 0]]), self._line)
        if len(index) and (index[0] < 2 or index[-1] > count - 3):
            canvas.polygons(eye.see(self._start[0]), _WHITE)
            canvas.polygons(eye.see(self._start[1]), _DARK)

    def _draw_strip(
        self,
        canvas: Canvas,
        eye: _Eye,
        runs: list[NDArray[np.intp]],
        edges: tuple[Points, Points],
        colour: Colour,
    ) -> None:
        """Fill between two edges along runs of neighbouring points."""
        left, right = edges
        for run in runs:
            if len(run):
                along = np.append(run, (run[-1] + 1) % len(left))
                edge = np.concatenate([left[along], right[along[::-1]]])
                canvas.shape(eye.see(edge), colour)

    def _draw_trees(self, canvas: Canvas, eye: _Eye) -> None:
        near = eye.near(self._trees, room=1.0)
        centres, sizes = eye.see(self._trees[near]), self._sizes[near]
        dark, leaf, light = self._leaves
        canvas.discs(centres + 0.5, sizes, dark)
        canvas.discs(centres, sizes, leaf)
        canvas.discs(centres - 0.3, 0.55 * sizes, light)

    def _draw_instruments(self, world: RacerWorld, canvas: Canvas) -> None:
        canvas.rect(40, 83, 120, 88.5, _DARK)
        share = world.speed / TOP_SPEED
        canvas.rect(41, 84, 41 + 78 * share, 87.5, hsv(0.36 - 0.36 * share, 0.9, 0.95))
        canvas.rect(54, 2.2, 106, 5.0, _DARK)
        canvas.rect(54.8, 2.8, 54.8 + 50.4 * world.progress, 4.4, _WHITE)


def _band(track: Track, inner: float, outer: float, *, points: int) -> NDArray[np.float64]:
    """From each point of the track `points` ahead, between two lanes, (N, 4, 2)."""
    across = np.stack([-np.sin(track.headings), np.cos(track.headings)], 1)
    a, b = track.points + inner * across, track.points + outer * across
    return np.stack([a, np.roll(a, -points, 0), np.roll(b, -points, 0), b], axis=1)


def _checkers(track: Track) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """White and dark fields of the start line."""
    heading = float(track.headings[0])
    along = np.array([math.cos(heading), math.sin(heading)])
    across = np.array([-along[1], along[0]])
    fields: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    for row in range(2):
        for column in range(8):
            corner = track.points[0] + row * 1.4 * along + (column - 4) * 2.0 * across
            quad = [corner, corner + 1.4 * along, corner + 1.4 * along + 2 * across,
                    corner + 2 * across]  # fmt: skip
            fields[(row + column) % 2].append(np.array(quad))
    return np.array(fields[0]), np.array(fields[1])


def _car(paint: Colour, rng: np.random.Generator) -> Sprite:
    """A car from above, nose up, about 4.4 m by 7 m."""
    wheels = tuple(
        Part(_DARK, box(x - 0.5, y - 0.85, x + 0.5, y + 0.85))
        for x in (-1.95, 1.95) for y in (-1.9, 2.1)
    )  # fmt: skip
    stripe = Part(_WHITE, box(-0.4, -3.2, 0.4, 3.2))
    lights = tuple(Part((255, 60, 40), box(x - 0.5, 2.9, x + 0.5, 3.4)) for x in (-1.2, 1.2))
    return (
        *wheels,
        Part(_DARK, round_box(-2.15, -3.75, 2.15, 3.65, corner=0.9)),
        Part(paint, round_box(-1.8, -3.4, 1.8, 3.3, corner=0.8)),
        *((stripe,) if rng.random() < 0.5 else ()),
        Part(_DARK, np.array([[-1.4, -0.6], [-1.0, -1.6], [1.0, -1.6], [1.4, -0.6]])),
        Part(shade(paint, 0.7), round_box(-1.3, -0.5, 1.3, 1.6, corner=0.3)),
        Part(_DARK, np.array([[-1.2, 2.3], [-1.3, 1.7], [1.3, 1.7], [1.2, 2.3]])),
        *lights,
    )
