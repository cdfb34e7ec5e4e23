"""Running free: the clock follows real time, frames are published, the pad is read at once."""

import time

import pytest

from nitrogen.actions import Actions
from nitrogen.errors import GameError, GameMissingError
from nitrogen.simulator import linux, protocol
from nitrogen.simulator.games import starfighter
from nitrogen.simulator.session import Session

pytestmark = pytest.mark.game


@pytest.fixture
def session():
    try:
        linux.find_program(starfighter.GAME)
    except GameMissingError as error:
        pytest.skip(str(error))
    with Session(starfighter.GAME) as session:
        yield session


def test_from_stepped_to_free_and_back(session: Session):
    channel, board = session.channel, session.channel.board
    for _ in range(5):
        session.step(Actions.released(1))
    before = channel.last.frame
    assert board.published() is None
    board.mode = protocol.MODE_FREE
    session.step(Actions.released(1))
    assert channel.last.frame == before + 1
    first = board.wait_published(0, 5.0)
    assert first is not None
    frames = [first]
    while len(frames) < 30:
        published = board.wait_published(frames[-1].frame, 5.0)
        assert published is not None
        frames.append(published)
    virtual_s = (frames[-1].time_ns - first.time_ns) / 1e9
    real_s = (frames[-1].real_ns - first.real_ns) / 1e9
    assert virtual_s == pytest.approx(real_s, abs=0.01)  # the clock follows
    steps = frames[-1].frame - first.frame
    assert real_s >= (steps - 1) / starfighter.GAME.rate_hz  # and nothing runs too fast
    assert session.picture().shape == (600, 800, 3)
    with pytest.raises(GameError, match="runs free"):
        session.step(Actions.released(1))

    board.mode = protocol.MODE_STEPPED
    channel.wait_frame(5.0)
    parked = channel.last
    time.sleep(0.1)  # does not count any more
    for _ in range(60):
        session.step(Actions.released(1))
    assert channel.last.frame == parked.frame + 60
    assert channel.last.time_ns - parked.time_ns == pytest.approx(1e9, abs=2e7)


def test_the_pad_is_read_from_the_board(session: Session):
    """The same presses lead past the title, as they do stepped."""
    board = session.channel.board
    board.mode = protocol.MODE_FREE
    session.step(Actions.released(1))
    for _ in range(3):
        for name in ((), ("south",)):
            board.hold(Actions.of(*name))
            last = board.wait_published(0, 5.0)
            assert last is not None
            assert board.wait_published(last.frame + 6, 5.0) is not None
    seen = board.seen()
    assert seen["pad_added"] == 1
    assert seen["present_sdl2_renderer"] + seen["present_sdl2_surface"] > 30
