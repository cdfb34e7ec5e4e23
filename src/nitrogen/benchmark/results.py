"""Rates and intervals out of single episodes; tables for people and for machines."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nitrogen import files
from nitrogen.benchmark.config import EVALUATION_SEEDS, Mode
from nitrogen.benchmark.task import Task
from nitrogen.benchmark.trace import Trace
from nitrogen.config import from_dict
from nitrogen.errors import ConfigError, DataError
from nitrogen.logs import MetricLog, read_metrics
from nitrogen.play import Episode
from nitrogen.report import Bar, Report
from nitrogen.stats import Mean, Rate

FORMAT = "nitrogen.results/1"


@dataclass(frozen=True)
class Result:
    """One episode of one player at one task."""

    task: str
    player: str
    mode: Mode
    episode: Episode
    trace: Trace
    versions: Mapping[str, str]
    """Of nitrogen and of the game's packages."""

    def as_json(self) -> dict[str, Any]:
        """One line of `results.jsonl`."""
        return {
            "task": self.task,
            "player": self.player,
            "mode": self.mode,
            **asdict(self.episode),
            **asdict(self.trace),
            "versions": dict(self.versions),
        }


@dataclass(frozen=True)
class Score:
    """All episodes of one player at one task, or at a group of tasks."""

    task: str
    player: str
    rate: Rate
    progress: Mean
    """Over episodes, in 0..1."""
    frames: float
    """Mean length of an episode."""
    seconds: float
    """Wall time of all episodes together."""
    mode: Mode = "paused"
    faults: int = 0
    """Episodes in which the game crashed or hung; they count as failures."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        low, high = self.rate.interval
        return {
            "player": self.player,
            "mode": self.mode,
            "episodes": self.rate.episodes,
            "successes": self.rate.successes,
            "rate": self.rate.rate,
            "interval": [low, high],
            "mean_progress": self.progress.value,
            "progress_interval": [self.progress.low, self.progress.high],
            "faults": self.faults,
        }


def read_results(path: Path) -> list[Result]:
    """All episodes of a `results.jsonl`; empty if the file does not exist yet.

    Raises DataError or ConfigError, naming file and line, for what is no result.
    """
    if not path.exists():
        return []
    return [
        _result(row, where=f"{path}:{number}")
        for number, row in enumerate(read_metrics(path), start=1)
        if "skipped" not in row
    ]


def _result(row: dict[str, Any], *, where: str) -> Result:
    task, player, mode = (row.pop(name, None) for name in ("task", "player", "mode"))
    versions = row.pop("versions", None)
    if not isinstance(task, str) or not isinstance(player, str) or not isinstance(versions, dict):
        raise ConfigError(f"{where}: no result: task, player and versions are needed")
    if mode not in ("paused", "live"):
        raise ConfigError(f"{where}: mode must be paused or live, not {mode!r}")
    names = [field.name for field in fields(Trace)]
    trace = from_dict(Trace, {name: row.pop(name) for name in names if name in row}, where=where)
    return Result(task, player, mode, from_dict(Episode, row, where=where), trace, versions)


def note_skipped(path: Path, skipped: Mapping[str, str]) -> None:
    """Write down, beside the results, which tasks could not be played and why."""
    known = read_skipped(path)
    with MetricLog(path) as log:
        for task, reason in skipped.items():
            if known.get(task) != reason:
                log.write(task=task, skipped=reason)


def read_skipped(path: Path) -> dict[str, str]:
    """Tasks that could not be played, with the reason; less those that were played after all."""
    if not path.exists():
        return {}
    skipped: dict[str, str] = {}
    for row in read_metrics(path):
        if "skipped" in row:
            skipped[row["task"]] = row["skipped"]
        else:
            skipped.pop(row.get("task", ""), None)
    return skipped


def merge(paths: Sequence[Path]) -> list[Result]:
    """The episodes of several files, each once. Raises DataError if two disagree.

    Two files disagree if the same player, playing the same seed of the same task in the same mode,
    came to different ends.
    """
    merged: dict[tuple[str, str, str, int], Result] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"no results in {path}; nitrogen benchmark writes results.jsonl")
        for result in read_results(path):
            key = (result.task, result.player, result.mode, result.episode.seed)
            other = merged.setdefault(key, result)
            if result.mode == "paused" and _end(other) != _end(result):
                raise DataError(
                    f"{path}: {result.player} at {result.task}, seed {result.episode.seed}, ended"
                    " otherwise than in another file; compare versions and policies"
                )
    return list(merged.values())


def write_results(path: Path, results: Sequence[Result], skipped: Mapping[str, str]) -> None:
    """Write all episodes into the new file `path`, whole or not at all."""
    with files.replacing(path) as partial:
        with MetricLog(partial) as log:
            for result in results:
                log.write(**result.as_json())
        note_skipped(partial, skipped)


def _end(result: Result) -> tuple[bool, int]:
    return result.episode.success, result.episode.frames


def scores(
    results: Iterable[Result], *, by: Callable[[Result], str] = lambda result: result.task
) -> list[Score]:
    """One score per task, player and mode, in the order in which they first appear.

    `by` groups several tasks under one name.
    """
    groups: defaultdict[tuple[str, str, Mode], list[Result]] = defaultdict(list)
    for result in results:
        groups[by(result), result.player, result.mode].append(result)
    return [_score(*key, members) for key, members in groups.items()]


def _score(name: str, player: str, mode: Mode, results: Sequence[Result]) -> Score:
    episodes = [result.episode for result in results]
    return Score(
        task=name,
        player=player,
        rate=Rate(sum(episode.success for episode in episodes), len(episodes)),
        progress=Mean.of([episode.progress for episode in episodes]),
        frames=sum(episode.frames for episode in episodes) / len(episodes),
        seconds=sum(episode.seconds for episode in episodes),
        mode=mode,
        faults=sum(result.trace.fault != "" for result in results),
    )


def as_json(rows: Sequence[Score], **more: Any) -> str:
    """One JSON object: per task the rate and interval of each player."""
    tasks: dict[str, Any] = {}
    for row in rows:
        tasks.setdefault(row.task, {"game": row.task.partition("/")[0], "players": []})
        tasks[row.task]["players"].append(row.as_json())
    for name, task in tasks.items():
        task["clearly_better"] = clearly_better(rows, task=name)
    return json.dumps({"format": FORMAT, "tasks": tasks, **more}, indent=2)


BASELINES = ("random", "no input", "mash")


def clearly_better(rows: Sequence[Score], *, task: str, player: str = "policy") -> bool | None:
    """Whether the player's interval lies above every baseline's; None if some did not play."""
    rates = {row.player: row.rate for row in rows if row.task == task and row.mode == "paused"}
    if not {player, *BASELINES} <= set(rates):
        return None
    return all(rates[player].is_above(rates[name]) for name in BASELINES)


def add_rates(report: Report, tasks: Sequence[Task], rows: Sequence[Score]) -> None:
    """One block of success rates per task."""
    for task in tasks:
        mine = [row for row in rows if row.task == task.name]
        better = clearly_better(rows, task=task.name)
        verdict = {
            True: "The policy's interval lies above that of every baseline.",
            False: "The policy is not clearly better than every baseline.",
            None: "",
        }[better]
        report.rates(
            task.name,
            [Bar(row.player, row.rate, row.progress.value) for row in mine],
            note=f"{task.goal} {task.view}, {task.kind}. Held-out seeds from {EVALUATION_SEEDS};"
            f" 95 % Wilson intervals. {verdict}",
        )
