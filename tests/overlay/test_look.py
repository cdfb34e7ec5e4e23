import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.overlay.look import Look, Overlay, dressed
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import find_skin

SKIN = find_skin("retro_grey")
PLACEMENT = Placement(30.25, 20.5, 0.2, 0.2)


def ground():
    return np.full((120, 200, 3), 77, np.uint8)


def blended(look, placement=PLACEMENT, actions=None):
    frame = ground()
    Overlay(SKIN, placement, look).blend(frame, actions or Actions.of("south"))
    return frame


def test_the_plain_look_is_the_renderers():
    frame = ground()
    Renderer(SKIN, PLACEMENT).blend(frame, Actions.of("south"))

    np.testing.assert_array_equal(frame, blended(Look()))


@settings(max_examples=20, deadline=None)
@given(
    opacity=st.floats(0, 1), blur=st.floats(0, 1.5), shadow=st.floats(0, 1),
    tint=st.tuples(*[st.floats(0.5, 1.5)] * 3), box=st.sampled_from([None, (0, 177, 64)]),
)  # fmt: skip
def test_dressed_pictures_stay_premultiplied(opacity, blur, shadow, tint, box):
    look = Look(opacity=opacity, blur=blur, shadow=shadow, tint=tint, box=box)
    picture = dressed(Renderer(SKIN, PLACEMENT).draw(Actions.released(1)), look)

    assert picture[..., 3].max() <= 1 + 1e-4
    assert picture.min() >= -1e-3
    assert (picture[..., :3] <= 255 * picture[..., 3:] + 0.1).all()


def test_opacity_mixes_with_the_picture():
    half, full = blended(Look(opacity=0.5)).astype(int), blended(Look()).astype(int)

    assert np.abs(half - (full + 77) / 2).max() <= 1
    assert (blended(Look(opacity=0)) == 77).all()


def test_each_setting_does_what_it_says():
    plain = blended(Look()).astype(int)
    rows, columns = slice(25, 80), slice(40, 150)

    assert blended(Look(tint=(0.5, 1, 1)))[rows, columns, 0].mean() < plain[rows, columns, 0].mean()
    assert (blended(Look(box=(0, 177, 64))) == (0, 177, 64)).all(axis=2).sum() > 500
    assert (blended(Look(shadow=0.8)).astype(int) - plain).min() < -10
    sharp, soft = (np.abs(np.diff(blended(Look(blur=b)).astype(int), axis=1)).sum() for b in (0, 2))
    assert soft < 0.9 * sharp


def test_the_box_does_not_follow_the_dressing():
    assert Overlay(SKIN, PLACEMENT, Look(shadow=1, blur=2)).box == PLACEMENT.box(SKIN.canvas)


@pytest.mark.parametrize("x", [-40, 150, 400])
def test_what_lies_outside_is_cut(x):
    frame = blended(Look(box=(1, 2, 3), shadow=0.5), Placement(x, 60, 0.2, 0.2))

    assert (frame == 77).all() == (x == 400)


def test_state_and_look_are_redrawn():
    overlay = Overlay(SKIN, PLACEMENT, Look(shadow=0.5))
    first, second, third = ground(), ground(), ground()
    overlay.blend(first, Actions.of("south"))
    overlay.blend(second, Actions.released(1))
    overlay.blend(third, Actions.of("south"))

    assert (first != second).any()
    np.testing.assert_array_equal(first, third)
