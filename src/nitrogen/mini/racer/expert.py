"""How a good player drives the racer: a function of the present state alone.

It steers at a point of the road ahead of it (pure pursuit, Coulter 1992), keeps to the side that a
slower car leaves free, and brakes for bends as late as is comfortable.
"""

import math

from nitrogen.mini.racer.track import HALF_WIDTH
from nitrogen.mini.racer.world import GRIP, TOP_SPEED, TURNING_RADIUS, RacerWorld
from nitrogen.mini.world import Pad

_COMFORT = 0.62  # share of the grip that is used
_SLOWING = 13.0  # m/s^2
_SIGHT = 26.0  # metres ahead that count: what the picture shows
_FREE_LANE = 3.6


def play(world: RacerWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return Pad()
    ahead = 6.0 + 0.42 * world.speed
    x, y, _ = world.track.at(world.distance + ahead, _lane(world))
    error = math.atan2(y - world.y, x - world.x) - world.heading
    error = (error + math.pi) % (2 * math.pi) - math.pi
    reach = max(math.hypot(x - world.x, y - world.y), 4.0)
    wish = 2 * math.sin(max(min(error, 1.5), -1.5)) / reach * max(world.speed, 2.0)
    sharpest = min(world.speed / TURNING_RADIUS, GRIP / max(world.speed, 1.0))
    steer = 1.15 * wish / max(sharpest, 0.05)
    fast = _speed(world) if abs(error) < 0.9 else 7.0
    more = fast - world.speed
    return Pad(
        left_x=round(max(min(steer, 1.0), -1.0), 3),
        right_trigger=round(max(min(0.3 + 0.3 * more, 1.0), 0.0), 3),
        left_trigger=round(max(min(-0.25 * (more + 1.5), 1.0), 0.0), 3),
    )


def _lane(world: RacerWorld) -> float:
    """Where on the road to be: the middle, or past a slower car."""
    lane = 0.0
    for rival in world.track.rivals:
        gap = rival.start + rival.speed * world.time_s - world.distance
        gap = (gap + 10.0) % world.track.length - 10.0
        if -7.0 < gap < _SIGHT:
            share = min((_SIGHT - gap) / 10.0, 1.0)
            lane = -math.copysign(_FREE_LANE, rival.lane) * share
    return lane


def _speed(world: RacerWorld) -> float:
    """The highest speed from which every bend in sight can be reached comfortably."""
    track, count = world.track, len(world.track.points)
    best = TOP_SPEED
    for step in range(int(_SIGHT / track.spacing)):
        bend = abs(float(track.bends[(world.index + step) % count]))
        corner = _COMFORT * GRIP / max(bend, 0.01)
        best = min(best, math.sqrt(corner + 2 * _SLOWING * step * track.spacing))
    if abs(world.lane()) > HALF_WIDTH:
        best = min(best, 12.0)
    return best
