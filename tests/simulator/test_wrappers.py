from typing import Any

import gymnasium
import numpy as np
import pytest

from nitrogen.actions import Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.simulator.wrappers import (
    DiscreteActions,
    HoldAction,
    ProgressReward,
    ReleaseButtons,
    VirtualTimeLimit,
)


class CountingEnv(gymnasium.Env[Frame, Step]):
    """A real environment of the contract: it counts its frames and remembers its actions."""

    def __init__(self) -> None:
        self.metadata = {"render_modes": [], "render_fps": 60.0}
        self.observation_space = gymnasium.spaces.Box(0, 255, (256, 256, 3), np.uint8)
        self.action_space = gymnasium.spaces.Dict(
            buttons=gymnasium.spaces.Box(0, 1, (17,), np.float32),
            sticks=gymnasium.spaces.Box(-1, 1, (4,), np.float32),
        )
        self.actions: list[Step] = []

    def _info(self) -> dict[str, Any]:
        index = len(self.actions)
        return {
            "virtual_time_s": index / 60,
            "events": [f"frame {index}"],
            "progress": index / 10,
            "success": index == 10,
        }

    def _frame(self) -> Frame:
        return np.full((256, 256, 3), len(self.actions), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.actions = []
        return self._frame(), self._info()

    def step(self, action):
        self.actions.append(action)
        return self._frame(), 0.0, len(self.actions) >= 10, False, self._info()


def test_hold_repeats_and_keeps_all_events():
    env = HoldAction(CountingEnv(), frames=4)
    env.reset()
    frame, _, terminated, _, info = env.step(Actions.of("south").as_step())
    assert frame[0, 0, 0] == 4
    assert info["events"] == ["frame 1", "frame 2", "frame 3", "frame 4"]
    assert env.rate_hz == 15.0
    env.step(Actions.released(1).as_step())
    frame, _, terminated, _, _ = env.step(Actions.released(1).as_step())
    assert terminated
    assert frame[0, 0, 0] == 10  # it stops at the end


def test_buttons_stay_released():
    inner = CountingEnv()
    env = ReleaseButtons(inner)
    env.reset()
    env.step(Actions.of("start", "south", left_x=1.0).as_step())
    expected = Actions.of("south", left_x=1.0).as_step()
    np.testing.assert_array_equal(inner.actions[0]["buttons"], expected["buttons"])
    np.testing.assert_array_equal(inner.actions[0]["sticks"], expected["sticks"])


def test_the_time_limit_is_virtual():
    env = VirtualTimeLimit(CountingEnv(), seconds=0.1)
    env.reset()
    results = [env.step(Actions.released(1).as_step())[3] for _ in range(6)]
    assert results == [False] * 5 + [True]


def test_few_actions_and_rewards_of_progress():
    inner = CountingEnv()
    env = ProgressReward(
        DiscreteActions(inner, choices=(Actions.released(1), Actions.of("south"))), bonus=5.0
    )
    env.reset()
    rewards = [float(env.step(1)[1]) for _ in range(10)]
    np.testing.assert_allclose(rewards, [0.1] * 9 + [5.1])
    assert inner.actions[0]["buttons"].sum() == 1.0


def test_senseless_settings_are_refused():
    for make in (
        lambda: HoldAction(CountingEnv(), frames=0),
        lambda: VirtualTimeLimit(CountingEnv(), seconds=0),
        lambda: DiscreteActions(CountingEnv(), choices=()),
    ):
        with pytest.raises(GameError):
            make()
