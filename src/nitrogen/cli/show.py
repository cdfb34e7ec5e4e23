"""What commands share: progress bars and tables."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress as Bars


def bars(*, visible: bool = True) -> "Bars":
    """A progress display on stderr; tasks need the field `note`."""
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
        disable=not visible,
    )


def print_causes(what: str, causes: Mapping[str, int]) -> None:
    """Why things were left out, most frequent first, on stderr; nothing if nothing was."""
    total = sum(causes.values())
    ordered = sorted(causes.items(), key=lambda item: -item[1])
    for cause, count in ordered[:10]:
        print(f"{count} of {total} {what}: {cause}", file=sys.stderr)
    if len(ordered) > 10:
        print(f"... and {len(ordered) - 10} more causes", file=sys.stderr)


def print_scores(rows: list[Any]) -> None:
    """A table of success rates by task and player on stdout."""
    from rich.console import Console
    from rich.table import Column, Table

    task = Column("task", overflow="fold")
    table = Table(task, "player", "success [95 %]", "episodes", "progress [95 %]")
    for index, row in enumerate(rows):
        end = index + 1 == len(rows) or rows[index + 1].task != row.task
        table.add_row(
            row.task,
            row.player,
            str(row.rate),
            f"{row.rate.successes}/{row.rate.episodes}",
            str(row.progress),
            end_section=end,
        )
    Console().print(table)


def print_table(
    title: str, header: "Sequence[str]", rows: "Sequence[Sequence[str]]", *, note: str = ""
) -> None:
    """A table of text on stdout; the first column is folded where it must be."""
    from rich.console import Console
    from rich.table import Column, Table

    first, *others = header
    table = Table(
        Column(first, overflow="fold"),
        *(Column(name, no_wrap=True) for name in others),
        title=title,
        caption=note,
        title_justify="left",
        caption_justify="left",
    )
    for row in rows:
        table.add_row(*row)
    Console().print(table)
