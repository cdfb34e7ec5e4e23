"""How well actions were read: against the truth, and against readers that do not look.

Button accuracy alone means little, because nearly all buttons are up nearly always; so it comes
with F1, balanced accuracy, events (presses found, and how late), and two baselines: `always_off`
reads nothing, `copy_last` repeats what was true one row before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.data.store import Chunk, list_chunks
from nitrogen.data.truth import read_truth
from nitrogen.errors import DataError
from nitrogen.stats import f1, r2

_NEAR = 3
"""Rows by which a press may be off and still count as found."""


@dataclass(frozen=True)
class ButtonScore:
    """One button over all rows."""

    accuracy: float
    f1: float
    """NaN if the button is neither pressed nor read."""
    balanced_accuracy: float
    """Mean of the rates for pressed and released rows; NaN if one of them does not occur."""
    presses: int
    """Presses that really happened."""
    recall: float
    """Share of them that were found within 3 rows."""
    precision: float
    """Share of the presses read that really happened."""
    timing_rows: float
    """Mean distance in rows of the presses found."""


@dataclass(frozen=True)
class Score:
    """One reader against the truth."""

    rows: int
    accuracy: float
    """Over all 17 buttons and rows."""
    f1: float
    """Over all buttons together."""
    buttons: dict[str, ButtonScore]
    """Those that were pressed or read at least once."""
    sticks: dict[str, float]
    """R² per axis; NaN where the truth never moves."""

    @property
    def stick_r2(self) -> float:
        """Mean R² of the axes that move; NaN if none does."""
        values = [value for value in self.sticks.values() if not math.isnan(value)]
        return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Evaluation:
    """A reading beside readers that do not look."""

    read: Score
    always_off: Score
    copy_last: Score

    def as_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        return {name: _plain(score) for name, score in vars(self).items()}


def evaluate(chunks: Path | Sequence[Chunk], truth: Path, *, raw: bool = False) -> Evaluation:
    """Compare chunks of one video, or all below a folder, with the truth of that video.

    Raises DataError if there are no chunks, they come from several videos, or they reach beyond
    the truth.
    """
    chunks = list_chunks(chunks) if isinstance(chunks, Path) else list(chunks)
    videos = sorted({chunk.video_id for chunk in chunks})
    if len(videos) != 1:
        raise DataError(f"give the chunks of one video, not of {len(videos)}: {videos[:5]}")
    true = read_truth(truth).actions
    pairs = []
    for chunk in chunks:
        read = chunk.actions(raw=raw)
        stop = chunk.start_frame + len(read)
        if stop > len(true):
            raise DataError(f"{truth} has {len(true)} rows, {chunk.folder.name} ends at {stop}")
        pairs.append((true[chunk.start_frame : stop], read))
    return compare(
        Actions.concatenate(pair[0] for pair in pairs),
        Actions.concatenate(pair[1] for pair in pairs),
    )


def compare(truth: Actions, read: Actions) -> Evaluation:
    """Scores of `read`, (T rows), and of the two baselines against `truth`."""
    last = Actions.concatenate([Actions.released(min(1, len(truth))), truth[:-1]])
    return Evaluation(
        score(truth, read), score(truth, Actions.released(len(truth))), score(truth, last)
    )


def score(truth: Actions, read: Actions) -> Score:
    """How well `read` agrees with `truth`. Raises DataError if their lengths differ."""
    if len(truth) != len(read) or not len(truth):
        raise DataError(f"nothing to compare: {len(truth)} rows of truth, {len(read)} rows read")
    true, found = truth.pressed(), read.pressed()
    return Score(
        rows=len(truth),
        accuracy=float((true == found).mean()),
        f1=f1(true, found),
        buttons={
            name: _button(true[:, index], found[:, index])
            for index, name in enumerate(BUTTONS)
            if true[:, index].any() or found[:, index].any()
        },
        sticks={
            name: r2(truth.sticks[:, index], read.sticks[:, index])
            for index, name in enumerate(STICKS)
        },
    )


def _button(true: NDArray[np.bool_], found: NDArray[np.bool_]) -> ButtonScore:
    nan = float("nan")
    both = true.any() and not true.all()
    starts, reads = _presses(true), _presses(found)
    distance = _nearest(starts, reads)
    back = _nearest(reads, starts)
    hits = distance[distance <= _NEAR]
    return ButtonScore(
        accuracy=float((true == found).mean()),
        f1=f1(true, found),
        balanced_accuracy=float(found[true].mean() + (~found[~true]).mean()) / 2 if both else nan,
        presses=len(starts),
        recall=float((distance <= _NEAR).mean()) if len(starts) else nan,
        precision=float((back <= _NEAR).mean()) if len(reads) else nan,
        timing_rows=float(hits.mean()) if len(hits) else nan,
    )


def _presses(pressed: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(pressed.astype(np.int8), prepend=0) == 1)


def _nearest(places: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(others) or not len(places):
        return np.full(len(places), np.inf)
    after = np.clip(np.searchsorted(others, places), 0, len(others) - 1)
    before = np.clip(after - 1, 0, None)
    nearer = np.minimum(np.abs(others[after] - places), np.abs(others[before] - places))
    return np.asarray(nearer, np.float64)


def _plain(score: Score) -> dict[str, Any]:
    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, ButtonScore):
            return clean(vars(value))
        if isinstance(value, float):
            return None if math.isnan(value) else round(value, 5)
        return value

    return {**clean(vars(score)), "stick_r2": clean(score.stick_r2)}
