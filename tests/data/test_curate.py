import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.data import curate

RNG = np.random.default_rng(0)


@settings(deadline=None)
@given(jitter=st.floats(0, 0.13))
def test_density_ignores_stick_jitter(jitter):
    still = Actions.concatenate([Actions.of("south", length=6), Actions.released(4)])
    noise = RNG.uniform(-jitter, jitter, still.sticks.shape)

    assert curate.density(Actions(still.buttons, still.sticks + noise)) == 0.6


def test_a_stick_counts_by_its_distance():
    assert curate.density(Actions.of(left_x=0.15, left_y=0.15)) == 1.0
    assert curate.density(Actions.of(right_x=0.19)) == 0.0
    assert curate.density(Actions.released(0)) == 0.0


def test_dense_from_half():
    half = Actions.concatenate([Actions.of("west", length=5), Actions.released(5)])

    assert curate.is_dense(half)
    assert not curate.is_dense(half[1:])


def test_the_mask_hides_the_overlay_and_spares_the_rest():
    frame = RNG.integers(0, 255, (100, 200, 3), np.uint8)
    masked = curate.mask_overlay(frame, (150, 60, 60, 50), margin=0.1)

    assert (masked[54:, 144:] == 127).all()
    np.testing.assert_array_equal(masked[:54], frame[:54])
    np.testing.assert_array_equal(masked[54:, :144], frame[54:, :144])


def test_no_label_survives_the_mask():
    shown, other = (RNG.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(2))
    mixed = shown.copy()
    mixed[40:60, 10:50] = other[40:60, 10:50]

    box = (10, 40, 40, 20)
    np.testing.assert_array_equal(curate.mask_overlay(shown, box), curate.mask_overlay(mixed, box))


def test_boxes_scale_outwards():
    assert curate.scale_box((101, 50, 99, 51), (1280, 720), (256, 256)) == (20, 17, 20, 19)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_video_stays_in_its_split(video_id):
    assert curate.split_of(video_id) == curate.split_of(video_id)


def test_splits_have_the_asked_shares():
    splits = [curate.split_of(f"video{i}", validation=0.1, test=0.2) for i in range(4000)]

    assert abs(splits.count("test") / 4000 - 0.2) < 0.03
    assert abs(splits.count("validation") / 4000 - 0.1) < 0.03
