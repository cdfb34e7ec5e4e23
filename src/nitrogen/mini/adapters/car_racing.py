"""Gymnasium's CarRacing-v3: steer with the left stick, gas and brake on the triggers.

The controls of the original are continuous, and so are stick and triggers: left x steers, the right
trigger's travel is the gas, the left trigger's the brake. The seed decides the track.
"""

import math
from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import MissingDependencyError
from nitrogen.mini.adapters.base import Seen

RATE_HZ = 50.0

_AHEAD = 6
"""Tiles that the expert looks ahead."""
_CRUISE = 45.0
"""Its speed on a straight, in the game's units per second."""


class Track:
    """Original: so much of the track."""

    def __init__(self, share: float) -> None:
        """`share` of the tiles that must be driven over. Raises MissingDependencyError."""
        try:
            import Box2D  # noqa: F401  # CarRacing raises an error of its own without it
            from gymnasium.envs.box2d.car_racing import CarRacing
        except ImportError as error:
            raise MissingDependencyError(
                "CarRacing needs Box2D and pygame; install them with pip install 'nitrogen[box2d]'"
            ) from error
        self._env: Any = CarRacing(render_mode="rgb_array")
        self._share = share

    def start(self, seed: int) -> Seen:
        """Onto the start line."""
        small, _ = self._env.reset(seed=seed % 2**31)
        return self._seen(small, is_over=False)

    def step(self, row: Actions) -> Seen:
        """One frame of the physics."""
        steer = float(row.stick("left_x")[0])
        gas, brake = (float(row.button(name)[0]) for name in ("right_trigger", "left_trigger"))
        small, _, is_over, _, _ = self._env.step(np.array([steer, gas, brake], np.float32))
        return self._seen(small, is_over=is_over)

    def _seen(self, small: Frame, *, is_over: bool) -> Seen:
        visited = self._env.tile_visited_count / len(self._env.track)
        return Seen(small, min(visited / self._share, 1.0), is_over)

    def picture(self) -> Frame:
        """(400, 600, 3)."""
        picture: Frame = self._env.render()
        return picture

    def expert(self) -> Actions:
        """Steers to a point ahead on the middle line, slower where the road bends."""
        car, track = self._env.car, self._env.track
        x, y = car.hull.position
        points = np.array([tile[2:4] for tile in track])
        here = int(np.argmin(np.hypot(points[:, 0] - x, points[:, 1] - y)))
        target, beyond = (points[(here + n) % len(points)] for n in (_AHEAD, 3 * _AHEAD))
        off = self._angle_to(target)
        speed = math.hypot(*car.hull.linearVelocity)
        wanted = _CRUISE * (1 - 0.6 * min(abs(self._angle_to(beyond)), 1.0))
        gas = 0.4 if speed < wanted else 0.0
        brake = 0.4 if speed > 1.3 * wanted else 0.0
        steer = float(np.clip(1.6 * off, -1, 1))
        return Actions.of(left_x=steer, right_trigger=gas, left_trigger=brake)

    def _angle_to(self, point: Any) -> float:
        """How far to the right of the car's nose, in radians."""
        hull = self._env.car.hull
        dx, dy = point[0] - hull.position[0], point[1] - hull.position[1]
        nose = hull.angle + math.pi / 2
        off = nose - math.atan2(dy, dx)
        return math.atan2(math.sin(off), math.cos(off))

    def close(self) -> None:
        """Let the window surfaces go."""
        self._env.close()
