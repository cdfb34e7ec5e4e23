"""Stopping a run from outside: SIGINT (Ctrl-C) and SIGTERM ask, the loop decides when."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class StopRequest:
    """Whether somebody has asked the run to stop."""

    def __init__(self) -> None:
        """Nobody has."""
        self.signal = 0
        """Number of the signal that asked; 0 while none has."""


@contextlib.contextmanager
def requests() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; the second acts as it did before.

    Outside of the main thread, where Python delivers no signals, there are no requests.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        request.signal = number
        restore()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore()
