"""The memory that a game and Python share: header, observation, picture.

Knows the layout, and that the memory belongs to no folder: it vanishes with the last process that
maps it.
"""

import errno
import mmap
import os
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import FRAME_SIZE, Frame
from nitrogen.errors import GameError
from nitrogen.simulator import protocol
from nitrogen.simulator.game import Game
from nitrogen.simulator.keys import SCANCODES


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
            self.header.keys[protocol.KEY_CONTROLS.index(control)] = SCANCODES[key]
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
