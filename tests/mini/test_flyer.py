import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.mini.flyer.level import generate
from nitrogen.mini.flyer.world import HEARTS, FlyerWorld
from nitrogen.mini.world import Pad


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31))
def test_caves_have_room_everywhere(seed: int) -> None:
    level = generate(np.random.default_rng(seed))

    for x in np.linspace(0, level.end, 300):
        top, bottom = level.gap(float(x))
        assert bottom - top > 20
        assert 0 < top < bottom < 90
    for foe in level.foes:
        top, bottom = level.gap(foe.x)
        assert top < foe.y - foe.swing
        assert foe.y + foe.swing < bottom


def test_three_hits_are_the_end() -> None:
    world = FlyerWorld(generate(np.random.default_rng(1)))
    events = []
    while not world.is_over:
        world.step(Pad(left_y=1.0))
        events += world.events

    assert events.count("was hit") == HEARTS
    assert events[-1] == "crashed"
    assert not world.is_won


def test_shots_bring_enemies_down() -> None:
    world = FlyerWorld(generate(np.random.default_rng(1)))
    while not world.foes():
        world.step(Pad())
    number, _, y = world.foes()[0]
    world.y, world.relief = y, 999
    for _ in range(40):
        world.y = next((y for each, _, y in world.foes() if each == number), world.y)
        world.step(Pad(south=True))

    assert number in world.defeated
    assert world.shot_down >= 1
