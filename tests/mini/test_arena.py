import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.mini.arena.world import BOUNDS, HEARTS, RADIUS, ArenaWorld, Foe, Level, generate
from nitrogen.mini.world import Pad


def empty(*foes: Foe) -> ArenaWorld:
    world = ArenaWorld(
        Level(pillars=(), waves=(("chaser",) * max(len(foes), 1),), doors=((9.0, 9.0),))
    )
    world.foes, world.wave = foes, 1
    return world


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**31))
def test_levels_have_four_waves_and_a_free_middle(seed: int) -> None:
    level = generate(np.random.default_rng(seed))

    assert [3 <= len(wave) <= 6 for wave in level.waves] == [True] * 4
    for x, y, radius in level.pillars:
        assert math.hypot(x - 80, y - 45) > radius + RADIUS


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_nobody_leaves_the_arena(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = ArenaWorld(generate(rng))
    left, top, right, bottom = BOUNDS
    for step in range(200):
        if step % 10 == 0:
            pad = Pad(*rng.uniform(-1, 1, 4).tolist(), right_trigger=1.0)
        world.step(pad)
        for x, y in [(world.x, world.y), *((foe.x, foe.y) for foe in world.foes)]:
            assert left <= x <= right
            assert top <= y <= bottom


def test_a_shot_flies_where_the_right_stick_points() -> None:
    world = empty(Foe("chaser", 80.0, 20.0, 1, 0))
    for _ in range(12):
        world.step(Pad(right_y=-1.0, right_trigger=1.0))
        if world.is_over:
            break

    assert world.is_won
    assert world.progress == 1.0


def test_brutes_take_three_shots() -> None:
    world = empty(Foe("brute", 140.0, 45.0, 3, 0))
    shots = 0
    while not world.is_over:
        world.step(Pad(right_x=1.0, right_trigger=1.0))
        shots += world.reload == 6

    assert world.is_won
    assert shots >= 3


def test_touch_costs_a_heart_and_three_lose() -> None:
    world = empty(Foe("brute", 95.0, 45.0, 3, 0))
    hits = []
    for step in range(200):
        world.step(Pad())
        if "was hit" in world.events:
            hits.append(step)
        if world.is_over:
            break

    assert len(hits) == HEARTS
    assert min(np.diff(hits)) > 20
    assert world.events[-1] == "died"
    assert not world.is_won
