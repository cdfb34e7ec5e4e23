import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, Actions
from nitrogen.errors import SkinError
from nitrogen.overlay.render import Placement, Renderer, place
from nitrogen.overlay.skin import find_skin
from nitrogen.overlay.sprites import scaled

SKIN = find_skin("nitrogen")
PLACEMENT = Placement(3.3, 2.6, 0.5, 0.5)
RENDERER = Renderer(SKIN, PLACEMENT)


def area(name):
    """Canvas pixels that a button's layers may change."""
    mask = np.zeros(RENDERER.draw(Actions.released(1)).shape[:2], bool)
    for layer in SKIN.layers:
        if getattr(layer, "button", None) == name or (
            name.endswith("thumb") and getattr(layer, "side", None) == name.split("_")[0]
        ):
            mask |= RENDERER.reach(layer)
    return mask


@pytest.mark.parametrize("name", BUTTONS)
def test_a_pressed_button_changes_only_its_own_area(name):
    released = RENDERER.draw(Actions.released(1)).copy()
    changed = np.abs(RENDERER.draw(Actions.of(name)) - released).max(axis=2) > 1e-3

    assert changed.any()
    assert not (changed & ~area(name)).any()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_is_drawn_depends_on_the_state_alone(data):
    pressed = data.draw(st.lists(st.sampled_from(BUTTONS), unique=True))
    state = Actions.of(*pressed, left_x=data.draw(st.floats(-1, 1)))
    fresh = Renderer(SKIN, PLACEMENT).draw(state)

    RENDERER.draw(Actions.of("south", right_y=0.3))
    np.testing.assert_allclose(RENDERER.draw(state), fresh, atol=1e-4)


def test_alpha_never_exceeds_one_and_colour_never_alpha():
    picture = RENDERER.draw(Actions.of("south", "dpad_up", left_trigger=0.4))

    assert picture[..., 3].min() >= 0
    assert picture[..., 3].max() <= 1 + 1e-5
    assert (picture[..., :3] <= 255 * picture[..., 3:] + 0.01).all()


@settings(deadline=None)
@given(shift=st.floats(0, 1))
def test_a_sprite_moves_by_fractions_of_a_pixel(shift):
    dot = np.zeros((9, 9, 4), np.uint8)
    dot[3:6, 3:6] = 255
    left, _, pixels = scaled(dot, (10 + shift, 10), (1.0, 1.0))
    cover = pixels[..., 3]
    centre = (cover.sum(axis=0) * (np.arange(cover.shape[1]) + 0.5)).sum() / cover.sum() + left

    assert centre == pytest.approx(14.5 + shift, abs=0.15)


def test_blend_touches_only_the_box_and_cuts_at_the_edge():
    renderer = Renderer(SKIN, Placement(-50, 80, 0.4, 0.4))
    frame = np.full((200, 300, 3), 77, np.uint8)
    renderer.blend(frame, Actions.of("east"))
    x, y, width, height = renderer.box

    outside = np.ones(frame.shape[:2], bool)
    outside[max(y, 0) : y + height, max(x, 0) : x + width] = False
    assert (frame[outside] == 77).all()
    assert (frame != 77).any()


def test_no_opacity_leaves_the_frame_alone():
    frame = np.full((200, 300, 3), 77, np.uint8)
    Renderer(SKIN, Placement(10, 10, 0.3, 0.3, opacity=0.0)).blend(frame, Actions.released(1))

    assert (frame == 77).all()


@pytest.mark.parametrize("corner", ["top_left", "top_right", "bottom_left", "bottom_right"])
def test_place_keeps_inside_the_frame(corner):
    x, y, width, height = place(SKIN, (1280, 720), corner=corner).box(SKIN.canvas)

    assert x >= 0
    assert y >= 0
    assert x + width <= 1280
    assert y + height <= 720


def test_unknown_corner():
    with pytest.raises(SkinError, match="no corner 'middle'"):
        place(SKIN, (1280, 720), corner="middle")


def test_triggers_fill_upwards():
    half = RENDERER.draw(Actions.of(left_trigger=0.5)).copy()
    full = RENDERER.draw(Actions.of(left_trigger=1.0)).copy()
    empty = RENDERER.draw(Actions.released(1))
    rows = np.flatnonzero(area("left_trigger").any(axis=1))
    upper, lower = slice(rows[2], rows[5]), slice(rows[-5], rows[-2])

    np.testing.assert_allclose(half[upper], empty[upper], atol=0.01)
    np.testing.assert_allclose(half[lower], full[lower], atol=0.01)


def test_a_leaning_sprite_is_foreshortened_about_its_middle():
    disc = np.zeros((41, 41, 4), np.uint8)
    disc[4:37, 4:37] = 255
    left, top, pixels = scaled(disc, (10, 10), (1.0, 1.0), (60.0, 0.0))
    columns, rows = np.nonzero(pixels[..., 3] > 0.5)[::-1]

    assert np.ptp(columns) + 1 == pytest.approx(33 / 2, abs=1.1)
    assert np.ptp(rows) + 1 == pytest.approx(33, abs=1.1)
    assert columns.mean() + left == pytest.approx(30, abs=0.6)
    assert rows.mean() + top == pytest.approx(30, abs=0.6)
