import dataclasses

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark.search import SearchConfig, search
from nitrogen.errors import GameError, GameMissingError
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import supertux


@pytest.fixture
def env():
    try:
        linux.find_program(supertux.GAME)
    except GameMissingError as error:
        pytest.skip(str(error))
    env = GameEnv(supertux.GAME)
    yield env
    env.close()


@pytest.mark.game
def test_search_gets_ahead_and_says_when_it_has_not_arrived(env: GameEnv):
    with pytest.raises(GameError, match=r"furthest: \d+%"):
        search(env, seed=0, rng=np.random.default_rng(0), config=SearchConfig(max_frames=600))


class Corridor:
    """40 frames to the right reach the goal."""

    def reset(self, *, seed=None):
        self.x = 0
        return None, self.info()

    def send(self, action, *, frames=None):
        self.x = max(0, self.x + frames * int(action["sticks"][0]))

    def receive(self):
        return None, 0.0, self.x >= 40, False, self.info()

    def save(self):
        return self.x

    def restore(self, state):
        self.x = state

    def forget(self, state):
        pass

    def info(self):
        return {"success": self.x >= 40, "progress": min(self.x / 40, 1.0), "values": {}}


@pytest.mark.parametrize("seed", range(10))
def test_what_is_found_keeps_to_the_limit(seed):
    found = search(Corridor(), seed=0, rng=np.random.default_rng(seed), limit=70)

    assert 40 <= len(found.actions) <= 70


def test_nothing_is_found_where_the_limit_is_too_short():
    config = SearchConfig(max_frames=5000)
    with pytest.raises(GameError, match="no way to the goal"):
        search(Corridor(), seed=0, rng=np.random.default_rng(0), config=config, limit=30)


def test_a_guide_finds_what_blind_moves_cannot():
    blind = SearchConfig(propose=lambda rng: Actions.released(8), max_frames=400)
    with pytest.raises(GameError, match="no way to the goal"):
        search(Corridor(), seed=0, rng=np.random.default_rng(0), config=blind)

    guided = dataclasses.replace(blind, guide=lambda info, rng: Actions.of(length=8, left_x=1.0))
    found = search(Corridor(), seed=0, rng=np.random.default_rng(0), config=guided)

    assert found.frames_spent < 400
