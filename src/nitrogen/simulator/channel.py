"""The step handshake with the agent of one game process.

Knows messages, time limits and when to give up. Knows nothing of how the process was started.
"""

import ctypes
import os
import select
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError, GameTimeoutError
from nitrogen.simulator import protocol
from nitrogen.simulator.board import Board

PATIENCE = 3
"""A game that uses the processor may take this many times its limit: it is loading, not hanging."""
_LOOK_S = 0.5
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class GameEnded(GameError):  # noqa: N818 - it is caught inside this package and is news, no fault
    """The game process has ended; `status` is what it gave to exit, None if it died otherwise."""

    def __init__(self, status: int | None) -> None:
        """`status`: the exit status, or None."""
        super().__init__(f"the game has ended (status {status})")
        self.status = status


class Channel:
    """One game process, waiting at a frame. A context manager; closes twice without complaint."""

    def __init__(self, connection: socket.socket, board: Board, *, name: str) -> None:
        """`connection` and `board` are the channel's from now on; `name` is for messages."""
        self._connection, self.board, self._name = connection, board, name
        connection.settimeout(0.0)
        self._request = protocol.Request(version=protocol.VERSION)
        self._last: protocol.Reply | None = None

    @property
    def last(self) -> protocol.Reply:
        """The reply that told of the present frame."""
        assert self._last is not None
        return self._last

    @property
    def pid(self) -> int:
        """Process number of the game."""
        return int(self.last.pid)

    def wait_frame(self, limit_s: float) -> None:
        """Wait until a frame is ready. Raises GameEnded, GameTimeoutError or GameError."""
        self._last = self._receive(protocol.FRAME, limit_s)

    def send_step(self, action: Actions, *, frames: int = 1, flags: int = 0) -> None:
        """Hold the single row of `action` and let the game run `frames` frames."""
        request = self._request
        request.kind, request.frames, request.flags = protocol.STEP, frames, flags
        pad = request.pad
        ctypes.memmove(pad.buttons, action.buttons.ctypes.data, ctypes.sizeof(pad.buttons))
        ctypes.memmove(pad.sticks, action.sticks.ctypes.data, ctypes.sizeof(pad.sticks))
        self._send(request)

    def picture(self, limit_s: float) -> Frame:
        """The present frame at window size, (H, W, 3)."""
        self._request.kind = protocol.CAPTURE
        self._send(self._request)
        reply = self._receive(protocol.PICTURE, limit_s)
        return self.board.picture(reply.width, reply.height)

    def copy(self, board: Board, *, seed: int, limit_s: float) -> "Channel":
        """Fork the game. This process then only serves for further copies and is never stepped."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._request.kind, self._request.seed = protocol.FORK, seed
            self._send(self._request, files=(theirs.fileno(), board.file))
        try:
            self._receive(protocol.FORKED, limit_s)
        except GameError:
            ours.close()
            raise
        copied = Channel(ours, board, name=self._name)
        copied.wait_frame(limit_s)
        return copied

    def quit(self) -> None:
        """Ask the process to end; it need not be listening."""
        try:
            self._request.kind = protocol.QUIT
            self._send(self._request)
        except GameEnded:
            pass

    def close(self) -> None:
        """Close socket and board; the process ends when it finds out."""
        self._connection.close()
        self.board.close()

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    def _send(self, request: protocol.Request, files: Sequence[int] = ()) -> None:
        try:
            if files:
                socket.send_fds(self._connection, [bytes(request)], files)
            else:
                self._connection.send(request)
        except OSError as error:  # the peer has gone: say how it ended if it told
            self._receive(-1, 0.0, error)

    def _receive(
        self, expected: int, limit_s: float, cause: OSError | None = None
    ) -> protocol.Reply:
        data = b""
        if cause is not None or self._wait(limit_s):
            try:
                data = self._connection.recv(ctypes.sizeof(protocol.Reply))
            except (ConnectionError, BlockingIOError):
                data = b""
        if not data:
            raise GameEnded(None) from cause
        if len(data) != ctypes.sizeof(protocol.Reply):
            raise GameError(
                f"{self._name}: the agent sent {len(data)} bytes that are no reply; rebuild it"
                " with 'make -C agent'"
            )
        reply = protocol.Reply.from_buffer_copy(data)
        if reply.version != protocol.VERSION:
            raise GameError(
                f"{self._name}: the agent speaks version {reply.version}, not"
                f" {protocol.VERSION}; rebuild it with 'make -C agent'"
            )
        if reply.kind == protocol.EXIT:
            raise GameEnded(int(reply.status))
        if reply.kind == protocol.FAILED:
            raise GameError(f"{self._name}: {reply.text.decode(errors='replace')}")
        if reply.kind != expected:
            raise GameError(f"{self._name}: the agent answered {reply.kind}, not {expected}")
        return reply

    def _wait(self, limit_s: float) -> bool:
        """Wait for a message or the end. Raises GameTimeoutError when the game hangs."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        if poll.poll(min(limit_s, _LOOK_S) * 1000):
            return True
        pid = self._last.pid if self._last is not None else 0
        watch = Watch(pid)
        while not poll.poll(_LOOK_S * 1000):
            busy = watch.is_busy()
            if watch.waited_s > limit_s * (PATIENCE if busy else 1):
                doing = "busy in a loop or loading" if busy else "waiting for something"
                raise GameTimeoutError(
                    f"{self._name} presented no frame for {watch.waited_s:.0f} s of real time; it"
                    f" is {doing} ({watch.used_s:.1f} s of processor time). {self.seen_text()}"
                )
        return True

    def seen_text(self) -> str:
        """What the agent has seen of the game so far, for messages."""
        seen = ", ".join(f"{name} {count}" for name, count in self.board.seen().items() if count)
        return f"Seen by the agent: {seen or 'nothing'}."


class Watch:
    """Watches a process that presents nothing: is it at work, or does it wait for something?"""

    def __init__(self, pid: int) -> None:
        """Begin now."""
        self._pid, self._start = pid, time.monotonic()
        self._used_at_start = processor_seconds(pid)
        self._looks = self._ready = 0
        self.waited_s = self.used_s = 0.0

    def is_busy(self) -> bool:
        """Look again. Busy: it uses the processor, or would if others left it to it."""
        self.waited_s = time.monotonic() - self._start
        self.used_s = processor_seconds(self._pid) - self._used_at_start
        self._looks += 1
        self._ready += _state(self._pid) == "R"
        return self.used_s > 0.1 * self.waited_s or self._ready > 0.5 * self._looks


def _state(pid: int) -> str:
    """One letter, as the kernel calls the state of the main thread; empty if it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return ""
    return text.rpartition(")")[2].split()[0]


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used; 0 if it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return 0.0
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS_PER_S
