"""The memory that a game and Python share: header, observation, picture.

Knows the layout, and that the memory belongs to no folder: it vanishes with the last process that
maps it.
"""

import ctypes
import errno
import mmap
import os
import platform
import time
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, FRAME_SIZE, STICKS, Actions, Frame
from nitrogen.errors import GameError
from nitrogen.simulator import protocol
from nitrogen.simulator.game import Game
from nitrogen.simulator.keys import CODES, MOUSE_KINDS, MOUSE_STICKS

_FUTEX_WAIT = 0
_FUTEX_CALL = {"x86_64": 202, "aarch64": 98}.get(platform.machine())
_LOOK_S = 0.001
_TRIES = 1000
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, eq=False)
class Published:
    """The newest frame of a game that runs free."""

    frame: int
    """Its number; the first one is 0."""
    time_ns: int
    """Virtual time at which it was presented."""
    real_ns: int
    """Real time at which it was presented, as `time.monotonic_ns()` counts."""
    observation: Frame
    """(256, 256, 3)."""


class Board:
    """Mapped memory of one game process. A context manager; closes twice without complaint."""

    def __init__(self, game: Game, *, seed: int, epoch_ns: int, mode: int = 0) -> None:
        """Room for the pictures of `game`. Raises GameError if there is no memory left."""
        width, height = game.size
        picture_bytes = width * height * 3
        size = protocol.PICTURE_OFFSET + picture_bytes
        self.file = os.memfd_create("nitrogen-board", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(self.file, 0, size)  # now, not as a bus error in the game
            self._memory = mmap.mmap(self.file, size)
        except OSError as error:
            os.close(self.file)
            if error.errno not in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
                raise
            raise GameError(
                f"no memory for the pictures of {game.name} ({size / 1e6:.1f} MB): free some,"
                " or play fewer games at once"
            ) from error
        self.header = protocol.Header.from_buffer(self._memory)
        self.header.magic = protocol.MAGIC
        self.header.version = protocol.VERSION
        self.header.epoch_ns = epoch_ns
        self.header.rate_numerator = game.rate.numerator
        self.header.rate_denominator = game.rate.denominator
        self.header.seed = seed
        self.header.mode = mode
        self.header.picture_bytes = picture_bytes
        for control, key in game.keys.items():
            self.header.keys[protocol.KEY_CONTROLS.index(control)] = CODES[key]
        if game.mouse is not None:
            self.header.mouse.kind = MOUSE_KINDS[game.mouse.kind]
            self.header.mouse.stick = MOUSE_STICKS.index(game.mouse.stick)
            self.header.mouse.reach = game.mouse.reach
        self._observation: NDArray[np.uint8] = np.frombuffer(
            self._memory, np.uint8, protocol.OBSERVATION_BYTES, protocol.HEADER_BYTES
        ).reshape(FRAME_SIZE, FRAME_SIZE, 3)
        self._picture: NDArray[np.uint8] = np.frombuffer(
            self._memory, np.uint8, picture_bytes, protocol.PICTURE_OFFSET
        )

    def observation(self) -> Frame:
        """A copy of the observation, (256, 256, 3)."""
        return self._observation.copy()

    def picture(self, width: int, height: int) -> Frame:
        """A copy of the picture, (height, width, 3)."""
        return self._picture[: width * height * 3].reshape(height, width, 3).copy()

    @property
    def mode(self) -> int:
        """How time passes, one of `protocol.MODE_*`; a change takes effect at the next present."""
        return int(self.header.mode)

    @mode.setter
    def mode(self, mode: int) -> None:
        self.header.mode = mode

    def hold(self, action: Actions) -> None:
        """Running free: hold the single row of `action` from the game's next look at it."""
        header = self.header
        header.pad_sequence |= 1
        ctypes.memmove(header.pad.buttons, action.buttons.ctypes.data, 4 * len(BUTTONS))
        ctypes.memmove(header.pad.sticks, action.sticks.ctypes.data, 4 * len(STICKS))
        header.pad_sequence += 1

    def published(self) -> Published | None:
        """Running free: the newest frame; None if there was none yet, or it is never finished."""
        header = self.header
        for _ in range(_TRIES):
            sequence = header.frame_sequence
            if sequence == 0:
                return None
            if sequence % 2 == 0:
                numbers = int(header.frame), int(header.frame_time_ns), int(header.frame_real_ns)
                found = Published(*numbers, self.observation())
                if header.frame_sequence == sequence:
                    return found
            time.sleep(_LOOK_S)
        return None

    def wait_published(self, after: int, limit_s: float) -> Published | None:
        """Running free: the newest frame with a number above `after`; None if none came in time.

        Sleeps until the game wakes it. Look whether the game still lives when None is returned.
        """
        end = time.monotonic() + limit_s
        while True:
            sequence = self.header.frame_sequence
            if sequence % 2 == 0 and sequence and self.header.frame > after:
                return self.published()
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._sleep(sequence, left)

    def _sleep(self, sequence: int, limit_s: float) -> None:
        """Until the agent has changed the sequence, or for a while."""
        if _FUTEX_CALL is None:
            time.sleep(min(limit_s, _LOOK_S))
            return
        seconds, rest = divmod(limit_s, 1.0)
        limit = (ctypes.c_int64 * 2)(int(seconds), int(rest * 1e9))
        word = ctypes.addressof(self.header) + protocol.Header.frame_sequence.offset
        _LIBC.syscall(
            ctypes.c_long(_FUTEX_CALL), ctypes.c_void_p(word), ctypes.c_int(_FUTEX_WAIT),
            ctypes.c_uint32(sequence), limit, None, ctypes.c_int(0),
        )  # fmt: skip

    def seen(self) -> dict[str, int]:
        """How often each kind of call was seen in the game."""
        return dict(zip(protocol.SEEN, self.header.seen, strict=False))

    def close(self) -> None:
        """Let the memory go."""
        if self.file < 0:
            return
        os.close(self.file)
        self.file = -1
        # The views must go before the mapping can.
        del self.header, self._observation, self._picture
        self._memory.close()

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()
