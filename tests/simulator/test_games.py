"""One game per way of drawing and per way of reading controls: frames repeat, states restore."""

import contextlib
import hashlib
import re
import socket

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.errors import GameError, GameExitedError, GameMissingError, GameTimeoutError
from nitrogen.simulator import linux, protocol
from nitrogen.simulator.catalog import game_named
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.fidelity import varied_actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.session import Session

pytestmark = pytest.mark.game


def needs(name: str) -> Game:
    game = game_named(name)
    try:
        linux.find_program(game)
    except GameMissingError as error:
        pytest.skip(str(error))
    return game


def hashes(env: GameEnv, actions: Actions) -> list[str]:
    found = []
    for index in range(len(actions)):
        frame, *_ = env.step(actions[index : index + 1].as_step())
        found.append(hashlib.blake2b(frame.tobytes(), digest_size=8).hexdigest())
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["blobwars", "mrboom", "chromium", "neverball", "neverputt", "openarena", "armagetronad"],
)
def test_frames_repeat_and_states_restore(name: str):
    actions = varied_actions(100, np.random.default_rng(0))
    with contextlib.closing(GameEnv(needs(name))) as env:
        env.reset(seed=0)
        first = hashes(env, actions[:50])
        state = env.save()
        rest = hashes(env, actions[50:])
        env.restore(state)
        assert hashes(env, actions[50:]) == rest
        env.reset(seed=0)
        assert hashes(env, actions) == first + rest
        assert len(set(first + rest)) > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chromium", "extremetuxracer"])
def test_keys_move_games_that_read_no_pad(name: str):
    ends = []
    with contextlib.closing(GameEnv(needs(name))) as env:
        for x in (-1.0, 1.0):
            env.reset(seed=0)
            ends.append(hashes(env, Actions.of(length=40, left_x=x))[-1])
    assert ends[0] != ends[1]


@pytest.mark.parametrize("seed", range(6))
def test_the_agent_ends_the_game_on_what_is_no_request(seed: int):
    """Fuzzed messages: the game must end at once, and the error must say so."""
    rng = np.random.default_rng(seed)
    with Session(needs("starfighter")) as session:
        channel = session.channel
        raw: socket.socket = channel._connection
        size = int(rng.choice([0, 1, 50, 111, 112, 113, 4000]))
        raw.send(rng.bytes(max(size, 1)))
        with pytest.raises(GameEnded):
            channel.wait_frame(5.0)


def test_an_unknown_request_is_answered_and_the_game_lives_on():
    with Session(needs("starfighter")) as session:
        channel = session.channel
        channel._send(protocol.Request(version=protocol.VERSION, kind=77))
        with pytest.raises(GameError, match="no request 77"):
            channel.wait_frame(5.0)
        channel._send(protocol.Request(version=protocol.VERSION, kind=protocol.FORK))
        with pytest.raises(GameError, match="needs a socket and a board"):
            channel.wait_frame(5.0)
        session.step(Actions.released(1))


def test_a_program_that_never_presents_is_named_with_what_was_seen():
    game = Game(name="sleeper", command=("sleep", "1000"), start_limit_s=0.5)
    linux.find_program(game)
    script = Game(name="waiter", command=("sh", "-c", "read line < /dev/zero"), start_limit_s=0.2)
    with pytest.raises((GameTimeoutError, GameExitedError)) as caught:
        GameEnv(game).reset()
    # A sleep moves the virtual clock at once, so this "game" ends instead of hanging.
    assert re.search("before it presented a frame|presented no frame", str(caught.value))
    with pytest.raises(GameTimeoutError, match="no present was ever called"):
        GameEnv(script).reset()
