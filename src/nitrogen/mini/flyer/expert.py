"""How a good player flies: a function of the present state alone.

It wants to be level with the nearest enemy ahead and shoots, or in the middle of the cave where
there is none. Which way is safe it finds out on copies of the world.
"""

from nitrogen.mini.flyer.world import FlyerWorld
from nitrogen.mini.world import Pad

_AHEAD = 14
"""Steps that each way is tried for: about half a second."""
_DANGER = 40.0
"""Cost from which on falling back is considered, too."""
_STICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def play(world: FlyerWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return Pad()
    wish = _wish(world)
    straight = [Pad(left_y=y, right_trigger=1.0) for y in _STICKS]
    cost, pad = _best(world, straight, wish)
    if cost > _DANGER:
        back = [pad._replace(left_x=-1.0) for pad in straight]
        cost, pad = min((cost, pad), _best(world, back, wish))
    return pad


def _best(world: FlyerWorld, pads: list[Pad], wish: float) -> tuple[float, Pad]:
    return min((_cost(world, pad, wish), pad) for pad in pads)


def _wish(world: FlyerWorld) -> float:
    """The height that it would like."""
    top, bottom = world.level.gap(world.x + 14)
    ahead = [(x, y) for _, x, y in world.foes() if x > world.x + 8]
    if not ahead:
        return (top + bottom) / 2
    return min(max(min(ahead)[1], top + 9), bottom - 9)


def _cost(world: FlyerWorld, pad: Pad, wish: float) -> float:
    """Hits within the next half second, nearness of rock, and distance from the wish."""
    ahead = world.clone()
    ahead.relief = 0
    hearts, nearest = ahead.hearts, 99.0
    for step in range(_AHEAD):
        held = pad if step < 5 else Pad(left_y=min(max((wish - ahead.y) / 6, -1.0), 1.0))
        ahead.step(held)
        if ahead.is_over and not ahead.is_won:
            return 1e4 - step
        top, bottom = ahead.level.gap(ahead.x + 5)
        nearest = min(nearest, ahead.y - top, bottom - ahead.y)
        if step == 4:
            off = abs(ahead.y - wish)
    return 1000.0 * (hearts - ahead.hearts) + 6.0 * max(0.0, 9.0 - nearest) + off
