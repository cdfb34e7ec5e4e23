"""Procgen games of `procgen-mirror` (Cobbe et al. 2020), easy levels, one level per seed.

The left stick walks and jumps in eight directions, pushed beyond half of its travel; the
directional pad does the same, and south is up, which jumps. The first special action (`D`) is the
right trigger. The games have no clock; a step counts as 1/15 s.
"""

from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError, MissingDependencyError
from nitrogen.mini.adapters.base import Seen, direction, is_held

RATE_HZ = 15.0

_SPECIAL = 9


class Level:
    """Original: one level to its end, or so many points in it."""

    def __init__(self, name: str, points: float | None = None) -> None:
        """`name` as Procgen calls the game; without `points` the level is to be completed.

        Raises MissingDependencyError.
        """
        try:
            import procgen
        except ImportError as error:
            raise MissingDependencyError(
                "Procgen needs procgen-mirror; install it with pip install 'nitrogen[procgen]' into"
                " an environment of its own: it asks for numpy 1"
            ) from error
        self._module: Any = procgen
        self._name, self._wanted = name, points
        self._env: Any = None
        self._points = 0.0
        self._picture: Frame = np.zeros((1, 1, 3), np.uint8)

    def start(self, seed: int) -> Seen:
        """The level of that number."""
        self.close()
        self._env = self._module.ProcgenGym3Env(
            num=1,
            env_name=self._name,
            distribution_mode="easy",
            num_levels=1,
            start_level=seed % 2**31,
            rand_seed=seed % 2**31,
            render_mode="rgb_array",
        )
        self._points = 0.0
        self._picture = self._env.get_info()[0]["rgb"]
        return Seen(self._picture, 0.0)

    def step(self, row: Actions) -> Seen:
        """One step; the game begins anew by itself when it is over, which is not shown."""
        x, y = direction(row)
        y = -1 if is_held(row, "south") else y
        number = 3 * (x + 1) + (1 - y)
        if is_held(row, "right_trigger"):
            number = _SPECIAL
        self._env.act(np.array([number], np.int32))
        reward, _, first = self._env.observe()
        self._points += float(reward[0])
        is_over, info = bool(first[0]), self._env.get_info()[0]
        if self._wanted is None:
            progress = float(is_over and bool(info["prev_level_complete"]))
        else:
            progress = min(max(self._points / self._wanted, 0.0), 1.0)
        if is_over:  # what it shows is the next start already
            return Seen(self._picture, progress, is_over, ("the level is over",))
        self._picture = info["rgb"]
        return Seen(self._picture, progress)

    def picture(self) -> Frame:
        """(512, 512, 3)."""
        return self._picture

    def expert(self) -> Actions:
        """There is none."""
        raise GameError("Procgen games have no expert")

    def close(self) -> None:
        """End the level."""
        if self._env is not None:
            self._env.close()
            self._env = None
