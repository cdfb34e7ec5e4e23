import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, Actions
from nitrogen.overlay.crops import Backgrounds, Crops, scene, states, textures
from nitrogen.overlay.degrade import Degradation, degrade
from nitrogen.overlay.invent import random_sketch
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.sketch import LEVELS, sketch_of, take_states
from nitrogen.overlay.skin import find_skin

SIZE = (128, 96)


@pytest.fixture(scope="module")
def backgrounds() -> Backgrounds:
    return Backgrounds(textures(np.random.default_rng(0), 3))


@pytest.mark.parametrize("name", ["nitrogen", "offset_series", "parallel_classic", "retro_grey"])
def test_sketch_draws_what_the_renderer_draws(name):
    skin = find_skin(name)
    sketch = sketch_of(skin, SIZE)
    placement = Placement(0, 0, SIZE[0] / skin.canvas[0], SIZE[1] / skin.canvas[1])
    renderer = Renderer(skin, placement, (0, 0, *SIZE))
    rows = take_states(states(np.random.default_rng(1), 4), sketch)
    drawn = np.empty((len(rows), SIZE[1], SIZE[0], 4), np.uint8)
    sketch.draw(rows, drawn)
    for row in range(len(rows)):
        wanted = renderer.draw(rows[row : row + 1]) * [1, 1, 1, 255]
        assert np.abs(drawn[row] - wanted).mean() < 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
@example(11)  # a button under a resting cap
@example(5768)  # pressed and released caps come out alike
def test_made_up_pads_show_each_control_and_nothing_else(seed):
    sketch = random_sketch(np.random.default_rng(seed), SIZE)
    drawn = np.empty((2, SIZE[1], SIZE[0], 4), np.uint8)
    for name in BUTTONS:
        held = Actions.concatenate([Actions.released(1), Actions.of(name)])
        sketch.draw(held, drawn)
        assert (drawn[0] != drawn[1]).any() == sketch.shows(name)
    for side in ("left", "right"):
        pushed = Actions.concatenate([Actions.released(1), Actions.of(**{f"{side}_x": 1.0})])
        sketch.draw(pushed, drawn)
        assert (drawn[0] != drawn[1]).any() == (side in sketch.caps)


def test_made_up_pads_have_four_face_buttons_or_the_two_of_a_retro_pad():
    faces = {"south", "east", "west", "north"}
    found = set()
    for seed in range(200):
        parts = random_sketch(np.random.default_rng(seed), SIZE).parts
        shown = frozenset(faces & parts.keys())
        found.add(shown)
        if shown == {"south", "east"}:
            assert parts["south"][0].left < parts["east"][0].left
            assert parts["south"][0].top >= parts["east"][0].top - 1
            assert "left" not in parts
    assert {frozenset(faces), frozenset({"south", "east"})} <= found


def test_pad_in_other_colours_shows_the_same_controls_in_the_same_places():
    sketch = sketch_of(find_skin("offset_series"), SIZE)
    drawn = np.empty((2, 2, SIZE[1], SIZE[0], 4), np.uint8)
    for seed in range(8):
        other = sketch.recoloured(np.random.default_rng(seed))
        for name in BUTTONS:
            held = Actions.concatenate([Actions.released(1), Actions.of(name)])
            for pad, pictures in zip((sketch, other), drawn, strict=True):
                pad.draw(held, pictures)
            changed = np.abs(np.diff(drawn.astype(int), axis=1)).sum(axis=(1, 4)) > 24
            assert other.shows(name) == sketch.shows(name)
            assert changed[1].any() == changed[0].any()
        assert np.array_equal(drawn[0, ..., 3], drawn[1, ..., 3])
        assert np.abs(drawn[0].astype(int) - drawn[1]).mean() > 1


def test_held_button_rests_as_held(backgrounds):
    sketch = sketch_of(find_skin("offset_classic"), SIZE)
    drawn = np.empty((2, SIZE[1], SIZE[0], 4), np.uint8)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        crops = scene(rng, backgrounds, pairs=40, size=SIZE, sketch=sketch, easy=True, held=True)
        shares = (crops.actions.buttons > 0.5).mean(axis=0)
        button = int(shares.argmax())
        assert 0.6 < shares[button] < 0.95
        sketch.draw(Actions.concatenate([Actions.released(1), Actions.of(BUTTONS[button])]), drawn)
        lit = np.abs(np.diff(drawn.astype(int), axis=0)[0]).sum(axis=2) > 60
        lit &= (drawn[..., 3] == 255).all(axis=0)
        apart = np.abs(drawn[..., :3].astype(int) - crops.rest[0])
        released, held = apart[:, lit].mean(axis=(1, 2))
        assert held < released


def test_truth_of_triggers_is_what_is_drawn():
    sketch = sketch_of(find_skin("nitrogen"), SIZE)
    truth = take_states(Actions.of(left_trigger=0.3), sketch)
    assert truth.button("left_trigger")[0] == np.float32(np.ceil(0.3 * LEVELS) / LEVELS)


def test_scene_is_a_function_of_the_generator(backgrounds):
    one, other = (
        scene(np.random.default_rng(5), backgrounds, pairs=3, size=SIZE) for _ in range(2)
    )
    assert np.array_equal(one.pictures, other.pictures)
    assert np.array_equal(one.actions.buttons, other.actions.buttons)
    assert one.pictures.shape == (6, 96, 128, 3)
    assert one.rest.shape == (3, 96, 128, 3)
    assert one.shown.shape == (6, 19)


def test_what_is_not_shown_is_released(backgrounds):
    for seed in range(20):
        crops = scene(np.random.default_rng(seed), backgrounds, pairs=4, size=SIZE)
        assert not crops.actions.buttons[~crops.shown[:, :17]].any()
        assert not crops.actions.sticks[~np.repeat(crops.shown[:, 17:], 2, axis=1)].any()


def test_easy_scene_rests_where_nothing_is_held(backgrounds):
    sketch = sketch_of(find_skin("offset_lines"), SIZE)
    crops = scene(
        np.random.default_rng(0), backgrounds, pairs=30, size=SIZE, sketch=sketch, easy=True
    )
    apart = np.abs(crops.pictures[::2].astype(int) - crops.rest).mean(axis=(1, 2, 3))
    held = crops.actions.buttons[::2].sum(axis=1)
    assert np.corrcoef(apart, held)[0, 1] > 0.5
    assert apart.max() < 20


def test_pairs_are_taken_whole(backgrounds):
    crops = scene(np.random.default_rng(0), backgrounds, pairs=4, size=SIZE)
    both = Crops.concatenate([crops.take(np.array([2])), crops.take(np.array([0]))])
    assert np.array_equal(both.pictures, crops.pictures[[4, 5, 0, 1]])
    assert np.array_equal(both.actions.sticks, crops.actions.sticks[[4, 5, 0, 1]])


def test_degradation_by_default_changes_nothing():
    stack = textures(np.random.default_rng(0), 2, SIZE)
    made = degrade(stack, Degradation(), np.random.default_rng(0))
    assert np.abs(made.astype(int) - stack).max() <= 1


@pytest.mark.parametrize(
    "how",
    [
        Degradation(scale=0.5),
        Degradation(blur=1.0),
        Degradation(gain=(1.2, 1.0, 0.8), offset=10, saturation=0.5),
        Degradation(noise=5),
        Degradation(quality=30),
        Degradation(ghost=0.3),
    ],
    ids=lambda how: str(how)[:40],
)
def test_degradation_keeps_the_picture_recognisable(how):
    stack = textures(np.random.default_rng(0), 3, SIZE)
    made = degrade(stack, how, np.random.default_rng(0))
    assert made.shape == stack.shape
    assert made.dtype == np.uint8
    assert 0 < np.abs(made.astype(int) - stack).mean() < 40
