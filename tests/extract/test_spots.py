import numpy as np
import pytest

from nitrogen.actions import BUTTON_INDEX, BUTTONS
from nitrogen.extract import roles
from nitrogen.extract.spots import MOST, Spots
from nitrogen.overlay.crops import states
from nitrogen.overlay.sketch import sketch_of, take_states
from nitrogen.overlay.skin import find_skin

SIZE = (128, 96)
DIAMONDS = (*roles.FACE, *roles.ARMS)


@pytest.fixture(scope="module")
def played():
    """States of a pad, their pictures over grey, and the resting picture."""
    sketch = sketch_of(find_skin("parallel_dark"), SIZE)
    rows = take_states(states(np.random.default_rng(0), 60), sketch)
    drawn = np.empty((len(rows), SIZE[1], SIZE[0], 4), np.uint8)
    sketch.draw(rows, drawn)
    ground = 90 * (1 - drawn[..., 3:] / 255.0)
    pictures = np.clip(drawn[..., :3] + ground, 0, 255).astype(np.uint8)
    return rows, pictures, np.median(pictures, axis=0).astype(np.int16)


def test_spots_are_lit_when_their_button_is_held(played):
    rows, pictures, rest = played
    spots = Spots(pictures, rest)
    levels = spots.level(pictures.astype(np.int16) - rest)
    assert levels.shape == (len(pictures), MOST)
    together = roles.correlations(levels[:, : len(spots)], rows.pressed().astype(np.float32))
    for name in DIAMONDS:
        assert together[:, BUTTON_INDEX[name]].max() > 0.95


def test_diamonds_are_told_without_a_network(played):
    rows, pictures, rest = played
    spots = Spots(pictures, rest)
    levels = spots.level(pictures.astype(np.int16) - rest)[:, : len(spots)]
    blind = np.zeros((len(pictures), len(BUTTONS)), np.float32)
    found = roles.assign(spots.places, spots.sizes, levels, blind, blind[:, :4])
    for name in DIAMONDS:
        lit = levels[:, found[name]].mean(axis=1) > 0.5
        assert (lit == rows.pressed()[:, BUTTON_INDEX[name]]).mean() > 0.98


def test_nothing_lights_up_in_a_still_picture():
    still = np.full((20, 96, 128, 3), 90, np.uint8)
    spots = Spots(still, still[0].astype(np.int16))
    assert len(spots) == 0
    blind = np.zeros((20, len(BUTTONS)), np.float32)
    levels = spots.level(still.astype(np.int16) - 90)[:, :0]
    assert roles.assign(spots.places, spots.sizes, levels, blind, blind[:, :4]) == {}


def test_a_moving_edge_is_no_switch():
    time = np.linspace(0, 20, 400, dtype=np.float32)
    assert roles.is_switch((np.sin(time) > 0.7).astype(np.float32))
    assert not roles.is_switch((np.sin(time) + 1) / 2)


def test_two_alike_side_by_side_are_south_and_east():
    places = np.array([[0.72, 0.66], [0.85, 0.67], [0.5, 0.67]], np.float32)
    sizes = np.array([220, 215, 90], np.float32)
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.random((60, 3)) < 0.3, 4, axis=0).astype(np.float32)
    blind = np.zeros((240, 17), np.float32)
    found = roles.assign(places, sizes, levels, blind, blind[:, :4], two_faces=True)
    assert found == {"south": [0], "east": [1]}
    assert not {"south", "east"} & set(
        roles.assign(places, sizes, levels, blind, blind[:, :4], two_faces=False)
    )


def test_a_control_that_is_held_most_of_the_time_is_told_by_its_counterpart():
    rng = np.random.default_rng(0)
    pictures = np.full((200, 96, 128, 3), 70, np.uint8)
    pictures[:, 10:86, 12:116] = 110  # the pad, whose middle lies beside the picture's
    held = np.repeat(rng.random((20, 2)) < [0.2, 0.75], 10, axis=0)
    for side, left in enumerate((20, 94)):
        square = np.s_[20:32, left : left + 14]
        pictures[:, *square] = 60
        pictures[held[:, side], *square] = (0, 230, 230)
    rest = np.median(pictures, axis=0).astype(np.int16)
    spots = Spots(pictures, rest)
    levels = spots.level(pictures.astype(np.int16) - rest)[:, : len(spots)]
    assert len(spots) == 2
    for spot, (x, _) in enumerate(spots.places):
        assert np.array_equal(levels[:, spot] > 0.5, held[:, int(x > 0.5)])
    released = pictures[~held.any(axis=1)][0]
    assert np.abs(spots.released - released).max() <= 1


def test_a_button_that_is_held_half_of_the_time_is_told_by_another_of_its_kind():
    held = np.zeros((200, 2), np.bool_)
    held[120:140, 0] = True
    held[:100, 1] = held[150:160, 1] = True
    pictures = np.full((200, 96, 128, 3), 120, np.uint8)
    for side, square in enumerate([np.s_[40:52, 80:92], np.s_[40:52, 104:116]]):
        pictures[:, *square] = (200, 60, 60)
        pictures[held[:, side], *square] = (250, 250, 250)
    spots = Spots(pictures, np.median(pictures, axis=0).astype(np.int16))

    assert len(spots) == 2
    levels = spots.level(pictures.astype(np.int16) - np.median(pictures, axis=0).astype(np.int16))
    for spot, (x, _) in enumerate(spots.places):
        assert np.array_equal(levels[:, spot] > 0.5, held[:, int(x > 0.75)])
