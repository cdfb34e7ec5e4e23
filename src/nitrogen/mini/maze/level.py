"""Mazes: walls, gems, an exit and the rounds of the guards, drawn once per episode.

Lengths in view units (160 by 90); a tile measures 12, the maze 13 by 7 tiles.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

TILE = 12.0
COLUMNS, ROWS = 13, 7
LEFT, TOP = 2.0, 3.0
"""View units of the maze's upper left corner."""
GUARD_SPEED = 13.0
GEMS = 5

Tile = tuple[int, int]
"""Column and row."""


@dataclass(frozen=True)
class Guard:
    """Goes round and round a ring of tiles, always at the same speed."""

    ring: tuple[Tile, ...]
    start: float
    """Tiles that it is ahead of the ring's first one at time 0."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Where it is, in view units."""
        way = (self.start + time_s * GUARD_SPEED / TILE) % len(self.ring)
        index, share = int(way), way % 1.0
        x0, y0 = centre(self.ring[index])
        x1, y1 = centre(self.ring[(index + 1) % len(self.ring)])
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


@dataclass(frozen=True)
class Level:
    """What never changes during an episode."""

    open: frozenset[Tile]
    """Tiles without a wall."""
    start: Tile
    exit: Tile
    gems: tuple[Tile, ...]
    guards: tuple[Guard, ...]

    def neighbours(self, tile: Tile) -> list[Tile]:
        """Open tiles beside `tile`."""
        column, row = tile
        beside = ((column + 1, row), (column, row + 1), (column - 1, row), (column, row - 1))
        return [other for other in beside if other in self.open]

    def distances(self, targets: frozenset[Tile]) -> dict[Tile, int]:
        """Steps from every open tile to the nearest of `targets`."""
        found = dict.fromkeys(targets, 0)
        queue = deque(targets)
        while queue:
            tile = queue.popleft()
            for other in self.neighbours(tile):
                if other not in found:
                    found[other] = found[tile] + 1
                    queue.append(other)
        return found


def centre(tile: Tile) -> tuple[float, float]:
    """The middle of a tile, in view units."""
    return LEFT + (tile[0] + 0.5) * TILE, TOP + (tile[1] + 0.5) * TILE


def tile_at(x: float, y: float) -> Tile:
    """The tile under a point."""
    return int((x - LEFT) // TILE), int((y - TOP) // TILE)


def generate(rng: np.random.Generator) -> Level:
    """A maze with loops, two guards on rings, five gems and an exit far from the start."""
    cells = [(column, row) for column in range(1, COLUMNS, 2) for row in range(1, ROWS, 2)]
    is_open = _carve(cells, rng)
    low = bool(rng.random() < 0.5)  # the guards' rings keep away from the start
    places = ((2, 2), (6, 4), (10, 2)) if low else ((2, 4), (6, 2), (10, 4))
    rings = [_ring(*places[index]) for index in rng.permutation(3)[:2]]
    guards = []
    for ring in rings:
        is_open |= set(ring)
        way = ring if rng.random() < 0.5 else ring[::-1]
        guards.append(Guard(way, float(rng.uniform(0, len(ring)))))
    start = (1, 5) if low else (1, 1)
    level = Level(frozenset(is_open), start, start, (), ())
    patrolled = {tile for ring in rings for tile in ring}
    far = level.distances(frozenset([start]))
    quiet = sorted((cell for cell in cells if cell not in patrolled), key=lambda cell: far[cell])
    goal = quiet[-1]
    free = [cell for cell in cells if cell not in (start, goal) and far[cell] > 2]
    gems = tuple(free[index] for index in rng.choice(len(free), GEMS, replace=False))
    return Level(frozenset(is_open), start, goal, gems, tuple(guards))


def _carve(cells: list[Tile], rng: np.random.Generator) -> set[Tile]:
    """Depth-first search through the cells, then a few more openings for loops."""
    is_open, path, left = {cells[0]}, [cells[0]], set(cells[1:])
    while path:
        column, row = path[-1]
        ways = [
            (column + dx, row + dy)
            for dx, dy in ((2, 0), (0, 2), (-2, 0), (0, -2))
            if (column + dx, row + dy) in left
        ]
        if not ways:
            path.pop()
            continue
        way = ways[rng.integers(len(ways))]
        is_open |= {way, ((column + way[0]) // 2, (row + way[1]) // 2)}
        left.remove(way)
        path.append(way)
    for column in range(1, COLUMNS - 1):
        for row in range(1, ROWS - 1):
            if (column + row) % 2 and rng.random() < 0.25:
                is_open.add((column, row))
    return is_open


def _ring(column: int, row: int) -> tuple[Tile, ...]:
    """The eight tiles round a wall tile."""
    around = ((-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0))
    return tuple((column + dx, row + dy) for dx, dy in around)
