"""What the transfer experiment compares, and with how much."""

from dataclasses import dataclass
from fractions import Fraction

from nitrogen.benchmark.config import EVALUATION_SEEDS
from nitrogen.benchmark.suite import task as find_task
from nitrogen.errors import ConfigError

LEVELS = EVALUATION_SEEDS + 200_000
"""First seed of the levels that are played; trials of settings used the seeds before it."""
LEVELS_PER_SEED = 10_000
"""Training seed s learns from levels from seed (s + 1) times this on; 0 is pre-training's."""
LAST_SEED = EVALUATION_SEEDS // LEVELS_PER_SEED - 1
"""Training seeds end before it."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """A task of a game that was not pre-trained on, and its budget: the same for both arms.

    Games differ in how much it takes to learn them. A budget tells something where from-scratch
    succeeds in a third to two thirds of the levels with all of the data.
    """

    task: str
    levels: int = 32
    """Episodes of demonstrations that count as all of its data, each on another level."""
    steps: int = 300
    """Of every training, whatever the part and the start."""
    without: tuple[str, ...] = ()
    """Other games that its pre-training leaves out too, so that held-out games share a network."""


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """What is compared; the defaults take less than two hours on two fast cores, by estimate."""

    tasks: tuple[str, ...] = (
        "arena/clear_the_waves",
        "arena/ten_quickly",
        "maze/escape",
        "maze/gather_the_gems",
        "flyer/leave_the_cave",
        "flyer/shoot_down_ten",
        "doom/defend_the_center",
        "doom/health_gathering",
        "doom/take_cover",
        "doom/defend_the_line",
        "racer/finish_a_lap",
        "platformer/reach_the_flag",
    )
    """Everything that is pre-trained on; the held-out game's own tasks are left out."""
    held_out: tuple[HeldOut, ...] = (
        HeldOut(task="racer/finish_a_lap", steps=60, without=("platformer",)),
        HeldOut(task="doom/health_gathering", levels=24, steps=60, without=("flyer",)),
        HeldOut(
            task="miniworld/reach_the_box", levels=128, steps=100, without=("platformer", "racer")
        ),
    )
    """Tasks to learn, each after pre-training on the tasks of other games."""
    parts: tuple[str, ...] = ("1/8", "1/4", "1/2", "1")
    """Shares of the levels of the held-out game."""
    seeds: int = 4
    """Trainings of each arm and part, each with its own data."""
    first_seed: int = 30
    """Of the trainings and their data; trials of settings and earlier runs used seeds before it."""
    pretrain_levels: int = 40
    """Episodes of demonstrations per task."""
    pretrain_steps: int = 3_000
    pretrain_batch: int = 96
    batch: int = 64
    learning_rate: float = 1e-3
    """Of every training."""
    episodes: int = 40
    """Held-out levels that each trained policy plays; the same for all."""
    baseline_episodes: int = 20
    """Of these levels, the first so many are played by the expert and players that do not look."""
    random: float = 0.12
    """Share of stretches of random input in the demonstrations, labelled by the expert."""

    def __post_init__(self) -> None:
        """Raise ConfigError where nothing would be left to compare."""
        for held_out in self.held_out:
            if not self.sources(held_out):
                raise ConfigError(
                    f"{held_out.task}: tasks of another game are needed to pre-train on"
                )
            if min(self.levels(held_out, part) for part in self.parts or ("1",)) < 1:
                raise ConfigError(
                    f"{held_out.task}: the smallest part of {held_out.levels} levels is none"
                )
        if self.first_seed < 1 or self.first_seed + self.seeds > LAST_SEED:
            raise ConfigError(
                f"training seeds lie in 1..{LAST_SEED - 1}: levels from seed {EVALUATION_SEEDS:,}"
                " on are reserved for play"
            )
        if self.seeds < 2 or not self.parts:
            raise ConfigError("at least two seeds and one part of the data are needed")
        if any(not 0 < Fraction(part) <= 1 for part in self.parts):
            raise ConfigError(f"parts must lie in (0, 1], not {', '.join(self.parts)}")

    def left_out(self, held_out: HeldOut) -> tuple[str, ...]:
        """Games that are not pre-trained on when `held_out` is to be learned, sorted."""
        games = {find_task(held_out.task).game, *held_out.without}
        return tuple(sorted(games & {find_task(name).game for name in self.tasks}))

    def sources(self, held_out: HeldOut) -> tuple[str, ...]:
        """Tasks that are pre-trained on when `held_out` is to be learned."""
        games = self.left_out(held_out)
        return tuple(name for name in self.tasks if find_task(name).game not in games)

    @property
    def pretrained_on(self) -> tuple[str, ...]:
        """Tasks that some network is pre-trained on."""
        sources = {name for one in self.held_out for name in self.sources(one)}
        return tuple(name for name in self.tasks if name in sources)

    @property
    def played(self) -> tuple[str, ...]:
        """Every task that must be playable, for its demonstrations or for its policies."""
        return tuple(dict.fromkeys((*self.pretrained_on, *(one.task for one in self.held_out))))

    def levels(self, held_out: HeldOut, part: str) -> int:
        """How many levels that part of the data has."""
        return int(held_out.levels * Fraction(part))

    @property
    def training_seeds(self) -> range:
        """One per training of an arm."""
        return range(self.first_seed, self.first_seed + self.seeds)

    def seed_after(self, seed: int) -> int:
        """The next training seed, or the first after the last; its data has other levels."""
        return self.first_seed + (seed - self.first_seed + 1) % self.seeds


SMALL = TransferConfig(
    tasks=("arena/clear_the_waves",),
    held_out=(HeldOut(task="racer/finish_a_lap", levels=4, steps=20),),
    parts=("1/4", "1"),
    seeds=2,
    pretrain_levels=8,
    pretrain_steps=40,
    pretrain_batch=32,
    batch=32,
    episodes=4,
)
"""Shows in a minute or two that everything runs; it says nothing about transfer."""
