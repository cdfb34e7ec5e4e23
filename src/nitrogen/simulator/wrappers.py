"""Wrappers for any environment with gamepad actions: hold, lock, limit, and few discrete actions.

Knows the action of the environments' contract, and that a `GameEnv` holds actions itself.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from nitrogen.actions import BUTTON_INDEX, MENU_BUTTONS, Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.simulator.env import GameEnv

Env = gymnasium.Env[Frame, Step]


class HoldAction(gymnasium.Wrapper[Frame, Step, Frame, Step]):
    """Each step holds the action for several frames, or until the episode ends.

    A `GameEnv` directly inside holds them itself: frames in between are not captured, nor drawn
    where the game allows it, and its judge does not look at them. Of any other environment the
    steps are repeated, and events of all of them are reported.
    """

    def __init__(self, env: Env, *, frames: int) -> None:
        """`frames`: frames per step, at least 1."""
        super().__init__(env)
        if frames < 1:
            raise GameError(f"frames must be at least 1, not {frames}")
        self.rate_hz = float(env.metadata["render_fps"]) / frames
        self._repeats = frames
        if isinstance(env, GameEnv):
            env.hold(frames)
            self._repeats = 1
        self.metadata = {**env.metadata, "render_fps": self.rate_hz}

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """`frames` frames with one action."""
        events: list[str] = []
        total = 0.0
        for _ in range(self._repeats):
            frame, reward, terminated, truncated, info = self.env.step(action)
            events += info.get("events", [])
            total += float(reward)
            if terminated or truncated:
                break
        return frame, total, terminated, truncated, {**info, "events": events}


class ReleaseButtons(gymnasium.ActionWrapper[Frame, Step, Step]):
    """Keeps some buttons released, whatever the policy says: those that leave the game."""

    def __init__(self, env: Env, *, names: tuple[str, ...] = MENU_BUTTONS) -> None:
        """`names`: buttons out of `BUTTONS`."""
        super().__init__(env)
        self._columns = [BUTTON_INDEX[name] for name in names]

    def action(self, action: Step) -> Step:
        """The action with those buttons released."""
        buttons = np.array(action["buttons"], np.float32)
        buttons[self._columns] = 0.0
        return {"buttons": buttons, "sticks": action["sticks"]}


class VirtualTimeLimit(gymnasium.Wrapper[Frame, Step, Frame, Step]):
    """Truncates an episode after so many seconds on the game's own clock."""

    def __init__(self, env: Env, *, seconds: float) -> None:
        """`seconds`: virtual, since the episode began."""
        super().__init__(env)
        if seconds <= 0:
            raise GameError(f"seconds must be above 0, not {seconds:g}")
        self._seconds = seconds

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """One step; truncated when the time is over."""
        frame, reward, terminated, truncated, info = self.env.step(action)
        if not terminated and info["virtual_time_s"] >= self._seconds - 1e-9:
            truncated = True
        return frame, float(reward), terminated, truncated, info


class DiscreteActions(gymnasium.ActionWrapper[Frame, int, Step]):
    """A few named pad states instead of all: for algorithms that choose one of a list."""

    def __init__(self, env: Env, *, choices: tuple[Actions, ...]) -> None:
        """`choices`: one row each; the action is an index into them."""
        super().__init__(env)
        if not choices:
            raise GameError("DiscreteActions needs at least one choice")
        self._steps = [choice.as_step() for choice in choices]
        self.action_space = spaces.Discrete(len(choices))  # type: ignore[assignment]  # of ints

    def action(self, action: int) -> Step:
        """The pad state of that number."""
        return self._steps[int(action)]


class ProgressReward(gymnasium.Wrapper[Frame, Step, Frame, Step]):
    """Rewards what the judge reports: the gain in progress, and a bonus for success."""

    def __init__(self, env: Env, *, bonus: float = 1.0) -> None:
        """`bonus`: added on success."""
        super().__init__(env)
        self._bonus, self._progress = bonus, 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin an episode."""
        frame, info = self.env.reset(seed=seed, options=options)
        self._progress = float(info["progress"])
        return frame, info

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """One step."""
        frame, _, terminated, truncated, info = self.env.step(action)
        gain = float(info["progress"]) - self._progress
        self._progress = float(info["progress"])
        reward = gain + (self._bonus if info["success"] else 0.0)
        return frame, reward, terminated, truncated, info
