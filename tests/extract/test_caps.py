"""Sticks of pads that the networks were not shown in these clips are found, followed and gauged."""

import numpy as np
import pytest
import torch

from nitrogen.errors import CheckpointError
from nitrogen.extract import caps
from nitrogen.extract.cap_network import (
    WINDOW,
    CapNetwork,
    found,
    load_cap_network,
    save_cap_network,
    stacked,
)
from nitrogen.extract.cap_pictures import Windows, windows
from nitrogen.extract.heat_maps import TrainConfig, cap_loss, train
from nitrogen.overlay.crops import Backgrounds, textures
from nitrogen.overlay.sketch import sketch_of
from nitrogen.overlay.skin import find_skin


@pytest.fixture(scope="module")
def network():
    return load_cap_network()


def gauged(*sticks):
    """Deflections that are read from places where a cap was found for sure."""
    places = [caps.Places(at.astype(np.float32), np.ones(len(at), np.float32)) for at in sticks]
    return caps.deflections([*places, *[None] * (2 - len(places))])


def test_sticks_over_a_moving_game_are_found_and_followed(network, lines_crops):
    crops, truth = lines_crops
    pictures = np.stack([caps.grey(crop) for crop in crops])
    assert pictures.shape[2] == 256

    sticks = caps.learn(network, pictures, np.zeros((200, 4), np.float32))
    followed = caps.deflections([stick.find(network, pictures) for stick in sticks])

    for side, read in enumerate(followed):
        true = truth.sticks[:, 2 * side : 2 * side + 2]
        error = np.square(np.clip(read, -1, 1) - true).mean(axis=0) / true.var(axis=0)
        assert error.max() < 0.05


def test_no_stick_is_found_in_a_game_alone(network):
    rng = np.random.default_rng(3)
    land = np.kron(rng.integers(30, 220, (30, 120), np.uint8), np.ones((12, 12), np.uint8))
    pictures = np.stack([land[:160, 2 * at : 2 * at + 256] for at in range(200)])
    guesses = rng.normal(0, 0.5, (200, 4)).astype(np.float32)

    assert caps.learn(network, pictures, guesses) == (None, None)
    assert caps.learn(network, np.repeat(pictures[:1], 200, axis=0), guesses) == (None, None)


def test_a_lost_cap_is_led_over():
    time = np.linspace(0, 12, 300)
    at = np.stack([8 * np.sin(time), 8 * np.cos(time)], axis=1).astype(np.float32)
    at[:60] = 0
    wrong, match = at.copy(), np.ones(300, np.float32)
    wrong[100:104], match[100:104] = 3, 0.1
    followed, none = caps.deflections([caps.Places(wrong, match), None])
    assert np.abs(followed - at / 8).max() < 0.07
    assert none is None


def test_what_is_further_than_a_stick_goes_is_not_the_cap():
    angle = np.linspace(0, 40, 400)
    sticks = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    sticks[::3] = 0
    at = 5 * sticks
    at[50:400:20] = (14, -3)
    good = np.ones(400, np.bool_)
    good[50:400:20] = False
    assert np.abs(gauged(at)[0] - sticks)[good].max() < 0.05
    at[::2] = np.random.default_rng(0).uniform(-30, 30, (200, 2))
    assert gauged(at)[0] is None


def test_a_cap_that_never_rests_is_gauged_by_the_circle_it_fills():
    angle, size = np.random.default_rng(3).uniform((0, 0.8), (2 * np.pi, 1), (400, 2)).T
    sticks = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1)
    assert np.abs(gauged(5 * sticks + (31.5, 28))[0] - sticks).max() < 0.05


def test_a_cap_that_is_mostly_held_to_a_side_rests_in_the_middle_of_its_circle():
    angle = np.linspace(0, 40, 500)
    sticks = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    sticks[:200] = (0.6, 0.0)
    sticks[200:250] = 0
    assert np.abs(gauged(6 * sticks + 30)[0] - sticks).max() < 0.05


def test_a_cap_that_goes_one_way_rests_where_it_often_is():
    to_the_right = np.abs(np.sin(np.linspace(0, 20, 300)))
    sticks = np.stack([to_the_right, np.zeros_like(to_the_right)], axis=1)
    sticks[::2] = 0
    assert np.abs(gauged(6 * sticks + 1)[0] - sticks).max() < 0.05


def test_a_stick_that_hardly_moved_is_gauged_by_the_other():
    angle = np.linspace(0, 30, 300)
    sticks = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    sticks[::3] = 0
    left, right = gauged(8 * sticks, 8 * 0.2 * sticks)
    assert np.abs(left - sticks).max() < 0.05
    assert np.abs(right - 0.2 * sticks).max() < 0.05
    assert gauged(8 * 0.02 * sticks)[0] is None


def test_caps_in_pictures_drawn_for_training_are_found(network):
    rng = np.random.default_rng(1)
    pads = [sketch_of(find_skin("parallel_dark"), (256, 176))]
    drawn = Windows.concatenate(
        [windows(rng, Backgrounds(textures(rng, 4)), pads, invented=0.0) for _ in range(4)]
    )
    at, _ = found(*network(torch.from_numpy(drawn.pictures)))
    apart = np.hypot(*np.moveaxis(drawn.places - at[:, None], 2, 0)).min(axis=1)
    inside = ((drawn.places > 8) & (drawn.places < WINDOW - 8)).all(axis=2).any(axis=1)
    assert inside.sum() > 40
    assert np.median(apart[inside]) < 1.5
    assert (apart[inside] < 3).mean() > 0.8


def test_a_window_beyond_the_picture_repeats_its_edge():
    picture = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    rest = picture[0].astype(np.float32)
    seen = stacked(picture, rest, np.zeros_like(rest), (-1, 2), (3, 4))
    assert seen.shape == (1, 4, 4, 3)
    np.testing.assert_allclose(64 * seen[0, 0, :, 0] + 128, [10, 15, 15, 15], atol=1e-4)
    assert not seen[0, 1].any()


def test_a_damaged_network_is_refused(tmp_path):
    folder = save_cap_network(tmp_path / "caps", CapNetwork((8, 8, 8)))
    assert load_cap_network(folder).widths == (8, 8, 8)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(CheckpointError, match="damaged or was swapped"):
        load_cap_network(folder)
    with pytest.raises(CheckpointError, match="not a cap network"):
        load_cap_network(tmp_path)


def test_a_cap_network_learns():
    rng = np.random.default_rng(0)
    behind = Backgrounds(textures(rng, 6))
    pads = [sketch_of(find_skin("parallel_light"), (256, 176))]

    def batches():
        while True:
            drawn = windows(rng, behind, pads, invented=0.0)
            yield drawn.pictures, drawn.places

    losses = []
    config = TrainConfig(steps=60, warmup_steps=5)
    train(
        lambda: CapNetwork((8, 16, 16)), batches(), cap_loss, config,
        on_step=lambda step, loss: losses.append(loss),
    )  # fmt: skip
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_a_cap_that_is_not_seen_at_all_for_a_while_stays_a_number():
    angle = np.linspace(0, 30, 300)
    at = np.stack([8 * np.cos(angle), 8 * np.sin(angle)], axis=1).astype(np.float32)
    at[::3] = 0
    match = np.ones(300, np.float32)
    match[100:140] = 0
    followed, _ = caps.deflections([caps.Places(at, match), None])
    assert np.isfinite(followed).all()
    assert np.abs(followed - at / 8)[:90].max() < 0.05
