import numpy as np

from nitrogen.actions import BUTTON_INDEX
from nitrogen.extract.repeats import MOST, Repeats
from nitrogen.extract.roles import FACE, is_switch


def test_buttons_over_a_moving_game_are_found(lines_clip):
    pictures, truth = lines_clip
    spots = Repeats(pictures)
    levels = spots.level(pictures)
    assert levels.shape == (len(pictures), MOST)
    lit = levels[:, : len(spots)] > 0.5
    for name in FACE:
        held = truth.pressed()[:, BUTTON_INDEX[name]]
        assert (lit == held[:, None]).mean(axis=0).max() > 0.98, name


def test_a_game_without_an_overlay_has_no_switches():
    rng = np.random.default_rng(0)
    scene = np.cumsum(rng.normal(0, 25, (120, 12, 16, 3)), axis=0) % 255
    pictures = scene.astype(np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    spots = Repeats(pictures)
    levels = spots.level(pictures)
    assert not any(is_switch(levels[:, spot]) for spot in range(len(spots)))


def test_few_samples_have_no_groups():
    assert len(Repeats(np.zeros((4, 96, 128, 3), np.uint8))) == 0


def test_a_button_pressed_once_is_found_with_a_network_that_half_sees_it(lines_clip):
    pictures, truth = lines_clip
    rng, index = np.random.default_rng(6), BUTTON_INDEX["east"]
    held = truth.pressed()[:, index]
    starts = np.flatnonzero(np.diff(held.astype(int), prepend=0) == 1)
    longest = max(starts, key=lambda start: np.argmin(np.append(held[start:], False)))
    once = np.zeros_like(held)
    once[longest : longest + np.argmin(np.append(held[longest:], False))] = True
    kept = ~held | once
    pictures, once = pictures[kept], once[kept]
    hints = np.zeros((len(pictures), 17), np.float32)
    hints[:, index] = np.clip(0.6 * once + rng.normal(0.1, 0.15, len(once)), 0, 1)
    agreed = []
    for spots in (Repeats(pictures), Repeats(pictures, hints)):
        lit = spots.level(pictures)[:, : len(spots)] > 0.5
        agreed.append((lit == once[:, None]).mean(axis=0).max())
    assert agreed[0] < 0.95 < 0.98 < agreed[1]
