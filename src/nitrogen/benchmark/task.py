"""`Task`: what is to be achieved in which game, and how to make the environment that judges it."""

import functools
import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nitrogen.errors import GameError, GameMissingError
from nitrogen.play import GameEnv

Suite = Literal["mini", "open-10", "extras"]
Kind = Literal["combat", "navigation", "game-specific"]
View = Literal["2D side-scrolling", "2D top-down", "3D"]
JudgedBy = Literal["own state", "exported state", "memory", "screen"]
"""How the verdict is reached. `own state`: the game is ours or has an interface for it; `exported
state`: exit code, log, save or statistics file; `memory`: the parent reads the game's memory."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to achieve in one game; the environment says `success` and `progress` in `info`."""

    name: str
    """`game/task`, for example `doom/defend_the_center`."""
    suite: Suite
    kind: Kind
    view: View
    judge: JudgedBy
    goal: str
    """When it counts as a success, in one sentence."""
    frames: int
    """Game frames after which an episode ends without success."""
    rate_hz: float
    """Game frames per virtual second."""
    make: Callable[[], GameEnv]
    """The environment that judges the task; importing its game's package only now."""
    render: Callable[[], GameEnv]
    """The same, whose `render()` is large enough to watch (720p)."""
    missing: Callable[[], str | None]
    """Why it cannot run on this machine, with the command that mends it; None if it can."""
    packages: tuple[str, ...] = ()
    """Debian packages of the game; their versions stand beside each result."""
    distributions: tuple[str, ...] = ()
    """Python packages of the game, likewise."""
    has_expert: bool = True
    """The environment has `expert()`: what a good player holds in the present state."""
    demonstration: Path | None = None
    """Where a demonstration that comes with the package would lie, for games without an expert."""
    deterministic: bool = True
    """The same seed and the same actions give the same frames."""

    def must_run(self) -> None:
        """Raise GameMissingError, saying what mends it, if the task cannot run on this machine."""
        reason = self.missing()
        if reason is not None:
            raise GameMissingError(f"{self.name}: {reason}")

    @property
    def game(self) -> str:
        """The game's name."""
        return self.name.partition("/")[0]

    @property
    def is_ready(self) -> bool:
        """Its judge was tested in both directions: that takes an expert or a demonstration."""
        return self.has_expert or (self.demonstration is not None and self.demonstration.exists())

    @property
    def is_light(self) -> bool:
        """Many of them run side by side: they need hardly any memory and start at once."""
        return self.suite == "mini"

    def versions(self) -> dict[str, str]:
        """Versions of nitrogen and of everything that the game consists of."""
        found = {name: importlib.metadata.version(name) for name in self.distributions}
        found |= {name: debian_version(name) for name in self.packages}
        return {"nitrogen": importlib.metadata.version("nitrogen"), **found}


@functools.cache
def debian_version(package: str) -> str:
    """Installed version of a Debian package, or `unknown` where there is no dpkg.

    Raises GameError if dpkg cannot be asked.
    """
    program = shutil.which("dpkg-query")
    if program is None:
        return "unknown"
    try:
        done = subprocess.run(
            [program, "--show", "--showformat=${Version}", package],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GameError(f"the version of {package} is not known: {error}") from error
    return done.stdout.strip() or "unknown"
