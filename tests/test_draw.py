import numpy as np

from nitrogen import draw
from nitrogen.actions import BUTTONS, STICKS, Actions

BOX = (20, 10, 320, 200)


def drawn(actions):
    picture = np.zeros((220, 360, 3), np.uint8)
    draw.pad(picture, BOX, actions)
    return picture


def test_every_control_shows_and_only_there():
    rest = drawn(Actions.released(1))
    changes = []
    for name in BUTTONS + STICKS:
        changed = (drawn(Actions.of(**{name: 1.0})) != rest).any(axis=2)
        assert changed.sum() > 20, name
        changes.append(changed)
    for index, name in enumerate(BUTTONS):
        if not name.endswith("thumb"):
            others = np.any([c for i, c in enumerate(changes) if i != index], axis=0)
            assert (changes[index] & ~others).sum() > 20, name


def test_pushing_a_stick_down_moves_its_knob_down():
    up, down = (
        np.argwhere((drawn(Actions.of(left_y=y)) == draw.WARM).all(axis=2))[:, 0].mean()
        for y in (-1.0, 1.0)
    )

    assert down > up + 10


def test_drawing_stays_in_its_box():
    picture = drawn(Actions.of("south", left_trigger=1.0, right_trigger=1.0))
    x, y, w, h = BOX
    picture[y : y + h, x : x + w] = 0

    assert not picture.any()


def test_scene_is_720p_and_shows_the_game():
    view = np.full((480, 640, 3), 200, np.uint8)
    seen = np.full((256, 256, 3), 90, np.uint8)

    picture = draw.scene(view, seen, Actions.of("south", length=16), execute=4, title="t")

    assert picture.shape == (720, 1280, 3)
    assert (picture == 200).all(axis=2).sum() > 500_000
    assert (picture == 90).all(axis=2).sum() > 20_000
