"""Whatever is sent to the agent: it answers, or ends the game; it never crashes and never hangs.

It runs under the address and undefined-behaviour sanitizers here.
"""

import contextlib
import ctypes
import ctypes.util
import os
import select
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.errors import GameError
from nitrogen.simulator import linux, protocol
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.game import Game
from nitrogen.simulator.session import Session

AGENT = Path(__file__).parents[2] / "agent"
LIMIT_S = 60.0
pytestmark = [
    pytest.mark.game,
    pytest.mark.skipif(
        shutil.which("cc") is None or shutil.which("make") is None,
        reason="needs a C compiler and make: apt-get install build-essential",
    ),
    pytest.mark.skipif(
        ctypes.util.find_library("SDL2-2.0") is None,
        reason="needs libSDL2-2.0: apt-get install libsdl2-2.0-0",
    ),
]
fuzzing = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def program() -> str:
    targets = ("build/probe_plain", "build/libnitrogen_agent_checked.so")
    for target in targets:
        subprocess.run(["make", "-s", "-C", str(AGENT), target], check=True)
    return str(AGENT / targets[0])


@pytest.fixture(scope="module")
def session(program: str):
    game = Game(
        name="plain", command=(program, "64", "48"), size=(64, 48), display="none", saves="fork"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linux, "AGENT", AGENT / "build/libnitrogen_agent_checked.so")
        with Session(game) as session:
            yield session


anything = st.floats(width=32, allow_nan=True, allow_infinity=True)
requests = st.tuples(
    st.sampled_from([protocol.STEP, protocol.CAPTURE, protocol.FORK, 0, 5, 255, 2**32 - 1]),
    st.one_of(st.integers(0, 20), st.integers(protocol.FRAMES_LIMIT + 1, 2**32 - 1)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.lists(anything, min_size=len(BUTTONS), max_size=len(BUTTONS)),
    st.lists(anything, min_size=len(STICKS), max_size=len(STICKS)),
)


def as_message(request) -> protocol.Request:
    kind, frames, flags, seed, buttons, sticks = request
    message = protocol.Request(
        version=protocol.VERSION, kind=kind, frames=frames, flags=flags, seed=seed
    )
    message.pad.buttons[:] = buttons
    message.pad.sticks[:] = sticks
    return message


@fuzzing
@given(st.lists(requests, min_size=1, max_size=60))
def test_each_request_has_one_answer(session: Session, batch):
    """Thousands of well-formed messages, sent in batches without waiting."""
    connection: socket.socket = session.channel._connection
    for request in batch:
        connection.send(as_message(request))
    answers = []
    for _ in batch:
        assert select.select([connection], [], [], LIMIT_S)[0], "the agent hangs"
        data = connection.recv(4096)
        assert len(data) == ctypes.sizeof(protocol.Reply), "the agent has ended"
        answers.append(protocol.Reply.from_buffer_copy(data))
    for (kind, frames, *_), answer in zip(batch, answers, strict=True):
        if kind == protocol.STEP and frames <= protocol.FRAMES_LIMIT:
            assert answer.kind == protocol.FRAME
        elif kind == protocol.CAPTURE:
            assert answer.kind == protocol.PICTURE
        else:
            assert answer.kind == protocol.FAILED
            assert answer.text
    assert not select.select([connection], [], [], 0)[0]


malformed = st.one_of(
    st.binary(min_size=1, max_size=300).filter(
        lambda data: len(data) != ctypes.sizeof(protocol.Request)
    ),
    st.binary(min_size=112, max_size=112).filter(
        lambda data: int.from_bytes(data[:4], "little") != protocol.VERSION
    ),
)


@settings(fuzzing, max_examples=60)
@given(malformed, st.integers(0, 5))
def test_what_is_no_request_ends_the_game(session: Session, data: bytes, files: int):
    """Each on a copy of the game; the original goes on serving copies."""
    state = session.save()
    connection: socket.socket = session.channel._connection
    null = os.open("/dev/null", os.O_RDONLY)
    if files:
        socket.send_fds(connection, [data], [null] * files)
    else:
        connection.send(data)
    os.close(null)
    with pytest.raises(GameEnded):
        session.channel.wait_frame(LIMIT_S)
    session.restore(state)
    session.step(Actions.released(1))
    session.forget(state)


def test_copies_with_useless_descriptors_end_and_the_game_lives_on(session: Session):
    null = os.open("/dev/null", os.O_RDWR)
    for count in (1, 2, 3):
        connection = session.channel._connection
        request = protocol.Request(version=protocol.VERSION, kind=protocol.FORK)
        socket.send_fds(connection, [bytes(request)], [null] * count)
        with contextlib.suppress(GameError):  # three are too many: refused, or the game ends
            session.channel._receive(protocol.FORKED, LIMIT_S)
    os.close(null)


def test_helpers_of_a_game_end_with_python(program: str, tmp_path: Path):
    """A process that the game has started, and left, ends with it."""
    os.mkfifo(tmp_path / "never")
    script = f"cat {tmp_path}/never & exec {program} 64 48"
    game = Game(name="helped", command=("sh", "-c", script), size=(64, 48), display="none")
    with Session(game) as session:
        folder = str(session.folder).encode()
        session.step(Actions.released(1))
        assert len(processes_with(folder)) == 2
    end = time.monotonic() + 10
    while processes_with(folder) and time.monotonic() < end:
        time.sleep(0.02)
    assert not processes_with(folder)


def processes_with(folder: bytes) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
