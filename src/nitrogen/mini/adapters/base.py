"""`AdapterEnv`: games of other Python packages with the pad and the pictures of every other game.

Knows what an `Original` is. The packages are imported only when one is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import cv2
import gymnasium
import numpy as np

from nitrogen.actions import BUTTON_INDEX, FRAME_SIZE, Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.mini import spaces

STICK = 0.5
"""Travel beyond which a stick counts as pushed, where the original has directions only."""


@dataclass(frozen=True)
class Seen:
    """What a game shows and has come to after a step."""

    picture: Frame
    """As the original shows it to those who learn."""
    progress: float
    """In 0..1; the goal is reached from 1 on."""
    is_over: bool = False
    """The goal can no longer be reached."""
    events: tuple[str, ...] = ()


def direction(row: Actions) -> tuple[int, int]:
    """Where the left stick, or the directional pad, is pushed: x and y of -1, 0 or 1, y down."""
    pressed = row.pressed()[0]
    pushed = []
    for axis, less, more in (("left_x", "left", "right"), ("left_y", "up", "down")):
        stick = float(row.stick(axis)[0])
        by_pad = int(pressed[BUTTON_INDEX[f"dpad_{more}"]]) - int(
            pressed[BUTTON_INDEX[f"dpad_{less}"]]
        )
        pushed.append(by_pad or int(stick > STICK) - int(stick < -STICK))
    return pushed[0], pushed[1]


def is_held(row: Actions, *names: str) -> bool:
    """Whether one of these buttons is pressed."""
    pressed = row.pressed()[0]
    return any(pressed[BUTTON_INDEX[name]] for name in names)


class Original(Protocol):
    """A game of another package, played with our pad."""

    def start(self, seed: int) -> Seen:
        """A new episode; the seed decides everything random."""

    def step(self, row: Actions) -> Seen:
        """Hold the pad for one step."""

    def picture(self) -> Frame:
        """The present picture, large enough to watch."""

    def expert(self) -> Actions:
        """What a good player holds now. Raises GameError where there is none."""

    def close(self) -> None:
        """Let everything go."""


@dataclass(frozen=True, kw_only=True)
class AdaptedGame:
    """One goal in a game of another package."""

    name: str
    """`game/task`."""
    kind: Literal["combat", "navigation", "game-specific"]
    view: Literal["2D side-scrolling", "2D top-down", "3D"]
    goal: str
    """When it counts as a success, in one sentence."""
    time_limit_s: float
    rate_hz: float
    module: str
    """What must be importable."""
    extra: str
    """Name of the extra that installs it: `pip install 'nitrogen[EXTRA]'`."""
    distributions: tuple[str, ...]
    """Python packages whose versions stand beside each result."""
    make: Callable[[], Original]
    has_expert: bool

    @property
    def frames(self) -> int:
        """Steps after which an episode ends without success."""
        return round(self.time_limit_s * self.rate_hz)


class AdapterEnv(gymnasium.Env[Frame, Step]):
    """A game of another package: its picture squashed to (256, 256, 3), the pad as its input.

    `render()` is the original's picture. Success and failure terminate, the time limit truncates.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012  # as Env declares it

    def __init__(self, game: AdaptedGame) -> None:
        """Raises MissingDependencyError without the game's package."""
        self.game = game
        self.rate_hz = game.rate_hz
        self.render_mode = "rgb_array"
        self.observation_space = spaces.observation()
        self.action_space = spaces.action()
        self._original = game.make()
        self._seen: Seen | None = None
        self._frame_index = 0
        self._is_closed = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Start the episode that `seed` decides; without a seed, the next of a random sequence.

        Raises GameError for options, and once the environment is closed.
        """
        if self._is_closed:
            raise GameError(f"{self.game.name} is closed: make a new environment")
        super().reset(seed=seed)
        if options:
            raise GameError(f"{self.game.name} has no reset options, got {sorted(options)}")
        chosen = int(self.np_random.integers(2**31)) if seed is None else seed
        self._seen, self._frame_index = self._original.start(chosen), 0
        return self._observe(), self._info()

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold the pad as `action` says for one step.

        Raises ActionsError for values that are no pad state, GameError without a running episode.
        """
        if self._is_over or self._frame_index >= self.game.frames:
            raise GameError(f"the episode of {self.game.name} is over: call reset")
        self._seen = self._original.step(Actions.from_step(action))
        self._frame_index += 1
        truncated = not self._is_over and self._frame_index >= self.game.frames
        return self._observe(), 0.0, self._is_over, truncated, self._info()

    def expert(self) -> Actions:
        """What a good player holds in the present state. Raises GameError where there is none."""
        return self._original.expert()

    def render(self) -> Frame:  # Env allows None and lists
        """The original's picture, (H, W, 3) uint8 RGB."""
        if self._seen is None:
            raise GameError(f"{self.game.name} has not been started: call reset first")
        return self._original.picture()

    def close(self) -> None:
        """Let the game go; make a new environment to play on."""
        self._original.close()
        self._seen, self._is_closed = None, True

    @property
    def _now(self) -> Seen:
        if self._seen is None:
            raise GameError(f"{self.game.name} has not been started: call reset first")
        return self._seen

    @property
    def _is_over(self) -> bool:
        return self._now.is_over or self._now.progress >= 1.0

    def _observe(self) -> Frame:
        size = (FRAME_SIZE, FRAME_SIZE)
        shown = cv2.resize(self._now.picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(shown, np.uint8)

    def _info(self) -> dict[str, Any]:
        now = self._now
        return {
            "frame_index": self._frame_index,
            "virtual_time_s": self._frame_index / self.rate_hz,
            "success": now.progress >= 1.0,
            "progress": min(now.progress, 1.0),
            "events": list(now.events),
        }
