"""`nitrogen demo`: the policy that ships with the package plays, beside every baseline.

A real third-party game (Doom, by ViZDoom with Freedoom) and built-in games, on levels that were
never trained on; success rates with intervals, a video of each, and one report.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nitrogen.benchmark.config import EVALUATION_SEEDS, RunConfig
from nitrogen.benchmark.results import Result, Score, add_rates, as_json, scores
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import task as find_task
from nitrogen.benchmark.task import Task
from nitrogen.errors import GameMissingError
from nitrogen.policy import BatchPolicy
from nitrogen.processes import die_with_parent
from nitrogen.report import Report
from nitrogen.shipped import EXECUTE, STEPS, WEIGHTS, load_policy
from nitrogen.watch import film

DEMO_TASKS = ("doom/defend_the_center", "platformer/reach_the_flag", "racer/finish_a_lap")


@dataclass(frozen=True)
class Demo:
    """What the demo has written and measured."""

    scores: list[Score]
    left_out: dict[str, str]
    """Tasks that cannot run here, and why."""
    report: Path
    videos: list[Path]

    def as_json(self) -> str:
        """One JSON object, per game and task the rates of the policy and each baseline."""
        return as_json(
            self.scores,
            left_out=self.left_out,
            report=str(self.report),
            videos=[str(path) for path in self.videos],
        )


def demo(
    out: Path,
    *,
    checkpoint: Path = WEIGHTS,
    names: Sequence[str] = DEMO_TASKS,
    episodes: int = 12,
    steps: int | None = STEPS,
    workers: int | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
    on_stage: Callable[[str, int], None] = lambda stage, total: None,
) -> Demo:
    """Play, film and report into `out`.

    episodes: per player and task, on held-out seeds. on_stage: told what begins and how many
    results it brings. Raises MissingDependencyError without torch, GameMissingError if no task can
    run here, CheckpointError if the weights cannot be read.
    """
    make_policy = load_policy(checkpoint, steps)
    tasks, left_out = _runnable(names)
    out.mkdir(parents=True, exist_ok=True)
    results_file = out / "results.jsonl"
    results_file.unlink(missing_ok=True)
    players = [
        Player(name="policy", batch_policy=make_policy, execute=EXECUTE),
        EXPERT,
        *BASELINE_PLAYERS,
    ]
    on_stage("playing", len(tasks) * len(players) * episodes)
    config = RunConfig(episodes=episodes, workers=workers)
    results = run(tasks, players, config, out=results_file, on_result=on_result)
    rows = scores(results)
    on_stage("filming", 0)
    videos = _film_all(tasks, make_policy, results, out)
    report = out / "report.html"
    _report(rows, tasks, left_out, videos, checkpoint).write(report)
    return Demo(rows, left_out, report, videos)


def _runnable(names: Sequence[str]) -> tuple[list[Task], dict[str, str]]:
    tasks, left_out = [], {}
    for name in names:
        task = find_task(name)
        reason = task.missing()
        if reason is None:
            tasks.append(task)
        else:
            left_out[name] = reason
    if not tasks:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise GameMissingError(f"nothing can be played here: {reasons}")
    return tasks, left_out


def _film_all(
    tasks: Sequence[Task],
    make_policy: Callable[[], BatchPolicy],
    results: Sequence[Result],
    out: Path,
) -> list[Path]:
    """Film of each task the first episode that the policy won, else its first."""
    jobs = []
    for task in tasks:
        mine = [r.episode for r in results if r.task == task.name and r.player == "policy"]
        won = [episode.seed for episode in mine if episode.success]
        path = out / f"{task.name.replace('/', '-')}.mp4"
        jobs.append((task, make_policy, won[0] if won else EVALUATION_SEEDS, path))
    context = multiprocessing.get_context("spawn")
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, context, die_with_parent) as pool:
        return list(pool.map(_film, *zip(*jobs, strict=True)))


def _film(task: Task, make_policy: Callable[[], BatchPolicy], seed: int, path: Path) -> Path:
    from nitrogen.model.inference import ModelPolicy

    policy = make_policy()
    assert isinstance(policy, ModelPolicy), "the demo's policy is a network"
    film(
        task.render,
        policy,
        path,
        title=f"nitrogen  -  {task.name}",
        seed=seed,
        frames=task.frames,
        execute=EXECUTE,
    )
    return path


def _report(
    rows: Sequence[Score],
    tasks: Sequence[Task],
    left_out: dict[str, str],
    videos: Sequence[Path],
    checkpoint: Path,
) -> Report:
    report = Report(
        "nitrogen demo",
        "One small network looks at the picture alone and holds the gamepad. It plays levels that"
        " it has never seen; beside it the scripted expert that taught it, and players that do not"
        " look.",
    )
    add_rates(report, tasks, rows)
    for task, video in zip(tasks, videos, strict=True):
        report.clip(
            f"Film: {task.name}",
            video,
            note="Left: the game. Right: what the policy sees, the pad it holds, and its plan.",
        )
    report.table(
        "Times",
        ["task", "player", "episodes", "mean frames", "frames per second"],
        [
            [
                row.task,
                row.player,
                str(row.rate.episodes),
                f"{row.frames:.0f}",
                f"{row.frames * row.rate.episodes / row.seconds:.0f}",
            ]
            for row in rows
        ],
        note="Per process, drawing and planning included.",
    )
    recipe = checkpoint / "recipe.json"
    if recipe.exists():
        facts = json.loads(recipe.read_text())
        report.table(
            "How the weights were made",
            ["", ""],
            [
                [name, str(facts[name])]
                for name in facts
                if not isinstance(facts[name], dict | list)
            ],
        )
    if left_out:
        report.table("Left out", ["task", "why"], [list(item) for item in left_out.items()])
    return report
