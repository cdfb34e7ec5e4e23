import pytest
import torch

from nitrogen.errors import TrainingError
from nitrogen.model.layout import TENSOR_BUTTONS
from nitrogen.train.importance import importance, of_controls, onset_weights


def rest(rows):
    plans = torch.zeros(1, rows, 25)
    plans[..., 21:] = 0.5
    return plans


def test_onset_weights_are_near_changes_of_buttons_only():
    plans = rest(10)
    plans[0, 5:, 3] = 1
    plans[0, 2:, 22] = 1

    weights = onset_weights(plans, 4.0)

    assert weights[0, :, 3].tolist() == [1, 1, 1, 5, 5, 5, 5, 5, 1, 1]
    assert (weights[..., :3] == 1).all()
    assert (weights[..., 4:] == 1).all()


def test_active_rows_and_controls_count_more():
    plans = rest(4)
    plans[0, 1, 3] = 1
    plans[0, 2, 21] = 0.8

    weights = importance(plans, active=2.0, controls=("south=3", "sticks=0.5", "left_x=4"))

    south = TENSOR_BUTTONS.index("south")
    assert weights[0, :, 0].tolist() == [1, 3, 3, 1]
    assert weights[0, :, south].tolist() == [3, 9, 9, 3]
    assert weights[0, 0, 21:].tolist() == [2, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (("sout=3",), "did you mean south"),
        (("south",), "NAME=FACTOR"),
        (("south=-1",), "NAME=FACTOR"),
        (("buttons=0", "sticks=0"), "every control"),
    ],
)
def test_what_names_no_control_is_refused(entries, message):
    with pytest.raises(TrainingError, match=message):
        of_controls(entries)
