import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.mini.racer.track import HALF_WIDTH, generate
from nitrogen.mini.racer.world import TOP_SPEED, RacerWorld
from nitrogen.mini.world import Pad

GAS = Pad(right_trigger=1.0)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_tracks_are_closed_and_drivable(seed: int) -> None:
    track = generate(np.random.default_rng(seed))

    steps = np.hypot(*(np.roll(track.points, -1, 0) - track.points).T)
    assert 280 < track.length < 420
    assert steps.max() < 1.5 * track.spacing
    assert np.abs(track.bends).max() < 1 / HALF_WIDTH
    assert abs(track.bends.sum() * track.spacing) > 6  # once round


def test_left_steers_left_and_brakes_stop() -> None:
    world = RacerWorld(generate(np.random.default_rng(1)))
    start = world.heading
    for _ in range(15):
        world.step(GAS)
    assert 3 < world.speed < TOP_SPEED
    assert world.heading == start
    world.step(Pad(left_x=-1.0))
    # y grows down: to turn left is to turn counter-clockwise on the screen.
    assert (world.heading - start + np.pi) % (2 * np.pi) - np.pi < 0
    for _ in range(30):
        world.step(Pad(west=True))
    assert world.speed == 0


def test_leaving_the_road_loses_after_a_while() -> None:
    world = RacerWorld(generate(np.random.default_rng(1)))
    seen: list[str] = []
    for _ in range(720):
        world.step(Pad(left_x=0.3, right_trigger=1.0))
        seen += world.events
        if world.is_over:
            break

    assert not world.is_won
    assert seen[-1] == "stayed off the road"
    assert "left the road" in seen
    assert world.progress < 0.5


def test_driving_backwards_is_no_progress() -> None:
    world = RacerWorld(generate(np.random.default_rng(2)))
    world.heading += np.pi
    for _ in range(60):
        world.step(Pad(right_trigger=0.6))

    assert world.progress == 0.0
