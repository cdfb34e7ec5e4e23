"""The racer's physics and rules.

Left stick steers, right trigger is the gas, left trigger or west brakes. Tyres hold only so much:
too fast into a bend and the car goes wide. Lengths in metres, time in seconds.
"""

import math

from nitrogen.mini.racer.track import HALF_WIDTH, Track
from nitrogen.mini.world import DT, RATE_HZ, BaseWorld, Pad

TOP_SPEED = 27.0
GRIP = 26.0
"""Most sideways acceleration, m/s^2."""
TURNING_RADIUS = 7.5
"""At low speed."""
BRAKING = 24.0
OFF_ROAD_LIMIT_S = 2.0

_GAS = 15.0
_DRAG = 0.8
_GRASS_DRAG = 1.4  # per second, of the speed above 7 m/s
_CONTACT = 4.4  # distance of two cars that touch


class RacerWorld(BaseWorld):
    """One episode; see the module."""

    __slots__ = (
        "_index", "_off_road_steps", "distance", "heading", "speed",
        "track", "x", "y",
    )  # fmt: skip

    def __init__(self, track: Track) -> None:
        """Stand on the start line of `track`."""
        super().__init__()
        self.track = track
        self.x, self.y, self.heading = track.at(0.0)
        self.speed = 0.0
        self.distance = 0.0
        self._index = 0
        self._off_road_steps = 0

    @property
    def progress(self) -> float:
        """Share of the lap."""
        return min(max(self.distance / self.track.length, 0.0), 1.0)

    @property
    def index(self) -> int:
        """Of the nearest point of the road."""
        return self._index

    def advance(self, pad: Pad) -> None:
        """Move on by one step."""
        self._drive(pad)
        self._bump()
        self._follow()
        lane = abs(self.lane())
        self._off_road_steps = self._off_road_steps + 1 if lane > HALF_WIDTH else 0
        if self._off_road_steps == 1:
            self.events.append("left the road")
        if self._off_road_steps > OFF_ROAD_LIMIT_S * RATE_HZ:
            self.end("stayed off the road", won=False)
        elif self.distance >= self.track.length:
            self.end("finished the lap", won=True)

    def lane(self) -> float:
        """How far right of the middle of the road the car is."""
        x, y = self.track.point(self._index)
        heading = float(self.track.headings[self._index])
        return (self.y - y) * math.cos(heading) - (self.x - x) * math.sin(heading)

    def rivals(self) -> list[tuple[float, float, float]]:
        """Position and heading of each slower car."""
        time_s = self.time_s
        return [
            self.track.at(rival.start + rival.speed * time_s, rival.lane)
            for rival in self.track.rivals
        ]

    def _drive(self, pad: Pad) -> None:
        brake = max(pad.left_trigger, 1.0 if pad.west else 0.0)
        speed = self.speed
        speed += _GAS * pad.right_trigger * (1 - speed / TOP_SPEED) * DT
        speed -= (_DRAG + BRAKING * brake) * DT
        if abs(self.lane()) > HALF_WIDTH:
            speed -= _GRASS_DRAG * max(speed - 7.0, 0.0) * DT
        self.speed = speed = max(speed, 0.0)
        sharpest = min(speed / TURNING_RADIUS, GRIP / max(speed, 1.0))
        turn = pad.left_x * sharpest * DT
        middle = self.heading + 0.5 * turn
        self.x += speed * math.cos(middle) * DT
        self.y += speed * math.sin(middle) * DT
        self.heading = (self.heading + turn + math.pi) % (2 * math.pi) - math.pi

    def _bump(self) -> None:
        for x, y, _ in self.rivals():
            dx, dy = self.x - x, self.y - y
            apart = math.hypot(dx, dy)
            if apart < _CONTACT:
                push = _CONTACT / max(apart, 0.1)
                self.x, self.y = x + dx * push, y + dy * push
                self.speed *= 0.6
                self.events.append("hit a car")

    def _follow(self) -> None:
        """Find the nearest point of the road, at most a few points from the last."""
        track, count = self.track, len(self.track.points)
        best, least = 0, math.inf
        for offset in range(-3, 4):
            x, y = track.point((self._index + offset) % count)
            apart = (self.x - x) ** 2 + (self.y - y) ** 2
            if apart < least:
                best, least = offset, apart
        self._index = (self._index + best) % count
        self.distance += best * self.track.spacing
