import numpy as np

from nitrogen.extract import caps


def test_what_is_cut_beyond_the_picture_is_zero():
    pictures = np.arange(2 * 4 * 5, dtype=np.float32).reshape(2, 4, 5) + 1
    part = caps.cut(pictures, (0, 3), (1, 2))
    assert part.shape == (2, 5, 3)
    np.testing.assert_array_equal(part[:, :3, 1:], pictures[:, 1:, :2])
    assert not part[:, :, 0].any()
    assert not part[:, 3:].any()


def test_a_lost_cap_is_led_over():
    time = np.linspace(0, 12, 300)
    at = np.stack([8 * np.sin(time), 8 * np.cos(time)], axis=1).astype(np.float32)
    at[:60] = 0
    wrong, match = at.copy(), np.ones(300, np.float32)
    wrong[100:106], match[100:106] = 0, 0.1
    guesses = (at / 8).astype(np.float32)
    followed = caps.deflections(caps.Places(wrong, match), guesses, 1.0, opaque=True)
    assert followed is not None
    assert np.abs(followed - guesses).max() < 0.05


def test_what_is_further_than_a_stick_goes_is_not_the_cap():
    angle = np.linspace(0, 40, 400)
    sticks = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    sticks[::3] = 0
    wrong = 5 * sticks
    wrong[50:400:20] = (14, -3)
    places = caps.Places(wrong, np.ones(400, np.float32))
    followed = caps.deflections(places, sticks, 1.0, opaque=False)
    assert followed is not None
    good = np.ones(400, np.bool_)
    good[50:400:20] = False
    assert np.abs(followed - sticks)[good].max() < 0.05
    wrong[::2] = (14, -3)
    assert caps.deflections(caps.Places(wrong, places.match), sticks, 1.0, opaque=False) is None


def test_a_cap_that_never_rests_is_gauged_by_the_circle_it_fills():
    angle, size = np.random.default_rng(3).uniform((0, 0.8), (2 * np.pi, 1), (400, 2)).T
    sticks = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1).astype(np.float32)
    sticks[:150] = np.clip(sticks[:150] + np.array([0.3, 0.9]), -0.7, 0.7)
    at = 5 * sticks + np.array([1.5, -2])
    guesses = (sticks - np.median(sticks, axis=0)).astype(np.float32)
    assert np.abs(np.median(sticks, axis=0)).max() > 0.3
    places = caps.Places(at.astype(np.float32), np.ones(400, np.float32))
    followed = caps.deflections(places, guesses, 1.0, opaque=False)
    assert followed is not None
    assert np.abs(followed - sticks).max() < 0.05


def test_a_cap_that_goes_one_way_rests_where_it_often_is():
    to_the_right = np.abs(np.sin(np.linspace(0, 20, 300))).astype(np.float32)
    sticks = np.stack([to_the_right, np.zeros_like(to_the_right)], axis=1)
    sticks[::3] = 0
    places = caps.Places(6 * sticks + 1, np.ones(300, np.float32))
    followed = caps.deflections(places, sticks, 1.0, opaque=True)
    assert followed is not None
    assert np.abs(followed - sticks).max() < 0.05


def test_a_cap_that_explains_much_is_believed_without_the_network():
    angle = np.linspace(0, 20, 300)
    sticks = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    sticks[::2] = 0
    places = caps.Places(5 * sticks, np.ones(300, np.float32))
    noise = np.random.default_rng(5).normal(0, 0.5, (300, 2)).astype(np.float32)
    assert caps.deflections(places, noise, 1.0, opaque=True, explained=0.1) is None
    followed = caps.deflections(places, noise, 1.0, opaque=True, explained=0.6)
    assert followed is not None
    assert np.abs(followed - sticks).max() < 0.05


def test_a_cap_that_never_moves_is_not_believed():
    still = caps.Places(np.zeros((60, 2), np.float32), np.ones(60, np.float32))
    guesses = np.random.default_rng(4).normal(0, 0.1, (60, 2)).astype(np.float32)
    assert caps.deflections(still, guesses, 1.0, opaque=False) is None
    assert caps._gauged(still.at, np.ones(60, np.bool_))[1] == 0
