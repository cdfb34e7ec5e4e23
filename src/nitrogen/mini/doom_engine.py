"""Starts, steps and surely ends one ViZDoom engine process.

Knows ViZDoom's interface and how to keep it from outliving us. Knows nothing of pads or scenarios.
Each engine has a private folder (it writes into its working directory) and a watchdog process that
kills the engine and removes the folder when this process is gone, however it went.
"""

import contextlib
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple, Self

from nitrogen.actions import Frame
from nitrogen.errors import GameError, GameExitedError, MissingDependencyError

_START = threading.Lock()  # the working directory is changed while an engine starts
_CLOSE_TIMEOUT_S = 10.0

# Ends by itself: it waits for the end of its input, which comes when we close it or die. The engine
# ignores SIGTERM and is found by the folder's name in its command line.
_WATCHDOG = """
import os, shutil, signal, sys
from pathlib import Path
sys.stdin.buffer.read()
folder = os.fsencode(sys.argv[1])
for process in Path("/proc").glob("[0-9]*"):
    try:
        words = (process / "cmdline").read_bytes().split(b"\\0")
        if int(process.name) == os.getpid() or not any(folder in word for word in words):
            continue
        os.kill(int(process.name), signal.SIGKILL)
        name = words[words.index(b"+viz_instance_id") + 1].decode()
        for left in Path("/dev/shm").glob("ViZDoom*" + name):
            left.unlink()
    except (OSError, ValueError, IndexError):
        continue
shutil.rmtree(folder, ignore_errors=True)
"""


class Thing(NamedTuple):
    """An object of the game, where it is."""

    name: str
    x: float
    y: float
    angle: float
    """Degrees, counter-clockwise from the x axis."""
    vx: float
    vy: float


class Engine:
    """One ViZDoom process playing one scenario; a context manager."""

    def __init__(
        self, scenario: str, *, buttons: tuple[str, ...], resolution: str, timeout: int
    ) -> None:
        """`scenario` names a configuration of the package, `buttons` its engine buttons.

        Raises MissingDependencyError without the package, GameError if the engine does not start.
        """
        self._vizdoom = vizdoom = load()
        self.folder = tempfile.mkdtemp(prefix="nitrogen-doom-")
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCHDOG, self.folder],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._game: Any = vizdoom.DoomGame()
        try:
            self._set_up(scenario, buttons, resolution, timeout)
            with _START, contextlib.chdir(self.folder):
                self._game.init()
        except _failures(vizdoom) as error:
            self.close()
            raise GameError(f"ViZDoom does not start scenario {scenario!r}: {error}") from error

    def _set_up(
        self, scenario: str, buttons: tuple[str, ...], resolution: str, timeout: int
    ) -> None:
        vizdoom, game = self._vizdoom, self._game
        game.load_config(str(Path(vizdoom.scenarios_path) / f"{scenario}.cfg"))
        game.set_doom_config_path(str(Path(self.folder) / "engine.ini"))
        game.set_mode(vizdoom.Mode.PLAYER)
        game.set_window_visible(False)
        game.set_sound_enabled(False)  # with sound, Freedoom aborts on machines without a device
        game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        game.set_screen_resolution(getattr(vizdoom.ScreenResolution, resolution))
        game.set_render_hud(False)
        game.set_objects_info_enabled(True)
        game.set_available_buttons([getattr(vizdoom.Button, name) for name in buttons])
        # The time limit is ours: the engine's would end the episode without a last picture.
        game.set_episode_timeout(timeout)

    def start(self, seed: int) -> None:
        """A new episode; everything random in it follows from `seed`."""
        with self._alive():
            self._game.set_seed(seed % 2**32)
            self._game.new_episode()

    def act(self, values: list[float]) -> None:
        """Hold the engine buttons, in the order given at the start, for one tic."""
        with self._alive():
            self._game.make_action(values)

    @property
    def is_over(self) -> bool:
        """Whether the scenario has ended the episode."""
        with self._alive():
            return bool(self._game.is_episode_finished())

    @property
    def reward(self) -> float:
        """Sum of the scenario's rewards."""
        with self._alive():
            return float(self._game.get_total_reward())

    def variable(self, name: str) -> float:
        """A game variable, for example `HEALTH`."""
        with self._alive():
            return float(self._game.get_game_variable(getattr(self._vizdoom.GameVariable, name)))

    def look(self) -> tuple[Frame, tuple[Thing, ...]] | None:
        """The picture and the objects of the game; None once the episode has ended."""
        with self._alive():
            state = self._game.get_state()
        if state is None:
            return None
        things = tuple(
            Thing(o.name, o.position_x, o.position_y, o.angle, o.velocity_x, o.velocity_y)
            for o in state.objects
        )
        return state.screen_buffer, things

    def close(self) -> None:
        """End the engine; again is harmless."""
        self._game.close()
        if self._watchdog.stdin is not None and not self._watchdog.stdin.closed:
            self._watchdog.stdin.close()
            self._watchdog.wait(_CLOSE_TIMEOUT_S)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    @contextlib.contextmanager
    def _alive(self) -> Any:
        try:
            yield
        except _failures(self._vizdoom) as error:
            self.close()
            raise GameExitedError(
                f"the ViZDoom engine is gone ({error}); make a new environment"
            ) from error


def load() -> Any:
    """The vizdoom package; MissingDependencyError with the command that installs it."""
    try:
        import vizdoom
    except ImportError as error:
        raise MissingDependencyError(
            "ViZDoom is not installed; run: pip install 'nitrogen[doom]'"
        ) from error
    return vizdoom


def _failures(vizdoom: Any) -> tuple[type[Exception], ...]:
    return (
        vizdoom.ViZDoomErrorException,
        vizdoom.ViZDoomIsNotRunningException,
        vizdoom.ViZDoomUnexpectedExitException,
        vizdoom.FileDoesNotExistException,
        vizdoom.MessageQueueException,
        vizdoom.SharedMemoryException,
    )
