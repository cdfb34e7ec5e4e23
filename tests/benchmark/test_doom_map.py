"""Maps of Freedoom: walls, doors, ways, sight; and the expert who uses them."""

import math

import numpy as np
import pytest

from nitrogen.benchmark.games import freedoom as tasks
from nitrogen.benchmark.games.doom_map import read_map
from nitrogen.benchmark.run import EXPERT
from nitrogen.benchmark.suite import task
from nitrogen.errors import GameError
from nitrogen.play import rollout
from nitrogen.simulator.games import freedoom

pytestmark = [
    pytest.mark.game,
    pytest.mark.skipif(not freedoom.IWAD.exists(), reason="freedoom is not installed"),
]
START, HALL = (-160.0, 304.0), (830.0, 800.0)
"""Where the first map begins, and the hall behind its first door."""


def test_a_way_is_no_shorter_than_the_straight_line_and_falls_step_by_step():
    level = read_map(freedoom.IWAD, "E1M1")
    way = level.way(HALL)

    left = level.left(START, way)
    assert math.dist(START, HALL) - 40 < left < 2 * math.dist(START, HALL)
    place = START
    for _ in range(200):
        place = level.next_place(place, way, squares=1)
    assert math.dist(place, HALL) < 40
    assert np.isinf(way[level.blocked]).all()


def test_locked_doors_are_walls():
    level = read_map(freedoom.IWAD, "E1M1")
    way = level.way((830.0, 1600.0))  # behind the blue door in the north of the hall

    assert level.left((830.0, 1440.0), way) > 1000


def test_walls_and_closed_doors_hide_and_air_does_not():
    level = read_map(freedoom.IWAD, "E1M1")

    assert level.sees((600.0, 304.0), (752.0, 336.0))
    assert not level.sees(START, (864.0, -448.0))
    assert not level.sees((830.0, 400.0), HALL)


def test_a_level_that_is_not_in_the_file_is_named():
    with pytest.raises(GameError, match="E9M9"):
        read_map(freedoom.IWAD, "E9M9")


def test_the_seed_decides_where_an_episode_begins():
    starts = [tasks.look_around(np.random.default_rng(seed)) for seed in range(20)]

    assert len({(each.sticks[:, 2].sum(), each.sticks[:, :2].sum()) for each in starts}) > 15
    assert all(len(each) < 90 for each in starts)


@pytest.mark.slow
def test_the_expert_wins_where_it_never_played():
    chosen = task("freedoom/kill_two")
    if chosen.missing():
        pytest.skip(chosen.missing())
    env = chosen.make()
    try:
        rng = np.random.default_rng(0)
        episode = rollout(
            env, EXPERT.policy(env, rng), seed=1_000_000, frames=chosen.frames, execute=1
        )
    finally:
        env.close()

    assert episode.success
