"""Buttons that light up in one colour over a game that moves, and what a network half sees."""

import numpy as np
import pytest

from nitrogen.extract.tints import MOST, Tints

CYAN, ORANGE = (0, 255, 255), (255, 140, 0)
PLACES = ((20, 30), (20, 50), (60, 90), (60, 110), (40, 70))
SIDE = 7


def scenery(count: int, rng: np.random.Generator) -> np.ndarray:
    """Dull blocks that change all the time, (count, 96, 128, 3)."""
    blocks = rng.integers(60, 180, (count, 12, 16, 1)).repeat(3, axis=3)
    blocks = np.clip(blocks + rng.integers(-25, 25, blocks.shape), 0, 255)
    return blocks.astype(np.uint8).repeat(8, axis=1).repeat(8, axis=2)


def played(count: int, colours: tuple, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, what is held in each (count, 5), and hints (count, 17) of a poor network."""
    rng = np.random.default_rng(seed)
    pictures = scenery(count, rng)
    held = np.repeat(rng.random((count // 6, len(PLACES))) < 0.25, 6, axis=0)
    held[:, -1] = False
    held[30:33, -1] = True  # pressed once
    for button, (top, left) in enumerate(PLACES):
        square = np.s_[top : top + SIDE, left : left + SIDE]
        pictures[held[:, button], *square] = colours[button]
    hints = np.zeros((count, 17), np.float32)
    seen = held + rng.normal(0, 0.4, held.shape)
    hints[:, : len(PLACES)] = np.clip(0.8 * seen, 0, 1)
    hints[:, len(PLACES) - 1] = 0  # the network does not see it at all
    return pictures, held, hints


def test_all_buttons_of_the_press_colour_are_found_also_one_that_is_pressed_once():
    pictures, held, hints = played(180, (CYAN,) * 5)
    tints = Tints(pictures, hints)
    assert len(tints) == len(PLACES)
    lit = tints.level(pictures)[:, : len(tints)] > 0.5
    centres = {
        (round(float(x) * 128 - SIDE / 2), round(float(y) * 96 - SIDE / 2)): spot
        for spot, (x, y) in enumerate(tints.places)
    }
    for button, (top, left) in enumerate(PLACES):
        assert np.array_equal(lit[:, centres[left, top]], held[:, button])
    assert tints.sizes.min() >= (SIDE - 1) ** 2


def test_pixels_of_the_colour_elsewhere_are_counted():
    pictures, _, hints = played(180, (CYAN,) * 5)
    tints = Tints(pictures, hints)
    assert tints.level(pictures)[:, MOST].max() == 0
    pictures[7, 80:84, 10:15] = CYAN
    assert tints.level(pictures)[7, MOST] == 20


def test_two_press_colours_are_both_found():
    pictures, held, hints = played(180, (CYAN, CYAN, ORANGE, ORANGE, ORANGE))
    tints = Tints(pictures, hints)
    lit = tints.level(pictures)[:, : len(tints)] > 0.5
    for button in range(len(PLACES)):
        assert (lit == held[:, button, None]).all(axis=0).any()


def test_a_trigger_that_fills_is_one_spot():
    pictures, _, hints = played(180, (CYAN,) * 5)
    travel = np.clip(np.sin(np.arange(180) / 7) * 1.6, 0, 1)
    for picture, share in zip(pictures, travel, strict=True):
        rows = round(12 * share)
        picture[92 - rows : 92, 20:32] = CYAN
    hints[:, 8] = travel
    tints = Tints(pictures, hints)
    level = tints.level(pictures)[:, : len(tints)]
    together = [np.corrcoef(level[:, spot], travel)[0, 1] for spot in range(len(tints))]
    assert max(together) > 0.95


def test_a_thing_of_the_game_that_moves_hides_no_control():
    pictures, held, hints = played(180, (CYAN,) * 5)
    rng = np.random.default_rng(1)
    for picture in pictures:
        top, left = rng.integers(75, 85), rng.integers(5, 110)
        picture[top : top + 5, left : left + 9] = CYAN
    tints = Tints(pictures, hints)
    assert len(tints) <= len(PLACES) + 1
    lit = tints.level(pictures)[:, : len(tints)] > 0.5
    for button in range(len(PLACES)):
        assert (lit == held[:, button, None]).all(axis=0).any()


@pytest.mark.parametrize("count", [4, 180])
def test_nothing_is_found_without_presses(count):
    rng = np.random.default_rng(2)
    pictures = scenery(count, rng)
    tints = Tints(pictures, rng.random((count, 17)).astype(np.float32))
    assert len(tints) == 0
    assert not tints.level(pictures).any()
