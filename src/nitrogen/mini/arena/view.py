"""How the arena looks from above; colours, floor and shapes come from the seed.

Shots have tails, so that a single picture tells where they fly.
"""

import math

import numpy as np

from nitrogen.mini.arena.world import (
    BOLT_RADIUS,
    BOUNDS,
    HEARTS,
    NATURES,
    SHOT_RADIUS,
    ArenaWorld,
    Kind,
    Level,
    Shot,
)
from nitrogen.mini.canvas import Canvas, Colour, Part, Sprite, box, oval, round_box, turn
from nitrogen.mini.look import far_hue, hsv, mix, shade

_DARK = (20, 18, 26)
_WHITE = (250, 250, 246)


class ArenaView:
    """Draws one level in one look."""

    def __init__(self, level: Level, rng: np.random.Generator) -> None:
        """`rng` decides the look."""
        self._level = level
        floor, player = rng.random(), 0.0
        bright = rng.random() < 0.35
        value = rng.uniform(0.78, 0.92) if bright else rng.uniform(0.14, 0.3)
        self._floor = hsv(floor, rng.uniform(0.1, 0.4), value)
        self._tile = shade(self._floor, 0.93 if bright else 1.05)
        self._wall = hsv(floor + rng.uniform(-0.1, 0.1), 0.5, 0.5 if bright else 0.6)
        player = far_hue(rng, [floor], gap=0.15)
        foe = far_hue(rng, [player, floor], gap=0.17)
        other = far_hue(rng, [player, floor, foe], gap=0.12)
        strong = 0.8 if bright else 0.95
        self._player_colour = hsv(player, 0.85, strong)
        colours: dict[Kind, Colour] = {
            "chaser": hsv(foe, 0.9, strong),
            "brute": hsv(foe + 0.06, 0.95, 0.72 * strong),
            "gunner": hsv(other, 0.85, strong),
        }
        self._bolt = hsv(other, 1.0, 0.75) if bright else hsv(other, 0.8, 1.0)
        self._shot = hsv(player, 0.9, 0.45) if bright else hsv(player, 0.25, 1.0)
        self._pattern = int(rng.integers(4))
        self._pillar_corners = int(rng.integers(6, 16))
        self._player = _gunman(self._player_colour)
        corners = {"chaser": int(rng.integers(3, 6)), "brute": 8, "gunner": 4}
        self._foes = {
            kind: _foe(colours[kind], NATURES[kind].radius, corners[kind], armed=kind == "gunner")
            for kind in colours
        }

    def draw(self, world: ArenaWorld, canvas: Canvas) -> None:
        """Paint the present state of `world`."""
        canvas.look(0, 0, 1)
        canvas.backdrop("floor", self._paint_floor)
        for foe in world.foes:
            angle = math.atan2(world.y - foe.y, world.x - foe.x) + math.pi / 2
            canvas.sprite(self._foes[foe.kind], foe.x, foe.y, matrix=turn(angle))
            if foe.kind == "brute":
                width = 10.0 * foe.strength / NATURES["brute"].strength
                canvas.rect(foe.x - 5.5, foe.y - 10.5, foe.x + 5.5, foe.y - 8.3, _DARK)
                canvas.rect(foe.x - 5, foe.y - 10, foe.x - 5 + width, foe.y - 8.8, _WHITE)
        for shot in world.shots:
            self._draw_shot(canvas, shot, SHOT_RADIUS, self._shot, tail=0.055)
        for bolt in world.bolts:
            self._draw_shot(canvas, bolt, BOLT_RADIUS, self._bolt, tail=0.2)
            canvas.disc(bolt.x, bolt.y, 0.45 * BOLT_RADIUS, _DARK)
        if world.relief % 6 < 4:
            angle = math.atan2(world.aim[1], world.aim[0]) + math.pi / 2
            canvas.sprite(self._player, world.x, world.y, matrix=turn(angle))
        self._draw_hearts(world, canvas)

    def _paint_floor(self, canvas: Canvas) -> None:
        canvas.fill(shade(self._wall, 0.55))
        left, top, right, bottom = BOUNDS
        canvas.rect(left - 2, top - 2, right + 2, bottom + 2, self._wall)
        canvas.rect(left, top, right, bottom, self._floor)
        for row in range(8):
            for column in range(15):
                x, y = left + 10 * column, top + 10 * row
                if self._pattern == 0 and (row + column) % 2:
                    canvas.rect(x, y, min(x + 10, right), min(y + 10, bottom), self._tile)
                elif self._pattern == 1 and x + 9 < right and y + 9 < bottom:
                    canvas.rect(x + 1, y + 1, x + 9, y + 9, self._tile)
                elif self._pattern == 2 and column % 2:
                    canvas.rect(x, y, min(x + 10, right), min(y + 10, bottom), self._tile)
                elif self._pattern == 3 and x + 6 < right and y + 6 < bottom:
                    canvas.polygon(oval(x + 5, y + 5, 3, 3, corners=4), self._tile)
        for x, y, radius in self._level.pillars:
            corners = self._pillar_corners
            canvas.polygon(oval(x + 1, y + 1.6, radius, radius, corners=corners), _DARK)
            canvas.polygon(oval(x, y, radius, radius, corners=corners), self._wall)
            canvas.polygon(
                oval(x - 0.6, y - 0.8, 0.7 * radius, 0.7 * radius, corners=corners),
                shade(self._wall, 1.25),
            )

    def _draw_shot(
        self, canvas: Canvas, shot: Shot, radius: float, colour: Colour, *, tail: float
    ) -> None:
        speed = math.hypot(shot.vx, shot.vy)
        ax, ay = -shot.vy / speed * radius, shot.vx / speed * radius
        end = shot.x - shot.vx * tail, shot.y - shot.vy * tail
        wings = (shot.x + ax, shot.y + ay), (shot.x - ax, shot.y - ay)
        canvas.polygon((*wings, end), mix(self._floor, colour, 0.6))
        canvas.disc(shot.x, shot.y, radius, colour)

    def _draw_hearts(self, world: ArenaWorld, canvas: Canvas) -> None:
        for number in range(HEARTS):
            full = number < world.hearts
            x = 8.0 + 8 * number
            colour = (235, 40, 60) if full else shade(self._wall, 0.35)
            canvas.polygon(((x - 3, 2.2), (x, 6.2), (x + 3, 2.2), (x, 1.0)), colour)
        canvas.rect(54, 1.4, 106, 4.2, _DARK)
        canvas.rect(54.8, 2.0, 54.8 + 50.4 * world.progress, 3.6, _WHITE)


def _gunman(colour: Colour) -> Sprite:
    """The player, aiming up."""
    return (
        Part(_DARK, box(-1.9, -9.2, 1.9, -2)),
        Part(_WHITE, box(-1.1, -8.5, 1.1, -2)),
        Part(_DARK, oval(0, 0, 5.7, 5.7)),
        Part(_WHITE, oval(0, 0, 5.0, 5.0)),
        Part(colour, oval(0, 0, 3.9, 3.9)),
        Part(shade(colour, 0.6), round_box(-1.4, -2.6, 1.4, 0.4, corner=0.5)),
    )


def _foe(colour: Colour, radius: float, corners: int, *, armed: bool) -> Sprite:
    """An enemy that looks up."""
    big = radius * (1.25 if corners < 5 else 1.08)
    gun = (Part(_DARK, box(-1.3, -1.7 * radius, 1.3, 0)),) if armed else ()
    eyes = tuple(
        part
        for x in (-0.36, 0.36)
        for part in (
            Part(_WHITE, oval(x * radius, -0.25 * radius, 0.27 * radius, 0.3 * radius, corners=8)),
            Part(_DARK, oval(x * radius, -0.34 * radius, 0.13 * radius, 0.16 * radius, corners=6)),
        )
    )
    return (
        *gun,
        Part(_DARK, oval(0, 0, big + 0.7, big + 0.7, corners=corners)),
        Part(colour, oval(0, 0, big, big, corners=corners)),
        *eyes,
    )
