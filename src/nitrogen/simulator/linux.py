"""Start a game with the agent preloaded, and end it without leaving anything behind.

Knows processes, folders and environment variables. Knows nothing of Gymnasium.

A run lives in a folder of its own: `home` (the game's fresh home), `game.log` (what it printed),
`agent.log`, the `channel` socket, the `lifeline` pipe and `board`, a link to the shared memory.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from nitrogen.errors import (
    AgentMissingError,
    GameError,
    GameExitedError,
    GameMissingError,
    GameTimeoutError,
)
from nitrogen.simulator.board import Board
from nitrogen.simulator.channel import PATIENCE, Channel, GameEnded, Watch
from nitrogen.simulator.display import Display
from nitrogen.simulator.game import Game
from nitrogen.simulator.home import full_disk_named, write_files
from nitrogen.simulator.program import check_program, counts, strangers, why_no_frame

AGENT = Path(__file__).parent / "lib" / "libnitrogen_agent.so"
EPOCH_NS = 1_700_000_000 * 1_000_000_000
"""Calendar time at which every run starts, for seed 0."""
_PREFIX = "nitrogen-run-"
_GAME_FOLDERS = ("/usr/games", "/usr/local/games")
LOG = "game.log"
"""What the game has printed, in the run's folder."""
_LOG_LINES = 12


class Run:
    """One started game: its process group and its folder. Closes twice without complaint."""

    def __init__(self, game: Game, *, seed: int = 0, mode: int = 0) -> None:
        """Start `game`, and a virtual display if it needs one.

        Raises AgentMissingError, GameMissingError, MissingDependencyError or GameError.
        """
        if not AGENT.exists():
            raise AgentMissingError(f"no agent library at {AGENT}; build it with 'make -C agent'")
        program = find_program(game)
        check_program(Path(program))
        remove_stale_folders()
        self.game = game
        self._board: Board | None = None
        self._display: Display | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self.folder, self._lock = _new_folder()
        self.home = self.folder / "home"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with full_disk_named(self.folder):
                self._prepare(seed, mode)
                self._process = self._start(program)
        except BaseException:
            self.close()
            raise

    def _prepare(self, seed: int, mode: int) -> None:
        self._listener.bind(str(self.folder / "channel"))
        self._listener.listen(1)
        os.mkfifo(self.folder / "lifeline")
        # Held open for reading too, so that opening waits for nobody; the game sees the end of
        # the last writer, which is this process.
        self._lifeline = os.open(self.folder / "lifeline", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        epoch_ns = EPOCH_NS + seed % 2**31 * 1_000_000_000
        self._board = Board(self.game, seed=seed, epoch_ns=epoch_ns, mode=mode)
        (self.folder / "board").symlink_to(f"/proc/{os.getpid()}/fd/{self._board.file}")
        if self.game.display == "x11":
            self._display = Display(self.folder, agent=AGENT, size=self.game.size)

    def _start(self, program: str) -> subprocess.Popen[bytes]:
        write_files(self.home, self.game.files, self.home)
        command = [program, *(self._filled(part) for part in self.game.command[1:])]
        with (self.folder / LOG).open("ab") as log:
            try:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.home,
                    env=self._environment(),
                    start_new_session=True,
                )
            except OSError as error:
                raise GameError(f"{self.game.name}: {program} cannot be run: {error}") from error

    def _filled(self, text: str) -> str:
        return text.replace("{home}", str(self.home))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join((os.environ.get("PATH", "/usr/bin:/bin"), *_GAME_FOLDERS)),
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            "USER": "player",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "LD_PRELOAD": str(AGENT),
            "NITROGEN_RUN": str(self.folder),
            "SDL_AUDIODRIVER": "dummy",
            "ALSOFT_DRIVERS": "null",
            "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": "1",
            "SDL_JOYSTICK_HIDAPI": "0",
            # An SDL inside the program offers its functions to the library that these name.
            "SDL_DYNAMIC_API": str(AGENT),
            "SDL3_DYNAMIC_API": str(AGENT),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "LP_NUM_THREADS": "0",
            "MESA_SHADER_CACHE_DISABLE": "true",
            **self._video(),
            **{name: self._filled(text) for name, text in self.game.environment.items()},
        }

    def _video(self) -> dict[str, str]:
        if self.game.display == "none":
            return {"SDL_VIDEODRIVER": "dummy", "SDL_RENDER_DRIVER": "software"}
        if self.game.display == "offscreen":
            return {"SDL_VIDEODRIVER": "offscreen"}
        assert self._display is not None
        return {
            "SDL_VIDEODRIVER": "x11",
            "SDL_RENDER_DRIVER": "software",  # faster than OpenGL on the processor
            "DISPLAY": self._display.name,
        }

    def connect(self) -> Channel:
        """The channel to the game, once it has presented its first frame.

        Raises GameExitedError if it ends before, GameTimeoutError if nothing was presented in time.
        """
        assert self._process is not None
        assert self._board is not None
        limit_s, watch = self.game.start_limit_s, Watch(self._process.pid)
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        process_file = os.pidfd_open(self._process.pid)
        poll.register(process_file, select.POLLIN)
        try:
            while not (ready := poll.poll(500)):
                if watch.is_busy() and watch.waited_s <= limit_s * PATIENCE:
                    continue
                if watch.waited_s > limit_s:
                    raise GameTimeoutError(self._why_no_frame(watch.waited_s))
        finally:
            os.close(process_file)
        if self._listener.fileno() not in dict(ready):
            hint = "" if self.game.display == "x11" else "; perhaps it needs display='x11'"
            raise GameExitedError(self.ending(None, f"before it presented a frame{hint}"))
        connection, _ = self._listener.accept()
        channel = Channel(connection, self._board, name=self.game.name)
        self._board = None  # the channel's from now on
        try:
            channel.wait_frame(limit_s)
        except GameEnded as end:
            channel.close()
            raise GameExitedError(self.ending(end.status, "in its first frame")) from end
        except GameError:
            channel.close()
            raise
        return channel

    def _why_no_frame(self, waited_s: float) -> str:
        assert self._board is not None
        seen = self._board.seen()
        why = why_no_frame(seen, display=self.game.display, strangers=strangers(self.folder, AGENT))
        return (
            f"{self.game.name} presented no frame in {waited_s:.0f} s: {why} ({counts(seen)})."
            f"{self._log_text()}"
        )

    def ending(self, status: int | None, when: str) -> str:
        """A message that says how the game ended."""
        code = self._wait_end() if status is None else status
        if code is None:
            how = "closed its channel"
        elif code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"exited with status {code}"
        return f"{self.game.name} {how} {when}.{self._log_text()}"

    def _wait_end(self) -> int | None:
        assert self._process is not None
        try:
            return self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            return None

    def _log_text(self) -> str:
        text = (self.folder / LOG).read_text(errors="replace")
        tail = [line[:200] for line in text.splitlines()[-_LOG_LINES:]]
        return "\nThe end of what it printed:\n" + "\n".join(tail) if tail else ""

    def close(self) -> None:
        """End every process of the run and remove its folder."""
        if self._lock < 0:
            return
        if self._lifeline >= 0:
            os.close(self._lifeline)  # the kernel ends whatever has loaded the agent
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._display is not None:
            self._display.close()
        self._listener.close()
        if self._board is not None:
            self._board.close()
            self._board = None
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()


def find_program(game: Game) -> str:
    """Full path of the game's program. Raises GameMissingError, naming the packages."""
    name = game.command[0]
    path = os.pathsep.join((os.environ.get("PATH", ""), *_GAME_FOLDERS))
    found = shutil.which(name, path=path)
    if found is not None:
        return found
    how = (
        f"install it with 'apt-get install {' '.join(game.packages)}'"
        if game.packages
        else "give its full path, or install it"
    )
    raise GameMissingError(f"{game.name}: no program {name!r} on this machine; {how}")


def is_installed(game: Game) -> bool:
    """Is the game's program there?"""
    try:
        find_program(game)
    except GameMissingError:
        return False
    return True


def _new_folder() -> tuple[Path, int]:
    """The folder of a run, and its locked file: while it is locked, nobody else removes it."""
    with full_disk_named(Path(tempfile.gettempdir())):
        while True:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
            lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / "lock").exists():
                return folder, lock
            os.close(lock)  # it was taken for a stale one before it was locked


def remove_stale_folders() -> None:
    """Remove the run folders of processes that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(lock)
