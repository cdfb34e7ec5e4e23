"""What the tasks of real games share: judges that read a state, starts that vary with the seed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.config import EVALUATION_SEEDS
from nitrogen.benchmark.search import SearchConfig
from nitrogen.benchmark.task import JudgedBy, Kind, Task, View
from nitrogen.errors import GameMissingError
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.game import Game, JudgeFactory, Verdict
from nitrogen.simulator.game import View as GameView
from nitrogen.simulator.linux import AGENT, find_program

DEMONSTRATIONS = Path(__file__).parent / "demonstrations"
"""One demonstration per task whose judge is tested: it must be judged a success."""

WAIT_FRAMES = 60
"""An episode begins up to so many frames later than the start-up leaves the game."""

Vary = Callable[[np.random.Generator], Actions]
"""Draws what is played between the start-up and the episode."""


def wait_a_little(rng: np.random.Generator) -> Actions:
    """Nothing, for up to `WAIT_FRAMES`."""
    return Actions.released(int(rng.integers(WAIT_FRAMES)))


@dataclass(frozen=True)
class Reading:
    """What a judge has read of the game in one frame."""

    progress: float
    """In 0..1; 1 is success."""
    failed: str = ""
    """Why the goal can no longer be reached; empty while it can."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers for the search and for reports."""


class StateJudge(ABC):
    """Reads the game's state in every frame; the episode ends with success or failure.

    Progress never goes back.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._progress = 0.0

    @abstractmethod
    def find(self, view: GameView) -> None:
        """The episode begins: look where the state lies, and remember how it began."""

    @abstractmethod
    def read(self, view: GameView) -> Reading:
        """The state in this frame."""

    def on_start(self, view: GameView) -> Verdict:
        """The episode begins with this frame."""
        self.find(view)
        return self._verdict(view)

    def on_frame(self, view: GameView) -> Verdict:
        """The next frame."""
        return self._verdict(view)

    def on_exit(self, status: int) -> Verdict:
        """The game has ended itself, which no task asks for."""
        return Verdict(terminated=True, progress=self._progress, events=(f"exit {status}",))

    def _verdict(self, view: GameView) -> Verdict:
        reading = self.read(view)
        self._progress = max(self._progress, min(reading.progress, 1.0))
        success = self._progress >= 1.0 and not reading.failed
        events = (reading.failed,) if reading.failed else ("reached the goal",) if success else ()
        return Verdict(
            terminated=success or bool(reading.failed),
            success=success,
            progress=1.0 if success else min(self._progress, 0.99),
            events=events,
            values=reading.values,
        )


@dataclass(frozen=True)
class JudgeMaker:
    """Makes the judges of one task; equal for equal tasks, so that games can be compared."""

    kind: Callable[..., StateJudge]
    arguments: tuple[object, ...] = ()

    def __call__(self) -> StateJudge:
        """A fresh judge."""
        return self.kind(*self.arguments)


class Scripted(Protocol):
    """An expert for one episode, who may read what no policy sees."""

    def act(self, view: GameView) -> Actions:
        """What to hold next."""


class ExpertEnv(GameEnv):
    """A game with an expert: `expert()` is what he holds in the present frame."""

    def __init__(
        self,
        choose: Callable[[int], Game],
        make: Callable[[], Scripted],
        *,
        render_mode: str | None = None,
    ) -> None:
        """`make`: a fresh expert for each episode."""
        super().__init__(choose, render_mode=render_mode)
        self._make = make
        self._scripted = make()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin an episode."""
        self._scripted = self._make()
        return super().reset(seed=seed, options=options)

    def expert(self) -> Actions:
        """What a good player holds now."""
        return self._scripted.act(self.view())


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """How episodes of a task begin, and who can play them."""

    vary: Vary = wait_a_little
    """Draws from the seed what is played before the episode."""
    expert: Callable[[], Scripted] | None = None
    """A fresh expert for an episode, if there is one."""


_USUAL = Episodes()


@dataclass(frozen=True, kw_only=True)
class OpenTask:
    """A task of a real game, and how a search reaches its goal."""

    task: Task
    search: SearchConfig


@dataclass(frozen=True)
class Levels:
    """The levels of one task: the seed of an episode picks one, and held-out seeds see others."""

    training: tuple[Game, ...]
    held_out: tuple[Game, ...]
    """For seeds from `EVALUATION_SEEDS` on."""

    def judged(self, judge: JudgeFactory) -> "Levels":
        """The same levels, judged by another judge."""
        training = tuple(replace(game, judge=judge) for game in self.training)
        return Levels(training, tuple(replace(game, judge=judge) for game in self.held_out))

    def of(self, seed: int) -> Game:
        """The level of `seed`."""
        games = self.held_out if seed >= EVALUATION_SEEDS else self.training
        return games[seed % len(games)]


def open_task(
    name: str,
    game: Game | Levels,
    judge: JudgeFactory,
    *,
    facts: tuple[Kind, View, JudgedBy],
    goal: str,
    limit_s: float,
    search: SearchConfig,
    episodes: Episodes = _USUAL,
) -> OpenTask:
    """The task `game/name`; the seed decides how its episodes begin.

    With `Levels` it also picks the level.
    """
    expert = episodes.expert
    levels = game if isinstance(game, Levels) else Levels((game,), (game,))
    game = levels.training[0]
    choose = partial(start_of, levels.judged(judge), episodes.vary)
    make = partial(GameEnv, choose) if expert is None else partial(ExpertEnv, choose, expert)
    kind, view, judged_by = facts
    return OpenTask(
        task=Task(
            name=f"{game.name}/{name}",
            suite="open-10",
            kind=kind,
            view=view,
            judge=judged_by,
            goal=goal,
            frames=round(limit_s * game.rate_hz),
            rate_hz=game.rate_hz,
            make=make,
            render=partial(make, render_mode="rgb_array"),
            missing=partial(missing, game),
            packages=game.packages,
            has_expert=expert is not None,
            demonstration=DEMONSTRATIONS / f"{game.name}-{name}.npz",
            deterministic=game.deterministic,
        ),
        search=search,
    )


def start_of(levels: Levels, vary: Vary, seed: int) -> Game:
    """The seed's level, begun after what `vary` draws from the seed."""
    return _later(levels.of(seed), vary(np.random.default_rng(seed)))


_STARTS: dict[tuple[int, bytes], tuple[Game, Game]] = {}


def _later(game: Game, before: Actions) -> Game:
    """Always the same object for the same game and start, so that it need not start again."""
    key = id(game), before.buttons.tobytes() + before.sticks.tobytes()
    kept = _STARTS.get(key)
    if kept is None or kept[0] is not game:
        startup = Actions.concatenate([game.startup, before])
        kept = _STARTS[key] = game, replace(game, startup=startup)
    return kept[1]


def missing(game: Game) -> str | None:
    """Why the game cannot run here; None if it can."""
    if not AGENT.exists():
        return "the agent library is not built; build it with 'make -C agent'"
    try:
        find_program(game)
    except GameMissingError as error:
        return str(error)
    return None
