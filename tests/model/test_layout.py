import numpy as np
import pytest
import strategies
import torch
from hypothesis import given

from nitrogen.actions import BUTTONS, Actions
from nitrogen.errors import ActionsError
from nitrogen.model import layout, pads


@given(actions=strategies.actions())
def test_round_trip(actions):
    back = layout.from_tensor(layout.to_tensor(actions))

    np.testing.assert_array_equal(back.buttons, actions.pressed())
    np.testing.assert_allclose(back.sticks, actions.sticks, atol=1e-6)


def test_order_and_scale():
    values = layout.to_tensor(Actions.of("back", "west", left_x=1.0, right_y=-1.0))
    assert values.shape == (1, layout.ACTION_VALUES) == (1, 25)
    pressed = [name for name, on in zip(layout.TENSOR_BUTTONS, values[0], strict=False) if on]
    assert pressed == ["back", "west"]
    assert values[0, 21:].tolist() == [1.0, 0.5, 0.5, 0.0]
    assert list(layout.TENSOR_BUTTONS) == sorted(layout.TENSOR_BUTTONS)
    assert set(layout.TENSOR_BUTTONS) - set(BUTTONS) == set(layout.LEGACY_BUTTONS)


def test_legacy_buttons_are_ignored():
    values = torch.zeros(1, 25)
    for name in layout.LEGACY_BUTTONS:
        values[0, layout.TENSOR_BUTTONS.index(name)] = 1.0
    values[0, 21:] = 0.5
    assert not layout.from_tensor(values).pressed().any()


def test_out_of_range_values_are_clamped():
    decoded = layout.from_tensor(torch.full((1, 25), 3.0))
    assert decoded.sticks.tolist() == [[1, 1, 1, 1]]
    assert (decoded.buttons == 1).all()


@pytest.mark.parametrize(
    "values", [torch.zeros(3, 24), torch.zeros(25), torch.full((1, 25), torch.nan)]
)
def test_bad_values_are_refused(values):
    with pytest.raises(ActionsError):
        layout.from_tensor(values)


@given(actions=strategies.actions(min_length=1))
def test_named_states_say_the_same_in_every_family(actions):
    for family in pads.FAMILIES:
        states = pads.decode(actions, family)
        names = pads.button_names(family)
        assert len(set(names.values())) == len(BUTTONS)
        for row, state in enumerate(states):
            for column, name in enumerate(BUTTONS):
                assert state[names[name]] == actions.pressed()[row, column]
            assert state["left_x"] == actions.sticks[row, 0]


def test_families_print_their_own_names():
    south = Actions.of("south")
    assert pads.decode(south, "xbox")[0]["a"] is True
    assert pads.decode(south, "playstation")[0]["cross"] is True
    assert pads.decode(layout.to_tensor(south), "switch")[0]["b"] is True
    with pytest.raises(ActionsError, match="did you mean xbox"):
        pads.decode(south, "xbxo")
