import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.data.samples import MIX_BLOCK, Run, Samples, mixture, order
from nitrogen.errors import DataError


def run(name, length, first=0):
    """Frame k is filled with first + k; the left stick's x is (first + k) / 200."""
    numbers = np.arange(first, first + length)
    frames = np.broadcast_to(numbers[:, None, None, None], (length, 8, 8, 3)).astype(np.uint8)
    actions = Actions.released(length)
    actions.sticks[:, 0] = numbers / 200
    return Run(name, frames, actions)


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    horizon=st.integers(1, 6),
    shift=st.integers(0, 3),
)
def test_every_window_of_every_run_once_and_none_across_a_gap(lengths, horizon, shift):
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    runs = [run(str(i), n, int(f)) for i, (n, f) in enumerate(zip(lengths, firsts, strict=True))]
    expected = [
        int(first) + row
        for first, length in zip(firsts, lengths, strict=True)
        for row in range(length - shift - horizon + 1)
    ]
    if not expected:
        with pytest.raises(DataError, match="no stretch of"):
            Samples(runs, horizon=horizon, shift=shift)
        return
    samples = Samples(runs, horizon=horizon, shift=shift)

    assert len(samples) == len(expected)
    frames, actions = samples.batch(np.arange(len(samples)))
    assert frames[:, 0, 0, 0].tolist() == expected
    rows = actions.stick("left_x").reshape(-1, horizon) * 200
    for first, plan in zip(expected, rows, strict=True):
        np.testing.assert_allclose(
            plan, np.arange(first + shift, first + shift + horizon), atol=1e-3
        )


@given(count=st.integers(1, 50), batch=st.integers(1, 20), seed=st.integers(0, 3))
def test_each_epoch_visits_everything_once(count, batch, seed):
    steps = -(-3 * count // batch)
    indices = np.concatenate([order(count, batch, step=k, seed=seed) for k in range(steps)])
    for epoch in range(3):
        part = indices[epoch * count : (epoch + 1) * count]
        assert sorted(part) == list(range(count))


def test_order_depends_on_seed_and_epoch():
    first, second = (order(100, 100, step=step, seed=0) for step in (0, 1))

    assert (first != second).any()
    assert (order(100, 100, step=0, seed=1) != first).any()
    np.testing.assert_array_equal(order(100, 100, step=0, seed=0), first)


def test_copy_last_is_the_row_before_the_plan():
    samples = Samples([run("a", 10), run("b", 10, 50)], horizon=2, shift=1)

    assert samples.frame_before(3).stick("left_x")[0] * 200 == pytest.approx(3)
    assert samples.frame_before(8).stick("left_x")[0] * 200 == pytest.approx(50)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="differ in size"):
        Samples(
            [run("a", 9), Run("b", np.zeros((9, 4, 4, 3), np.uint8), Actions.released(9))],
            horizon=2,
        )
    with pytest.raises(DataError, match="3 frames but 2 rows"):
        Run("a", np.zeros((3, 4, 4, 3), np.uint8), Actions.released(2))
    with pytest.raises(DataError, match="no stretch"):
        Samples([], horizon=2)


def shares_of(weights, draws, seed=0):
    return mixture(weights, np.arange(draws), seed=seed)


@settings(deadline=None, max_examples=30)
@given(
    weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=5),
    start=st.integers(0, 5000),
    seed=st.integers(0, 3),
)
def test_shares_are_exact_and_any_position_is_a_start(weights, start, seed):
    sets, draws = shares_of(weights, 8192, seed)

    exact = np.array(weights) / sum(weights)
    for end in (MIX_BLOCK, 4 * MIX_BLOCK, 8 * MIX_BLOCK):
        counts = np.bincount(sets[:end], minlength=len(weights))
        block = max(MIX_BLOCK, 2 / exact.min())
        assert np.abs(counts - exact * end).max() <= 1 + (block if end % block else 0)
    for index in range(len(weights)):
        here = sets == index
        np.testing.assert_array_equal(draws[here], np.arange(here.sum()))
    later = mixture(weights, np.arange(start, 8192), seed=seed)
    np.testing.assert_array_equal(later[0], sets[start:])
    np.testing.assert_array_equal(later[1], draws[start:])


def mixed(weights, lengths=(40, 10), horizon=4):
    sets = [
        Samples([run(str(place), length, 100 * place)], horizon=horizon)
        for place, length in enumerate(lengths)
    ]
    return Samples.mixed(sets, weights), sets


def test_a_mixture_draws_by_weight_and_goes_through_each_set_in_epochs():
    samples, sets = mixed([1.0, 3.0])

    indices = np.concatenate([samples.order(64, step=step, seed=2) for step in range(32)])

    frames, _ = samples.batch(indices)
    numbers = frames[:, 0, 0, 0].numpy()
    small = numbers[numbers >= 100]
    assert abs(len(small) / 2048 - 0.75) < 0.001
    for epoch in range(5):
        part = small[epoch * len(sets[1]) : (epoch + 1) * len(sets[1])]
        assert sorted(part) == list(range(100, 100 + len(sets[1])))
    large = numbers[numbers < 100][: len(sets[0])]
    assert sorted(large) == list(range(len(sets[0])))
    np.testing.assert_array_equal(samples.order(64, step=7, seed=2), indices[7 * 64 : 8 * 64])
    assert (samples.order(64, step=7, seed=3) != indices[7 * 64 : 8 * 64]).any()


def test_without_weights_a_data_set_counts_by_its_size():
    joined = Samples.joined(mixed([1.0, 1.0])[1])

    assert len(joined) == 37 + 7
    assert sorted(joined.order(44, step=0, seed=0)) == list(range(44))
    np.testing.assert_array_equal(joined.order(16, step=5, seed=1), order(44, 16, step=5, seed=1))


def test_what_cannot_be_mixed_is_refused():
    _, sets = mixed([1.0, 1.0])
    other = Samples([run("c", 20)], horizon=5)

    for weights in ([1.0], [1.0, 0.0], [1.0, float("nan")], [1.0, float("inf")]):
        with pytest.raises(DataError, match="weight above zero"):
            Samples.mixed(sets, weights)
    with pytest.raises(DataError, match="same horizon"):
        Samples.mixed([sets[0], other], [1.0, 1.0])


@given(length=st.integers(1, 40), horizon=st.integers(1, 5), shift=st.integers(0, 3))
def test_faster_rows_teach_a_slower_policy(length, horizon, shift):
    """60 Hz rows, a 30 Hz policy: every second row, from every frame."""
    one = run("a", length)
    fast = Run("a", one.frames, one.actions, stride=2)
    count = max(0, length - 2 * (shift + horizon - 1))
    assert fast.samples(horizon=horizon, shift=shift) == count
    if not count:
        return
    samples = Samples([fast], horizon=horizon, shift=shift)

    frames, actions = samples.batch(np.arange(len(samples)))
    rows = (actions.stick("left_x") * 200).round().astype(int).reshape(-1, horizon)
    for first, plan in zip(frames[:, 0, 0, 0].tolist(), rows, strict=True):
        assert plan.tolist() == [first + 2 * (shift + k) for k in range(horizon)]
