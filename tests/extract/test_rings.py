import cv2
import numpy as np

from nitrogen.extract import caps
from nitrogen.extract.rings import rings
from nitrogen.overlay.synth import motion

CENTRES = ((44, 66), (84, 66))
TRAVEL = 5.5
COUNT = 200


def game(seed: int) -> np.ndarray:
    """Pictures (200, 96, 128, 3) of coloured hills that scroll by."""
    blocks = np.random.default_rng(seed).integers(60, 160, (12, 60, 3), np.uint8)
    land = cv2.resize(blocks, (16 * 60, 16 * 12), interpolation=cv2.INTER_CUBIC)
    return np.stack([land[:96, 2 * at : 2 * at + 128] for at in range(COUNT)])


def faint_line(picture: np.ndarray, x: float, y: float) -> None:
    """A ring of one pixel, half transparent, over whatever is there."""
    drawn = picture.copy()
    draw(drawn, x, y, 8, (230, 230, 230), 1)
    picture[:] = cv2.addWeighted(picture, 0.5, drawn, 0.5, 0)


def draw(picture: np.ndarray, x: float, y: float, radius: int, colour, thickness: int) -> None:
    at = (round(16 * x), round(16 * y))  # in sixteenths of a pixel
    cv2.circle(picture, at, 16 * radius, colour, thickness, cv2.LINE_AA, shift=4)


def test_sticks_are_found_by_their_edge():
    sticks = motion(np.random.default_rng(5), 3 * COUNT, rate_hz=30)[::3].sticks
    pictures = game(1)
    for picture, row in zip(pictures, sticks, strict=True):
        for side, (x, y) in enumerate(CENTRES):
            faint_line(picture, x + TRAVEL * row[2 * side], y + TRAVEL * row[2 * side + 1])
    passed = caps.high_passed(pictures)
    found = rings(passed, 1.0)
    for side, centre in enumerate(CENTRES):
        (ring,) = (one for one in found if np.hypot(*np.subtract(one.centre, centre)) < 5)
        assert np.abs(np.add(ring.centre, ring.home) - centre).max() < 1
        places = ring.find(passed)
        followed = caps.deflections(
            places, np.zeros((COUNT, 2)), 1.0, opaque=False, explained=ring.explained
        )
        truth = sticks[:, 2 * side : 2 * side + 2]
        assert np.square(followed - truth).mean() < 0.05 * truth.var()


def test_a_game_alone_has_no_sticks():
    assert rings(caps.high_passed(game(2)), 1.0) == []


def test_a_picture_that_never_changes_has_no_sticks():
    still = np.repeat(game(3)[:1], 30, axis=0)
    assert rings(caps.high_passed(still), 1.0) == []
