"""The trainings of the transfer experiment: demonstrations, pre-training, and each arm."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nitrogen.actions import Actions
from nitrogen.benchmark.suite import task as find_task
from nitrogen.errors import ConfigError
from nitrogen.experiments import arms
from nitrogen.imitate import Mixture, collect, load_runs, save_runs

if TYPE_CHECKING:
    from nitrogen.data.samples import Run
    from nitrogen.model.network import NetworkConfig
    from nitrogen.train.loop import TrainConfig

SCRATCH, TUNED = "from scratch", "fine-tuned"


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """What is compared; the defaults take about two hours on two idle cores."""

    tasks: tuple[str, ...] = (
        "racer/finish_a_lap",
        "arena/clear_the_waves",
        "platformer/reach_the_flag",
        "doom/defend_the_center",
        "doom/health_gathering",
        "doom/defend_the_line",
    )
    """Everything that may be pre-trained on; the held-out game's own tasks are left out."""
    held_out: tuple[str, ...] = (
        "racer/finish_a_lap",
        "arena/clear_the_waves",
        "platformer/reach_the_flag",
    )
    """Tasks to learn, each after pre-training on the tasks of the other games."""
    parts: tuple[str, ...] = ("1/8", "1/4", "1/2", "1")
    """Shares of the held-out game's data."""
    seeds: int = 3
    """Trainings of each arm and part, each with its own data."""
    pretrain_rows: int = 25_000
    """Labelled frames per task."""
    pretrain_steps: int = 3_000
    rows: int = 8_000
    """Labelled frames of the held-out game that count as all of its data."""
    steps: int = 400
    """Of every training on the held-out game, whatever the part and the start."""
    batch: int = 128
    learning_rate: float = 1e-3
    episodes: int = 40
    """Held-out levels that each trained policy plays; the same for all."""
    random: float = 0.12
    """Share of stretches of random input in the demonstrations, labelled by the expert."""

    def __post_init__(self) -> None:
        """Raise ConfigError where nothing would be left to compare."""
        for name in self.held_out:
            if not self.sources(name):
                raise ConfigError(f"{name}: tasks of another game are needed to pre-train on")
        if self.seeds < 1 or not self.parts:
            raise ConfigError("at least one seed and one part of the data are needed")
        if any(not 0 < Fraction(part) <= 1 for part in self.parts):
            raise ConfigError(f"parts must lie in (0, 1], not {', '.join(self.parts)}")

    def sources(self, held_out: str) -> tuple[str, ...]:
        """What is pre-trained on when `held_out` is held out."""
        game = find_task(held_out).game
        return tuple(name for name in self.tasks if find_task(name).game != game)


SMALL = TransferConfig(
    tasks=("racer/finish_a_lap", "arena/clear_the_waves"),
    held_out=("racer/finish_a_lap",),
    parts=("1/4", "1"),
    seeds=2,
    pretrain_rows=2_000,
    pretrain_steps=60,
    rows=1_000,
    steps=30,
    batch=32,
    episodes=4,
)
"""Shows in a few minutes that everything runs; it says nothing about transfer."""


def _slug(name: str) -> str:
    return name.replace("/", "-")


@dataclass(frozen=True)
class Collect:
    """Demonstrations of one task: the labelled frames of one seed."""

    root: Path
    config: TransferConfig
    name: str
    seed: int

    @property
    def folder(self) -> Path:
        """Of the data."""
        return self.root / f"{_slug(self.name)}-{self.seed}"

    def run(self) -> dict[str, Any]:
        """Play until there are enough rows for every use of this task."""
        task, runs, won = find_task(self.name), list["Run"](), 0
        rows = self.config.rows if self.name in self.config.held_out else 0
        rows = max(rows, self.config.pretrain_rows if self.seed == 0 else 0)
        first = 100_000 * (self.seed + 1)
        while sum(len(run.frames) for run in runs) < rows:
            part, successes = collect(
                task.make,
                range(first + len(runs), first + len(runs) + 8),
                name=self.name,
                size=_network().vision.image_size,
                frames=task.frames,
                mixture=Mixture(random=self.config.random),
                side_by_side=8,
            )
            runs, won = runs + part, won + successes
        save_runs(runs, self.folder / "runs.npz")
        return {"episodes": len(runs), "won": won}

    def runs(self, rows: int) -> "list[Run]":
        """The first `rows` rows, the last episode cut."""
        from nitrogen.data.samples import Run

        kept: list[Run] = []
        for run_ in load_runs(self.folder / "runs.npz"):
            left = rows - sum(len(one.frames) for one in kept)
            if left <= 0:
                break
            kept.append(Run(run_.name, run_.frames[:left], run_.actions[:left]))
        return kept


@dataclass(frozen=True)
class Pretrain:
    """One network trained on every game but that of `name`."""

    root: Path
    config: TransferConfig
    name: str

    @property
    def folder(self) -> Path:
        """Of the training run; the network is in `policy`."""
        return self.root / "pretrained" / _slug(self.name)

    def run(self) -> dict[str, Any]:
        """Train."""
        runs: list[Run] = []
        for name in self.config.sources(self.name):
            data = Collect(self.root / "data", self.config, name, 0)
            runs += data.runs(self.config.pretrain_rows)
        settings = _settings(self.config, self.config.pretrain_steps, seed=0)
        arms.fit(settings, runs, self.folder)
        return {"tasks": list(self.config.sources(self.name))}


@dataclass(frozen=True)
class Arm:
    """One training on the held-out game, and what its policy then plays."""

    root: Path
    config: TransferConfig
    name: str
    part: str
    seed: int
    arm: str

    @property
    def folder(self) -> Path:
        """Of the training run and its results."""
        names = (_slug(self.name), self.part.replace("/", "_"), _slug(self.arm), str(self.seed))
        return self.root / "runs" / "-".join(names).replace(" ", "_")

    def run(self) -> dict[str, Any]:
        """Train and play."""
        config = self.config
        data = Collect(self.root / "data", config, self.name, self.seed)
        runs = data.runs(max(1, round(config.rows * Fraction(self.part))))
        start = None
        if self.arm == TUNED:
            source = Pretrain(self.root, config, self.name).folder / "policy"
            actions = Actions.concatenate(run.actions for run in runs)
            start = _respread(source, actions, self.folder / "start")
        settings = _settings(config, config.steps, seed=1 + self.seed)
        policy = arms.fit(settings, runs, self.folder, start_from=start)
        return {"success": arms.play(policy, self.name, config.episodes, self.folder)}


def _network() -> "NetworkConfig":
    from nitrogen.model.presets import preset

    return preset("tiny")


def _settings(config: TransferConfig, steps: int, *, seed: int) -> "TrainConfig":
    from nitrogen.train.recipes import demo

    recipe = demo()
    optim = replace(
        recipe.optim,
        learning_rate=config.learning_rate,
        warmup_steps=min(100, steps // 10),
        average=min(recipe.optim.average, 1 - 10 / steps),
    )
    return replace(
        recipe, network=_network(), optim=optim, steps=steps, batch=config.batch, seed=seed,
        log_every=50, save_every=200,
    )  # fmt: skip


def _respread(source: Path, actions: Actions, out: Path) -> Path:
    """The network of `source`, told the spread of the action values of other data.

    Buttons that no game of the pre-training used have hardly any spread there.
    """
    from nitrogen.model import checkpoint
    from nitrogen.model.network import NitroGen
    from nitrogen.train.labels import measured

    trained = checkpoint.load(source)
    network = NitroGen(measured(trained.config, actions))
    network.load_state_dict(trained.state_dict())
    return checkpoint.save(out, network)
