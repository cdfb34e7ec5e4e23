"""`Demonstration`: actions that reach a task's goal, kept in a file and played again."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from nitrogen import files
from nitrogen.actions import Actions, Frame
from nitrogen.config import from_dict
from nitrogen.errors import DataError
from nitrogen.policy import ReplayPolicy

FORMAT = "nitrogen.demonstration/1"
Origin = Literal["expert", "search", "variant", "branch"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a demonstration besides its actions."""

    task: str
    seed: int
    """Of the episode: decides its start."""
    origin: Origin
    frames_spent: int
    """Game frames that finding it took."""
    seconds: float
    """Wall time that finding it took."""
    frames_hash: str
    """As in a benchmark's results: a replay must have the same."""
    versions: dict[str, str]


@dataclass(frozen=True)
class Demonstration:
    """Actions that reach the goal of a task."""

    actions: Actions
    facts: Facts

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"format": FORMAT, **asdict(self.facts)})
        with files.replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file, buttons=self.actions.buttons, sticks=self.actions.sticks, facts=np.array(text)
            )

    @classmethod
    def load(cls, path: Path) -> "Demonstration":
        """Read it. Raises DataError for a file that is none."""
        try:
            with np.load(path, allow_pickle=False) as file:
                actions = Actions(file["buttons"], file["sticks"])
                values = json.loads(str(file["facts"]))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path} is no demonstration: {error}; make it again") from error
        if values.pop("format", None) != FORMAT:
            raise DataError(f"{path}: expected format {FORMAT!r}; make it again")
        versions = values.pop("versions", None)
        facts = from_dict(_Facts, values, where=str(path))
        return cls(actions, Facts(**asdict(facts), versions=dict(versions or {})))


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """Those that are plain values."""

    task: str
    seed: int
    origin: Origin
    frames_spent: int
    seconds: float
    frames_hash: str


class Replays:
    """Plays one demonstration after the other, the next one with each episode."""

    def __init__(self, demonstrations: Sequence[Demonstration]) -> None:
        """Give each episode the seed at the same place in `seeds`."""
        self.seeds = [each.facts.seed for each in demonstrations]
        self._queue = iter([each.actions for each in demonstrations])
        self._now = ReplayPolicy(Actions.released(0))

    @classmethod
    def of(cls, task: str, folder: Path | None) -> "Replays":
        """All demonstrations of the task in `folder`. Raises DataError if there are none."""
        paths = sorted(folder.glob("*.npz")) if folder is not None else []
        loaded = [Demonstration.load(path) for path in paths]
        mine = [each for each in loaded if each.facts.task == task]
        if not mine:
            raise DataError(
                f"no demonstrations of {task} in {folder}; make some with nitrogen demonstrate"
                f" {task} --out FOLDER and name the folder"
            )
        return cls(mine)

    def reset(self) -> None:
        """Take the next one."""
        self._now = ReplayPolicy(next(self._queue))

    def act(self, frame: Frame) -> Actions:
        """Its next frame."""
        return self._now.act(frame)


def cost_table(demonstrations: Sequence[Demonstration]) -> list[tuple[str, ...]]:
    """Per origin: how many, how many of them differ, frames and seconds spent, median length."""
    rows: list[tuple[str, ...]] = []
    for origin in get_args(Origin):
        mine = [each for each in demonstrations if each.facts.origin == origin]
        if mine:
            frames = sum(each.facts.frames_spent for each in mine)
            seconds = sum(each.facts.seconds for each in mine)
            length = int(np.median([len(each.actions) for each in mine]))
            distinct = len({each.facts.frames_hash for each in mine})
            counts = (str(len(mine)), str(distinct))
            rows.append((origin, *counts, f"{frames:,}", f"{seconds:.0f}", str(length)))
    return rows
