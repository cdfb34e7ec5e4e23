"""The trainings of the transfer experiment: demonstrations, pre-training, and each arm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nitrogen.benchmark.suite import task as find_task
from nitrogen.experiments import arms
from nitrogen.experiments.transfer_config import (
    LEVELS,
    LEVELS_PER_SEED,
    HeldOut,
    TransferConfig,
)
from nitrogen.imitate import Mixture, collect, load_runs, save_runs

if TYPE_CHECKING:
    from nitrogen.data.augment import AugmentConfig
    from nitrogen.data.samples import Run
    from nitrogen.train.loop import TrainConfig

SCRATCH, TUNED = "from scratch", "fine-tuned"


def _slug(name: str) -> str:
    return name.replace("/", "-")


@dataclass(frozen=True)
class Collect:
    """Demonstrations of one task: one labelled episode on each of so many levels."""

    root: Path
    config: TransferConfig
    name: str
    seed: int
    levels: int

    @property
    def folder(self) -> Path:
        """Of the data."""
        return self.root / f"{_slug(self.name)}-{self.seed}"

    def run(self) -> dict[str, Any]:
        """Play all levels."""
        task, first = find_task(self.name), LEVELS_PER_SEED * (self.seed + 1)
        runs, won = collect(
            task.make,
            range(first, first + self.levels),
            name=self.name,
            size=arms.network().vision.image_size,
            frames=task.frames,
            mixture=Mixture(random=self.config.random),
            side_by_side=8,
        )
        runs.sort(key=lambda run: run.name)
        save_runs(runs, self.folder / "runs.npz")
        return {"episodes": len(runs), "won": won, "rows": sum(len(run.frames) for run in runs)}

    def runs(self, levels: int | None = None) -> "Sequence[Run]":
        """The episodes of the first `levels` levels; all by default."""
        return load_runs(self.folder / "runs.npz")[:levels]


def pretraining_data(root: Path, config: TransferConfig, name: str) -> Collect:
    """The demonstrations of a task that is pre-trained on."""
    return Collect(root / "data", config, name, 0, config.pretrain_levels)


def held_out_data(root: Path, config: TransferConfig, held_out: HeldOut, seed: int) -> Collect:
    """The demonstrations of a held-out task, for one training of each arm and part."""
    levels = max(config.levels(held_out, part) for part in config.parts)
    return Collect(root / "held-out-data", config, held_out.task, seed, levels)


@dataclass(frozen=True)
class Pretrain:
    """One network trained on the tasks of every game that `held_out` does not leave out."""

    root: Path
    config: TransferConfig
    held_out: HeldOut

    @property
    def folder(self) -> Path:
        """Of the training run; the network is in `policy`."""
        left_out = "-".join(self.config.left_out(self.held_out))
        return self.root / "pretrained" / f"without-{left_out}"

    def run(self) -> dict[str, Any]:
        """Train."""
        config, names = self.config, self.config.sources(self.held_out)
        data = [pretraining_data(self.root, config, name) for name in names]
        runs = [run for one in data for run in one.runs()]
        settings = replace(
            _settings(config, config.pretrain_steps, batch=config.pretrain_batch, seed=0),
            augment=_many_looks(),
        )
        arms.fit(settings, runs, self.folder)
        return {"tasks": list(names), "rows": sum(len(run.frames) for run in runs)}


@dataclass(frozen=True)
class Arm:
    """One training on the held-out game, and what its policy then plays."""

    root: Path
    config: TransferConfig
    held_out: HeldOut
    part: str
    seed: int
    arm: str

    @property
    def folder(self) -> Path:
        """Of the training run and its results."""
        task, part = _slug(self.held_out.task), self.part.replace("/", "_")
        names = (task, part, _slug(self.arm), str(self.seed))
        return self.root / "runs" / "-".join(names).replace(" ", "_")

    def run(self) -> dict[str, Any]:
        """Train and play."""
        config, held_out = self.config, self.held_out
        data = held_out_data(self.root, config, held_out, self.seed)
        runs = data.runs(config.levels(held_out, self.part))
        start = None
        if self.arm == TUNED:
            start = Pretrain(self.root, config, held_out).folder / "policy"
        settings = _settings(config, held_out.steps, batch=config.batch, seed=1 + self.seed)
        policy = arms.fit(settings, runs, self.folder, start_from=start)
        won = arms.play(policy, held_out.task, config.episodes, self.folder, first_seed=LEVELS)
        other = held_out_data(self.root, config, held_out, config.seed_after(self.seed))
        return {
            "success": won,
            "plan_error": arms.plan_scores(policy, other.runs()).loss,
            "rows": sum(len(run.frames) for run in runs),
        }


def _many_looks() -> "AugmentConfig":
    """Stronger changes of colour and crop than a training on one game uses."""
    from nitrogen.data.augment import AugmentConfig

    return AugmentConfig(
        brightness=0.2, contrast=0.3, saturation=0.4, hue=0.3, rotation_degrees=0.0, crop=0.05
    )


def _settings(config: TransferConfig, steps: int, *, batch: int, seed: int) -> "TrainConfig":
    """The same for all trainings, but for length, batch and seed."""
    from nitrogen.train.recipes import demo

    recipe = demo()
    optim = replace(arms.short(recipe.optim, steps), learning_rate=config.learning_rate)
    return replace(
        recipe, network=arms.network(), optim=optim, steps=steps, batch=batch, seed=seed,
        log_every=50, save_every=200,
    )  # fmt: skip
