import dataclasses

import pytest

from nitrogen.actions import Actions
from nitrogen.errors import GameError
from nitrogen.simulator import catalog, registration
from nitrogen.simulator.board import Board
from nitrogen.simulator.game import Game


def test_every_game_is_complete_and_has_an_id():
    games = catalog.all_games()
    assert [game.name for game in games] == list(catalog.NAMES)
    assert sorted(registration.IDS.values()) == sorted(catalog.NAMES)
    for game in games:
        assert game.title
        assert game.packages
        assert game.rate.numerator / game.rate.denominator == pytest.approx(game.rate_hz)


def test_unknown_games_are_answered_with_the_nearest():
    with pytest.raises(GameError, match="did you mean supertux"):
        catalog.game_named("supertuks")


@pytest.mark.parametrize(
    "change",
    [
        {"command": ()},
        {"rate_hz": 0.0},
        {"size": (8, 8)},
        {"keys": {"south": "no such key"}},
        {"keys": {"no such control": "space"}},
        {"locked": ("no such button",)},
    ],
)
def test_senseless_games_are_refused(change: dict):
    game = Game(name="x", command=("x",), startup=Actions.released(1))
    with pytest.raises(GameError, match="x:"):
        dataclasses.replace(game, **change)


def test_no_memory_is_an_error_with_a_name(monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(GameError, match="no memory"):
        Board(Game(name="x", command=("x",)), seed=0, epoch_ns=0)
