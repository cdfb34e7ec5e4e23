"""`nitrogen experiment`: the experiments behind the claims, each one command."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional

from nitrogen.cli import show

if TYPE_CHECKING:
    from nitrogen.experiments.jobs import Job


def experiment(
    what: Positional[Literal["transfer", "labels"]], /, *, out: Path | None = None,
    size: Literal["full", "small"] = "full", workers: int = 2, json: bool = False,
) -> None:  # fmt: skip
    """Measure what pre-training or label quality is worth; run again to go on.

    Args:
        what: `transfer`: pre-train on other games, fine-tune on a held-out one, against from
            scratch. `labels`: true logs, extracted labels, labels with errors or delays.
        out: Folder for everything; `runs/experiment-WHAT` by default.
        size: `full` takes one to two hours on two idle cores; `small` minutes, and proves nothing.
        workers: Trainings at a time, one core each.
        json: Print one JSON object instead of the table.
    """
    out = out or Path(f"runs/experiment-{what}")
    with show.bars() as bars:

        def start(name: str, total: int) -> None:
            for bar in bars.tasks:
                bars.update(bar.id, completed=bar.total or 0)
            bars.add_task(name, total=total, note="")

        def done(job: "Job") -> None:
            bars.update(bars.tasks[-1].id, advance=1, note=job.folder.name)

        result = _run(what, out, size, workers=workers, on_start=start, on_done=done)
    if json:
        print(result.as_json())
        return
    _print_rows(result.rows)
    print(result.report)


def _run(what: str, out: Path, size: str, **options: Any) -> Any:
    if what == "transfer":
        from nitrogen.experiments.transfer import transfer
        from nitrogen.experiments.transfer_config import SMALL

        return transfer(out, SMALL if size == "small" else None, **options)
    from nitrogen.experiments import labels

    return labels.labels(out, labels.SMALL if size == "small" else None, **options)


def _print_rows(rows: Sequence[Any]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in vars(rows[0])))
    for row in rows:
        values = vars(row).values()
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in values))
    Console().print(table)
