"""What really was pressed while a video was recorded: one row per frame, as parquet.

Columns: the 17 buttons as travel in 0..1 and the 4 stick axes in -1..1, all float32, y growing
down; recordings add `episode` and `seed`; synthetic clips add `shown`, the row that the overlay on
each frame shows, where that is not the frame's own. Facts about the recording (rate, skin,
placement) are kept as JSON in the file's own metadata.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nitrogen import files
from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.errors import DataError

FORMAT = "nitrogen.pad/1"


@dataclass(frozen=True, eq=False)
class Truth:
    """What really was pressed."""

    actions: Actions
    facts: dict[str, Any]
    """For example `rate_hz`, `skin`, `placement`, `box`; empty for logs of other programs."""
    episode: NDArray[np.int32] | None = None
    """Per row: which play-through it belongs to."""
    shown: NDArray[np.int32] | None = None
    """Per frame: the row whose state its overlay shows, (T,); None means its own."""

    def on_screen(self) -> Actions:
        """The state that the overlay on each frame shows: what a perfect reader would read.

        Triggers that the skin shows as a switch (fact `switched`: name and threshold) are pressed
        or not.
        """
        rows = slice(None) if self.shown is None else self.shown
        buttons = self.actions.buttons[rows].copy()
        for name, threshold in self.facts.get("switched", {}).items():
            column = BUTTONS.index(name)
            buttons[:, column] = buttons[:, column] >= threshold
        return Actions(buttons, self.actions.sticks[rows])


def truth_path(video: Path) -> Path:
    """Where the truth of a video lies: `clip.mp4` → `clip.pad.parquet`."""
    return Path(video).with_suffix(".pad.parquet")


def write_truth(
    path: Path,
    actions: Actions,
    facts: dict[str, Any],
    extra: dict[str, NDArray[Any]] | None = None,
) -> None:
    """Write one row per frame: 17 travels, 4 stick axes and the `extra` columns; atomic.

    Raises DataError if the disk refuses.
    """
    columns: dict[str, NDArray[Any]] = {name: actions.button(name) for name in BUTTONS}
    columns |= {name: actions.stick(name) for name in STICKS} | (extra or {})
    table = pa.table({name: pa.array(np.ascontiguousarray(v)) for name, v in columns.items()})
    table = table.replace_schema_metadata({"nitrogen": json.dumps({"format": FORMAT, **facts})})
    try:
        with files.replacing(Path(path)) as partial:
            pq.write_table(table, partial)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote. Raises DataError if it cannot be used."""
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise DataError(f"no file {path}; 'nitrogen record' writes it beside the video") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from error
    missing = [name for name in BUTTONS + STICKS if name not in table.column_names]
    if missing:
        raise DataError(f"{path}: missing columns {missing}")
    actions = Actions(*(
        np.stack([np.asarray(table[name], np.float32) for name in names], axis=1)
        for names in (BUTTONS, STICKS)
    ))  # fmt: skip
    text = (table.schema.metadata or {}).get(b"nitrogen", b"{}")
    episode, shown = (
        np.asarray(table[name], np.int32) if name in table.column_names else None
        for name in ("episode", "shown")
    )
    if shown is not None and len(shown) and not 0 <= shown.min() <= shown.max() < len(shown):
        raise DataError(f"{path}: the column shown names rows that are not there")
    return Truth(actions, json.loads(text), episode, shown)
