import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.data.samples import Run, Samples
from nitrogen.errors import TrainingError
from nitrogen.train.labels import check_labels, odd_labels


def with_frames(actions):
    frames = np.zeros((len(actions), 16, 16, 3), np.uint8)
    return Samples([Run("run", frames, actions)], horizon=4)


def test_labels_that_teach_nothing_are_refused():
    with pytest.raises(TrainingError, match="idle throughout"):
        check_labels(with_frames(Actions.released(60)))
    stuck = Actions.of(right_y=0.7, length=60)
    stuck.buttons[::2, 0] = 1
    with pytest.raises(TrainingError, match=r"stand still away from the centre.*right_y"):
        check_labels(with_frames(stuck))
    with pytest.raises(TrainingError, match="every row holds the same action"):
        check_labels(with_frames(Actions.of("south", length=60)))


def test_plain_labels_pass():
    actions = Actions.of(left_x=0.2, length=60)
    actions.sticks[::2, 0] = -0.4
    assert odd_labels(actions) == []
