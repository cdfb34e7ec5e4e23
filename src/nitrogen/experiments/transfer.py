"""The transfer experiment: does pre-training on other games help to learn a new one?

After the published one (NitroGen, section 4.3): pre-train on all games but one, fine-tune on a part
of the held-out game's data, and compare with a network that starts from nothing with the same data,
steps and settings. Here success is closed-loop play on held-out levels, and every arm is repeated
with several training seeds, each with data of its own.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from nitrogen.experiments import arms
from nitrogen.experiments.jobs import Job, run_jobs
from nitrogen.experiments.transfer_jobs import (
    SCRATCH,
    TUNED,
    Arm,
    Collect,
    Pretrain,
    TransferConfig,
)
from nitrogen.report import Report
from nitrogen.stats import Gain, Rate, relative_gain

FORMAT = "nitrogen.transfer/1"
PUBLISHED_GAIN = 0.52
"""Largest relative gain that the published work reports, at its lowest amount of data."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One held-out task and part of its data."""

    task: str
    part: str
    scratch: Rate
    tuned: Rate
    gain: Gain


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What the experiment came to."""

    rows: list[Row]
    baselines: dict[str, dict[str, Rate]]
    """Task to player to rate: expert, and the players that do not look."""
    report: Path
    table: Path

    def as_json(self) -> str:
        """One JSON object."""
        return self.table.read_text()


def transfer(
    out: Path,
    config: TransferConfig | None = None,
    *,
    workers: int = 2,
    on_start: Callable[[str, int], None] = lambda name, total: None,
    on_done: Callable[[Job], None] = lambda job: None,
) -> Transfer:
    """Run, or go on with, the experiment in `out`; ends with `report.html` and `transfer.json`.

    workers: jobs at a time, each on one core. Raises ConfigError if `out` holds another experiment,
    GameMissingError if a task cannot run here.
    """
    config = config or TransferConfig()
    arms.claim(out, config, format=FORMAT)
    collects = [
        Collect(out / "data", config, name, seed)
        for name in config.tasks
        for seed in range(config.seeds if name in config.held_out else 1)
    ]
    on_start("collecting demonstrations", len(collects))
    run_jobs(collects, workers=workers, on_done=on_done)
    pretrains = [Pretrain(out, config, name) for name in config.held_out]
    on_start("pre-training", len(pretrains))
    run_jobs(pretrains, workers=workers, on_done=on_done)
    trainings = [
        Arm(out, config, name, part, seed, arm)
        for seed in range(config.seeds)
        for name in config.held_out
        for part in config.parts
        for arm in (SCRATCH, TUNED)
    ]
    on_start("training and playing", len(trainings))
    found = run_jobs(trainings, workers=workers, on_done=on_done)
    played = {
        (a.name, a.part, a.seed, a.arm): r["success"] for a, r in zip(trainings, found, strict=True)
    }
    rows = [_row(config, name, part, played) for name in config.held_out for part in config.parts]
    on_start("expert and baselines", len(config.held_out))
    baselines = arms.baselines(config.held_out, config.episodes, out, workers=workers)
    return _written(out, config, rows, baselines)


def _row(
    config: TransferConfig,
    name: str,
    part: str,
    played: dict[tuple[str, str, int, str], list[bool]],
) -> Row:
    by_arm = {
        arm: np.array([played[name, part, seed, arm] for seed in range(config.seeds)])
        for arm in (SCRATCH, TUNED)
    }
    rates = {arm: Rate(int(won.sum()), won.size) for arm, won in by_arm.items()}
    gain = relative_gain(by_arm[TUNED], by_arm[SCRATCH], np.random.default_rng(0))
    return Row(task=name, part=part, scratch=rates[SCRATCH], tuned=rates[TUNED], gain=gain)


def _written(
    out: Path,
    config: TransferConfig,
    rows: list[Row],
    baselines: dict[str, dict[str, Rate]],
) -> Transfer:
    table, report = out / "transfer.json", out / "report.html"
    values = {
        "format": FORMAT,
        "config": asdict(config),
        "rows": [
            {
                "task": row.task,
                "part": row.part,
                SCRATCH: arms.plain(row.scratch),
                TUNED: arms.plain(row.tuned),
                "gain": arms.finite(asdict(row.gain)),
            }
            for row in rows
        ],
        "baselines": {
            task: {player: arms.plain(rate) for player, rate in rates.items()}
            for task, rates in baselines.items()
        },
    }
    arms.write_json(table, values)
    _report(config, rows, baselines).write(report)
    return Transfer(rows=rows, baselines=baselines, report=report, table=table)


def _report(
    config: TransferConfig, rows: list[Row], baselines: dict[str, dict[str, Rate]]
) -> Report:
    report = Report(
        "Transfer to a held-out game",
        f"Pre-trained on the other games ({config.pretrain_steps:,} steps) or not at all, then"
        f" trained on parts of {config.rows:,} labelled frames of the held-out game"
        f" ({config.steps:,} steps either way). {config.seeds} trainings per arm, each with its own"
        f" data; each plays {config.episodes} held-out levels.",
    )
    report.table(
        "Success",
        ["held-out task", "data", SCRATCH, TUNED, "relative gain [95 %]"],
        [[row.task, row.part, str(row.scratch), str(row.tuned), str(row.gain)] for row in rows],
        note="Rates with Wilson intervals over all episodes. The gain's interval resamples"
        " trainings and levels. The published gain at the lowest amount of data is"
        f" {PUBLISHED_GAIN:+.0%} at most.",
    )
    for name in config.held_out:
        curves = {}
        for arm in (SCRATCH, TUNED):
            of_task = [row for row in rows if row.task == name]
            shares = [float(Fraction(row.part)) for row in of_task]
            rates = [row.scratch if arm == SCRATCH else row.tuned for row in of_task]
            curves[arm] = (shares, [rate.rate for rate in rates])
        report.curves(name, curves, x="share of the data", y="success rate")
    report.table(
        "Players that were not trained",
        ["task", "player", "success [95 %]"],
        [
            [task, player, str(rate)]
            for task, rates in baselines.items()
            for player, rate in rates.items()
        ],
    )
    return report
