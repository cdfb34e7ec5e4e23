import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.mini.maze.level import GEMS, centre, generate, tile_at
from nitrogen.mini.maze.world import RADIUS, MazeWorld
from nitrogen.mini.world import Pad


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31))
def test_everything_can_be_reached_and_guards_keep_to_the_floor(seed: int) -> None:
    level = generate(np.random.default_rng(seed))
    far = level.distances(frozenset([level.start]))

    assert len(set(level.gems)) == GEMS
    assert far.keys() == level.open
    assert far[level.exit] >= 4
    for guard in level.guards:
        assert set(guard.ring) <= level.open
        assert level.start not in guard.ring
        for time_s in np.linspace(0, 20, 50):
            assert tile_at(*guard.at(float(time_s))) in level.open


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_nobody_walks_through_walls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = MazeWorld(generate(rng))
    for _ in range(150):
        x, y = rng.uniform(-1, 1, 2).tolist()
        for _ in range(4):
            world.step(Pad(left_x=x, left_y=y))
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            corner = world.x + dx * (RADIUS - 0.01), world.y + dy * (RADIUS - 0.01)
            assert tile_at(*corner) in world.level.open


def test_the_exit_opens_when_all_gems_are_gathered() -> None:
    world = MazeWorld(generate(np.random.default_rng(3)))
    world.x, world.y = centre(world.level.exit)
    world.step(Pad())
    assert not world.is_over

    world.gems = frozenset()
    world.step(Pad())
    assert world.is_won
    assert world.progress == 1.0


def test_a_guard_ends_it() -> None:
    world = MazeWorld(generate(np.random.default_rng(3)))
    world.x, world.y = world.level.guards[0].at(world.time_s)
    world.step(Pad())

    assert world.is_over
    assert not world.is_won
    assert world.events == ["caught"]
