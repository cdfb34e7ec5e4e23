"""What a program must be for the agent to be loaded into it, and what is wrong with one that
presents no frame.

Knows ELF headers, permissions and the agent's counters. Starts nothing.
"""

import os
import platform
import shlex
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

from nitrogen.errors import GameError
from nitrogen.simulator.protocol import INITS, PRESENTS

_INTERPRETER = 3  # a program header that names the dynamic loader
_MACHINES = {"x86_64": 62, "aarch64": 183}
_CAPABILITIES = "security.capability"
_SCRIPTS_DEEP = 4


def check_program(path: Path) -> None:
    """Raise GameError if the agent cannot be loaded into the program, saying why.

    A script is judged by its interpreter; what it starts is not known yet.
    """
    for _ in range(_SCRIPTS_DEEP):
        with path.open("rb") as file:
            head = file.read(4096)
        if not head.startswith(b"#!"):
            break
        words = shlex.split(head[2:].splitlines()[0].decode(errors="replace"))
        if not words or not Path(words[0]).exists():
            raise GameError(f"{path} is a script for {' '.join(words) or 'nothing'}, which is not"
                            " installed; install that, or start another program")  # fmt: skip
        path = Path(words[0])
    if not head.startswith(b"\x7fELF"):
        raise GameError(f"{path} is no program for Linux; a Windows game needs Wine")
    _check_rights(path)
    if head[4] != 2:
        raise GameError(
            f"{path} is a 32-bit program, and the agent is 64-bit: install the 64-bit build of"
            " the game"
        )
    (machine,) = struct.unpack_from("<H", head, 18)
    if machine != _MACHINES.get(platform.machine(), machine):
        raise GameError(f"{path} is for another processor than this {platform.machine()}")
    start, size, count = (*struct.unpack_from("<Q", head, 32), *struct.unpack_from("<HH", head, 54))
    kinds = [struct.unpack_from("<I", head, start + size * index)[0] for index in range(count)]
    if _INTERPRETER not in kinds:
        raise GameError(
            f"{path} is linked statically, so no agent can be loaded into it: use a dynamically"
            " linked build of the game"
        )


def _check_rights(path: Path) -> None:
    status = path.stat()
    gains = [
        name
        for name, bit, other in (
            ("set-uid", stat.S_ISUID, status.st_uid != os.geteuid()),
            ("set-gid", stat.S_ISGID, status.st_gid != os.getegid()),
        )
        if status.st_mode & bit and other
    ]
    if _CAPABILITIES in os.listxattr(path) and os.geteuid() != 0:
        gains.append("file capabilities")
    if gains:
        raise GameError(
            f"{path} has {' and '.join(gains)}, for which the system loads no agent: play a copy"
            f" of it without ('cp {path} .' makes one)"
        )


def why_no_frame(seen: Mapping[str, int], *, display: str, strangers: list[str]) -> str:
    """Which hook never fired in a program that presents nothing.

    `seen`: the agent's counters. `strangers`: programs of the run that run without the agent.
    """
    without = f"; without the agent run: {', '.join(strangers)}" if strangers else ""
    if not seen["load"]:
        return f"the agent was not loaded: the program drops LD_PRELOAD{without}"
    if strangers:
        return (
            f"no present was called where the agent is loaded{without}: what a launcher starts"
            " must be dynamically linked, 64-bit, and inherit LD_PRELOAD; start the game itself"
        )
    if any(seen[name] for name in PRESENTS):
        return "it presented frames, but none could be taken"
    if any(seen[name] for name in INITS):
        hint = (
            "" if display == "x11" else f"; with display={display!r} perhaps it cannot draw:"
            " try display='x11'"
        )  # fmt: skip
        return f"SDL was initialised, but no present was ever called{hint}"
    return (
        "no present was ever called, and SDL was not initialised: it draws in another way than"
        " SDL, OpenGL (GLX, EGL) or Vulkan, waits for something, or is no game"
    )


def strangers(folder: Path, agent: Path) -> list[str]:
    """Programs started in the run of that folder that have not loaded the agent."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"NITROGEN_RUN={folder}".encode() not in (entry / "environ").read_bytes():
                continue
            if str(agent) not in (entry / "maps").read_text():
                found.append(f"{(entry / 'exe').readlink()} ({entry.name})")
        except OSError:
            continue  # it has ended, or is another user's
    return sorted(found)


def counts(seen: Mapping[str, int]) -> str:
    """The agent's counters for messages, those that are 0 left out."""
    shown = ", ".join(f"{name} {count}" for name, count in seen.items() if count)
    return f"seen by the agent: {shown or 'nothing'}"


def why_no_pad(name: str, frames: int, seen: Mapping[str, int]) -> str:
    """A message about a game that nothing the policy does can reach."""
    return (
        f"{name} opened no pad in {frames} frames, and no keys are mapped: nothing that is played"
        " reaches it. If it reads the keyboard, say so with Game(keys={'south': 'space', ...}) or"
        " --keys; if it opens the pad only later, raise Game.pad_limit_s, or play it to that"
        f" point with Game.startup ({counts(seen)})."
    )
