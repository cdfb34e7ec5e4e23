import cv2
import numpy as np
import pytest

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


def dark_on_dark(picture: np.ndarray, x: float, y: float) -> None:
    """A dark cap with a rim, of its base's brightness."""
    draw(picture, x, y, 7, (45, 45, 45), -1)
    draw(picture, x, y, 7, (28, 28, 28), 1)


def draw(picture: np.ndarray, x: float, y: float, radius: int, colour, thickness: int) -> None:
    at = (round(16 * x), round(16 * y))  # in sixteenths of a pixel
    cv2.circle(picture, at, 16 * radius, colour, thickness, cv2.LINE_AA, shift=4)


def played(cap, *, body: bool):
    """Pictures of two sticks, and their deflections (200, 4)."""
    sticks = motion(np.random.default_rng(5), 3 * COUNT, rate_hz=30)[::3].sticks
    pictures = game(1)
    for picture, row in zip(pictures, sticks, strict=True):
        if body:
            picture[40:92, 8:120] = 8
        for side, (x, y) in enumerate(CENTRES):
            if body:
                draw(picture, x, y, 8, (45, 45, 45), -1)
            cap(picture, x + TRAVEL * row[2 * side], y + TRAVEL * row[2 * side + 1])
    return caps.high_passed(pictures), sticks


@pytest.mark.parametrize(("cap", "body"), [(faint_line, False), (dark_on_dark, True)])
def test_sticks_are_found_by_their_edge(cap, body):
    pictures, sticks = played(cap, body=body)
    found = rings(pictures, 1.0)
    sides = set()
    for ring in found:
        places = ring.find(pictures)
        agreed = [caps.agreement(places.at, sticks[:, 2 * s : 2 * s + 2]) for s in (0, 1)]
        side = int(np.argmax(agreed))
        sides.add(side)
        assert agreed[side] > 0.9
        rest = np.add(ring.centre, ring.home)
        assert np.abs(rest - CENTRES[side]).max() < 1
    assert sides == {0, 1}


def test_a_game_alone_has_no_sticks():
    assert rings(caps.high_passed(game(2)), 1.0) == []
