"""A virtual X display for one run.

Knows Xvfb. The display server loads the agent too, only to end with Python.
"""

import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Self

from nitrogen.errors import GameError, MissingDependencyError

_START_LIMIT_S = 20.0


class Display:
    """An X server without a screen. A context manager; closes twice without complaint."""

    def __init__(self, folder: Path, *, agent: Path, size: tuple[int, int]) -> None:
        """Start it; `folder` is the run's, with the lifeline that it ends with.

        Raises MissingDependencyError without Xvfb, GameError if it does not start.
        """
        program = shutil.which("Xvfb")
        if program is None:
            raise MissingDependencyError(
                "this game draws through an X display, for which there is no Xvfb; install it with"
                " 'apt-get install xvfb'"
            )
        width, height = size
        readable, writable = os.pipe()
        command = [program, "-displayfd", str(writable), "-screen", "0", f"{width}x{height}x24"]
        command += ["-ac", "-noreset", "-nolisten", "tcp", "+extension", "GLX"]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LD_PRELOAD": str(agent),
            "NITROGEN_RUN": str(folder),
            "NITROGEN_LIFELINE_ONLY": "1",
        }
        with (folder / "display.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(writable,),
                start_new_session=True,
            )
        os.close(writable)
        try:
            number = self._read_number(readable, folder)
        except GameError:
            self.close()
            raise
        finally:
            os.close(readable)
        self.name = f":{number}"

    def _read_number(self, readable: int, folder: Path) -> int:
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([readable], [], [], _START_LIMIT_S)
            part = os.read(readable, 16) if ready else b""
            if not part:
                log = (folder / "display.log").read_text(errors="replace")[-800:]
                raise GameError(f"the virtual display did not start (Xvfb): {log.strip()}")
            text += part
        return int(text)

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()  # it removes its lock file
            try:
                self._process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()
