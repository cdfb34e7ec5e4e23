import gymnasium as gym
import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.errors import DataError
from nitrogen.imitate import Mixture, collect, load_runs, save_runs


class SeekEnv(gym.Env):
    """A dot on a line must be brought to the middle; the expert pushes towards it."""

    observation_space = gym.spaces.Box(0, 255, (256, 256, 3), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = float(self.np_random.uniform(-1, 1)), 0
        return self._frame(), {}

    def expert(self):
        return Actions.of(left_x=-np.sign(self.at) * 0.5)

    def step(self, action):
        self.at = float(np.clip(self.at + 0.1 * action["sticks"][0], -1, 1))
        self.steps += 1
        done = abs(self.at) < 0.03
        return self._frame(), 0.0, done, self.steps >= 60, {"success": done}

    def _frame(self):
        frame = np.zeros((256, 256, 3), np.uint8)
        frame[:, round((self.at + 1) * 127)] = 255
        return frame


class PushLeft:
    def __init__(self):
        self.calls = 0

    def act_batch(self, frames, rngs):
        self.calls += len(frames)
        return [Actions.of(left_x=-1.0, length=8) for _ in frames]


def go(mixture, policy=None, **more):
    settings = {"name": "seek", "size": 32, "frames": 50} | more
    return collect(SeekEnv, range(6), mixture=mixture, policy=policy, side_by_side=3, **settings)


def test_the_expert_alone_is_recorded_as_it_plays():
    runs, successes = go(Mixture(random=0.0))

    assert successes == 6
    assert {run.name for run in runs} == {f"seek/{seed}" for seed in range(6)}
    for run in runs:
        assert run.frames.shape[1:] == (32, 32, 3)
        assert (np.abs(run.actions.stick("left_x")) == 0.5).all()


def test_labels_are_the_experts_whoever_plays():
    policy = PushLeft()

    runs, successes = go(Mixture(policy=0.8, random=0.1), policy)

    assert policy.calls > 0
    assert successes < 6
    for run in runs:
        columns = run.frames.sum(axis=(1, 3)).argmax(axis=1)
        clear = np.abs(columns - 15.5) > 2
        towards = np.sign(15.5 - columns[clear])
        np.testing.assert_array_equal(np.sign(run.actions.stick("left_x")[clear]), towards)


def test_collecting_repeats_exactly():
    one, _ = go(Mixture(policy=0.5, random=0.2), PushLeft())
    two, _ = go(Mixture(policy=0.5, random=0.2), PushLeft())

    for first, second in zip(one, two, strict=True):
        assert first.name == second.name
        np.testing.assert_array_equal(first.frames, second.frames)
        np.testing.assert_array_equal(first.actions.sticks, second.actions.sticks)


def test_runs_come_back_from_disk(tmp_path):
    runs, _ = go(Mixture())
    save_runs(runs, tmp_path / "deep" / "runs.npz")

    for before, after in zip(runs, load_runs(tmp_path / "deep" / "runs.npz"), strict=True):
        assert before.name == after.name
        np.testing.assert_array_equal(before.frames, after.frames)
        np.testing.assert_array_equal(before.actions.sticks, after.actions.sticks)
        np.testing.assert_array_equal(before.actions.buttons, after.actions.buttons)


def test_bad_input_is_named(tmp_path):
    with pytest.raises(DataError, match="no policy was given"):
        go(Mixture(policy=0.5))
    (tmp_path / "runs.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DataError, match="delete it to collect again"):
        load_runs(tmp_path / "runs.npz")
