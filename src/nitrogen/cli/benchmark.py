"""`nitrogen benchmark`: success rates of players over seeded episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional

from nitrogen.benchmark.config import RunConfig
from nitrogen.cli import show
from nitrogen.errors import GameMissingError

if TYPE_CHECKING:
    from nitrogen.benchmark.run import Player
    from nitrogen.benchmark.task import Task
    from nitrogen.policy import BatchPolicy


@dataclass(frozen=True)
class Contestant:
    """Which policy plays."""

    policy: str | None = None
    """A checkpoint folder, `shipped`, or the ws:// address of a policy server; only expert and
    baselines if left out."""
    execute: int = 4
    """Actions played of each plan."""


_NOBODY, _USUAL = Contestant(), RunConfig()


def benchmark(
    tasks: Positional[tuple[str, ...]] = (), /, *,
    suite: Literal["mini", "open-10", "extras"] | None = None,
    contestant: Annotated[Contestant, OmitArgPrefixes] = _NOBODY,
    config: Annotated[RunConfig, OmitArgPrefixes] = _USUAL,
    out: Path = Path("runs/benchmark"), clips: bool = False, list: bool = False, json: bool = False,
) -> None:  # fmt: skip
    """Success rates of a policy, the expert and the baselines over seeded episodes.

    Run it again after an interruption: episodes that were played are kept.

    Args:
        tasks: Names of tasks; all if none is given.
        suite: Only tasks of this suite.
        contestant: The policy.
        config: Which episodes, and where.
        out: Folder for `results.jsonl`; `nitrogen results` makes tables and HTML of it.
        clips: Film a success and a failure of each task for the HTML report.
        list: Only list the tasks.
        json: Print JSON.
    """
    from nitrogen.benchmark.results import as_json, note_skipped, scores
    from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, run
    from nitrogen.benchmark.suite import ALL_TASKS
    from nitrogen.benchmark.suite import task as find_task

    chosen = [find_task(name) for name in tasks] or [*ALL_TASKS]
    chosen = [task for task in chosen if suite in (None, task.suite)]
    if list:
        _list_tasks(chosen, json=json)
        return
    skipped = {task.name: reason for task in chosen if (reason := _why_not(task, tasks))}
    chosen = [task for task in chosen if task.name not in skipped]
    if not chosen:
        raise GameMissingError(f"nothing can be played here: {skipped or 'no such tasks'}")
    players = [*_contestants(contestant), EXPERT, *BASELINE_PLAYERS]
    file = out / "results.jsonl"
    note_skipped(file, skipped)
    total = len(config.seeds) * sum(p.can_play(task) for p in players for task in chosen)
    with show.bars() as bars:
        bar = bars.add_task("episodes", total=total, note="")
        results = run(
            chosen, players, config, out=file,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
        )  # fmt: skip
    if clips:
        from nitrogen.benchmark.clips import record_clips

        record_clips(chosen, players, results, out / "clips")
    rows = scores(results)
    if json:
        print(as_json(rows, skipped=skipped))
        return
    show.print_scores(rows)
    for name, reason in skipped.items():
        print(f"not played: {name}: {reason}")
    print(file)


def _why_not(task: "Task", named: Sequence[str]) -> str | None:
    """Why a task is not played; None if it is."""
    if not task.is_ready and task.name not in named:
        return "its judge is not tested yet; name the task to play it all the same"
    return task.missing()


def _contestants(contestant: Contestant) -> Sequence["Player"]:
    from nitrogen.benchmark.run import Player

    name, execute = contestant.policy, contestant.execute
    if name is None:
        return []
    if name.startswith(("ws://", "wss://")):
        return [Player(name="policy", batch_policy=partial(remote_policy, name), execute=execute)]
    from nitrogen.shipped import MODULES, WEIGHTS, load_policy

    make = load_policy(WEIGHTS if name == "shipped" else Path(name))
    return [Player(name="policy", batch_policy=make, execute=execute, modules=MODULES)]


@lru_cache(maxsize=1)
def remote_policy(url: str) -> "BatchPolicy":
    """A policy on a server; a worker connects anew with each episode."""
    from nitrogen.serve.client import RemoteBatchPolicy

    return RemoteBatchPolicy(url)


def _list_tasks(tasks: Sequence["Task"], *, json: bool) -> None:
    rows = [
        {
            "name": task.name,
            "suite": task.suite,
            "game": task.game,
            "view": task.view,
            "kind": task.kind,
            "judge": task.judge,
            "goal": task.goal,
            "limit_s": round(task.frames / task.rate_hz, 2),
            "has_expert": task.has_expert,
            "deterministic": task.deterministic,
            "ready": task.is_ready,
            "missing": task.missing(),
        }
        for task in tasks
    ]
    if json:
        print(dumps(rows, indent=2))
        return
    for row in rows:
        print(
            f"{row['name']}: {row['goal']} ({row['suite']}, {row['view']}, {row['kind']},"
            f" judged by {row['judge']}, {row['limit_s']:g} s)"
        )
        if not row["ready"]:
            print("    its judge is not tested yet: played only when it is named")
        if row["missing"]:
            print(f"    cannot run here: {row['missing']}")
