import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.data.samples import Run, Samples, order
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
