import numpy as np
import pytest

from nitrogen.errors import GameError, GameMissingError
from nitrogen.simulator import linux
from nitrogen.simulator.fidelity import (
    CONTROL,
    PAUSED,
    STEPPED,
    Fidelity,
    Replay,
    measure,
    varied_actions,
)
from nitrogen.simulator.games import starfighter


def test_a_divergence_is_found_where_it_begins():
    def made(mode: str, *hashes: bytes) -> Replay:
        return Replay(mode, hashes, tuple(index / 10 for index in range(len(hashes))))

    first = made(STEPPED, b"a", b"b", b"c")
    fidelity = Fidelity("x", 3, (first, first, made(PAUSED, b"a", b"x", b"c"), made(CONTROL, b"a")))
    same, other, shorter = fidelity.divergences()
    assert (same.frame, same.virtual_s) == (None, None)
    assert (other.frame, other.virtual_s) == (1, 0.1)
    assert (shorter.frame, shorter.virtual_s) == (1, 0.1)
    assert not fidelity.is_exact()
    assert Fidelity("x", 3, (first, first)).is_exact()


def test_senseless_modes_are_refused():
    with pytest.raises(GameError, match="modes"):
        measure(starfighter.GAME, varied_actions(1, np.random.default_rng(0)), modes=("often",))


@pytest.mark.game
def test_the_virtual_clock_is_exact_and_the_real_one_is_not():
    try:
        linux.find_program(starfighter.GAME)
    except GameMissingError as error:
        pytest.skip(str(error))
    actions = varied_actions(200, np.random.default_rng(0))
    fidelity = measure(starfighter.GAME, actions, modes=(STEPPED, PAUSED, CONTROL))
    assert fidelity.is_exact()
    assert fidelity.divergences()[-1].frame is not None
    assert len(actions) == 200
