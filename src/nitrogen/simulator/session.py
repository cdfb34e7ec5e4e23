"""A running game with its save-states: start, step, save, restore.

Knows runs, channels and home folders; two ways to save: copies of the process, where a game allows
it, and replays from the start. Knows nothing of Gymnasium, seeds of episodes or judges.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError, GameExitedError
from nitrogen.simulator import protocol
from nitrogen.simulator.board import Board, Published
from nitrogen.simulator.channel import Channel, GameEnded
from nitrogen.simulator.game import Game
from nitrogen.simulator.home import HomeFiles
from nitrogen.simulator.linux import EPOCH_NS, LOG, Run
from nitrogen.simulator.memory import Memory
from nitrogen.simulator.program import why_no_pad

_COPY_LIMIT_S = 20.0


@dataclass(eq=False)
class SavedGame:
    """A point of a game that can be gone back to."""

    played: Actions | None
    """Everything played since the first frame, where the game is saved by replay."""
    parked: Channel | None = None
    """The process that waits for being copied, where it is saved by copies."""
    files: HomeFiles | None = None
    """The game's home folder at that point."""


class Session:
    """One running game. A context manager; closes twice without complaint.

    Raises GameEnded (with the exit status) from `step` when the game ends itself.
    """

    def __init__(self, game: Game, *, seed: int = 0) -> None:
        """Start `game` and wait for its first frame. Raises GameError and what lies below it."""
        self.game, self.seed = game, seed
        self._rows: list[Actions] = []
        self._saved: list[SavedGame] = []
        self._save_count = 0
        self._memory: Memory | None = None
        self._is_pad_known = self._is_free = False
        self._time_ns = 0
        self._run = Run(game, seed=seed)
        try:
            self.live: Channel | None = self._run.connect()
        except BaseException:
            self._run.close()
            raise

    @property
    def channel(self) -> Channel:
        """The live process. Raises GameError if it has ended."""
        if self.live is None:
            raise GameError(f"{self.game.name} is not running; reset the environment first")
        return self.live

    @property
    def memory(self) -> Memory:
        """The memory of the live process."""
        if self._memory is None or self._memory.pid != self.channel.pid:
            if self._memory is not None:
                self._memory.close()
            self._memory = Memory(self.channel.pid)
        return self._memory

    @property
    def home(self) -> Path:
        """The game's home folder."""
        return self._run.home

    @property
    def log(self) -> Path:
        """What the game has printed."""
        return self._run.folder / LOG

    @property
    def folder(self) -> Path:
        """The run's folder, with the logs."""
        return self._run.folder

    def step(self, action: Actions, *, frames: int = 1, unseen: bool = False) -> None:
        """Hold the single row of `action` for `frames` frames; `unseen` leaves the picture out."""
        self.send(action, frames=frames, unseen=unseen)
        self.receive()

    def send(self, action: Actions, *, frames: int = 1, unseen: bool = False) -> None:
        """The first half of a step: let the game go."""
        flags = protocol.FLAG_UNSEEN if unseen else 0
        if self.game.skips_drawing:
            flags |= protocol.FLAG_SKIP_DRAWING
        self._ends(lambda: self.channel.send_step(action, frames=frames, flags=flags))
        if self.game.saves == "replay":
            self._rows.extend([action] * frames)

    def receive(self) -> None:
        """The second half of a step: wait until the frame is there."""
        self._ends(lambda: self.channel.wait_frame(self.game.step_limit_s))
        if not self._is_pad_known:
            self._check_pad()

    def _check_pad(self) -> None:
        """Raise GameError if the time has come by which the game must have opened the pad."""
        game, frame = self.game, int(self.channel.last.frame)
        if game.keys or game.mouse:
            self._is_pad_known = True
        elif frame >= game.pad_limit_s * game.rate_hz:
            channels = [self.channel, *(saved.parked for saved in self._saved if saved.parked)]
            if not any(channel.board.seen()["pad_open"] for channel in channels):
                raise GameError(why_no_pad(game.name, frame, self.channel.board.seen()))
            self._is_pad_known = True

    def play(self, actions: Actions) -> None:
        """Play rows at full speed; only the last frame is looked at."""
        for row, frames, is_last in runs_of_equal_rows(actions):
            if is_last and frames > 1:
                self.step(row, frames=frames - 1, unseen=True)
                frames = 1
            self.step(row, frames=frames, unseen=not is_last)

    def run_free(self, action: Actions | None = None) -> None:
        """Let the game run at its own speed from here on, in real time; it cannot be saved then.

        The single row of `action` (everything released if None) is held from now on.

        `hold` changes what it is given, `wait_free` what it shows, `stop` parks it again.
        """
        action = Actions.released(1) if action is None else action
        self.hold(action)
        self.channel.board.mode = protocol.MODE_FREE
        self.step(action)
        self._is_free = True
        self._time_ns = int(self.channel.last.time_ns)

    def hold(self, action: Actions) -> None:
        """Running free: hold the single row of `action` until the next call."""
        self.channel.board.hold(action)

    def wait_free(self, after: int, limit_s: float) -> Published | None:
        """Running free: the newest frame with a number above `after`; None if none came in time.

        Raises GameEnded if the game has ended itself, GameTimeoutError if it hangs.
        """
        published = self.channel.board.wait_published(after, limit_s)
        if published is None:
            self._ends(lambda: self.channel.picture(self.game.step_limit_s))  # does it still live?
        else:
            self._time_ns = published.time_ns
        return published

    def stop(self) -> None:
        """Park a game that runs free at its next frame; it is stepped again from there."""
        self.channel.board.mode = protocol.MODE_STEPPED
        self._is_free = False
        self.receive()

    @property
    def time_ns(self) -> int:
        """Virtual time of the present frame, or of the newest one seen of a game that runs free."""
        return self._time_ns if self._is_free else int(self.channel.last.time_ns)

    def observation(self) -> Frame:
        """(256, 256, 3) uint8 RGB."""
        return self.channel.board.observation()

    def picture(self) -> Frame:
        """(H, W, 3) uint8 RGB at window size."""
        return self.channel.picture(self.game.step_limit_s)

    def save(self) -> SavedGame:
        """Remember this point."""
        if self.game.saves == "replay":
            saved = SavedGame(played=Actions.concatenate(self._rows))
        else:
            self._save_count += 1
            files = HomeFiles.of(self.home, self.folder / f"files-{self._save_count}", log=self.log)
            parked = self.channel
            self.live = self._copy(parked)
            saved = SavedGame(played=None, parked=parked, files=files)
        self._saved.append(saved)
        return saved

    def restore(self, saved: SavedGame) -> None:
        """Go back to a point that this session saved. Raises GameError if it is another's."""
        if saved not in self._saved:
            raise GameError("this state was saved by another environment, or before it was closed")
        if saved.parked is not None:
            assert saved.files is not None
            self._end_live()
            saved.files.put_back()
            self.live = self._copy(saved.parked)
            return
        assert saved.played is not None
        self._end_live()
        self._run.close()
        self._rows.clear()
        self._run = Run(self.game, seed=self.seed)
        self.live = self._run.connect()
        self.play(saved.played)

    def forget(self, saved: SavedGame) -> None:
        """Let go of a saved point, and of the process that waits for it."""
        if saved in self._saved and saved.parked is not self.live:
            self._saved.remove(saved)
            if saved.parked is not None:
                saved.parked.quit()
                saved.parked.close()
            if saved.files is not None:
                shutil.rmtree(saved.files.kept)

    def close(self) -> None:
        """End the game, its copies, and remove its folder."""
        self._end_live()
        if self._memory is not None:
            self._memory.close()
        for saved in self._saved:
            if saved.parked is not None:
                saved.parked.close()
        self._saved.clear()
        self._run.close()

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    def _copy(self, parked: Channel) -> Channel:
        board = Board(self.game, seed=self.seed, epoch_ns=EPOCH_NS)
        try:
            copied = parked.copy(board, seed=0, limit_s=_COPY_LIMIT_S)
        except GameEnded as end:
            board.close()
            raise GameExitedError(self._run.ending(end.status, "while being copied")) from end
        except GameError:
            board.close()
            raise
        return copied

    def _end_live(self) -> None:
        if self.live is None:
            return
        pid = self.live.pid
        self.live.close()
        self.live = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # it may hang; closing its socket does not end it then

    def _ends(self, action: Callable[[], object]) -> None:
        try:
            action()
        except GameEnded as end:
            status = end.status
            message = self._run.ending(status, "during play") if status is None else ""
            if self.live is not None:
                self.live.close()
                self.live = None
            if status is None:
                raise GameExitedError(message) from end
            raise


class SessionView:
    """What a judge may look at; follows `View`."""

    def __init__(self, session: Session, start_ns: int) -> None:
        """`start_ns`: virtual time at which the episode began."""
        self._session, self._start_ns = session, start_ns

    @property
    def memory(self) -> Memory:
        """The memory of the live process."""
        return self._session.memory

    @property
    def home(self) -> Path:
        """The game's home folder."""
        return self._session.home

    @property
    def log(self) -> Path:
        """What the game has printed."""
        return self._session.log

    @property
    def time_s(self) -> float:
        """Virtual seconds since the episode began."""
        return (self._session.time_ns - self._start_ns) / 1e9

    @property
    def observation(self) -> Frame:
        """(256, 256, 3) uint8 RGB."""
        return self._session.observation()

    def picture(self) -> Frame:
        """(H, W, 3) uint8 RGB at window size."""
        return self._session.picture()


def runs_of_equal_rows(actions: Actions) -> list[tuple[Actions, int, bool]]:
    """(row, number of equal rows in a row, is it the last run)."""
    if not len(actions):
        return []
    values = np.concatenate([actions.buttons, actions.sticks], axis=1)
    changes = (np.flatnonzero((values[1:] != values[:-1]).any(axis=1)) + 1).tolist()
    starts, ends = [0, *changes], [*changes, len(actions)]
    return [
        (actions[start : start + 1], end - start, end == len(actions))
        for start, end in zip(starts, ends, strict=True)
    ]
