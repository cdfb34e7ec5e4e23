"""The files of a game at a save-state: its home folder, and the length of its log.

Knows files. Knows no process.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nitrogen.errors import GameError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Turn errors of a full disk into a GameError that names the folder and what to do."""
    try:
        yield
    except shutil.Error as error:  # of a whole tree: (source, copy, reason) for each failure
        if not any(os.strerror(number) in str(error) for number in _FULL):
            raise
        raise _no_space(folder) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _no_space(folder) from error


def _no_space(folder: Path) -> GameError:
    return GameError(
        f"no space left for the game's home folder at {folder}: free some, or set TMPDIR to a"
        " folder on a disk with space"
    )


def write_files(root: Path, files: Mapping[str, str], home: Path) -> None:
    """Make the fresh home folder with its text files; `{home}` in them stands for it."""
    with full_disk_named(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{home}", str(home)))


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
        with full_disk_named(kept):
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
        with full_disk_named(self.home):
            shutil.copytree(self.kept, self.home, symlinks=True, dirs_exist_ok=True)
        self.signature = _signature(self.home)


def _signature(folder: Path) -> _Signature:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    stats = [(path, path.stat()) for path in paths]
    return {str(path): (status.st_size, status.st_mtime_ns) for path, status in stats}
