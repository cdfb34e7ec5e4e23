import numpy as np
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.errors import ActionsError


def equal(one: Actions, other: Actions) -> bool:
    return np.array_equal(one.buttons, other.buttons) and np.array_equal(one.sticks, other.sticks)


@given(strategies.actions(min_length=1))
def test_steps_put_together_again_are_the_same(actions):
    steps = [Actions.from_step(actions[i : i + 1].as_step()) for i in range(len(actions))]

    assert equal(Actions.concatenate(steps), actions)


@given(strategies.actions(), st.integers(0, 20), st.integers(0, 20))
def test_slices_have_the_rows_asked_for(actions, start, stop):
    part = actions[start:stop]

    np.testing.assert_array_equal(part.buttons, actions.buttons[start:stop])
    np.testing.assert_array_equal(part.sticks, actions.sticks[start:stop])


def test_order_is_the_published_one():
    assert len(BUTTONS) == 17
    assert tuple(sorted(BUTTONS)) == BUTTONS
    assert STICKS == ("left_x", "left_y", "right_x", "right_y")


def test_of_names_controls():
    actions = Actions.of("south", left_x=0.5, left_trigger=0.25, length=3)

    assert len(actions) == 3
    assert (actions.button("south") == 1).all()
    assert (actions.stick("left_x") == 0.5).all()
    assert (actions.button("left_trigger") == 0.25).all()
    assert actions.pressed().sum() == 3


def test_menu_buttons_can_be_released():
    actions = Actions.of("start", "back", "guide", "south").without_menu_buttons()

    assert actions.pressed().sum() == 1


@pytest.mark.parametrize(
    ("buttons", "sticks", "message"),
    [
        (np.zeros((2, 16)), np.zeros((2, 4)), r"buttons must have shape \(T, 17\)"),
        (np.zeros((2, 17)), np.zeros(4), r"sticks must have shape \(T, 4\)"),
        (np.zeros((2, 17)), np.zeros((3, 4)), "same length"),
        (np.full((1, 17), np.nan), np.zeros((1, 4)), "NaN"),
        (np.full((1, 17), 1.5), np.zeros((1, 4)), r"must lie in \[0, 1\]"),
        (np.full((1, 17), -0.1), np.zeros((1, 4)), r"must lie in \[0, 1\]"),
        (np.zeros((1, 17)), np.full((1, 4), -1.01), r"must lie in \[-1, 1\]"),
        (np.full((1, 17), "south"), np.zeros((1, 4)), "must be numbers"),
    ],
)
def test_bad_values_are_refused(buttons, sticks, message):
    with pytest.raises(ActionsError, match=message):
        Actions(buttons, sticks)


def test_other_misuse_is_refused():
    with pytest.raises(ActionsError, match="no control 'A'"):
        Actions.of("A")
    with pytest.raises(ActionsError, match="exactly one frame"):
        Actions.released(2).as_step()
    with pytest.raises(ActionsError, match="sliced"):
        Actions.released(2)[0]
    with pytest.raises(ActionsError, match="keys buttons and sticks"):
        Actions.from_step({"buttons": np.zeros(17)})
