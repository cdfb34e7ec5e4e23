"""Logging set-up, and numbers over time: `MetricLog`, one JSON object per line.

Logs go to stderr; results belong to stdout and are written by `cli` alone.
"""

import json
import logging
import math
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nitrogen.errors import DataError


def set_up(*, verbose: bool) -> None:
    """Send warnings (with `verbose`: everything from INFO) to stderr."""
    from rich.console import Console
    from rich.logging import RichHandler

    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(name)s: %(message)s",
        datefmt="[%X]",
        handlers=[handler],
        force=True,
    )


class MetricLog:
    """Appends one JSON object per line to a file, each line flushed, so that a crash loses none."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, its folder made if needed; a torn last line is cut off."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            whole = path.read_bytes().rfind(b"\n") + 1
            os.truncate(path, whole)
        self._file = path.open("a", encoding="utf-8")

    def write(self, **values: Any) -> None:
        """Append one line; numbers that are not finite become null, as JSON knows no NaN."""
        plain = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }
        self._file.write(json.dumps(plain) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> Self:
        """The log itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All lines of a metric log; a last line cut off by a crash is left out.

    Raises DataError on any other line that is not a JSON object.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise DataError(f"{path}:{number} is not JSON; delete the line to go on") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}:{number} is not a JSON object; delete the line to go on")
        rows.append(row)
    return rows
