"""How a good player plays the maze: a function of the present state alone.

It walks the shortest way to the nearest gem, or to the exit when it has them all, and never enters
a tile that a guard is about to enter: whether a way is safe it finds out on copies of the world.
"""

import math

from nitrogen.mini.maze.level import Tile, centre, tile_at
from nitrogen.mini.maze.world import MazeWorld
from nitrogen.mini.world import DT, Pad

_AHEAD = 22
"""Steps that a way must be safe for: about one and a half tiles."""
_ROOM = 14.0
"""Distance from a guard that is kept."""


def play(world: MazeWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return Pad()
    targets = world.gems or frozenset([world.level.exit])
    far = world.level.distances(targets)
    here = tile_at(world.x, world.y)
    ways = sorted([here, *world.level.neighbours(here)], key=lambda tile: far[tile])
    best, margin = Pad(), -math.inf
    for tile in ways:
        pad = _towards(world, tile)
        room = _room(world, tile)
        if room > _ROOM:
            return pad
        if room > margin:
            best, margin = pad, room
    return best


def _towards(world: MazeWorld, tile: Tile) -> Pad:
    """To the middle of the tile, first along the axis that leaves the present one straight."""
    x, y = centre(tile)
    dx, dy = x - world.x, y - world.y
    length = math.hypot(dx, dy)
    if length < 0.6:
        return Pad()
    return Pad(left_x=round(dx / max(length, 3.0), 3), left_y=round(dy / max(length, 3.0), 3))


def _room(world: MazeWorld, tile: Tile) -> float:
    """Least distance from a guard on the way to `tile` and a little after."""
    ahead = world.clone()
    least = math.inf
    for _ in range(_AHEAD):
        ahead.step(_towards(ahead, tile))
        if ahead.is_over:
            return math.inf if ahead.is_won else -1.0
        for guard in world.level.guards:
            x, y = guard.at(ahead.time_s + DT)
            least = min(least, math.hypot(ahead.x - x, ahead.y - y))
    return least
