"""Tables of results by task, kind, view and game, for the terminal and for HTML.

Knows results. Knows nothing of games, policies or films: it embeds the clips that it finds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nitrogen.benchmark.results import BASELINES, Result, Score, clearly_better, scores
from nitrogen.benchmark.task import Task
from nitrogen.report import Bar, Report

NOTE = (
    "95 % intervals: Wilson's of success, bootstrap of mean progress. Groups pool the episodes of"
    " their tasks."
)


@dataclass(frozen=True)
class Table:
    """Text in rows and columns."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


PUBLISHED = (
    Table(
        "Published, for orientation: mean task completion of the original policy, zero-shot",
        ("view", "combat", "navigation", "game-specific"),
        (
            ("3D", "61.2", "55.0", "56.3"),
            ("2D top-down", "46.0", "52.0", "61.5"),
            ("2D side-scrolling", "44.8", "37.9", "54.0"),
        ),
        "Per cent, on ten commercial games that were never named. Other games, other tasks, other"
        " judges: compare the pattern, not the numbers.",
    ),
    Table(
        "Published, for orientation: transfer to a held-out game",
        ("held-out game and setting", "fine-tuned", "from scratch", "gain"),
        (
            ("isometric roguelike, 60 h", "53.0", "48.1", "+10 %"),
            ("isometric roguelike, 120 h", "65.6", "57.8", "+14 %"),
            ("isometric roguelike, 240 h", "81.0", "76.0", "+7 %"),
            ("3D action role-playing game, 30 h, combat", "73.3", "48.3", "+52 %"),
            ("3D action role-playing game, 30 h, navigation", "60.0", "48.0", "+25 %"),
            ("3D action role-playing game, 30 h, game-specific", "66.6", "63.3", "+5 %"),
        ),
        "Mean task completion in per cent, equal data and compute in both columns.",
    ),
)
"""What the original authors report."""


def tables(
    results: Sequence[Result], tasks: Mapping[str, Task], skipped: Mapping[str, str]
) -> list[Table]:
    """One table per way of looking at the results; `tasks` by name tell kind, view and game.

    Results of tasks that are not in `tasks` appear under `task` and `game` only.
    """

    def kind(result: Result) -> str:
        return tasks[result.task].kind

    def view(result: Result) -> str:
        return tasks[result.task].view

    known = [result for result in results if result.task in tasks]
    made = [_table("By task", "task", scores(results))]
    groups: list[tuple[str, list[Result], Callable[[Result], str]]] = [
        ("kind", known, kind),
        ("view", known, view),
        ("game", list(results), lambda result: result.task.partition("/")[0]),
    ]
    made += [_table(f"By {name}", name, scores(part, by=by)) for name, part, by in groups if part]
    if skipped:
        rows = tuple((name, reason) for name, reason in sorted(skipped.items()))
        made.append(Table("Not played", ("task", "why"), rows))
    return made


def _table(title: str, group: str, rows: Iterable[Score]) -> Table:
    rows = sorted(rows, key=lambda row: (row.task, row.mode, _place(row.player)))
    header = (group, "player", "mode", "success", "episodes", "progress", "faults")
    return Table(title, header, tuple(map(_cells, rows)), NOTE)


def _cells(row: Score) -> tuple[str, ...]:
    count = f"{row.rate.successes}/{row.rate.episodes}"
    faults = str(row.faults) if row.faults else "-"
    return row.task, row.player, row.mode, str(row.rate), count, str(row.progress), faults


def _place(player: str) -> tuple[int, str]:
    """Policies first, then the expert, then those who do not look."""
    order = ("expert", *BASELINES)
    return (order.index(player) + 1, "") if player in order else (0, player)


def html_report(
    path: Path,
    results: Sequence[Result],
    tasks: Mapping[str, Task],
    *,
    skipped: Mapping[str, str],
    clips: Sequence[Path] = (),
) -> None:
    """Write tables, bars per task, clips and the published tables as one file."""
    modes = sorted({result.mode for result in results})
    versions = sorted({f"{k} {v}" for result in results for k, v in result.versions.items()})
    report = Report(
        "Benchmark results",
        f"{len(results)} episodes, {', '.join(modes)} mode. Paused: the game waits for the policy;"
        f" live: it does not. Versions: {', '.join(versions)}.",
    )
    for table in tables(results, tasks, skipped):
        report.table(table.title, table.header, table.rows, note=table.note)
    rows = scores(results)
    for name in sorted({row.task for row in rows}):
        _add_bars(report, name, [row for row in rows if row.task == name], tasks.get(name))
        mine = [clip for clip in clips if clip.stem.startswith(clip_prefix(name))]
        if mine:
            report.clips(f"{name}, seen", [(_caption(c), c) for c in sorted(mine, reverse=True)])
    for table in PUBLISHED:
        report.table(table.title, table.header, table.rows, note=table.note)
    report.write(path)


def _add_bars(report: Report, name: str, rows: Sequence[Score], task: Task | None) -> None:
    for mode in sorted({row.mode for row in rows}):
        mine = sorted((r for r in rows if r.mode == mode), key=lambda row: _place(row.player))
        facts = f"{task.goal} {task.view}, {task.kind}; judged by {task.judge}. " if task else ""
        verdict = ""
        if mode == "paused":
            verdict = {
                True: "The policy's interval lies above that of every baseline.",
                False: "The policy is not clearly better than every baseline.",
                None: "",
            }[clearly_better(rows, task=name)]
        bars = [Bar(row.player, row.rate, row.progress.value) for row in mine]
        report.rates(f"{name}, {mode}", bars, note=f"{facts}{NOTE} {verdict}")


def _caption(clip: Path) -> str:
    """`success_no_input_1000003` as words."""
    what, *player, seed = clip.stem.rpartition("--")[2].split("_")
    return f"{what}: {' '.join(player)}, seed {seed}, its last seconds"


def clip_prefix(task: str) -> str:
    """How the file names of a task's clips begin; the end says what they show."""
    return task.replace("/", "-") + "--"
