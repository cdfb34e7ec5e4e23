"""`nitrogen demo`: the policy that ships with the package plays, beside every baseline.

A real third-party game (Doom, by ViZDoom with Freedoom) and built-in games, on levels that were
never trained on; success rates with intervals, a video of each, and one report.
"""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nitrogen.benchmark.results import Result, Score, as_json, clearly_better, scores
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import task as find_task
from nitrogen.benchmark.task import EVALUATION_SEEDS, Task
from nitrogen.errors import CheckpointError, GameMissingError, MissingDependencyError
from nitrogen.policy import BatchPolicy
from nitrogen.report import Bar, Report
from nitrogen.watch import film

WEIGHTS = Path(__file__).parent / "weights"
"""The checkpoint that ships with the package, with its `recipe.json`."""

DEMO_TASKS = ("doom/defend_the_center", "platformer/reach_the_flag", "racer/finish_a_lap")
EXECUTE = 4
"""Actions played of each plan of 16: reactive games need short ones (docs/concepts/learning.md)."""


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
    episodes: int = 16,
    steps: int | None = None,
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
    results = run(
        tasks, players, episodes=episodes, out=results_file, workers=workers, on_result=on_result
    )
    rows = scores(results)
    videos = []
    for task in tasks:
        on_stage(f"filming {task.name}", 0)
        videos.append(_film(task, make_policy, results, out))
    report = out / "report.html"
    _report(rows, tasks, left_out, videos, checkpoint).write(report)
    return Demo(rows, left_out, report, videos)


def load_policy(checkpoint: Path, steps: int | None = None) -> Callable[[], BatchPolicy]:
    """A function that loads the policy, for worker processes; checked to work here first."""
    try:
        from nitrogen.model.inference import ModelPolicy
    except ImportError as error:
        raise MissingDependencyError(
            f"a policy needs torch ({error}); install it with pip install 'nitrogen[train]'"
        ) from error
    if not (checkpoint / "config.json").exists():
        raise CheckpointError(
            f"no checkpoint in {checkpoint}; make one with python scripts/make_weights.py"
        )
    make = functools.partial(one_thread_policy, checkpoint, steps)
    ModelPolicy.from_pretrained(checkpoint)
    return make


def one_thread_policy(checkpoint: Path, steps: int | None) -> BatchPolicy:
    """The policy, on one thread: worker processes share the machine's cores."""
    import torch

    from nitrogen.model.inference import ModelPolicy

    torch.set_num_threads(1)
    return ModelPolicy.from_pretrained(checkpoint, steps=steps)


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


def _film(
    task: Task, make_policy: Callable[[], BatchPolicy], results: Sequence[Result], out: Path
) -> Path:
    """Film the first episode that the policy won, else its first."""
    from nitrogen.model.inference import ModelPolicy

    policy = make_policy()
    assert isinstance(policy, ModelPolicy), "the demo's policy is a network"
    mine = [r.episode for r in results if r.task == task.name and r.player == "policy"]
    won = [episode.seed for episode in mine if episode.success]
    path = out / f"{task.name.replace('/', '-')}.mp4"
    film(
        task.render,
        policy,
        path,
        title=f"nitrogen  -  {task.name}",
        seed=won[0] if won else EVALUATION_SEEDS,
        frames=task.frames,
        execute=EXECUTE,
    )
    return path


def rate_sections(report: Report, tasks: Sequence[Task], rows: Sequence[Score]) -> None:
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
    rate_sections(report, tasks, rows)
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
