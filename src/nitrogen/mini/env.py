"""The built-in games as Gymnasium environments.

Knows the three worlds and their facts. Knows nothing of policies, recordings or networks.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import gymnasium
import numpy as np

from nitrogen.actions import FRAME_SIZE, Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.mini import spaces
from nitrogen.mini.arena import expert as arena_expert
from nitrogen.mini.arena.view import ArenaView
from nitrogen.mini.arena.world import ArenaWorld
from nitrogen.mini.arena.world import generate as arena_level
from nitrogen.mini.canvas import Canvas
from nitrogen.mini.flyer import expert as flyer_expert
from nitrogen.mini.flyer.level import generate as flyer_cave
from nitrogen.mini.flyer.view import FlyerView
from nitrogen.mini.flyer.world import FlyerWorld
from nitrogen.mini.maze import expert as maze_expert
from nitrogen.mini.maze.level import generate as maze_level
from nitrogen.mini.maze.view import MazeView
from nitrogen.mini.maze.world import MazeWorld
from nitrogen.mini.platformer import expert as platformer_expert
from nitrogen.mini.platformer.level import generate as platformer_level
from nitrogen.mini.platformer.view import PlatformerView
from nitrogen.mini.platformer.world import PlatformerWorld
from nitrogen.mini.racer import expert as racer_expert
from nitrogen.mini.racer.track import generate as racer_track
from nitrogen.mini.racer.view import RacerView
from nitrogen.mini.racer.world import RacerWorld
from nitrogen.mini.world import RATE_HZ, Pad, World, generators


class View(Protocol):
    """Draws the states of one episode."""

    def draw(self, world: Any, canvas: Canvas) -> None:
        """Paint the present state of `world`."""


Kind = Literal["combat", "navigation", "game-specific"]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Another thing to achieve in a world, in place of its own goal."""

    name: str
    kind: Kind
    text: str
    """When it counts as a success, in one sentence."""
    progress: Callable[[Any], float] | None = None
    """How far it is reached, success from 1 on; the world's own if None."""
    time_limit_s: float | None = None
    """The world's own if None."""
    fails_on: frozenset[str] = frozenset()
    """Events that end the episode without success."""


@dataclass(frozen=True, kw_only=True)
class WorldInfo:
    """One built-in game: its facts, and how to start and play it."""

    name: str
    kind: Kind
    view: Literal["2D side-scrolling", "2D top-down"]
    goal: str
    """When it counts as a success, in one sentence."""
    time_limit_s: float
    start: Callable[[np.random.Generator], World]
    """A new episode; the generator decides the level."""
    look: Callable[[Any, np.random.Generator], View]
    """What draws that episode; the generator decides colours and shapes."""
    expert: Callable[[Any], Pad]
    """What a good player holds in a given state; a function of the state alone."""
    goals: tuple[Goal, ...] = ()
    """What else can be asked for in this world."""

    def limit_s(self, goal: Goal | None) -> float:
        """Time limit of the world's own goal, or of another one."""
        other = None if goal is None else goal.time_limit_s
        return self.time_limit_s if other is None else other


WORLDS = (
    WorldInfo(
        name="racer",
        kind="navigation",
        view="2D top-down",
        goal="Drive one lap in time, never off the road for more than two seconds.",
        time_limit_s=24.0,
        start=lambda rng: RacerWorld(racer_track(rng)),
        look=lambda world, rng: RacerView(world.track, rng),
        expert=racer_expert.play,
        goals=(
            Goal(
                name="clean_lap",
                kind="game-specific",
                text="Drive one lap in time without leaving the road or touching a car.",
                fails_on=frozenset({"left the road", "hit a car"}),
            ),
        ),
    ),
    WorldInfo(
        name="arena",
        kind="combat",
        view="2D top-down",
        goal="Defeat all enemies of all waves in time.",
        time_limit_s=20.0,
        start=lambda rng: ArenaWorld(arena_level(rng)),
        look=lambda world, rng: ArenaView(world.level, rng),
        expert=arena_expert.play,
        goals=(
            Goal(
                name="ten_quickly",
                kind="game-specific",
                text="Defeat ten enemies in nine seconds.",
                time_limit_s=9.0,
                progress=lambda world: world.defeated / 10,
            ),
        ),
    ),
    WorldInfo(
        name="platformer",
        kind="navigation",
        view="2D side-scrolling",
        goal="Reach the flag at the end of the level.",
        time_limit_s=24.0,
        start=lambda rng: PlatformerWorld(platformer_level(rng)),
        look=lambda world, rng: PlatformerView(world.level, rng),
        expert=platformer_expert.play,
    ),
    WorldInfo(
        name="maze",
        kind="navigation",
        view="2D top-down",
        goal="Gather five gems and leave by the exit, past two guards.",
        time_limit_s=40.0,
        start=lambda rng: MazeWorld(maze_level(rng)),
        look=lambda world, rng: MazeView(world.level, rng),
        expert=maze_expert.play,
        goals=(
            Goal(
                name="gather_the_gems",
                kind="game-specific",
                text="Gather the five gems, past two guards.",
                progress=lambda world: world.gathered,
            ),
        ),
    ),
    WorldInfo(
        name="flyer",
        kind="navigation",
        view="2D side-scrolling",
        goal="Fly through the cave with at most two hits.",
        time_limit_s=22.0,
        start=lambda rng: FlyerWorld(flyer_cave(rng)),
        look=lambda world, rng: FlyerView(world.level, rng),
        expert=flyer_expert.play,
        goals=(
            Goal(
                name="shoot_down_ten",
                kind="combat",
                text="Shoot down ten of the fourteen enemies in the cave.",
                progress=lambda world: world.shot_down / 10,
            ),
        ),
    ),
)
"""Every built-in game."""


class MiniEnv(gymnasium.Env[Frame, Step]):
    """A built-in game: one step is one frame of 1/30 s.

    The observation is the wide picture squashed to (256, 256, 3) uint8 RGB; `render()` draws the
    same picture at `render_size`. Losing terminates without success, the time limit truncates. The
    seed of `reset` decides the level and its look; nothing else is random.
    """

    metadata = {  # noqa: RUF012  # as Env declares it
        "render_modes": ["rgb_array"],
        "render_fps": RATE_HZ,
    }
    rate_hz = RATE_HZ

    def __init__(
        self,
        world: str,
        *,
        render_size: tuple[int, int] = (720, 1280),
        time_limit_s: float | None = None,
        goal: str | None = None,
    ) -> None:
        """`world` is a name in WORLDS; `render_size` is (height, width) in pixels.

        `goal` is the name of one of the world's goals; its own if None. Raises GameError for an
        unknown world, goal, size or limit.
        """
        self.info = find(world)
        self._goal = None if goal is None else _find_goal(self.info, goal)
        if min(render_size) < 16:
            raise GameError(f"render_size must be (height, width) of 16 or more, not {render_size}")
        limit = self.info.limit_s(self._goal) if time_limit_s is None else time_limit_s
        if limit <= 0:
            raise GameError(f"time_limit_s must be positive, not {limit:g}")
        self.frames = round(limit * RATE_HZ)
        self.render_mode = "rgb_array"
        self.observation_space = spaces.observation()
        self.action_space = spaces.action()
        self._small = Canvas(FRAME_SIZE, FRAME_SIZE)
        self._render_size = render_size
        self._large: Canvas | None = None
        self._world: World | None = None
        self._view: View | None = None
        self._frame_index = 0
        self._has_failed = False

    @property
    def world(self) -> World:
        """The present state; clone it to look ahead, put a clone back with `restore`."""
        if self._world is None:
            raise GameError(f"mini/{self.info.name} has not been started: call reset first")
        return self._world

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Start the episode that `seed` decides; without a seed, the next of a random sequence."""
        super().reset(seed=seed)
        if options:
            raise GameError(f"mini/{self.info.name} has no reset options, got {sorted(options)}")
        level, look = generators(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._world = self.info.start(level)
        self._view = self.info.look(self._world, look)
        self._small, self._large = Canvas(FRAME_SIZE, FRAME_SIZE), None
        self._frame_index, self._has_failed = 0, False
        return self._observe(), self._info()

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold the pad as `action` says for one frame.

        Raises ActionsError for values that are no pad state, GameError without a running episode.
        """
        world = self.world
        if self._judged()[0] or self._frame_index >= self.frames:
            raise GameError(f"the episode of mini/{self.info.name} is over: call reset")
        world.step(Pad.read(Actions.from_step(action)))
        self._frame_index += 1
        if self._goal is not None and self._goal.fails_on.intersection(world.events):
            self._has_failed = True
        is_over = self._judged()[0]
        truncated = not is_over and self._frame_index >= self.frames
        return self._observe(), 0.0, is_over, truncated, self._info()

    def _judged(self) -> tuple[bool, bool, float]:
        """Whether the episode is over, whether it is won, and its progress."""
        world, goal = self.world, self._goal
        progress = world.progress if goal is None or goal.progress is None else goal.progress(world)
        is_won = world.is_won if goal is None or goal.progress is None else progress >= 1.0
        is_won = is_won and not self._has_failed
        return world.is_over or is_won or self._has_failed, is_won, min(progress, 1.0)

    def expert(self) -> Actions:
        """What a good player holds in the present state, one frame; changes nothing."""
        return self.info.expert(self.world).as_actions()

    def restore(self, world: World) -> Frame:
        """Go on from a clone of `self.world` of this episode; returns its picture."""
        self._world = world
        return self._observe()

    def render(self) -> Frame:  # Env allows None and lists
        """The present picture at `render_size`, (H, W, 3) uint8 RGB."""
        if self._large is None:
            self._large = Canvas(*self._render_size)
        return self._draw(self._large)

    def close(self) -> None:
        """Forget the episode; a further step needs a reset."""
        self._world = self._view = None

    def _observe(self) -> Frame:
        return self._draw(self._small)

    def _draw(self, canvas: Canvas) -> Frame:
        world = self.world
        assert self._view is not None  # set together with the world
        self._view.draw(world, canvas)
        return canvas.pixels.copy()

    def _info(self) -> dict[str, Any]:
        _, is_won, progress = self._judged()
        return {
            "frame_index": self._frame_index,
            "virtual_time_s": self._frame_index / RATE_HZ,
            "success": is_won,
            "progress": progress,
            "events": list(self.world.events),
        }


def find(name: str) -> WorldInfo:
    """The built-in game of that name; GameError, with the nearest names, if there is none."""
    names = [info.name for info in WORLDS]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise GameError(f"no built-in game {name!r}; built-in games: {', '.join(names)}{hint}")
    return WORLDS[names.index(name)]


def _find_goal(info: WorldInfo, name: str) -> Goal:
    for goal in info.goals:
        if goal.name == name:
            return goal
    names = [goal.name for goal in info.goals]
    raise GameError(f"mini/{info.name} has no goal {name!r}; further goals: {names}")


def make(name: str) -> MiniEnv:
    """The built-in game `name` as an environment."""
    return MiniEnv(name)
