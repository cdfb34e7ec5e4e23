import numpy as np

from nitrogen.actions import BUTTONS
from nitrogen.overlay.synth import MotionConfig, motion


def runs(pressed):
    edges = np.diff(np.concatenate([[0], pressed.astype(int), [0]]))
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def test_motion_is_decided_by_the_generator():
    one, two = (motion(np.random.default_rng(7), 600, rate_hz=60) for _ in range(2))

    np.testing.assert_array_equal(one.buttons, two.buttons)
    np.testing.assert_array_equal(one.sticks, two.sticks)


def test_everything_is_used_and_nothing_is_shorter_than_two_frames():
    actions = motion(np.random.default_rng(1), 20_000, rate_hz=60)
    pressed = actions.pressed()

    assert pressed.any(axis=0).all()
    assert 0.01 < pressed.mean() < 0.3
    digital = [i for i, name in enumerate(BUTTONS) if "trigger" not in name and "dpad" not in name]
    assert min(runs(pressed[:-200, i]).min() for i in digital) >= 2
    assert (np.abs(actions.sticks).max(axis=0) > 0.95).all()
    assert not (pressed[:, 1] & pressed[:, 4]).any()


def test_an_idle_player_does_little():
    actions = motion(np.random.default_rng(1), 40_000, rate_hz=60, config=MotionConfig(busy=0.05))

    busy = motion(np.random.default_rng(1), 40_000, rate_hz=60)
    assert actions.pressed().mean() < 0.3 * busy.pressed().mean()


def test_some_buttons_go_together_and_some_taps_are_as_short_as_can_be():
    actions = motion(np.random.default_rng(2), 30_000, rate_hz=60)
    trigger, south = actions.pressed()[:, 13], actions.pressed()[:, 14]

    assert south[trigger].mean() > 1.5 * south.mean()
    taps = np.concatenate([runs(actions.pressed()[:, i]) for i in (5, 10, 14, 16)])
    assert 0.02 < (taps == 2).mean() < 0.5
