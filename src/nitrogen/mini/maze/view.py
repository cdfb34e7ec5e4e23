"""How the maze looks from above; colours and shapes come from the seed."""

import math

import numpy as np

from nitrogen.mini.canvas import Canvas, Part, Sprite, box, oval, turn
from nitrogen.mini.look import far_hue, hsv, shade
from nitrogen.mini.maze.level import COLUMNS, LEFT, ROWS, TILE, TOP, Level, centre
from nitrogen.mini.maze.world import GUARD_RADIUS, RADIUS, MazeWorld

_DARK = (18, 18, 24)
_WHITE = (250, 250, 246)


class MazeView:
    """Draws one maze in one look."""

    def __init__(self, level: Level, rng: np.random.Generator) -> None:
        """`rng` decides the look."""
        self._level = level
        ground = rng.random()
        bright = rng.random() < 0.5
        self._floor = hsv(ground, 0.25, rng.uniform(0.75, 0.9) if bright else 0.22)
        self._wall = hsv(ground + rng.uniform(-0.1, 0.1), 0.55, 0.45 if bright else 0.62)
        self._studs = int(rng.integers(3))
        hero = far_hue(rng, [ground], gap=0.16)
        guard = far_hue(rng, [ground, hero], gap=0.17)
        gem = far_hue(rng, [ground, hero, guard], gap=0.1)
        self._gem = hsv(gem, 0.85, 1.0 if not bright else 0.85)
        self._gem_corners = int(rng.integers(4, 7))
        self._hero = _figure(hsv(hero, 0.85, 0.95), RADIUS)
        self._guard = _spiky(hsv(guard, 0.9, 0.9), GUARD_RADIUS, int(rng.integers(6, 10)))
        self._door = hsv(gem + 0.5, 0.4, 0.95)

    def draw(self, world: MazeWorld, canvas: Canvas) -> None:
        """Paint the present state of `world`."""
        canvas.look(0, 0, 1)
        canvas.backdrop("walls", self._paint_walls)
        self._draw_exit(world, canvas)
        for gem in world.gems:
            x, y = centre(gem)
            canvas.polygon(oval(x, y, 5.2, 5.2, corners=self._gem_corners), _DARK)
            canvas.polygon(oval(x, y, 4.4, 4.4, corners=self._gem_corners), self._gem)
            canvas.polygon(oval(x - 1, y - 1.4, 1.4, 1.4, corners=4), _WHITE)
        for guard in self._level.guards:
            x, y = guard.at(world.time_s)
            x1, y1 = guard.at(world.time_s + 0.3)
            canvas.sprite(self._guard, x, y, matrix=turn(math.atan2(y1 - y, x1 - x) + math.pi / 2))
        angle = math.atan2(world.facing[1], world.facing[0]) + math.pi / 2
        canvas.sprite(self._hero, world.x, world.y, matrix=turn(angle))

    def _draw_exit(self, world: MazeWorld, canvas: Canvas) -> None:
        x, y = centre(self._level.exit)
        canvas.rect(x - 5.6, y - 5.6, x + 5.6, y + 5.6, _DARK)
        canvas.rect(x - 4.6, y - 4.6, x + 4.6, y + 4.6, _WHITE if not world.gems else self._door)
        if world.gems:  # barred until all gems are gathered
            for bar in (-3.0, 0.0, 3.0):
                canvas.rect(x + bar - 0.7, y - 4.6, x + bar + 0.7, y + 4.6, _DARK)

    def _paint_walls(self, canvas: Canvas) -> None:
        canvas.fill(shade(self._wall, 0.7))
        for column in range(COLUMNS):
            for row in range(ROWS):
                x, y = LEFT + column * TILE, TOP + row * TILE
                if (column, row) in self._level.open:
                    canvas.rect(x, y, x + TILE, y + TILE, self._floor)
                    continue
                canvas.rect(x, y, x + TILE, y + TILE, self._wall)
                if self._studs == 1:
                    canvas.rect(x + 3, y + 3, x + 9, y + 9, shade(self._wall, 1.15))
                elif self._studs == 2:
                    canvas.rect(x, y + 5, x + TILE, y + 7, shade(self._wall, 0.85))


def _figure(colour: tuple[int, int, int], radius: float) -> Sprite:
    """The player, walking up."""
    return (
        Part(_DARK, oval(0, 0, radius + 0.8, radius + 0.8)),
        Part(_WHITE, oval(0, 0, radius, radius)),
        Part(colour, oval(0, 0.6, radius - 1.1, radius - 1.1)),
        Part(_DARK, box(-2.2, -3.4, -0.8, -1.6)),
        Part(_DARK, box(0.8, -3.4, 2.2, -1.6)),
    )


def _spiky(colour: tuple[int, int, int], radius: float, spikes: int) -> Sprite:
    """A guard that looks up."""
    parts = []
    for spike in range(spikes):
        angle = 2 * math.pi * spike / spikes
        points = np.array([[-1.6, -radius + 1], [1.6, -radius + 1], [0, -radius - 2.2]])
        parts.append(Part(_DARK, points @ turn(angle)))
    return (
        *parts,
        Part(_DARK, oval(0, 0, radius, radius)),
        Part(colour, oval(0, 0, radius - 0.8, radius - 0.8)),
        Part(_WHITE, box(-2.4, -2.6, 2.4, -0.8)),
        Part(_DARK, box(-0.8, -2.6, 0.8, -0.8)),
    )
