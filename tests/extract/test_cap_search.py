import numpy as np
import pytest

from nitrogen.extract import cap_search, caps

NOISE = 0.6


def rough(sticks: np.ndarray) -> np.ndarray:
    """What a poor network makes of deflections."""
    return (sticks + np.random.default_rng(1).normal(0, NOISE, sticks.shape)).astype(np.float32)


def blind(sticks: np.ndarray) -> np.ndarray:
    """What a network makes of sticks that it does not see."""
    return np.random.default_rng(2).normal(0, 0.5, sticks.shape).astype(np.float32)


@pytest.mark.parametrize("guess", [rough, blind])
def test_caps_over_a_moving_game_are_found(lines_clip, guess):
    pictures, truth = lines_clip
    passed, guesses = caps.high_passed(pictures), guess(truth.sticks)
    for side, cap in enumerate(cap_search.learn(passed, guesses, 1.0)):
        axes = slice(2 * side, 2 * side + 2)
        sticks = truth.sticks[:, axes]
        followed = caps.deflections(
            cap.find(passed), guesses[:, axes], 1.0, opaque=False, explained=cap.explained
        )
        assert followed is not None
        error = np.square(followed - sticks).mean(axis=0) / sticks.var(axis=0)
        assert error.max() < 0.05 < np.square(guesses[:, axes] - sticks).mean() / sticks.var()


def test_movers_are_where_the_sticks_are(lines_clip):
    pictures, truth = lines_clip
    found = cap_search.movers(caps.high_passed(pictures), 1.0)
    agreed = [
        [caps.agreement(one.at, truth.sticks[:, 2 * side : 2 * side + 2]) for side in (0, 1)]
        for one in found
    ]
    assert {int(np.argmax(row)) for row in agreed[:2]} == {0, 1}
    assert min(max(row) for row in agreed[:2]) > 0.5


def test_nothing_is_believed_where_there_are_no_sticks():
    rng = np.random.default_rng(3)
    land = np.kron(rng.integers(30, 220, (20, 80, 3), np.uint8), np.ones((12, 12, 1), np.uint8))
    pictures = np.stack([land[:96, 2 * at : 2 * at + 128] for at in range(200)])
    passed, guesses = caps.high_passed(pictures), blind(np.zeros((200, 4), np.float32))
    for side, cap in enumerate(cap_search.learn(passed, guesses, 1.0)):
        axes = slice(2 * side, 2 * side + 2)
        places, explained = cap.find(passed), cap.explained
        followed = caps.deflections(
            places, guesses[:, axes], 1.0, opaque=False, explained=explained
        )
        assert followed is None
