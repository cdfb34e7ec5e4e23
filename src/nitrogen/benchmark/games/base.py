"""What the tasks of real games share: judges that read a state, starts that vary with the seed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from nitrogen.actions import Actions
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


@dataclass(frozen=True, kw_only=True)
class OpenTask:
    """A task of a real game, and how a search reaches its goal."""

    task: Task
    search: SearchConfig


def open_task(
    name: str,
    game: Game,
    judge: JudgeFactory,
    *,
    facts: tuple[Kind, View, JudgedBy],
    goal: str,
    limit_s: float,
    search: SearchConfig,
) -> OpenTask:
    """The task `game/name`; the seed decides how long the game has run when it begins."""
    judged = replace(game, judge=judge)
    choose = partial(start_of, judged)
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
            make=partial(GameEnv, choose),
            render=partial(GameEnv, choose, render_mode="rgb_array"),
            missing=partial(missing, game),
            packages=game.packages,
            has_expert=False,
            demonstration=DEMONSTRATIONS / f"{game.name}-{name}.npz",
            deterministic=game.deterministic,
        ),
        search=search,
    )


def start_of(game: Game, seed: int) -> Game:
    """`game`, begun a little later: the seed decides how much."""
    return _later(game, int(np.random.default_rng(seed).integers(WAIT_FRAMES)))


_STARTS: dict[tuple[int, int], tuple[Game, Game]] = {}


def _later(game: Game, frames: int) -> Game:
    """Always the same object for the same game and delay, so that it need not start again."""
    kept = _STARTS.get((id(game), frames))
    if kept is None or kept[0] is not game:
        startup = Actions.concatenate([game.startup, Actions.released(frames)])
        kept = _STARTS[id(game), frames] = game, replace(game, startup=startup)
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
