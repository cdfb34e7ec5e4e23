"""How well actions were read: against the truth, and against readers that do not look.

Button accuracy alone means little, because nearly all buttons are up nearly always; so it comes
with F1, balanced accuracy, events (presses found, and how late), and two baselines: `always_off`
reads nothing, `copy_last` repeats what was true one row before. Where a truth says which row each
frame's overlay shows, reading is judged by that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.actions import Actions
from nitrogen.data.store import Chunk, list_chunks
from nitrogen.data.truth import Truth, read_truth
from nitrogen.errors import DataError
from nitrogen.extract.tally import Score, Tally, intervals, plain, score_of, tally

FORMAT = "nitrogen.evaluation/1"

READERS = ("read", "always_off", "copy_last")
"""The reading and the baselines, as they are named in results."""

_BLOCK_S = 5.0
"""Length of the blocks that are drawn with repetition: longer than most presses."""
_MANY = 10
"""From so many videos on, whole videos are drawn instead of blocks."""

FAMILIES = {
    "series": "Xbox Series X", "xboxone": "Xbox One", "xbone": "Xbox One", "xbox_one": "Xbox One",
    "xbox360": "Xbox 360", "360": "Xbox 360", "xbox": "Xbox", "offset": "Xbox", "f710": "Xbox",
    "ds3": "PS3", "dualshock3": "PS3", "ps3": "PS3", "dualsense": "PS5", "ps5": "PS5",
    "dualshock4": "PS4", "ds4": "PS4", "ps4": "PS4", "scuf": "PS4", "ps1": "PS1", "_ps": "PS4",
    "parallel": "PlayStation", "switch": "Switch", "gamecube": "GameCube", "snes": "retro",
    "nes": "retro", "retro": "retro",
}  # fmt: skip
"""Parts of skins' names and the family of controllers that they hint at; the first one counts."""

PUBLISHED = {
    "Xbox One": (0.92, 0.98), "Xbox 360": (0.91, 0.98), "PS3": (0.85, 0.97), "PS4": (0.84, 0.91),
    "Xbox Series X": (0.79, 0.97), "PS5": (0.77, 0.93),
}  # fmt: skip
"""Stick R² and button accuracy that were published for the unpublished extractor, by family."""

PUBLISHED_MEAN = (0.84, 0.96)


@dataclass(frozen=True)
class Evaluation:
    """A reading beside readers that do not look."""

    read: Score
    always_off: Score
    copy_last: Score

    def as_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        return {name: plain(score) for name, score in vars(self).items()}


@dataclass(frozen=True, eq=False)
class Judged:
    """The counts of one video, by reader."""

    video_id: str
    skin: str
    """Which the truth says it is; empty if it does not."""
    coverage: float
    """Share of the truth's rows that chunks were written for."""
    counts: dict[str, Tally]
    cause: str = ""
    """Why there is nothing to judge."""

    @property
    def family(self) -> str:
        """Of the controller, by its skin's name."""
        return family_of(self.skin)


def family_of(skin: str) -> str:
    """The family of controllers that a skin's name hints at; `other` if it does not."""
    return next((family for hint, family in FAMILIES.items() if hint in skin.lower()), "other")


def evaluate(chunks: Path | Sequence[Chunk], truth: Path, *, raw: bool = False) -> Evaluation:
    """Compare chunks of one video, or all below a folder, with the truth of that video.

    Raises DataError if there are no chunks, they come from several videos, or they reach beyond
    the truth.
    """
    chunks = list_chunks(chunks) if isinstance(chunks, Path) else list(chunks)
    counts = _judge(chunks, read_truth(truth), truth, raw=raw).counts
    return Evaluation(*(score_of(counts[name]) for name in READERS))


def compare(truth: Actions, read: Actions) -> Evaluation:
    """Scores of `read`, (T rows), and of the two baselines against `truth`."""
    counts = _tallies(truth, read, block=len(truth) or 1)
    return Evaluation(*(score_of(counts[name]) for name in READERS))


def score(truth: Actions, read: Actions) -> Score:
    """How well `read` agrees with `truth`. Raises DataError if their lengths differ."""
    return score_of(tally(truth, read))


def judge_all(out: Path, truths: Path, *, raw: bool = False) -> list[Judged]:
    """Judge the chunks below `out` of every video that has a truth at `truths`, file or folder.

    Chunks belong to the truth `<video id>.pad.parquet`. Videos without chunks are listed with
    their cause. Raises DataError if there is no truth or nothing at all could be judged.
    """
    files = sorted(truths.rglob("*.pad.parquet")) if truths.is_dir() else [truths]
    if not files:
        raise DataError(f"no truth (*.pad.parquet) in {truths}")
    chunks: dict[str, list[Chunk]] = {}
    for chunk in list_chunks(out):
        chunks.setdefault(chunk.video_id, []).append(chunk)
    judged = [_judge_file(file, chunks, raw=raw, alone=len(files) == 1) for file in files]
    if all(one.cause for one in judged):
        raise DataError(f"nothing to judge in {out}: {judged[0].video_id}: {judged[0].cause}")
    return judged


def summarize(judged: Sequence[Judged], *, seed: int = 0) -> dict[str, Any]:
    """Scores of all videos, by family and by video, with baselines and intervals, for JSON."""
    good = [one for one in judged if not one.cause]
    families = sorted({one.family for one in good})
    return {
        "format": FORMAT,
        "videos": len(judged),
        "unread": {one.video_id: one.cause for one in judged if one.cause},
        "all": _group(good, seed),
        "families": {
            name: _group([one for one in good if one.family == name], seed) for name in families
        },
        "by_video": {one.video_id: {"skin": one.skin, **_group([one], seed)} for one in good},
    }


def _group(judged: Sequence[Judged], seed: int) -> dict[str, Any]:
    """Scores of some videos together."""
    whole = len(judged) >= _MANY
    result: dict[str, Any] = {
        "videos": len(judged),
        "coverage": round(float(np.mean([one.coverage for one in judged])), 4),
        "drawn": "videos" if whole else f"blocks of {_BLOCK_S:g} s",
    }
    for name in READERS:
        parts = [one.counts[name].total() if whole else one.counts[name] for one in judged]
        counts = Tally.join(parts)
        spans = intervals(counts, np.random.default_rng(seed))
        result[name] = {**plain(score_of(counts)), "intervals": plain(spans)}
    return result


def _judge_file(truth: Path, chunks: dict[str, list[Chunk]], *, raw: bool, alone: bool) -> Judged:
    video_id = truth.name.removesuffix(".pad.parquet")
    mine = chunks.get(video_id, [])
    if alone and not mine and len(chunks) == 1:
        (mine,) = chunks.values()
    known = read_truth(truth)
    if not mine:
        skin = str(known.facts.get("skin", ""))
        return Judged(video_id, skin, 0.0, {}, "no chunks were written")
    return _judge(mine, known, truth, raw=raw)


def _judge(chunks: Sequence[Chunk], truth: Truth, where: Path, *, raw: bool) -> Judged:
    videos = sorted({chunk.video_id for chunk in chunks})
    if len(videos) != 1:
        raise DataError(f"give the chunks of one video, not of {len(videos)}: {videos[:5]}")
    pairs = list(_pairs(chunks, truth.on_screen(), where, raw=raw))
    true, read = (Actions.concatenate(pair[side] for pair in pairs) for side in (0, 1))
    block = max(1, round(_BLOCK_S * chunks[0].rate_hz))
    return Judged(
        video_id=videos[0],
        skin=str(truth.facts.get("skin", "")),
        coverage=len(true) / max(len(truth.actions), 1),
        counts=_tallies(true, read, block=block),
    )


def _pairs(
    chunks: Sequence[Chunk], true: Actions, where: Path, *, raw: bool
) -> Iterator[tuple[Actions, Actions]]:
    for chunk in chunks:
        read = chunk.actions(raw=raw)
        stop = chunk.start_frame + len(read)
        if stop > len(true):
            raise DataError(f"{where} has {len(true)} rows, {chunk.folder.name} ends at {stop}")
        yield true[chunk.start_frame : stop], read


def _tallies(true: Actions, read: Actions, *, block: int) -> dict[str, Tally]:
    last = Actions.concatenate([Actions.released(min(1, len(true))), true[:-1]])
    readings = (read, Actions.released(len(true)), last)
    return {
        name: tally(true, one, block=block) for name, one in zip(READERS, readings, strict=True)
    }
