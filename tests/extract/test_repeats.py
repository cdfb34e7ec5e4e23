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
