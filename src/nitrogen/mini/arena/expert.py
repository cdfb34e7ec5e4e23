"""How a good player plays the arena: a function of the present state alone.

It shoots at the enemy that is near and close to where it aims already, leading it, and moves as
pushed: away from enemies, walls and pillars, out of the way of shots, back to the middle.
"""

import math

from nitrogen.mini.arena.world import (
    BOLT_RADIUS,
    BOUNDS,
    NATURES,
    RADIUS,
    SHOT_SPEED,
    ArenaWorld,
    Foe,
    Point,
)
from nitrogen.mini.world import Pad


def play(world: ArenaWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return Pad()
    target = _target(world)
    x, y = _way(world, target)
    length = math.hypot(x, y)
    if length > 1:
        x, y = x / length, y / length
    elif length < 0.25:
        x = y = 0.0
    pad = Pad(left_x=round(x, 3), left_y=round(y, 3))
    if target is None:
        return pad
    aim = _lead(world, target)
    seen = _is_clear(world, target.x, target.y)
    return pad._replace(
        right_x=round(aim[0], 3), right_y=round(aim[1], 3), right_trigger=float(seen)
    )


def _target(world: ArenaWorld) -> Foe | None:
    """The enemy to shoot at: near, in sight, and not far from the present aim."""

    def cost(foe: Foe) -> float:
        dx, dy = foe.x - world.x, foe.y - world.y
        apart = max(math.hypot(dx, dy), 0.1)
        turn = 1 - (dx * world.aim[0] + dy * world.aim[1]) / apart
        return apart + 9 * turn + (0 if _is_clear(world, foe.x, foe.y) else 90)

    return min(world.foes, key=cost, default=None)


def _lead(world: ArenaWorld, foe: Foe) -> Point:
    """Direction in which a shot meets the enemy, that comes straight on or circles."""
    dx, dy = foe.x - world.x, foe.y - world.y
    apart = max(math.hypot(dx, dy), 0.1)
    if foe.kind == "gunner" and apart < 46:
        time_s = apart / SHOT_SPEED
        speed = NATURES[foe.kind].speed * time_s
        dx, dy = dx + dy / apart * speed, dy - dx / apart * speed
        apart = max(math.hypot(dx, dy), 0.1)
    return dx / apart, dy / apart


def _is_clear(world: ArenaWorld, x: float, y: float) -> bool:
    """Whether no pillar stands between the player and (x, y)."""
    return not _side(world, x, y)


def _side(world: ArenaWorld, x: float, y: float) -> float:
    """On which side to pass a pillar in the line of fire: 1 right, -1 left, 0 if none."""
    dx, dy = x - world.x, y - world.y
    square = max(dx * dx + dy * dy, 0.01)
    for px, py, pr in world.level.pillars:
        share = ((px - world.x) * dx + (py - world.y) * dy) / square
        share = min(max(share, 0.0), 1.0)
        if math.hypot(world.x + share * dx - px, world.y + share * dy - py) < pr + 1.5:
            return -1.0 if dx * (py - world.y) - dy * (px - world.x) > 0 else 1.0
    return 0.0


def _way(world: ArenaWorld, target: Foe | None) -> Point:
    """Sum of pushes."""
    x, y = (80 - world.x) * 0.012, (45 - world.y) * 0.02
    for foe in world.foes:
        dx, dy = world.x - foe.x, world.y - foe.y
        apart = max(math.hypot(dx, dy), 0.1)
        room = apart - RADIUS - NATURES[foe.kind].radius
        push = max(0.0, 1.0 - room / 26.0) ** 2 * 2.4 / apart
        # A little sideways, so that it is not driven into a corner.
        x, y = x + (dx - 0.5 * dy) * push, y + (dy + 0.5 * dx) * push
    for bolt in world.bolts:
        x, y = _dodge(world, bolt.x, bolt.y, bolt.vx, bolt.vy, (x, y))
    for px, py, pr in world.level.pillars:
        dx, dy = world.x - px, world.y - py
        apart = max(math.hypot(dx, dy), 0.1)
        push = max(0.0, 1.0 - (apart - pr - RADIUS) / 8.0) * 0.8 / apart
        x, y = x + dx * push, y + dy * push
    if target is not None and not _is_clear(world, target.x, target.y):
        # Sideways, and a little on, until the pillar is out of the way.
        side = _side(world, target.x, target.y)
        dx, dy = target.x - world.x, target.y - world.y
        apart = max(math.hypot(dx, dy), 0.1)
        x = 0.5 * x + (0.4 * dx - side * dy) / apart
        y = 0.5 * y + (0.4 * dy + side * dx) / apart
    left, top, right, bottom = BOUNDS
    x += max(0.0, 1 - (world.x - left - RADIUS) / 14) - max(
        0.0, 1 - (right - RADIUS - world.x) / 14
    )
    y += max(0.0, 1 - (world.y - top - RADIUS) / 14) - max(
        0.0, 1 - (bottom - RADIUS - world.y) / 14
    )
    return x, y


def _dodge(world: ArenaWorld, bx: float, by: float, vx: float, vy: float, way: Point) -> Point:
    """`way`, pushed sideways out of the path of a shot that comes near."""
    speed = math.hypot(vx, vy)
    ux, uy = vx / speed, vy / speed
    dx, dy = world.x - bx, world.y - by
    along, aside = dx * ux + dy * uy, -dx * uy + dy * ux
    reach = RADIUS + BOLT_RADIUS + 5
    if along < -4 or along > 55 or abs(aside) > reach:
        return way
    side = 1.0 if aside >= 0 else -1.0
    push = 1.6 * side * (1 - abs(aside) / reach * 0.6)
    return way[0] - uy * push, way[1] + ux * push
