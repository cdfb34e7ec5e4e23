"""The transfer experiment: does pre-training on other games help to learn a new one?

After the published one (NitroGen, section 4.3): pre-train on all games but one, fine-tune on a part
of the held-out game's data, and compare with a network that starts from nothing with the same data,
steps and settings. Here success is closed-loop play on held-out levels, and every arm is repeated
with several training seeds, each with data of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from nitrogen.benchmark.suite import task as find_task
from nitrogen.experiments import arms
from nitrogen.experiments.jobs import Job, run_jobs
from nitrogen.experiments.transfer_config import LEVELS, HeldOut, TransferConfig
from nitrogen.experiments.transfer_jobs import (
    SCRATCH,
    TUNED,
    Arm,
    Collect,
    Pretrain,
    held_out_data,
    pretraining_data,
)
from nitrogen.report import Report
from nitrogen.stats import Difference, Gain, Rate, difference, relative_gain

FORMAT = "nitrogen.transfer/1"
PUBLISHED_GAIN = 0.52
"""Largest relative gain that the published work reports, at its lowest amount of data."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One held-out task and part of its data."""

    task: str
    part: str
    levels: int
    """Levels of demonstrations in that part."""
    scratch: Rate
    tuned: Rate
    difference: Difference
    gain: Gain
    scratch_error: float
    """Mean error of plans on demonstrations of levels that were not trained on."""
    tuned_error: float


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

    The first part is trained for all tasks before the next, and the table is written after each.
    workers: jobs at a time, each on one core. Raises ConfigError if `out` holds another experiment;
    GameMissingError, before anything is done, if a task cannot run here.
    """
    config = config or TransferConfig()
    for name in config.played:
        find_task(name).must_run()
    arms.claim(out, config, format=FORMAT)
    collects = _collects(out, config)
    on_start("collecting demonstrations", len(collects))
    run_jobs(collects, workers=workers, on_done=on_done)
    pretrains = list({job.folder: job for job in _pretrains(out, config)}.values())
    on_start("pre-training", len(pretrains))
    run_jobs(pretrains, workers=workers, on_done=on_done)
    rows = list[Row]()
    for part in config.parts:
        trainings = [
            Arm(out, config, held_out, part, seed, arm)
            for seed in config.training_seeds
            for held_out in config.held_out
            for arm in (SCRATCH, TUNED)
        ]
        on_start(f"training and playing, {part} of the data", len(trainings))
        found = run_jobs(trainings, workers=workers, on_done=on_done)
        rows += [_row(config, one, part, trainings, found) for one in config.held_out]
        _written(out, config, rows, {})
    on_start("expert and baselines", len(config.held_out))
    names = [held_out.task for held_out in config.held_out]
    count = min(config.baseline_episodes, config.episodes)
    baselines = arms.baselines(names, count, out, workers=workers, first_seed=LEVELS)
    return _written(out, config, rows, baselines)


def _collects(out: Path, config: TransferConfig) -> list[Collect]:
    return [
        *(pretraining_data(out, config, name) for name in config.pretrained_on),
        *(
            held_out_data(out, config, one, seed)
            for one in config.held_out
            for seed in config.training_seeds
        ),
    ]


def _pretrains(out: Path, config: TransferConfig) -> list[Pretrain]:
    return [Pretrain(out, config, one) for one in config.held_out]


def _row(
    config: TransferConfig,
    held_out: HeldOut,
    part: str,
    trainings: Sequence[Arm],
    found: Sequence[dict[str, Any]],
) -> Row:
    of_arm = {
        arm: [
            result
            for job, result in zip(trainings, found, strict=True)
            if job.held_out == held_out and job.arm == arm
        ]
        for arm in (SCRATCH, TUNED)
    }
    won = {arm: np.array([one["success"] for one in each]) for arm, each in of_arm.items()}
    errors = {arm: mean(one["plan_error"] for one in each) for arm, each in of_arm.items()}
    rates = {arm: Rate(int(each.sum()), each.size) for arm, each in won.items()}
    return Row(
        task=held_out.task,
        part=part,
        levels=config.levels(held_out, part),
        scratch=rates[SCRATCH],
        tuned=rates[TUNED],
        difference=difference(won[TUNED], won[SCRATCH], np.random.default_rng(0)),
        gain=relative_gain(won[TUNED], won[SCRATCH], np.random.default_rng(0)),
        scratch_error=errors[SCRATCH],
        tuned_error=errors[TUNED],
    )


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
                "levels": row.levels,
                SCRATCH: arms.plain(row.scratch),
                TUNED: arms.plain(row.tuned),
                "difference": asdict(row.difference),
                "gain": arms.finite(asdict(row.gain)),
                "plan_error": {SCRATCH: row.scratch_error, TUNED: row.tuned_error},
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
    budgets = "; ".join(f"{one.task}: {one.steps} steps" for one in config.held_out)
    report = Report(
        "Transfer to a held-out game",
        f"Pre-trained on {', '.join(config.tasks)} ({config.pretrain_steps:,} steps; never on the"
        " held-out game) or not at all, then trained on demonstrations of some levels of the"
        f" held-out game, with the same data, steps and settings ({budgets})."
        f" {config.seeds} trainings per arm, each with its own data; each plays"
        f" {config.episodes} held-out levels.",
    )
    report.table(
        "Success",
        ["held-out task", "data", "levels", SCRATCH, TUNED, "difference", "relative gain", "error"],
        [
            [
                row.task,
                row.part,
                str(row.levels),
                str(row.scratch),
                str(row.tuned),
                str(row.difference),
                str(row.gain),
                f"{row.scratch_error:.4f} / {row.tuned_error:.4f}",
            ]
            for row in rows
        ],
        note="Rates with Wilson intervals over all episodes. The 95 % intervals of difference and"
        " relative gain resample trainings and levels. Error of plans: mean squared, on"
        f" demonstrations of other levels, {SCRATCH} / {TUNED}. The published gain at the lowest"
        f" amount of data is {PUBLISHED_GAIN:+.0%} at most.",
    )
    for held_out in config.held_out:
        curves = {}
        for arm in (SCRATCH, TUNED):
            of_task = [row for row in rows if row.task == held_out.task]
            shares = [float(Fraction(row.part)) for row in of_task]
            rates = [row.scratch if arm == SCRATCH else row.tuned for row in of_task]
            curves[arm] = (shares, [rate.rate for rate in rates])
        report.curves(held_out.task, curves, x="share of the data", y="success rate")
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
