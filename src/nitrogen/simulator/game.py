"""What the simulator must know of a game: how to start it, how it runs, and who judges it.

Knows no process. Facts about one game live in `nitrogen.simulator.games.<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from nitrogen.actions import BUTTONS, Actions, Frame
from nitrogen.errors import GameError
from nitrogen.simulator.keys import CODES, Mouse
from nitrogen.simulator.memory import Memory
from nitrogen.simulator.protocol import KEY_CONTROLS

Display = Literal["none", "offscreen", "x11"]
RESERVED = ("HOME", "XDG_RUNTIME_DIR", "LD_PRELOAD", "NITROGEN_RUN", "DISPLAY")
"""Variables that each run has for itself."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says after a frame."""

    terminated: bool = False
    success: bool = False
    progress: float = 0.0
    """In 0..1."""
    events: tuple[str, ...] = ()
    """What has happened since the last frame."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers read from the game, for experts and reports."""


class View(Protocol):
    """What a judge may look at: the game at the frame that it shows now."""

    @property
    def memory(self) -> Memory:
        """The memory of the game's process."""

    @property
    def home(self) -> Path:
        """The game's home folder."""

    @property
    def log(self) -> Path:
        """The file with all that the game has printed; see `LineReader`."""

    @property
    def time_s(self) -> float:
        """Virtual seconds since the episode began."""

    @property
    def observation(self) -> Frame:
        """(256, 256, 3) uint8 RGB."""

    def picture(self) -> Frame:
        """(H, W, 3) uint8 RGB at window size."""


class Judge(Protocol):
    """Decides what an episode came to. It is copied with the game's save-states."""

    def on_start(self, view: View) -> Verdict:
        """The episode begins with this frame."""

    def on_frame(self, view: View) -> Verdict:
        """The game shows the next frame."""

    def on_exit(self, status: int) -> Verdict:
        """The game has ended itself with this exit status."""


class LineReader:
    """New whole lines of a file that the game writes; to be kept in a judge, it is copied with it.

    A game that goes back to a save-state leaves the file as it was then, filled up with zero bytes
    where it writes on.
    """

    def __init__(self) -> None:
        """Begins with the first line of the file."""
        self._position = 0

    def skip(self, path: Path) -> None:
        """Leave out what is there already."""
        self._position = path.stat().st_size if path.exists() else 0

    def read(self, path: Path) -> list[str]:
        """The lines that are new in `path`, without their ends; none while it does not exist."""
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._position)
            text, end, _ = file.read().rpartition(b"\n")
        self._position += len(text) + len(end)
        return text.replace(b"\0", b"").decode(errors="replace").splitlines()


class ExitJudge:
    """The game goes on until it ends itself; exit status 0 counts as success if so declared."""

    def __init__(self, *, success_status: int | None = None) -> None:
        """`success_status`: the exit status that means success, None if none does."""
        self._success_status = success_status

    def on_start(self, view: View) -> Verdict:
        """Nothing has happened yet."""
        return Verdict()

    def on_frame(self, view: View) -> Verdict:
        """Nothing is known while it runs."""
        return Verdict()

    def on_exit(self, status: int) -> Verdict:
        """Success if the game ended with the status that means it."""
        success = status == self._success_status
        return Verdict(
            terminated=True,
            success=success,
            progress=float(success),
            events=(f"exit {status}",),
        )


class JudgeFactory(Protocol):
    """Makes the judge of one episode."""

    def __call__(self) -> Judge:
        """A fresh judge."""


@dataclass(frozen=True, kw_only=True)
class Game:
    """One game, started in one way.

    `{home}` in `command`, `environment` and the text of `files` stands for the fresh home folder.
    Raises GameError if a value makes no sense.
    """

    name: str
    command: tuple[str, ...]
    title: str = ""
    packages: tuple[str, ...] = ()
    """Debian packages that bring it."""
    size: tuple[int, int] = (1920, 1080)
    """The window's width and height, or more: room for the picture."""
    rate_hz: float = 60.0
    """Native frame rate: the game's own idea of how long a frame lasts."""
    display: Display = "x11"
    """`x11`: a virtual X display, for any program. Faster where the game allows it: `none`, SDL
    draws in memory; `offscreen`, OpenGL through SDL and EGL without a display. OpenGL is drawn on
    the processor."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Text files in the home folder, by path."""
    environment: Mapping[str, str] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    """Buttons that stay released during an episode, whatever the action says: those that leave the
    game or its level."""
    startup: Actions = field(default_factory=lambda: Actions.released(0))
    """Played before the episode begins, from the first presented frame."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """For games that read no pad: control (`south`, `left_x-`) -> key (`space`, `left`) or
    mouse button (`mouse_left`)."""
    mouse: Mouse | None = None
    """For games that want a mouse: the stick that moves it."""
    judge: JudgeFactory = ExitJudge
    saves: Literal["fork", "replay"] = "replay"
    """Save-states: by copying the process, or by replaying from the start."""
    seeded: bool = False
    """The seed of an episode changes the game's random numbers, for which it must start anew;
    otherwise all episodes of it begin alike."""
    deterministic: bool = False
    """Equal actions give equal frames, tested."""
    skips_drawing: bool = False
    """Redraws everything in each frame, so frames that nobody looks at need not be drawn."""
    wants_gpu: bool = False
    start_limit_s: float = 20.0
    """Real time until the first frame; three times as much while the game uses the processor."""
    pad_limit_s: float = 20.0
    """Virtual time in which a game without `keys` or `mouse` must have opened the pad."""
    step_limit_s: float = 60.0
    """Real time until the next frame; three times as much while the game uses the processor."""

    def __post_init__(self) -> None:
        """Check."""
        if not self.command:
            raise GameError(f"{self.name}: the command is empty; name the program to start")
        if not 1.0 <= self.rate_hz <= 1000.0:
            raise GameError(f"{self.name}: rate_hz {self.rate_hz:g} is not in 1..1000")
        if not all(16 <= side <= 8192 for side in self.size):
            raise GameError(f"{self.name}: size {self.size} is not within 16..8192 pixels")
        if not set(self.locked) <= set(BUTTONS):
            raise GameError(f"{self.name}: locked {self.locked} are not all buttons: {BUTTONS}")
        ours = sorted(set(self.environment) & set(RESERVED))
        if ours:
            raise GameError(
                f"{self.name}: the simulator sets {' and '.join(ours)} itself, so that no two"
                " environments share a home folder; put what the game must find there into files"
            )
        unknown = sorted(set(self.keys) - set(KEY_CONTROLS))
        if unknown:
            raise GameError(f"{self.name}: keys for unknown controls {unknown}: {KEY_CONTROLS}")
        unnamed = sorted(set(self.keys.values()) - set(CODES))
        if unnamed:
            raise GameError(f"{self.name}: unknown keys {unnamed}; known: {sorted(CODES)}")

    @property
    def rate(self) -> Fraction:
        """Native frame rate in Hz, exactly as the clock keeps it."""
        return Fraction(self.rate_hz).limit_denominator(1001)
