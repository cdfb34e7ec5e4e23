"""`nitrogen demo` and `nitrogen quickstart`."""

import sys
from pathlib import Path

from nitrogen.cli import show


def demo(
    *, out: Path = Path("runs/demo"), episodes: int = 12, workers: int | None = None,
    json: bool = False,
) -> None:  # fmt: skip
    """Let the policy that ships with the package play: table, videos and report in under a minute.

    Args:
        out: Folder for `report.html`, the videos and `results.jsonl`.
        episodes: Episodes per task and player, on held-out seeds.
        workers: Processes; one per core by default.
        json: Print one JSON object instead of the table.
    """
    from nitrogen.demo import demo as run_demo

    with show.bars() as bars:
        bar = bars.add_task("starting", total=None, note="")
        result = run_demo(
            out,
            episodes=episodes,
            workers=workers,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
            on_stage=lambda stage, total: bars.update(bar, description=stage, total=total or None),
        )
    for name, reason in result.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if json:
        print(result.as_json())
        return
    show.print_scores(result.scores)
    for path in (*result.videos, result.report):
        print(path)


def quickstart(*, out: Path = Path("runs/quickstart"), json: bool = False) -> None:
    """The whole chain from nothing, in minutes: record, extract, train, play, report.

    Run it again after an interruption: finished stages are kept.

    Args:
        out: Folder for everything; ends with `report.html`.
        json: Print one JSON object instead of the table.
    """
    from nitrogen.quickstart import Watcher
    from nitrogen.quickstart import quickstart as run_quickstart

    with show.bars() as bars:

        class Show(Watcher):
            def stage(self, name: str, total: int) -> None:
                for bar in bars.tasks:
                    bars.update(bar.id, completed=bar.total or 0)
                self.bar = bars.add_task(name, total=total, note="")

            def advance(self, count: int, note: str) -> None:
                bars.update(self.bar, advance=count, note=note)

        result = run_quickstart(out, watcher=Show())
    if json:
        print(result.as_json())
        return
    show.print_scores(result.scores)
    print(result.video)
    print(result.report)
