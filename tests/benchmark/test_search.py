import json
from pathlib import Path

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark.search import SearchConfig, search
from nitrogen.errors import GameError, GameMissingError
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import supertux

pytestmark = pytest.mark.game
SOLUTION = Path(__file__).with_name("welcome_antarctica.json")


@pytest.fixture
def env():
    try:
        linux.find_program(supertux.GAME)
    except GameMissingError as error:
        pytest.skip(str(error))
    env = GameEnv(supertux.GAME)
    yield env
    env.close()


def solution() -> Actions:
    """What a search found: rows of pressed buttons, left stick, and for how many frames."""
    rows = json.loads(SOLUTION.read_text())
    return Actions.concatenate(
        [Actions.of(*buttons, length=length, left_x=x) for buttons, x, length in rows]
    )


def test_a_found_way_finishes_the_level_again(env: GameEnv):
    env.reset(seed=0)
    actions = solution()
    progress = []
    for index in range(len(actions)):
        _, _, terminated, _, info = env.step(actions[index : index + 1].as_step())
        progress.append(info["progress"])
    assert terminated
    assert info["success"]
    assert info["events"] == ["finished"]
    assert (np.diff(progress) >= 0).all()


def test_search_gets_ahead_and_says_when_it_has_not_arrived(env: GameEnv):
    with pytest.raises(GameError, match=r"furthest: \d+%"):
        search(env, seed=0, rng=np.random.default_rng(0), config=SearchConfig(max_frames=600))
