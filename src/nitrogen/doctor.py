"""What works on this machine, and the command that mends each gap.

Looks only: installs, starts and changes nothing. Knows no command line.
"""

import ctypes.util
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nitrogen.simulator import catalog, linux
from nitrogen.simulator.game import Game

_TEMPORARY_BYTES = 200_000_000

State = Literal["ok", "missing", "optional"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked for."""

    name: str
    state: State
    """`optional`: missing, but only some features need it."""
    detail: str
    remedy: str = ""
    """The command that mends the gap."""


def examine() -> list[Check]:
    """Everything, in the order in which it matters."""
    checks: list[Callable[[], Check]] = [
        _python,
        _system,
        _compiler,
        _agent,
        _shared_memory,
        _other_memory,
        _temporary_space,
        _display,
        _key_presses,
        _software_gl,
        _torch,
        _gpu,
        _vizdoom,
    ]
    return [check() for check in checks] + [_game(game) for game in catalog.all_games()]


def is_ready(checks: list[Check]) -> bool:
    """Is nothing missing that everything needs?"""
    return all(check.state != "missing" for check in checks)


def _python() -> Check:
    return Check("Python", "ok", platform.python_version())


def _system() -> Check:
    name = f"{platform.system()} {platform.machine()}"
    if platform.system() != "Linux":
        return Check("system", "optional", f"{name}: the simulator runs on Linux", "use Linux")
    return Check("system", "ok", f"{name}, {os.cpu_count()} cores")


def _compiler() -> Check:
    missing = [tool for tool in ("cc", "make") if shutil.which(tool) is None]
    if missing:
        return Check(
            "C compiler",
            "optional",
            f"no {' and no '.join(missing)}: the agent cannot be built",
            "apt-get install build-essential",
        )
    done = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    return Check("C compiler", "ok", done.stdout.splitlines()[0] if done.stdout else "cc")


def _agent() -> Check:
    if not linux.AGENT.exists():
        return Check("agent", "missing", f"no {linux.AGENT}", "make -C agent")
    probe = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ""],
        env={"PATH": os.environ.get("PATH", ""), "LD_PRELOAD": str(linux.AGENT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode or probe.stderr:
        why = probe.stderr.strip() or f"status {probe.returncode}"
        return Check("agent", "missing", f"it cannot be loaded: {why}", "make -C agent clean all")
    return Check("agent", "ok", str(linux.AGENT))


def _shared_memory() -> Check:
    try:
        os.close(os.memfd_create("nitrogen-doctor"))
    except OSError as error:
        return Check("shared memory", "missing", f"memfd_create fails: {error}", "use Linux 3.17+")
    return Check("shared memory", "ok", "memfd")


def _other_memory() -> Check:
    """Judges of several games read the memory of the game's process."""
    try:
        scope = int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text())
    except (OSError, ValueError):
        scope = 0  # a kernel without Yama: children may be read
    if scope < 2 or os.geteuid() == 0:
        return Check("memory of games", "ok", "readable")
    return Check(
        "memory of games",
        "optional",
        f"kernel.yama.ptrace_scope is {scope}: judges that read memory cannot work",
        "sysctl kernel.yama.ptrace_scope=1",
    )


def _temporary_space() -> Check:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    if free < _TEMPORARY_BYTES:
        return Check(
            "temporary folder",
            "missing",
            f"{folder} has {free / 1e6:.0f} MB left: games cannot keep their home folders there",
            "export TMPDIR=/a/folder/with/space",
        )
    return Check("temporary folder", "ok", f"{folder}, {free / 1e9:.1f} GB free")


def _key_presses() -> Check:
    if ctypes.util.find_library("Xtst") is None:
        return Check(
            "keys on X11",
            "optional",
            "no libXtst: games on the X display that read keys cannot be driven",
            "apt-get install libxtst6",
        )
    return Check("keys on X11", "ok", "XTEST")


def _display() -> Check:
    program = shutil.which("Xvfb")
    if program is None:
        return Check(
            "virtual display",
            "optional",
            "no Xvfb: games that need X11 cannot start",
            "apt-get install xvfb",
        )
    return Check("virtual display", "ok", program)


def _software_gl() -> Check:
    folders = [Path(path) for path in ("/usr/lib/x86_64-linux-gnu/dri", "/usr/lib/dri")]
    folders += list(Path("/usr/lib").glob("*-linux-gnu/dri"))
    if any((folder / "swrast_dri.so").exists() for folder in folders):
        return Check("OpenGL on the processor", "ok", "Mesa llvmpipe")
    if ctypes.util.find_library("GL") is None:
        return Check(
            "OpenGL on the processor",
            "optional",
            "no OpenGL library: only games that draw in software run",
            "apt-get install libgl1 libegl1 libgl1-mesa-dri",
        )
    return Check(
        "OpenGL on the processor",
        "optional",
        "no llvmpipe driver was found",
        "apt-get install libgl1-mesa-dri",
    )


def _torch() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check(
            "PyTorch",
            "optional",
            "not installed: nothing can be trained, policies play through a server only",
            "pip install 'nitrogen[train]'",
        )
    import torch

    return Check("PyTorch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")


def _gpu() -> Check:
    if importlib.util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            return Check("GPU", "ok", torch.cuda.get_device_name(0))
    return Check("GPU", "optional", "none that PyTorch can use: everything runs on the processor")


def _vizdoom() -> Check:
    if importlib.util.find_spec("vizdoom") is None:
        return Check("ViZDoom", "optional", "not installed", "pip install 'nitrogen[doom]'")
    return Check("ViZDoom", "ok", "installed")


def _game(game: Game) -> Check:
    name = game.title or game.name
    if linux.is_installed(game):
        note = "; wants a GPU" if game.wants_gpu else ""
        return Check(name, "ok", f"installed{note}")
    return Check(name, "optional", "not installed", f"apt-get install {' '.join(game.packages)}")
