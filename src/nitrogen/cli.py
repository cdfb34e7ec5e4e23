"""The command line: one function per command. Parses, calls one library function, prints paths.

Results go to stdout, everything else to stderr. Heavy packages are imported inside the commands.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from nitrogen import logs
from nitrogen.errors import ConfigError, NitrogenError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

Positional = tyro.conf.Positional


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


def demo(
    *, out: Path = Path("runs/demo"), episodes: int = 16, workers: int | None = None,
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

    with _bars() as bars:
        bar = bars.add_task("starting", total=None, note="")
        result = run_demo(
            out,
            episodes=episodes,
            workers=workers,
            on_result=lambda r: bars.update(bar, advance=1, note=f"{r.player}: {r.task}"),
            on_stage=lambda stage, total: bars.update(
                bar, description=stage, **({"total": total} if total else {})
            ),
        )
    for name, reason in result.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if json:
        print(result.as_json())
        return
    _print_scores(result.scores)
    for path in (*result.videos, result.report):
        print(path)


def _print_scores(rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "player", "success [95 %]", "episodes", "mean progress")
    for index, row in enumerate(rows):
        end = index + 1 == len(rows) or rows[index + 1].task != row.task
        table.add_row(
            row.task,
            row.player,
            str(row.rate),
            f"{row.rate.successes}/{row.rate.episodes}",
            f"{row.progress:.2f}",
            end_section=end,
        )
    Console().print(table)


COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
}


def main() -> None:
    """Run the command of `sys.argv`; exit 1 with one line on stderr if nitrogen refuses."""
    logs.set_up(verbose=os.environ.get("NITROGEN_VERBOSE") == "1")
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="nitrogen", description=__doc__)
    except NitrogenError as error:
        print(f"nitrogen: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        print("nitrogen: interrupted; run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
