"""The label-noise experiment: what is the quality of extracted actions worth?

One set of recorded videos, one training recipe, several kinds of labels: the true pad log, the
actions read off the overlay, and the true log with errors put in or moved in time. What counts is
how the trained policies play held-out levels, beside how well the labels agree with the log.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nitrogen.actions import Actions
from nitrogen.errors import ConfigError
from nitrogen.experiments import arms
from nitrogen.experiments.jobs import Job, run_jobs
from nitrogen.quickstart import Chain, QuickstartConfig, Watcher, labelled_runs
from nitrogen.report import Report
from nitrogen.stats import Rate, f1, r2

if TYPE_CHECKING:
    from nitrogen.data.samples import Run

FORMAT = "nitrogen.labels/1"


@dataclass(frozen=True)
class Kind:
    """One kind of labels."""

    name: str
    source: Literal["truth", "extracted"] = "truth"
    errors: float = 0.0
    late: int = 0


@dataclass(frozen=True, kw_only=True)
class LabelsConfig:
    """What is compared; the defaults take about an hour on two idle cores."""

    chain: QuickstartConfig = field(default_factory=QuickstartConfig)
    """Recording and recipe; its own trainings are not run."""
    errors: tuple[float, ...] = (0.01, 0.05, 0.2)
    """Shares of wrong values; see `with_errors`."""
    late: tuple[int, ...] = (1, 2, 4)
    """Frames by which labels come too late."""
    seeds: int = 3
    """Trainings per kind of label."""

    def __post_init__(self) -> None:
        """Raise ConfigError for values that mean nothing."""
        if self.seeds < 1 or any(not 0 < rate < 1 for rate in self.errors):
            raise ConfigError("at least one seed, and errors between 0 and 1, are needed")
        if any(frames < 1 for frames in self.late):
            raise ConfigError("labels are late by one frame or more")

    @property
    def kinds(self) -> "tuple[Kind, ...]":
        """Every kind of labels that is compared."""
        wrong = [Kind(f"{100 * rate:g} % wrong", errors=rate) for rate in self.errors]
        late = [Kind(f"{n} frame{'s' if n > 1 else ''} late", late=n) for n in self.late]
        return (Kind("true log"), Kind("extracted", source="extracted"), *wrong, *late)


SMALL = LabelsConfig(
    chain=QuickstartConfig(
        videos=2, episodes_per_video=2, train_steps=30, batch=32, play_episodes=4
    ),
    errors=(0.05,),
    late=(2,),
    seeds=1,
)
"""Shows in a few minutes that everything runs; it says nothing about labels."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of labels."""

    labels: str
    f1: float
    """Of the buttons in the labels against the true log."""
    stick_r2: float
    success: Rate


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the experiment came to."""

    rows: list[Row]
    baselines: dict[str, Rate]
    report: Path
    table: Path

    def as_json(self) -> str:
        """One JSON object."""
        return self.table.read_text()


def labels(
    out: Path,
    config: LabelsConfig | None = None,
    *,
    workers: int = 2,
    on_start: Callable[[str, int], None] = lambda name, total: None,
    on_done: Callable[[Job], None] = lambda job: None,
) -> Labels:
    """Run, or go on with, the experiment in `out`; ends with `report.html` and `labels.json`.

    workers: trainings at a time, each on one core. Raises ConfigError if `out` holds another
    experiment.
    """
    config = config or LabelsConfig()
    arms.claim(out, config, format=FORMAT)
    on_start("recording and extracting", config.chain.videos)
    chain = Chain(out / "chain", config.chain, Watcher())
    chain.record()
    chain.extract()
    chain.prepare()
    trainings = [
        Arm(out, config, kind, seed) for seed in range(config.seeds) for kind in config.kinds
    ]
    on_start("training and playing", len(trainings))
    found = run_jobs(trainings, workers=workers, on_done=on_done)
    rows = []
    for kind in config.kinds:
        results = [r for arm, r in zip(trainings, found, strict=True) if arm.kind == kind]
        won = [success for result in results for success in result["success"]]
        rows.append(
            Row(
                labels=kind.name,
                f1=float(np.mean([result["f1"] for result in results])),
                stick_r2=float(np.mean([result["stick_r2"] for result in results])),
                success=Rate(sum(won), len(won)),
            )
        )
    on_start("expert and baselines", 1)
    task, episodes = config.chain.task, config.chain.play_episodes
    baselines = arms.baselines([task], episodes, out, workers=workers)[task]
    return _written(out, config, rows, baselines)


@dataclass(frozen=True)
class Arm:
    """One training on one kind of labels, and what its policy then plays."""

    root: Path
    config: LabelsConfig
    kind: Kind
    seed: int

    @property
    def folder(self) -> Path:
        """Of the training run and its results."""
        return (
            self.root
            / "runs"
            / f"{self.kind.name}-{self.seed}".replace(" ", "_").replace("%", "pc")
        )

    def run(self) -> dict[str, Any]:
        """Train and play."""
        from nitrogen.train.recipes import quickstart as recipe

        chain = self.config.chain
        true = labelled_runs(self.root / "chain", "truth")
        runs = self._labelled(true)
        settings = replace(recipe(), steps=chain.train_steps, batch=chain.batch, seed=1 + self.seed)
        policy = arms.fit(settings, runs, self.folder)
        return {
            **agreement(true, runs),
            "success": arms.play(policy, chain.task, chain.play_episodes, self.folder),
        }

    def _labelled(self, true: "Sequence[Run]") -> "list[Run]":
        if self.kind.source == "extracted":
            return labelled_runs(self.root / "chain", "extracted")
        rng = np.random.default_rng(self.seed)
        made = []
        for run in true:
            actions = with_errors(run.actions, self.kind.errors, rng)
            made.append(replace(run, actions=delayed(actions, self.kind.late)))
        return made


def with_errors(actions: Actions, rate: float, rng: np.random.Generator) -> Actions:
    """Turn a share of the values round: buttons that are ever used, and both axes of a stick.

    A wrong button is pressed where it was not, or the other way round; a wrong stick points
    anywhere. Each row is drawn for itself.
    """
    used = actions.buttons.max(axis=0) > 0
    wrong = (rng.random(actions.buttons.shape) < rate) & used
    buttons = np.where(wrong, 1 - actions.buttons, actions.buttons)
    anywhere = rng.uniform(-1, 1, actions.sticks.shape)
    moved = np.abs(actions.sticks).max(axis=0) > 0
    hit = np.repeat(rng.random((len(actions), 2)) < rate, 2, axis=1) & moved
    sticks = np.where(hit, anywhere, actions.sticks)
    return Actions(buttons.astype(np.float32), sticks.astype(np.float32))


def delayed(actions: Actions, frames: int) -> Actions:
    """The same actions, `frames` rows later; the first row is repeated."""
    rows = np.maximum(np.arange(len(actions)) - frames, 0)
    return Actions(actions.buttons[rows], actions.sticks[rows])


def agreement(true: "Sequence[Run]", read: "Sequence[Run]") -> dict[str, float]:
    """F1 of buttons and mean R2 of the sticks that move, labels against the true log."""
    truth = Actions.concatenate(run.actions for run in true)
    labels = Actions.concatenate(run.actions for run in read)
    moving = np.flatnonzero(truth.sticks.std(axis=0) > 0)
    return {
        "f1": f1(truth.pressed(), labels.pressed()),
        "stick_r2": float(
            np.mean([r2(truth.sticks[:, axis], labels.sticks[:, axis]) for axis in moving])
        ),
    }


def _written(
    out: Path, config: LabelsConfig, rows: list[Row], baselines: dict[str, Rate]
) -> Labels:
    table, report = out / "labels.json", out / "report.html"
    arms.write_json(
        table,
        {
            "format": FORMAT,
            "config": asdict(config),
            "rows": [{**vars(row), "success": arms.plain(row.success)} for row in rows],
            "baselines": {player: arms.plain(rate) for player, rate in baselines.items()},
        },
    )
    page = Report(
        "What labels are worth",
        f"{config.chain.task}: the same frames, labelled in several ways; {config.seeds} trainings"
        f" of {config.chain.train_steps:,} steps each, every policy plays"
        f" {config.chain.play_episodes} held-out levels.",
    )
    page.table(
        "Labels and play",
        ["labels", "button F1", "stick R²", "success [95 %]"],
        [
            *([r.labels, f"{r.f1:.3f}", f"{r.stick_r2:.3f}", str(r.success)] for r in rows),
            *([player, "", "", str(rate)] for player, rate in baselines.items()),
        ],
        note="F1 and R² are those of the labels against the true log, not of the policy.",
    )
    page.write(report)
    return Labels(rows=rows, baselines=baselines, report=report, table=table)
