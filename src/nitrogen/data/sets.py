"""Data sets as training asks for them: chunk folders in, samples per split out.

One or several folders of prepared chunks, with weights or without; what cannot be used is returned
with its cause, never dropped in silence.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nitrogen.actions import Actions
from nitrogen.data.curate import Split, split_of
from nitrogen.data.frames import Stored, load, stretches
from nitrogen.data.prepare import SAME_RATE
from nitrogen.data.samples import Run, Samples
from nitrogen.data.store import Chunk, Skip, scan_chunks
from nitrogen.errors import DataError

FORMAT = "nitrogen.data/1"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Source:
    """A folder of chunks and how much of the training it makes up."""

    path: Path
    weight: float | None = None
    """Share of the draws, relative to the others; None: by its number of samples."""


@dataclass(frozen=True)
class Opened:
    """Samples per split, and what was left out."""

    train: Samples
    validation: Samples | None
    """None if no video falls into the split."""
    test: Samples | None
    skips: tuple[Skip, ...]

    def causes(self) -> Counter[str]:
        """How many chunks were left out for which cause."""
        return Counter(skip.cause for skip in self.skips)


def parse_sources(specs: Sequence[str]) -> list[Source]:
    """From `DIR`, `DIR=WEIGHT` or a JSON file to sources.

    The file holds `{"format": "nitrogen.data/1", "sets": [{"path": "DIR", "weight": 0.5}, ...]}`;
    its paths are relative to it. Raises DataError if a weight is no number above zero, or some data
    sets have one and others have none.
    """
    sources: list[Source] = []
    for spec in specs:
        path, sign, weight = spec.rpartition("=")
        if Path(spec).is_file():
            sources += _read_sources(Path(spec))
        elif sign and not Path(spec).exists():
            sources.append(Source(Path(path), _weight(weight, spec)))
        else:
            sources.append(Source(Path(spec)))
    if len({source.weight is None for source in sources}) > 1:
        raise DataError("give every data set a weight (DIR=WEIGHT) or none of them")
    return sources


def _weight(text: object, where: str) -> float:
    try:
        weight = float(str(text))
    except ValueError:
        weight = float("nan")
    if not 0 < weight < float("inf"):
        raise DataError(f"{where}: a weight is a number above zero, not {text!r}")
    return weight


def _read_sources(path: Path) -> list[Source]:
    try:
        values = json.loads(path.read_text())
        if values["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT!r}, found {values['format']!r}")
        entries = [(path.parent / one["path"], one.get("weight")) for one in values["sets"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no list of data sets: {error!r}") from error
    return [
        Source(folder, None if weight is None else _weight(weight, f"{path}: {folder}"))
        for folder, weight in entries
    ]


def open_sets(
    sources: Sequence[Source],
    *,
    size: int,
    rate_hz: float,
    horizon: int,
    shift: int,
    in_memory: bool = False,
) -> Opened:
    """Samples of prepared chunks for a policy, split by video.

    size: height and width of the policy's frames; rate_hz: of its actions; in_memory: decode all
    frames now. Chunks whose rate is no multiple of `rate_hz`, without frames or with broken labels
    are skipped. Raises DataError if nothing is left to train on.
    """
    parts: dict[Split, list[Samples]] = {split: [] for split in SPLITS}
    weights, skips = [], list[Skip]()
    for source in sources:
        chunks, broken = scan_chunks(source.path)
        runs, left_out = runs_of(chunks, size=size, rate_hz=rate_hz, in_memory=in_memory)
        skips += [*broken, *left_out]
        by_split: dict[Split, list[Run]] = {split: [] for split in SPLITS}
        for video_id, run in runs:
            by_split[split_of(video_id)].append(run)
        for split, of_split in by_split.items():
            if any(run.samples(horizon=horizon, shift=shift) for run in of_split):
                parts[split].append(Samples(of_split, horizon=horizon, shift=shift))
            elif split == "train":
                raise DataError(_nothing(source.path, runs, [*broken, *left_out], horizon + shift))
        weights.append(source.weight)
    given = [weight for weight in weights if weight is not None]
    return Opened(
        train=Samples.mixed(parts["train"], given) if given else Samples.joined(parts["train"]),
        validation=Samples.joined(parts["validation"]) if parts["validation"] else None,
        test=Samples.joined(parts["test"]) if parts["test"] else None,
        skips=tuple(skips),
    )


def runs_of(
    chunks: Iterable[Chunk], *, size: int, rate_hz: float, in_memory: bool = False
) -> tuple[list[tuple[str, Run]], list[Skip]]:
    """The unbroken runs of prepared chunks with the video of each, and the chunks left out."""
    usable: dict[Path, tuple[Stored, Actions]] = {}
    kept, skips = [], []
    for chunk in chunks:
        stride = round(chunk.rate_hz / rate_hz)
        try:
            if not stride or abs(chunk.rate_hz / (stride * rate_hz) - 1) > SAME_RATE:
                raise DataError(
                    f"labels at {chunk.rate_hz:g} Hz cannot teach a policy that acts at"
                    f" {rate_hz:g} Hz; train one at {chunk.rate_hz:g} Hz"
                    f" (--network.rate-hz {chunk.rate_hz:g})"
                )
            usable[chunk.folder] = load(chunk, size), chunk.actions()
            kept.append(chunk)
        except DataError as error:
            skips.append(Skip(chunk.folder.name, str(error)))
    runs = []
    for group in stretches(kept):
        stored = [usable[chunk.folder] for chunk in group]
        frames = Stored([part for one, _ in stored for part in one.parts])
        run = Run(
            group[0].folder.name,
            np.asarray(frames) if in_memory else frames,
            Actions.concatenate(actions for _, actions in stored),
            round(group[0].rate_hz / rate_hz),
        )
        runs.append((group[0].video_id, run))
    return runs, skips


def _nothing(path: Path, runs: Sequence[object], skips: Sequence[Skip], rows: int) -> str:
    if runs:
        return (
            f"{path} has no video to train on: the {len(runs)} runs are shorter than {rows} actions"
            " or belong to the videos held out for validation and test; add more videos"
        )
    counts = Counter(skip.cause for skip in skips).most_common(3)
    return f"nothing to train on in {path}: " + "; ".join(f"{n} x {cause}" for cause, n in counts)
