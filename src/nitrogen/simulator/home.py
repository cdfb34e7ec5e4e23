"""The files of a game at a save-state: its home folder, and the length of its log.

Knows files. Knows no process.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_Signature = dict[str, tuple[int, int]]


@dataclass(eq=False)
class HomeFiles:
    """The files of a home folder, and the length of the log, at one time."""

    home: Path
    kept: Path
    log: Path
    signature: _Signature
    log_bytes: int

    @classmethod
    def of(cls, home: Path, kept: Path, *, log: Path) -> "HomeFiles":
        """Copy `home` to the new folder `kept`."""
        shutil.copytree(home, kept, symlinks=True)
        return cls(home, kept, log, _signature(home), log.stat().st_size)

    def put_back(self) -> None:
        """Make the home folder what it was; touches nothing if nothing has changed.

        Files are written over rather than replaced, as the game may hold them open.
        """
        os.truncate(self.log, self.log_bytes)
        if _signature(self.home) == self.signature:
            return
        for entry in sorted(self.home.rglob("*"), reverse=True):  # what lies in a folder first
            kept = self.kept / entry.relative_to(self.home)
            if entry.is_symlink() or not entry.is_dir():
                if entry.is_symlink() or not kept.is_file():
                    entry.unlink()
            elif not kept.is_dir():
                entry.rmdir()
        shutil.copytree(self.kept, self.home, symlinks=True, dirs_exist_ok=True)
        self.signature = _signature(self.home)


def _signature(folder: Path) -> _Signature:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    stats = [(path, path.stat()) for path in paths]
    return {str(path): (status.st_size, status.st_mtime_ns) for path, status in stats}
