import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTON_INDEX, Actions
from nitrogen.extract.matched import bridged
from nitrogen.extract.refine import held, refine


def taps(*lengths):
    pressed = []
    for length in lengths:
        pressed += [0.0] * 5 + [1.0] * length
    column = np.array([*pressed, 0, 0, 0, 0, 0], np.float32)
    actions = Actions.released(len(column))
    actions.buttons[:, BUTTON_INDEX["south"]] = column
    return actions


def test_taps_of_two_frames_stay_and_doubtful_single_frames_go():
    refined = refine(taps(1, 2, 3))

    assert refined.button("south").sum() == 5


def test_single_frames_that_are_certain_stay():
    actions = taps(1, 2)

    refined = refine(actions, confidence=np.ones(len(actions), np.float32))
    assert refined.button("south").sum() == 3


@settings(deadline=None)
@given(offset=st.floats(-0.07, 0.07), scale=st.floats(0.3, 1.0))
def test_unknown_travel_does_not_matter(offset, scale):
    rng = np.random.default_rng(0)
    path = np.repeat(rng.choice([-1.0, 0.0, 0.0, 0.5, 1.0], 100), 10)
    actions = Actions.released(1000)
    actions.sticks[:] = path[:, None]
    moved = Actions(actions.buttons, np.clip(actions.sticks * scale + offset * scale, -1, 1))

    refined = refine(moved, travel_known=False)
    np.testing.assert_allclose(refined.sticks, actions.sticks, atol=0.1)


def test_a_known_travel_keeps_its_scale():
    actions = Actions.of(left_x=0.5, length=100)

    np.testing.assert_allclose(refine(actions).sticks[:, 0], 0.5, atol=1e-6)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=5, max_size=30))
def test_rows_without_sight_repeat_the_last_that_was_seen(visible):
    shown = np.array(visible)
    actions = Actions.released(len(shown))
    actions.sticks[:, 0] = np.linspace(-1, 1, len(shown))

    rows = held(actions, shown)

    np.testing.assert_array_equal(rows.sticks[shown], actions.sticks[shown])
    if not shown.any():
        assert not rows.sticks.any()
    for row in np.flatnonzero(~shown):
        before = np.flatnonzero(shown[:row])
        if len(before):
            assert rows.sticks[row, 0] == actions.sticks[before[-1], 0]


def test_a_stick_out_of_sight_is_led_straight_on():
    places = np.stack([np.linspace(-1, 1, 41), np.zeros(41)], axis=1).astype(np.float32)
    seen, score = places.copy(), np.ones(41, np.float32)
    seen[10:14], score[10:14] = 0.9, 0.2

    np.testing.assert_allclose(bridged(seen, score), places, atol=1e-6)
    score[5:30] = 0.2
    np.testing.assert_array_equal(bridged(seen, score), seen)  # too long to guess
