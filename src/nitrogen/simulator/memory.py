"""Read the memory of a running game, for judges: values that no file and no picture shows.

Knows `/proc/PID/mem`. Reads only; addresses found in one process hold in its copies.
"""

import os
import re
from typing import Self

from nitrogen.errors import GameError


class Memory:
    """The memory of one process. A context manager; closes twice without complaint."""

    def __init__(self, pid: int) -> None:
        """Raises GameError if the process has gone or may not be read."""
        self.pid = pid
        try:
            self._file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise GameError(f"the memory of process {pid} cannot be read: {error}") from error

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes at `address`. Raises GameError if nothing is mapped there."""
        try:
            data = os.pread(self._file, count, address)
        except OSError as error:
            raise GameError(f"no memory at {address:#x} in process {self.pid}: {error}") from error
        if len(data) != count:
            raise GameError(f"memory at {address:#x} in process {self.pid} ends early")
        return data

    def base(self, program: str) -> int:
        """Where the program file of that name is loaded: its variables lie at fixed distances.

        Raises GameError if the process runs no such file.
        """
        with open(f"/proc/{self.pid}/maps") as lines:  # noqa: PTH123 - it is no file on a disk
            for line in lines:
                fields = line.split()
                if len(fields) > 5 and fields[5].rpartition("/")[2] == program:
                    return int(fields[0].partition("-")[0], 16)
        raise GameError(f"process {self.pid} has loaded no file named {program!r}")

    def find(self, pattern: bytes) -> list[int]:
        """Addresses of `pattern` in the private writable memory, ascending."""
        found: list[int] = []
        for start, end in self._regions():
            try:
                data = os.pread(self._file, end - start, start)
            except OSError:
                continue  # listed, but not readable: a device, or unmapped since
            found.extend(start + match.start() for match in re.finditer(re.escape(pattern), data))
        return found

    def _regions(self) -> list[tuple[int, int]]:
        regions = []
        with open(f"/proc/{self.pid}/maps") as lines:  # noqa: PTH123 - it is no file on a disk
            for line in lines:
                limits, permissions, _, _, inode, *_ = line.split()
                if permissions.startswith("rw") and permissions.endswith("p") and inode == "0":
                    start, end = (int(value, 16) for value in limits.split("-"))
                    regions.append((start, end))
        return regions

    def close(self) -> None:
        """Let it go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        """Use in a with statement."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()
