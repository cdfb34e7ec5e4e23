"""`nitrogen benchmark`: success rates of players over seeded episodes."""

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from nitrogen.cli import show

if TYPE_CHECKING:
    from nitrogen.benchmark.task import Task


def benchmark(
    tasks: Positional[tuple[str, ...]] = (), /, *, policy: Path | str | None = None,
    episodes: int = 20, out: Path = Path("runs/benchmark"), execute: int = 4,
    workers: int | None = None, list: bool = False, json: bool = False,
) -> None:  # fmt: skip
    """Success rates of a policy, the expert and the baselines over seeded episodes.

    Run it again after an interruption: episodes that were played are kept.

    Args:
        tasks: Names of tasks; all that can run here if none is given.
        policy: A checkpoint folder, or `shipped`; only expert and baselines if left out.
        episodes: Per task and player, on held-out seeds.
        out: Folder for `results.jsonl`.
        execute: Actions played of each plan.
        workers: Processes; one per core by default.
        list: Only list the tasks.
        json: Print JSON.
    """
    from nitrogen.benchmark.results import as_json, scores
    from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
    from nitrogen.benchmark.suite import ALL_TASKS
    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.shipped import WEIGHTS, load_policy

    if list:
        _list_tasks(ALL_TASKS, json=json)
        return
    chosen = [find_task(name) for name in tasks] or [t for t in ALL_TASKS if t.missing() is None]
    players = [EXPERT, *BASELINE_PLAYERS]
    if policy is not None:
        make = load_policy(WEIGHTS if policy == "shipped" else Path(policy))
        players.insert(0, Player(name="policy", batch_policy=make, execute=execute))
    with show.bars() as bars:
        bar = bars.add_task("episodes", total=len(chosen) * len(players) * episodes, note="")
        results = run(
            chosen,
            players,
            episodes=episodes,
            out=out / "results.jsonl",
            workers=workers,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
        )
    rows = scores(results)
    if json:
        print(as_json(rows))
    else:
        show.print_scores(rows)
        print(out / "results.jsonl")


def _list_tasks(tasks: Sequence["Task"], *, json: bool) -> None:
    rows = [
        {
            "name": task.name,
            "suite": task.suite,
            "game": task.game,
            "view": task.view,
            "kind": task.kind,
            "goal": task.goal,
            "missing": task.missing(),
        }
        for task in tasks
    ]
    if json:
        print(dumps(rows, indent=2))
        return
    for row in rows:
        print(f"{row['name']}: {row['goal']} ({row['view']}, {row['kind']})")
        if row["missing"]:
            print(f"    cannot run here: {row['missing']}")
