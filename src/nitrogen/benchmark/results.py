"""Rates and intervals out of single episodes; tables for people and for machines."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nitrogen.benchmark.task import EVALUATION_SEEDS, Task
from nitrogen.config import from_dict
from nitrogen.logs import read_metrics
from nitrogen.play import Episode
from nitrogen.report import Bar, Report
from nitrogen.stats import Rate

FORMAT = "nitrogen.results/1"


@dataclass(frozen=True)
class Result:
    """One episode of one player at one task."""

    task: str
    player: str
    episode: Episode

    def as_json(self) -> dict[str, Any]:
        """One line of `results.jsonl`."""
        return {"task": self.task, "player": self.player, **asdict(self.episode)}


@dataclass(frozen=True)
class Score:
    """All episodes of one player at one task."""

    task: str
    player: str
    rate: Rate
    progress: float
    """Mean over episodes, in 0..1."""
    frames: float
    """Mean length of an episode."""
    seconds: float
    """Wall time of all episodes together."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        low, high = self.rate.interval
        return {
            "player": self.player,
            "episodes": self.rate.episodes,
            "successes": self.rate.successes,
            "rate": self.rate.rate,
            "interval": [low, high],
            "mean_progress": self.progress,
        }


def read_results(path: Path) -> list[Result]:
    """All episodes of a `results.jsonl`; empty if the file does not exist yet."""
    if not path.exists():
        return []
    results = []
    for number, row in enumerate(read_metrics(path), start=1):
        task, player = row.pop("task", ""), row.pop("player", "")
        results.append(Result(task, player, from_dict(Episode, row, where=f"{path}:{number}")))
    return results


def scores(results: Iterable[Result]) -> list[Score]:
    """One score per task and player, in the order in which they first appear."""
    groups: defaultdict[tuple[str, str], list[Episode]] = defaultdict(list)
    for result in results:
        groups[result.task, result.player].append(result.episode)
    return [
        Score(
            task=task,
            player=player,
            rate=Rate(sum(episode.success for episode in episodes), len(episodes)),
            progress=sum(episode.progress for episode in episodes) / len(episodes),
            frames=sum(episode.frames for episode in episodes) / len(episodes),
            seconds=sum(episode.seconds for episode in episodes),
        )
        for (task, player), episodes in groups.items()
    ]


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
    rates = {row.player: row.rate for row in rows if row.task == task}
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
            [Bar(row.player, row.rate, row.progress) for row in mine],
            note=f"{task.goal} {task.view}, {task.kind}. Held-out seeds from {EVALUATION_SEEDS};"
            f" 95 % Wilson intervals. {verdict}",
        )
