import gymnasium as gym
import numpy as np
import pytest

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.play import rollout, rollout_batch
from nitrogen.policy import (
    BatchPolicy,
    CallPolicy,
    MashPolicy,
    Policy,
    RandomPolicy,
    ReleasedPolicy,
    ReplayPolicy,
)


class CountEnv(gym.Env):
    """Ends in success once the left stick was pushed right in `seed % 5 + 3` frames."""

    observation_space = gym.spaces.Box(0, 255, (256, 256, 3), np.uint8)
    action_space = gym.spaces.Dict(
        buttons=gym.spaces.Box(0, 1, (len(BUTTONS),)), sticks=gym.spaces.Box(-1, 1, (len(STICKS),))
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.needed, self.pushed, self.steps = seed % 5 + 3, 0, 0
        return self._frame(), {}

    def step(self, action):
        self.steps += 1
        self.pushed += action["sticks"][0] > 0.5
        done = self.pushed >= self.needed
        info = {"success": bool(done), "progress": self.pushed / self.needed}
        return self._frame(), 0.0, bool(done), self.steps >= 30, info

    def _frame(self):
        return np.full((256, 256, 3), self.pushed, np.uint8)


class Watcher:
    def __init__(self):
        self.actions, self.infos, self.plans = [], [], []

    def on_action(self, frame, plan):
        self.actions.append((int(frame[0, 0, 0]), plan[:1]))
        self.plans.append(len(plan))

    def on_step(self, frame, info):
        self.infos.append(info)


class PushRight:
    """A batch policy whose plans are longer than what is executed of them."""

    def __init__(self):
        self.sizes = []

    def act_batch(self, frames, rngs):
        self.sizes.append(len(frames))
        return [Actions.of(left_x=float(rng.random() > 0.3), length=6) for rng in rngs]


def test_rollout_plays_plans_and_tells_observers():
    watcher = Watcher()
    policy = ReplayPolicy(Actions.of(left_x=1.0, length=4))

    episode = rollout(CountEnv(), policy, seed=1, frames=100, observers=[watcher])

    assert (episode.frames, episode.outcome, episode.success) == (4, "terminated", True)
    assert episode.progress == 1
    assert [seen for seen, _ in watcher.actions] == [0, 1, 2, 3]
    assert len(watcher.infos) == 4


def test_only_the_executed_part_of_a_plan_is_played():
    watcher = Watcher()
    policy = CallPolicy(lambda: Actions.of(left_x=1.0, length=8))

    episode = rollout(CountEnv(), policy, seed=4, frames=100, execute=3, observers=[watcher])

    assert watcher.plans == [8, 7, 6, 8, 7, 6, 8]
    assert episode.plans == 3


def test_outcomes():
    truncated = rollout(CountEnv(), ReleasedPolicy(), seed=0, frames=100)
    limited = rollout(CountEnv(), ReleasedPolicy(), seed=0, frames=10)

    assert (truncated.frames, truncated.outcome, truncated.success) == (30, "truncated", False)
    assert (limited.frames, limited.outcome, limited.success) == (10, "limit", False)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10])
def test_what_happens_in_an_episode_does_not_depend_on_its_neighbours(count):
    seeds = [5, 3, 9, 0, 7, 7, 2]
    envs = [CountEnv() for _ in range(count)]
    policy, seen = PushRight(), []

    episodes = rollout_batch(
        envs, policy, seeds=seeds, frames=40, execute=2, on_episode=seen.append
    )
    alone = [
        rollout_batch([CountEnv()], PushRight(), seeds=[seed], frames=40, execute=2)[0]
        for seed in seeds
    ]

    assert [episode.seed for episode in episodes] == seeds
    assert [episode.frames for episode in episodes] == [episode.frames for episode in alone]
    assert sorted(episode.frames for episode in seen) == sorted(
        episode.frames for episode in episodes
    )
    assert max(policy.sizes) == min(count, len(seeds))


@pytest.mark.parametrize(
    "policy",
    [
        ReleasedPolicy(),
        RandomPolicy(np.random.default_rng(0)),
        MashPolicy(np.random.default_rng(0)),
        ReplayPolicy(Actions.of("south", length=2)),
    ],
)
def test_baselines_keep_the_contract(policy):
    frame = np.zeros((256, 256, 3), np.uint8)
    assert isinstance(policy, Policy)
    assert isinstance(PushRight(), BatchPolicy)
    for _ in range(5):
        plan = policy.act(frame)
        assert len(plan) >= 1
        assert not plan.without_menu_buttons().pressed()[:, BUTTONS.index("start")].any()
        assert not plan.button("start").any()
    policy.reset()


def test_replay_starts_over_on_reset():
    policy = ReplayPolicy(Actions.of("south"))
    frame = np.zeros((256, 256, 3), np.uint8)
    first, second = policy.act(frame), policy.act(frame)
    policy.reset()

    assert first.pressed().any()
    assert not second.pressed().any()
    assert policy.act(frame).pressed().any()
