"""The maze's rules: gather the gems, then leave by the exit; a guard's touch is the end.

Left stick walks. Lengths in view units, time in seconds.
"""

import math

from nitrogen.mini.maze.level import Level, Tile, centre, tile_at
from nitrogen.mini.world import DT, BaseWorld, Pad

SPEED = 26.0
RADIUS = 4.6
GUARD_RADIUS = 4.6
REACH = 5.5
"""How near a gem or the exit must be."""


class MazeWorld(BaseWorld):
    """One episode; see the module."""

    __slots__ = ("facing", "gems", "level", "x", "y")

    def __init__(self, level: Level) -> None:
        """Stand at the start of `level`."""
        super().__init__()
        self.level = level
        self.x, self.y = centre(level.start)
        self.facing = (1.0, 0.0)
        self.gems: frozenset[Tile] = frozenset(level.gems)

    @property
    def progress(self) -> float:
        """Share of the gems, the exit counting as one more."""
        total = len(self.level.gems) + 1
        return 1.0 if self.is_won else (total - 1 - len(self.gems)) / total

    @property
    def gathered(self) -> float:
        """Share of the gems alone."""
        return 1 - len(self.gems) / len(self.level.gems)

    def advance(self, pad: Pad) -> None:
        """Move on by one step."""
        push = math.hypot(pad.left_x, pad.left_y)
        if push > 0.15:
            step = SPEED * DT * min(push, 1.0) / push
            self._walk(pad.left_x * step, pad.left_y * step)
            self.facing = (pad.left_x / push, pad.left_y / push)
        here = [gem for gem in self.gems if self._touches(*centre(gem), REACH)]
        if here:
            self.gems = self.gems.difference(here)
            self.events.append("took a gem")
        for guard in self.level.guards:
            if self._touches(*guard.at(self.time_s), RADIUS + GUARD_RADIUS - 1.2):
                self.end("caught", won=False)
                return
        if not self.gems and self._touches(*centre(self.level.exit), REACH):
            self.end("escaped", won=True)

    def _touches(self, x: float, y: float, reach: float) -> bool:
        return (self.x - x) ** 2 + (self.y - y) ** 2 < reach * reach

    def _walk(self, dx: float, dy: float) -> None:
        """Along one axis after the other; at a corner it slides towards the middle of the way."""
        if self._is_free(self.x + dx, self.y):
            self.x += dx
        elif abs(dx) > abs(dy):
            self._slide(dx, along_x=True)
        if self._is_free(self.x, self.y + dy):
            self.y += dy
        elif abs(dy) > abs(dx):
            self._slide(dy, along_x=False)

    def _slide(self, push: float, *, along_x: bool) -> None:
        column, row = tile_at(self.x, self.y)
        ahead = math.copysign(1, push)
        way = (column + int(ahead), row) if along_x else (column, row + int(ahead))
        if way not in self.level.open:
            return
        x, y = centre((column, row))
        limit = abs(push)
        if along_x:
            self.y += min(max(y - self.y, -limit), limit)
        else:
            self.x += min(max(x - self.x, -limit), limit)

    def _is_free(self, x: float, y: float) -> bool:
        corners = ((x - RADIUS, y - RADIUS), (x + RADIUS, y - RADIUS),
                   (x - RADIUS, y + RADIUS), (x + RADIUS, y + RADIUS))  # fmt: skip
        return all(tile_at(*corner) in self.level.open for corner in corners)
