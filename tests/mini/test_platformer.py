import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.mini.platformer import expert
from nitrogen.mini.platformer.level import GAP, Level, Walker, generate
from nitrogen.mini.platformer.world import JUMP, RUN, PlatformerWorld
from nitrogen.mini.world import Pad, generators

RIGHT, JUMPING = Pad(left_x=1.0), Pad(south=True)


def flat(*, gaps: tuple[int, ...] = (), walls: dict[int, float] | None = None) -> Level:
    heights = [2.0] * 40
    for column in gaps:
        heights[column] = GAP
    for column, height in (walls or {}).items():
        heights[column] = height
    return Level(heights=tuple(heights), spikes=(False,) * 40, walkers=(), obstacles=0, flag=35.0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31))
def test_levels_are_full_of_obstacles_and_end_flat(seed: int) -> None:
    level = generate(np.random.default_rng(seed))

    assert level.obstacles >= 8
    assert len(level.heights) == len(level.spikes) >= 84
    assert set(level.heights[-7:]) == {level.heights[-1]}
    assert all(height == GAP or 1 <= height <= 4 for height in level.heights)
    gaps = "".join(" " if height > 0 else "x" for height in level.heights).split()
    assert all(len(gap) <= 3 for gap in gaps)


def test_jump_height_depends_on_how_long_the_button_is_held() -> None:
    def top(held: int) -> float:
        world = PlatformerWorld(flat())
        heights = []
        for step in range(40):
            world.step(JUMPING if step < held else Pad())
            heights.append(world.y)
        return max(heights) - 2.0

    tops = [top(held) for held in (1, 5, 9, 14)]
    assert tops == sorted(tops)
    assert tops[0] < 1.2 < 2.5 < tops[-1]


def test_speeds_are_bounded_and_walls_stop() -> None:
    world = PlatformerWorld(flat(walls={12: 4.0}))
    for _ in range(120):
        world.step(RIGHT)
        assert abs(world.vx) <= RUN
        assert world.vy <= JUMP
    assert 11 < world.x < 12
    assert world.vx == 0


def test_running_into_a_gap_loses_and_jumping_late_does_not() -> None:
    world = PlatformerWorld(flat(gaps=(10, 11)))
    while not world.is_over:
        world.step(RIGHT)
    assert world.events == ["fell"]

    world = PlatformerWorld(flat(gaps=(10, 11)))
    while world.grounded:
        world.step(RIGHT)
    world.step(Pad(left_x=1.0, south=True))
    assert world.events == ["jumped"]
    for _ in range(30):
        world.step(RIGHT)
    assert world.grounded
    assert world.x > 12


@pytest.mark.parametrize(("y", "won"), [(0.0, False), (1.5, True)])
def test_enemies_die_from_above_only(y: float, *, won: bool) -> None:
    level = flat()
    walker = Walker(left=5.0, right=9.0, height=2.0, speed=1.0, phase=0.0)
    world = PlatformerWorld(
        Level(level.heights, level.spikes, (walker,), level.obstacles, level.flag)
    )
    world.x, world.y, world.grounded = 5.2, 2.0 + y, not won
    for _ in range(20):
        world.step(Pad())
        if world.events:
            break

    assert world.events == ["defeated an enemy" if won else "hit an enemy"]
    assert world.is_over != won


@pytest.mark.parametrize("delay", [2, 4])
def test_expert_has_a_margin(delay: int) -> None:
    won = 0
    for seed in range(1_000_000, 1_000_010):
        world = PlatformerWorld(generate(generators(seed)[0]))
        pads = [Pad()] * delay
        for _ in range(720):
            pads.append(expert.play(world))
            world.step(pads[-1 - delay])
            if world.is_over:
                break
        won += world.is_won

    assert won >= 9
