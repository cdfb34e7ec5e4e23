"""`nitrogen demonstrate`: play-throughs that reach a task's goal, found without people."""

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional

from nitrogen.benchmark.demonstrate import DemonstrateConfig
from nitrogen.cli import show

_USUAL = DemonstrateConfig()


def demonstrate(
    task: Positional[str], /, *, out: Path,
    config: Annotated[DemonstrateConfig, OmitArgPrefixes] = _USUAL,
) -> None:  # fmt: skip
    """Make demonstrations: by the expert where there is one, else by search, then variants.

    Run it again after an interruption: what was found is kept.

    Args:
        task: For example supertux/welcome_antarctica; `nitrogen benchmark --list` names them all.
        out: Folder for the `.npz` files.
        config: How many, and how long to search.
    """
    from nitrogen.benchmark.demonstrate import FAILURES
    from nitrogen.benchmark.demonstrate import demonstrate as run_demonstrate
    from nitrogen.benchmark.demonstration import Demonstration, cost_table
    from nitrogen.benchmark.suite import search_for
    from nitrogen.benchmark.suite import task as find_task

    chosen = find_task(task)
    chosen.must_run()
    with show.bars() as bars:
        bar = bars.add_task("demonstrations", total=config.count, note=task)
        paths = run_demonstrate(
            chosen, config, out=out, how=search_for(task),
            on_demonstration=lambda made: bars.update(bar, advance=1, note=made.facts.origin),
            on_search=lambda name, now: bars.update(
                bar,
                note=f"{name}: {now.frames:,} frames, {now.furthest:.0%}, {now.points} points",
            ),
        )  # fmt: skip
    header = ("origin", "kept", "distinct", "frames spent", "seconds", "median length")
    show.print_table(task, header, cost_table([Demonstration.load(path) for path in paths]))
    if (out / FAILURES).exists():
        print(f"what could not be made: {out / FAILURES}", file=sys.stderr)
    print(out)
