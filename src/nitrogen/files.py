"""Files and folders that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it becomes `path` unless an exception is raised.

    Whatever is left of it after an exception is removed; what was at `path` before stays.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, content: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(content, encoding="utf-8")


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` to fill; it takes the place of `path` unless there is an error.

    What a process that was killed has left of it is removed first.
    """
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class Pending:
    """A file that is written bit by bit and gets its name when it is complete."""

    def __init__(self, path: Path) -> None:
        """path: its name to be; until then it is written at `partial`, beside it."""
        self.path = Path(path)
        self.partial = self.path.with_name(f".{self.path.name}.partial")

    def keep(self) -> None:
        """Give the file its name."""
        self.partial.replace(self.path)

    def drop(self) -> None:
        """Remove what was written."""
        self.partial.unlink(missing_ok=True)
