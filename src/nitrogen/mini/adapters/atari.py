"""Atari 2600 games of `ale-py`, without sticky actions, at their native 60 frames per second.

The left stick is the joystick (eight directions, pushed beyond half of its travel; the directional
pad does the same), south or the right trigger the one button: the mapping of the continuous Atari
environments (Farebrother and Castro, CALE, 2024). Every game begins alike, so the seed decides for
how many frames nothing is pressed first.

`ale-py` is under the GPL 2, and the game ROMs inside its wheel belong to others. Both are optional:
nothing of them comes with this package.
"""

from typing import Any

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError, MissingDependencyError
from nitrogen.mini.adapters.base import Seen, direction, is_held

RATE_HZ = 60.0
MOST_WAITING = 30
"""Frames without input before an episode: the usual random start."""


class Score:
    """Original: so many points before the first life is lost."""

    def __init__(self, rom: str, wanted: int) -> None:
        """`rom` as ale-py calls it; `wanted`: points. Raises MissingDependencyError."""
        try:
            import ale_py
        except ImportError as error:
            raise MissingDependencyError(
                "Atari games need ale-py; install it with pip install 'nitrogen[atari]'"
            ) from error
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        self._ale: Any = ale_py.ALEInterface()
        self._ale.setInt("frame_skip", 1)
        self._ale.setFloat("repeat_action_probability", 0.0)
        self._rom, self._wanted = ale_py.roms.get_rom_path(rom), wanted
        self._actions = ale_py.Action
        self._points = self._lives = 0

    def start(self, seed: int) -> Seen:
        """Switch on, and wait."""
        self._ale.setInt("random_seed", seed % 2**31)
        self._ale.loadROM(self._rom)
        self._ale.reset_game()
        for _ in range(int(np.random.default_rng(seed).integers(MOST_WAITING))):
            self._ale.act(self._actions.NOOP)
        self._points, self._lives = 0, self._ale.lives()
        return self._seen()

    def step(self, row: Actions) -> Seen:
        """One frame of the television."""
        before = self._points
        self._points += self._ale.act(self._action(row))
        return self._seen(("scored",) if self._points > before else ())

    def _action(self, row: Actions) -> Any:
        """The joystick's direction and the button, as one of 18 names."""
        x, y = direction(row)
        words = ["", "UP", "DOWN"][y] + ["", "RIGHT", "LEFT"][x]
        if is_held(row, "south", "right_trigger"):
            words += "FIRE"
        return getattr(self._actions, words or "NOOP")

    def _seen(self, events: tuple[str, ...] = ()) -> Seen:
        has_died = self._ale.lives() < self._lives or self._ale.game_over()
        progress = min(max(self._points / self._wanted, 0.0), 1.0)
        return Seen(self.picture(), progress, has_died, (*events, "died") if has_died else events)

    def picture(self) -> Frame:
        """The television's, (210, 160, 3)."""
        picture: Frame = self._ale.getScreenRGB()
        return picture

    def expert(self) -> Actions:
        """There is none."""
        raise GameError("Atari games have no expert")

    def close(self) -> None:
        """Nothing to end: the emulator is a library."""
