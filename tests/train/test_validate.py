import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training import samples

from nitrogen.actions import Actions
from nitrogen.model import layout
from nitrogen.train.validate import average_precision, event_f1, score


def test_a_perfect_plan_scores_one_and_copy_last_presses_nothing_new():
    data = samples(400)
    _, actions = data.batch(np.arange(0, 390, 3))
    values = layout.to_tensor(actions).view(-1, 4, 25)
    last = Actions.concatenate(data.frame_before(int(index)) for index in range(0, 390, 3))

    perfect = score(values, values, last)
    repeated = layout.to_tensor(last)[:, None].expand(-1, 4, -1)
    copied = score(repeated, values, last)

    ones = ("stick_r2", "stick_correlation", "button_f1", "event_f1", "average_precision")
    assert all(getattr(perfect, name) == pytest.approx(1) for name in ones)
    assert perfect.loss == 0
    assert copied.event_f1 == 0
    assert copied.button_f1 == pytest.approx(copied.copy_last_button_f1)
    assert copied.stick_r2 == pytest.approx(copied.copy_last_stick_r2)
    assert perfect.guess_average_precision == pytest.approx(actions.pressed()[:, 14].mean())
    assert perfect.idle_share == perfect.true_idle_share == 0


def test_doing_nothing_is_seen():
    data = samples(100)
    _, actions = data.batch(np.arange(50))
    values = layout.to_tensor(actions).view(-1, 4, 25)
    idle = torch.zeros_like(values)
    idle[..., 21:] = 0.5

    scores = score(idle, values, Actions.released(50))

    assert scores.idle_share == 1
    assert scores.event_f1 == scores.button_f1 == 0
    assert scores.stick_correlation == 0
    assert scores.average_precision == pytest.approx(scores.guess_average_precision)


def pressed(*rows, length=10):
    out = np.zeros((1, length, 17), bool)
    for first, last in rows:
        out[0, first:last, 14] = True
    return out


def test_events_match_once_and_only_near():
    last = np.zeros((1, 17), bool)
    truth = pressed((2, 4), (8, 9))

    assert event_f1(truth, truth, last) == 1
    assert event_f1(truth, pressed((4, 6), (8, 10)), last) == 1  # two rows late
    assert event_f1(truth, pressed((5, 6)), last) == 0  # three rows late
    assert event_f1(truth, pressed((1, 2), (3, 4), (8, 9)), last) == pytest.approx(4 / 5)
    held = np.zeros((1, 17), bool)
    held[0, 14] = True
    assert np.isnan(event_f1(pressed((0, 10)), pressed((0, 10)), held))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_average_precision_lies_between_its_bounds(truth, seed):
    truth = np.array(truth)
    level = np.random.default_rng(seed).integers(0, 4, len(truth)).astype(np.float32)
    if not truth.any():
        assert np.isnan(average_precision(truth, level))
        return
    assert 0 < average_precision(truth, level) <= 1
    assert average_precision(truth, truth.astype(np.float32)) == pytest.approx(1)
    constant = average_precision(truth, np.zeros(len(truth), np.float32))
    assert constant == pytest.approx(truth.mean())
