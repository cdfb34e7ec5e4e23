"""How the platformer looks; colours, shapes and scenery come from the seed.

What a player must know is in a single picture: a scarf that flies against the motion, legs that
run, a body that stretches with speed and a shadow on the ground below.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nitrogen.mini.canvas import VIEW, Canvas, Colour, Part, Points, Sprite, box, oval, round_box
from nitrogen.mini.look import far_hue, hsv, mix, shade
from nitrogen.mini.platformer.level import GAP, VIEW_TILES, Level
from nitrogen.mini.platformer.world import PlatformerWorld

ZOOM = VIEW[1] / VIEW_TILES
WIDTH_TILES = VIEW[0] / ZOOM
_BEHIND = 4.2
"""Tiles that are visible behind the player; ten remain in front."""

_DARK = (24, 20, 30)
_WHITE = (250, 250, 246)


class PlatformerView:
    """Draws one level in one look."""

    def __init__(self, level: Level, rng: np.random.Generator) -> None:
        """`rng` decides the look."""
        self._level = level
        self._colours(rng)
        self._hills = [
            (rng.uniform(0.25, 0.9), rng.uniform(0, 7), rng.uniform(0.3, 0.9)) for _ in range(4)
        ]
        self._clouds = rng.uniform((0, 6, 8), (150, 30, 16), (5, 3))
        self._runs = _runs(level)
        self._mark_places, self._marks = self._texture(rng)
        self._teeth = _teeth(level)
        self._walker = self._walker_sprite(rng)
        self._head = _hat(rng, self._player, self._scarf)

    def _colours(self, rng: np.random.Generator) -> None:
        ground = rng.random()
        sky = far_hue(rng, [ground], gap=0.2)
        player = far_hue(rng, [sky, ground], gap=0.12)
        foe = far_hue(rng, [player, ground, sky], gap=0.14)
        night = rng.random() < 0.3
        if night:
            self._sky = hsv(sky, rng.uniform(0.4, 0.7), rng.uniform(0.12, 0.24))
            self._far = hsv(sky, 0.45, rng.uniform(0.26, 0.34))
            self._earth = hsv(ground, rng.uniform(0.25, 0.6), rng.uniform(0.52, 0.68))
            self._turf = hsv(ground + rng.uniform(-0.12, 0.12), 0.5, 0.88)
        else:
            self._sky = hsv(sky, rng.uniform(0.12, 0.36), rng.uniform(0.9, 1.0))
            self._far = hsv(sky, rng.uniform(0.25, 0.4), rng.uniform(0.76, 0.86))
            self._earth = hsv(ground, rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.46))
            self._turf = hsv(ground + rng.uniform(-0.15, 0.15), 0.75, 0.62)
        self._player = hsv(player, 0.85, 0.9)
        self._scarf = hsv(player + rng.uniform(0.3, 0.7), 0.9, 1.0)
        self._foe = hsv(foe, 0.85, 0.8)
        self._spike = hsv(rng.random(), 0.12, 0.98)
        self._spike_tip = hsv(0.98 + rng.uniform(0, 0.06), 0.85, 0.92)

    def _texture(self, rng: np.random.Generator) -> tuple[Points, NDArray[np.float64]]:
        """Where marks in the ground begin, in order, and the marks, (M, N, 2)."""
        kind, marks = rng.integers(3), []
        for x0, x1, height in self._runs:
            for _ in range(int((x1 - x0) * height * 0.45)):
                x, depth = rng.uniform(x0 + 0.1, x1 - 0.5), rng.uniform(0.45, height)
                y = VIEW_TILES - height + depth
                size = rng.uniform(0.1, 0.2)
                shapes = (
                    oval(x + 0.2, y, size, size, corners=8),
                    box(x, y, x + 2 * size, y + 0.13),
                    oval(x + 0.2, y, size, 0.9 * size, corners=4),
                )
                marks.append((x, shapes[kind]))
        marks.sort(key=lambda mark: mark[0])
        return np.array([x for x, _ in marks]), np.array([points for _, points in marks])

    def _walker_sprite(self, rng: np.random.Generator) -> Sprite:
        """Looks to the right; its feet at the origin."""
        kind = rng.integers(3)
        body = (
            oval(0, -0.42, 0.47, 0.46),
            round_box(-0.45, -0.85, 0.45, -0.1, corner=0.16),
            np.array([[-0.5, -0.08], [-0.4, -0.6], [0.0, -0.95], [0.4, -0.6], [0.5, -0.08]]),
        )[kind]
        feet = tuple(Part(_DARK, oval(x, -0.08, 0.2, 0.1, corners=8)) for x in (-0.25, 0.25))
        return (
            *feet,
            Part(_DARK, body * 1.1 + (0, 0.03)),
            Part(self._foe, body),
            Part(_WHITE, oval(0.2, -0.52, 0.2, 0.19, corners=10)),
            Part(_DARK, oval(0.28, -0.5, 0.09, 0.11, corners=8)),
        )

    def draw(self, world: PlatformerWorld, canvas: Canvas) -> None:
        """Paint the present state of `world`."""
        left = min(max(world.x - _BEHIND, 0.0), self._level.length - WIDTH_TILES)
        canvas.look(0, 0, 1)
        canvas.backdrop("sky", self._paint_sky)
        canvas.look(0, 0, ZOOM)
        self._draw_scenery(canvas, left)
        canvas.look(left, 0, ZOOM)
        self._draw_ground(canvas, left)
        self._draw_flag(canvas)
        self._draw_walkers(world, canvas, left)
        self._draw_player(world, canvas)
        canvas.look(0, 0, 1)
        self._draw_progress(world, canvas)

    def _paint_sky(self, canvas: Canvas) -> None:
        for band in range(18):
            colour = mix(self._sky, _WHITE if sum(self._sky) > 330 else self._far, band / 34)
            canvas.rect(0, band * 5, VIEW[0], band * 5 + 5.5, colour)
        cloud = mix(self._sky, _WHITE, 0.5 if sum(self._sky) > 330 else 0.1)
        for x, y, size in self._clouds:
            for dx, dy, radius in ((0, 0, 0.5), (0.6, -0.15, 0.62), (1.3, 0, 0.5)):
                canvas.disc(x + dx * size, y + dy, radius * size, cloud)

    def _draw_scenery(self, canvas: Canvas, left: float) -> None:
        xs = np.arange(-0.5, WIDTH_TILES + 1, 0.75)
        for layer, (speed, base) in enumerate(((0.25, 4.6), (0.5, 5.6))):
            (f, p, a), (g, q, b) = self._hills[2 * layer : 2 * layer + 2]
            at = xs + speed * left
            ys = base + a * np.sin(f * at + p) + 0.5 * b * np.sin(1.7 * g * at + q)
            line = np.concatenate([np.stack([xs, ys], 1), [[xs[-1], 9], [xs[0], 9]]])
            canvas.shape(line, mix(self._sky, self._far, 0.45 + 0.4 * layer))

    def _draw_ground(self, canvas: Canvas, left: float) -> None:
        right = left + WIDTH_TILES
        for x0, x1, height in self._runs:
            if x1 > left and x0 < right:
                top = VIEW_TILES - height
                canvas.rect(x0, top, x1, VIEW_TILES + 1, _DARK)
                canvas.rect(x0 + 0.07, top + 0.07, x1 - 0.07, VIEW_TILES + 1, self._earth)
                canvas.rect(x0, top - 0.02, x1, top + 0.34, _DARK)
                canvas.rect(x0, top, x1, top + 0.28, self._turf)
        mark = shade(self._earth, 0.8)
        first, last = np.searchsorted(self._mark_places, (left - 1, right))
        canvas.polygons(self._marks[first:last], mark)
        places, *layers = self._teeth
        first, last = np.searchsorted(places, (left - 1, right))
        for polygons, colour in zip(layers, (_DARK, self._spike, self._spike_tip), strict=True):
            canvas.polygons(polygons[first:last], colour)

    def _draw_flag(self, canvas: Canvas) -> None:
        x = self._level.flag + 0.4
        base = VIEW_TILES - self._level.heights[int(self._level.flag)]
        canvas.rect(x - 0.12, base - 3.6, x + 0.12, base, _DARK)
        canvas.rect(x - 0.06, base - 3.55, x + 0.06, base, _WHITE)
        canvas.polygon(((x, base - 3.65), (x + 1.75, base - 2.95), (x, base - 2.25)), _DARK)
        canvas.polygon(((x, base - 3.5), (x + 1.5, base - 2.95), (x, base - 2.4)), self._scarf)

    def _draw_walkers(self, world: PlatformerWorld, canvas: Canvas, left: float) -> None:
        for index, walker in enumerate(self._level.walkers):
            if walker.right < left - 1 or walker.left > left + WIDTH_TILES + 1:
                continue
            if index not in world.defeated:
                x, way = walker.at(world.time_s)
                bob = 0.05 * math.sin(world.time_s * 14)
                matrix = np.array([[way, 0.0], [0.0, 1.05 + bob]])
                canvas.sprite(self._walker, x, VIEW_TILES - walker.height, matrix=matrix)

    def _draw_player(self, world: PlatformerWorld, canvas: Canvas) -> None:
        x, y = world.x, VIEW_TILES - world.y
        ground = world.ground(x)
        if ground > GAP and ground <= world.y:
            base = VIEW_TILES - ground
            canvas.rect(x - 0.4, base + 0.02, x + 0.4, base + 0.2, _DARK)
        canvas.sprite(self._pose(world), x, y, matrix=_lean_of(world))

    def _pose(self, world: PlatformerWorld) -> Sprite:
        """The player's parts, facing right, feet at the origin."""
        swing = 0.0
        if world.grounded:
            swing = 0.3 * math.sin(world.x * 3.4) * min(abs(world.vx) / 3, 1)
        elif world.vy > 0:
            swing = 0.18
        tail = np.array([-world.vx * 0.14, world.vy * 0.095])
        neck = np.array([-0.05, -0.72])
        across = np.array([-tail[1], tail[0]]) / (np.hypot(*tail) + 1e-6) * 0.2
        width = across if np.hypot(*tail) > 0.05 else np.array([0.0, 0.12])
        scarf = np.array([neck - width, neck + width, neck + tail + 0.7 * width])
        legs = [
            round_box(x - 0.13, -0.36, x + 0.17, 0.02, corner=0.05)
            for x in (-0.16 - swing, -0.01 + swing)
        ]
        outline = round_box(-0.46, -1.2, 0.46, -0.18, corner=0.2)
        body = round_box(-0.38, -1.12, 0.38, -0.25, corner=0.17)
        return (
            Part(_DARK, np.array([scarf[0] - width * 0.5, scarf[1] + width * 0.5,
                                  scarf[2] + tail * 0.12])),
            Part(self._scarf, scarf),
            *(Part(_DARK, leg) for leg in legs),
            Part(_DARK, outline),
            Part(self._player, body),
            *self._head,
        )  # fmt: skip

    def _draw_progress(self, world: PlatformerWorld, canvas: Canvas) -> None:
        canvas.rect(54, 2.6, 106, 5.4, _DARK)
        canvas.rect(54.8, 3.2, 54.8 + 50.4 * world.progress, 4.8, _WHITE)


def _hat(rng: np.random.Generator, colour: Colour, other: Colour) -> Sprite:
    """Face and hat, which tell the direction."""
    brim = (
        box(-0.42, -1.18, 0.6, -1.04),
        box(-0.45, -0.62, 0.45, -0.5),
        box(-0.4, -1.22, 0.4, -1.06),
    )[rng.integers(3)]
    return (
        Part(_WHITE, round_box(0.02, -0.98, 0.42, -0.66, corner=0.08)),
        Part(_DARK, box(0.2, -0.92, 0.32, -0.72)),
        Part(mix(other, _DARK, 0.25), brim),
        Part(shade(colour, 0.75), box(-0.38, -0.4, 0.38, -0.28)),
    )


def _lean_of(world: PlatformerWorld) -> NDArray[np.float64]:
    """Tall when fast up or down, leaning when running, mirrored when going left."""
    tall = 1.0 + 0.014 * abs(world.vy)
    lean = 0.03 * abs(world.vx) if world.grounded else 0.015 * abs(world.vx)
    way = -1.0 if world.vx < -0.2 else 1.0
    return np.array([[way / tall**0.5, 0.0], [-way * lean, tall]])


def _runs(level: Level) -> list[tuple[float, float, float]]:
    """Stretches of ground of equal height: from, to, height."""
    runs: list[tuple[float, float, float]] = []
    start = 0
    heights = level.heights
    for column in range(1, len(heights) + 1):
        if column == len(heights) or heights[column] != heights[start]:
            if heights[start] != GAP:
                runs.append((float(start), float(column), heights[start]))
            start = column
    return runs


def _teeth(level: Level) -> tuple[NDArray[np.float64], ...]:
    """Where the teeth of all spikes begin, and their outlines, bodies and tips, (M, 3, 2) each."""
    columns = np.flatnonzero(level.spikes)
    places = np.sort(np.concatenate([columns, columns + 0.5]))
    base = np.array([VIEW_TILES + 0.08 - level.heights[int(x)] for x in places])
    corners = np.stack([places, base], axis=1)[:, None]
    outlines = (
        [[-0.06, 0.0], [0.25, -0.86], [0.56, 0.0]],
        [[0.02, 0.0], [0.25, -0.74], [0.48, 0.0]],
        [[0.13, -0.36], [0.25, -0.74], [0.37, -0.36]],
    )
    return places, *(corners + np.array(outline) for outline in outlines)
