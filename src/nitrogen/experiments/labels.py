"""The label-noise experiment: what is the quality of extracted actions worth?

One set of recorded videos, one training recipe, several kinds of labels: the true pad log, the
actions read off the overlay, and the true log with errors put in or moved in time. What counts is
how the trained policies play held-out levels; beside it stand how well the labels agree with the
log, and how well the policies plan what the player did in a video that none was trained on.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nitrogen.actions import Actions
from nitrogen.errors import ConfigError, DataError
from nitrogen.experiments import arms
from nitrogen.experiments.jobs import Job, run_jobs
from nitrogen.quickstart import Chain, QuickstartConfig, Watcher, labelled_runs
from nitrogen.report import Report
from nitrogen.stats import Difference, Rate, difference, f1, r2

if TYPE_CHECKING:
    from nitrogen.data.samples import Run

FORMAT = "nitrogen.labels/2"
AVERAGES = ("f1", "stick_r2", "plan_f1", "plan_stick_r2")
"""What is averaged over the trainings of a row."""


@dataclass(frozen=True)
class Kind:
    """One kind of labels."""

    name: str
    source: Literal["truth", "extracted"] = "truth"
    errors: float = 0.0
    late: int = 0


TRUE_LOG = Kind("true log")


@dataclass(frozen=True, kw_only=True)
class LabelsConfig:
    """What is compared.

    Steps enough for true labels to win some levels and not all, so that there is something to lose.
    """

    chain: QuickstartConfig = field(default_factory=lambda: QuickstartConfig(train_steps=400))
    """Recording and recipe; its own trainings are not run. The last video is only planned from."""
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
        if self.chain.videos < 2:
            raise ConfigError("two videos are needed: the last is held out")

    @property
    def kinds(self) -> "tuple[Kind, ...]":
        """Every kind of labels that is compared."""
        wrong = [Kind(f"{100 * rate:g} % wrong", errors=rate) for rate in self.errors]
        late = [Kind(f"{n} frame{'s' if n > 1 else ''} late", late=n) for n in self.late]
        return (TRUE_LOG, Kind("extracted", source="extracted"), *wrong, *late)


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
    difference: Difference | None
    """In success, to policies trained on the true log; None for these."""
    plan_f1: float
    """Of the buttons in the policies' plans against the true log of a video not trained on."""
    plan_stick_r2: float


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
    experiment, DataError if too little of the videos was kept.
    """
    config = config or LabelsConfig()
    arms.claim(out, config, format=FORMAT)
    on_start("recording and extracting", config.chain.videos)
    chain = Chain(out / "chain", config.chain, Watcher())
    chain.record()
    chain.extract()
    chain.prepare()
    found = dict[Kind, list[dict[str, Any]]]()
    rows = list[Row]()
    for seed in range(config.seeds):
        trainings = [Arm(out, config, kind, seed) for kind in config.kinds]
        on_start(f"training and playing, {seed + 1} of {config.seeds}", len(trainings))
        results = run_jobs(trainings, workers=workers, on_done=on_done)
        for kind, result in zip(config.kinds, results, strict=True):
            found.setdefault(kind, []).append(result)
        rows = [_row(kind, found) for kind in config.kinds]
        _written(out, config, rows, {}, seed + 1)
    on_start("expert and baselines", 1)
    task, episodes = config.chain.task, config.chain.play_episodes
    baselines = arms.baselines([task], episodes, out, workers=workers)[task]
    return _written(out, config, rows, baselines, config.seeds)


def _row(kind: Kind, found: dict[Kind, list[dict[str, Any]]]) -> Row:
    results = found[kind]
    won, true = (np.array([one["success"] for one in each]) for each in (results, found[TRUE_LOG]))
    averages = {name: float(np.mean([one[name] for one in results])) for name in AVERAGES}
    return Row(
        labels=kind.name,
        success=Rate(int(won.sum()), won.size),
        difference=None if kind == TRUE_LOG else difference(won, true, np.random.default_rng(0)),
        **averages,
    )


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
        """Train, plan and play."""
        from nitrogen.train.recipes import quickstart as recipe

        chain = self.config.chain
        true, held_out = self._runs("truth")
        if not (true and held_out):
            raise DataError(
                f"too little of the videos in {self.root / 'chain'} was kept to train and to hold"
                " one out; record more episodes or videos"
            )
        runs = self._labelled(true)
        settings = replace(
            recipe(),
            network=arms.network(),
            optim=arms.short(recipe().optim, chain.train_steps),
            steps=chain.train_steps,
            batch=chain.batch,
            seed=1 + self.seed,
        )
        policy = arms.fit(settings, runs, self.folder)
        scores = arms.plan_scores(policy, held_out)
        return {
            **agreement(true, runs),
            "plan_f1": scores.button_f1,
            "plan_stick_r2": scores.stick_r2,
            "success": arms.play(policy, chain.task, chain.play_episodes, self.folder),
        }

    def _runs(self, source: str) -> "tuple[list[Run], list[Run]]":
        """Those to train on, and those of the last video."""
        runs = labelled_runs(self.root / "chain", source)
        last = f"video_{self.config.chain.videos - 1:02d}_"
        return (
            [run for run in runs if not run.name.startswith(last)],
            [run for run in runs if run.name.startswith(last)],
        )

    def _labelled(self, true: "Sequence[Run]") -> "list[Run]":
        if self.kind.source == "extracted":
            return self._runs("extracted")[0]
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
    out: Path, config: LabelsConfig, rows: list[Row], baselines: dict[str, Rate], seeds: int
) -> Labels:
    """Table and report of the first `seeds` trainings of each kind."""
    table, report = out / "labels.json", out / "report.html"
    arms.write_json(
        table,
        {
            "format": FORMAT,
            "config": asdict(config),
            "trainings": seeds,
            "rows": [
                {
                    **arms.finite({n: getattr(row, n) for n in AVERAGES}),
                    "labels": row.labels,
                    "success": arms.plain(row.success),
                    "difference": row.difference and asdict(row.difference),
                }
                for row in rows
            ],
            "baselines": {player: arms.plain(rate) for player, rate in baselines.items()},
        },
    )
    page = Report(
        "What labels are worth",
        f"{config.chain.task}: the same frames, labelled in several ways; {seeds} trainings"
        f" of {config.chain.train_steps:,} steps each, every policy plays"
        f" {config.chain.play_episodes} held-out levels.",
    )
    columns = ["labels", "button F1", "stick R²", "success", "against the true log"]
    page.table(
        "Labels and play",
        [*columns, "plans: button F1", "plans: stick R²"],
        [
            *(
                [
                    row.labels,
                    f"{row.f1:.3f}",
                    f"{row.stick_r2:.3f}",
                    str(row.success),
                    str(row.difference or ""),
                    f"{row.plan_f1:.3f}",
                    f"{row.plan_stick_r2:.3f}",
                ]
                for row in rows
            ),
            *([player, "", "", str(rate), "", "", ""] for player, rate in baselines.items()),
        ],
        note="F1 and R²: first of the labels against the true log, last of the policies' plans"
        " against the true log of a video that none was trained on. Rates with Wilson intervals"
        " over all episodes; the 95 % intervals of the differences resample trainings and levels.",
    )
    page.write(report)
    return Labels(rows=rows, baselines=baselines, report=report, table=table)
