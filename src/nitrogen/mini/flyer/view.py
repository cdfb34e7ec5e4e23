"""How the cave looks from the side; colours and shapes come from the seed."""

import numpy as np

from nitrogen.mini.canvas import Canvas, Part, Sprite, oval, turn
from nitrogen.mini.flyer.level import COLUMN, Kind, Level
from nitrogen.mini.flyer.world import FOE_RADIUS, HEARTS, FlyerWorld
from nitrogen.mini.look import far_hue, hsv, mix, shade

_DARK = (18, 18, 24)
_WHITE = (250, 250, 246)


class FlyerView:
    """Draws one cave in one look."""

    def __init__(self, level: Level, rng: np.random.Generator) -> None:
        """`rng` decides the look."""
        self._level = level
        air = rng.random()
        bright = rng.random() < 0.5
        self._air = hsv(air, 0.3, rng.uniform(0.8, 0.92) if bright else 0.16)
        self._far = shade(self._air, 0.9 if bright else 1.12)
        self._rock = hsv(air + rng.uniform(0.3, 0.6), 0.4, 0.42 if bright else 0.58)
        self._edge = shade(self._rock, 1.3)
        ship = far_hue(rng, [air], gap=0.16)
        foe = far_hue(rng, [air, ship], gap=0.17)
        self._ship = _ship(hsv(ship, 0.9, 0.95))
        self._shot = hsv(ship, 0.5, 0.6 if bright else 1.0)
        self._foes: dict[Kind, Sprite] = {
            "drone": _drone(hsv(foe, 0.9, 0.9)),
            "swooper": _swooper(hsv(foe + 0.05, 0.9, 0.85)),
            "mine": _mine(hsv(foe - 0.05, 0.85, 0.75), int(rng.integers(5, 9))),
        }
        self._stars = rng.uniform((0, 0), (400, 90), (40, 2))

    def draw(self, world: FlyerWorld, canvas: Canvas) -> None:
        """Paint the present state of `world`."""
        canvas.look(0, 0, 1)
        canvas.fill(self._air)
        for x, y in self._stars:
            at = (x - 0.4 * world.camera) % 170 - 5
            canvas.rect(at, y, at + 5, y + 2.5, self._far)
        canvas.look(world.camera, 0, 1)
        self._draw_rock(world.camera, canvas)
        end = self._level.end
        if end - world.camera < 170:
            canvas.rect(end, 0, end + 3, 90, mix(self._air, _WHITE, 0.8))
        for number, x, y in world.foes():
            canvas.sprite(self._foes[self._level.foes[number].kind], x, y)
        for shot in world.shots:
            canvas.rect(shot.x - 7, shot.y - 1.6, shot.x + 2.4, shot.y + 1.6, self._shot)
        if world.relief % 6 < 4:
            canvas.sprite(self._ship, world.x, world.y, matrix=turn(0.35 * world.climb))
        canvas.look(0, 0, 1)
        for number in range(HEARTS):
            colour = (235, 40, 60) if number < world.hearts else _DARK
            x = 8.0 + 8 * number
            canvas.polygon(((x - 3, 3.0), (x, 7.0), (x + 3, 3.0), (x, 1.8)), colour)

    def _draw_rock(self, camera: float, canvas: Canvas) -> None:
        first = max(int(camera / COLUMN) - 1, 0)
        for column in range(first, min(first + 23, len(self._level.floor) - 1)):
            x0, x1 = column * COLUMN, (column + 1) * COLUMN + 0.3
            for edges, outside, lip in (
                (self._level.ceiling, -1.0, -2.0),
                (self._level.floor, 91.0, 2.0),
            ):
                a, b = edges[column], edges[column + 1]
                canvas.polygon(((x0, outside), (x1, outside), (x1, b), (x0, a)), self._rock)
                canvas.polygon(((x0, a + lip), (x1, b + lip), (x1, b), (x0, a)), self._edge)


def _ship(colour: tuple[int, int, int]) -> Sprite:
    """The player's ship, flying right."""
    return (
        Part(_DARK, np.array([[-7.5, -5.5], [8.5, 0], [-7.5, 5.5], [-4.5, 0]])),
        Part(_WHITE, np.array([[-5.8, -3.8], [6.2, 0], [-5.8, 3.8], [-3.4, 0]])),
        Part(colour, oval(-1.0, 0, 3.6, 2.2)),
    )


def _drone(colour: tuple[int, int, int]) -> Sprite:
    """Flies straight on."""
    r = FOE_RADIUS
    return (
        Part(_DARK, np.array([[-r - 2, 0], [r, -r], [r, r]])),
        Part(colour, np.array([[-r, 0], [r - 1.2, -r + 1.8], [r - 1.2, r - 1.8]])),
        Part(_WHITE, oval(0.5, 0, 1.7, 1.7, corners=8)),
    )


def _swooper(colour: tuple[int, int, int]) -> Sprite:
    """Goes up and down."""
    r = FOE_RADIUS
    return (
        Part(_DARK, np.array([[0, -r - 1.5], [r + 0.5, 0], [0, r + 1.5], [-r - 0.5, 0]])),
        Part(colour, np.array([[0, -r], [r - 1, 0], [0, r], [-r + 1, 0]])),
        Part(_WHITE, oval(-1, 0, 1.5, 2.6, corners=8)),
    )


def _mine(colour: tuple[int, int, int], corners: int) -> Sprite:
    """Hangs in the air."""
    r = FOE_RADIUS
    return (
        Part(_DARK, oval(0, 0, r + 1.6, r + 1.6, corners=corners)),
        Part(colour, oval(0, 0, r, r, corners=corners)),
        Part(_DARK, oval(0, 0, 2, 2, corners=6)),
    )
