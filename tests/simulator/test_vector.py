from functools import partial

import gymnasium
import numpy as np
import pytest

from nitrogen.errors import GameError, GameMissingError
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import supertux
from nitrogen.simulator.registration import make
from nitrogen.simulator.vector import GameVectorEnv

pytestmark = pytest.mark.game


@pytest.fixture(autouse=True)
def installed() -> None:
    try:
        linux.find_program(supertux.GAME)
    except GameMissingError as error:
        pytest.skip(str(error))


def right(count: int) -> dict[str, np.ndarray]:
    sticks = np.zeros((count, 4), np.float32)
    sticks[:, 0] = 1.0
    return {"buttons": np.zeros((count, 17), np.float32), "sticks": sticks}


def test_games_step_together_as_they_would_alone():
    together = GameVectorEnv([partial(GameEnv, supertux.GAME)] * 3)
    alone = GameEnv(supertux.GAME)
    frames, infos = together.reset(seed=0)
    frame, _ = alone.reset(seed=0)
    assert together.observation_space.contains(frames)
    for _ in range(40):
        frames, rewards, _, _, infos = together.step(right(3))
        frame, *_ = alone.step({"buttons": right(1)["buttons"][0], "sticks": right(1)["sticks"][0]})
    for one in frames:
        np.testing.assert_array_equal(one, frame)
    assert rewards.tolist() == [0.0] * 3
    assert infos["frame_index"].tolist() == [40] * 3
    together.close()
    together.close()
    alone.close()


def test_an_ended_game_is_reset_by_the_next_step():
    env = GameVectorEnv([partial(GameEnv, supertux.GAME, hold=8)])
    env.reset(seed=0)
    for _ in range(200):
        _, _, terminated, _, infos = env.step(right(1))  # into the first enemy
        if terminated[0]:
            break
    assert terminated[0]
    assert infos["events"][0] == ["died"]
    _, _, terminated, _, infos = env.step(right(1))
    assert not terminated[0]
    assert infos["frame_index"].tolist() == [0]
    env.close()


def test_gymnasium_makes_both_kinds_of_vectors():
    ours = gymnasium.make_vec(
        "nitrogen/SuperTux-v0", num_envs=2, vectorization_mode="vector_entry_point"
    )
    theirs = gymnasium.vector.AsyncVectorEnv([partial(make, "supertux")] * 2, context="spawn")
    one, _ = ours.reset(seed=0)
    two, _ = theirs.reset(seed=0)
    for _ in range(5):
        one, *_ = ours.step(right(2))
        two, *_ = theirs.step(right(2))
    np.testing.assert_array_equal(one, two)
    ours.close()
    theirs.close()


def test_no_games_are_refused():
    with pytest.raises(GameError):
        GameVectorEnv([])
