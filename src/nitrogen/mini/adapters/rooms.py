"""Miniworld: rooms in 3D, drawn without a screen by EGL.

The original has one move a step, and so has the pad: south or the right trigger picks up; else the
right stick, pushed sideways beyond half of its travel, turns by 15 degrees; else the left stick,
pushed up beyond half of its travel, walks one step forward. The games have no
clock; a step counts as 1/10 s.
"""

import contextlib
import io
import math
from typing import Any

from nitrogen.actions import Actions, Frame
from nitrogen.errors import MissingDependencyError
from nitrogen.mini.adapters.base import STICK, Seen, is_held

RATE_HZ = 10.0

_LEFT, _RIGHT, _FORWARD, _PICK_UP = 0, 1, 2, 4
_STAND = 7
"""The original's `done`, which does nothing."""
_closed: dict[str, list[Any]] = {}
"""Originals to use again, by class: each holds 35 MB of frame buffers that it never gives back."""


class Room:
    """Original: a Miniworld environment; the red box, or all objects of the room."""

    def __init__(self, name: str) -> None:
        """`name` of its class in miniworld.envs. Raises MissingDependencyError."""
        try:
            import pyglet

            pyglet.options["headless"] = True  # before anything of it is imported
            from miniworld import envs
        except ImportError as error:
            raise MissingDependencyError(
                "Miniworld is not installed or finds no EGL; install it with pip install"
                f" 'nitrogen[miniworld]' and apt-get install libegl1 ({error})"
            ) from error
        self._name, waiting = name, _closed.setdefault(name, [])
        self._env: Any = waiting.pop() if waiting else _made(getattr(envs, name))
        self._total = 1
        self._distance = 1.0

    def start(self, seed: int) -> Seen:
        """The room that the seed decides."""
        picture, _ = self._env.reset(seed=seed % 2**31)
        self._total = len(self._goals())
        self._distance = self._nearest()[0]
        return self._seen(picture, is_won=False)

    def step(self, row: Actions) -> Seen:
        """Turn, walk or pick up."""
        picture, _, is_won, _, _ = self._env.step(_move(row))
        return self._seen(picture, is_won=is_won)

    def _goals(self) -> list[Any]:
        box = getattr(self._env, "box", None)
        if box is not None:
            return [box]
        return [each for each in self._env.entities if each is not self._env.agent]

    def _nearest(self) -> tuple[float, Any]:
        here = self._env.agent.pos
        ways = [(math.dist(goal.pos[::2], here[::2]), n) for n, goal in enumerate(self._goals())]
        distance, number = min(ways, default=(0.0, -1))
        return distance, self._goals()[number] if ways else None

    def _seen(self, picture: Frame, *, is_won: bool) -> Seen:
        """Progress: the share of objects that are gone, or how much nearer the box is."""
        if is_won:
            return Seen(picture, 1.0)
        if self._total > 1:
            return Seen(picture, 1 - len(self._goals()) / self._total)
        nearer = 1 - self._nearest()[0] / max(self._distance, 1.0)
        return Seen(picture, min(max(nearer, 0.0), 0.99))

    def picture(self) -> Frame:
        """(600, 800, 3)."""
        picture: Frame = self._env.render()
        return picture

    def expert(self) -> Actions:
        """Turns to what is nearest, walks there, and picks it up where that is asked for."""
        distance, goal = self._nearest()
        agent = self._env.agent
        if goal is None:
            return Actions.released(1)
        dx, dz = goal.pos[0] - agent.pos[0], goal.pos[2] - agent.pos[2]
        off = math.atan2(-dz, dx) - agent.dir
        off = math.atan2(math.sin(off), math.cos(off))
        if abs(off) > math.radians(8):
            return Actions.of(right_x=-1.0 if off > 0 else 1.0)
        if self._total > 1 and distance < 1.1 * agent.radius + goal.radius + 0.3:
            return Actions.of("south")
        return Actions.of(left_y=-1.0)

    def close(self) -> None:
        """Leave the original to the next room of this class; a second call does nothing."""
        env, self._env = self._env, None
        if env is not None:
            _closed[self._name].append(env)


def _made(original: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # it reports on its frame buffers
        env = original(obs_width=256, obs_height=192, render_mode="rgb_array")
    env.max_episode_steps = math.inf
    return env


def _move(row: Actions) -> int:
    turn, walk = float(row.stick("right_x")[0]), float(row.stick("left_y")[0])
    if is_held(row, "south", "right_trigger"):
        return _PICK_UP
    if abs(turn) > STICK:
        return _RIGHT if turn > 0 else _LEFT
    return _FORWARD if walk < -STICK else _STAND
