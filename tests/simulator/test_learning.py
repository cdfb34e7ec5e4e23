"""A well-known learner on a real game: stable-baselines3's PPO with pictures."""

import gymnasium
import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import supertux
from nitrogen.simulator.wrappers import DiscreteActions, ProgressReward, VirtualTimeLimit

CHOICES = (
    Actions.released(1),
    Actions.of(left_x=1.0),
    Actions.of(left_x=-1.0),
    Actions.of("south", left_x=1.0),
)


def make() -> gymnasium.Env:
    game = VirtualTimeLimit(GameEnv(supertux.GAME, hold=4), seconds=20.0)
    env = DiscreteActions(ProgressReward(game), choices=CHOICES)
    return gymnasium.wrappers.ResizeObservation(env, (84, 84))


@pytest.mark.slow
@pytest.mark.game
@pytest.mark.filterwarnings("default")
def test_ppo_learns_for_2000_steps():
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_checker import check_env
    from stable_baselines3.common.monitor import Monitor

    if not linux.is_installed(supertux.GAME):
        pytest.skip("needs SuperTux: apt-get install supertux")
    env = make()
    check_env(env)
    learner = stable_baselines3.PPO(
        "CnnPolicy", Monitor(env), n_steps=500, batch_size=125, n_epochs=1, seed=0, device="cpu"
    )
    before = [value.detach().clone() for value in learner.policy.parameters()]
    learner.learn(2000)
    assert learner.num_timesteps == 2000
    assert any(
        not np.array_equal(old.numpy(), new.detach().numpy())
        for old, new in zip(before, learner.policy.parameters(), strict=True)
    )
    episodes = learner.ep_info_buffer
    assert episodes  # some were finished, and rewarded by progress
    assert all(0 < episode["r"] <= 2 for episode in episodes)
    frame, _ = env.reset(seed=0)
    action, _ = learner.predict(frame, deterministic=True)
    env.step(action)
    env.close()
