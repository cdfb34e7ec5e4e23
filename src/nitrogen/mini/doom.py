"""ViZDoom scenarios as Gymnasium environments with the pad and the pictures of every other game.

Knows the engine and the scenarios. Knows nothing of policies, recordings or networks. Needs the
`vizdoom` package, which is imported only when an environment is made.
"""

import difflib
from typing import Any

import cv2
import gymnasium
import numpy as np

from nitrogen.actions import BUTTON_INDEX, FRAME_SIZE, STICK_INDEX, Actions, Frame, Step
from nitrogen.errors import GameError
from nitrogen.mini import spaces
from nitrogen.mini.doom_engine import Engine
from nitrogen.mini.doom_experts import Scene
from nitrogen.mini.doom_scenarios import CONTROLS, RATE_HZ, SCENARIOS, Readings, Scenario

SIZES = {(288, 512): "RES_512X288", (360, 640): "RES_640X360", (720, 1280): "RES_1280X720"}
"""Sizes, (height, width), in which the engine can draw; the first is the fastest."""


class DoomEnv(gymnasium.Env[Frame, Step]):
    """A ViZDoom scenario: one step is one tic of 1/35 s.

    The observation is the engine's wide picture squashed to (256, 256, 3) uint8 RGB; `render()`
    is that picture at `render_size`. Reaching the goal or dying terminates, the time limit
    truncates. The seed of `reset` decides everything random. Closing, or the end of this process
    in whatever way, ends the engine.
    """

    metadata = {  # noqa: RUF012  # as Env declares it
        "render_modes": ["rgb_array"],
        "render_fps": RATE_HZ,
    }
    rate_hz = RATE_HZ

    def __init__(self, scenario: str, *, render_size: tuple[int, int] = (288, 512)) -> None:
        """`scenario` is a name in SCENARIOS; `render_size` is one of SIZES.

        Raises MissingDependencyError without the vizdoom package, GameError for an unknown
        scenario or size or if the engine does not start.
        """
        self.scenario = find(scenario)
        if render_size not in SIZES:
            raise GameError(f"ViZDoom draws (height, width) {list(SIZES)}, not {render_size}")
        self.render_mode = "rgb_array"
        self.observation_space = spaces.observation()
        self.action_space = spaces.action()
        self.frames = self.scenario.frames
        self._engine = Engine(
            self.scenario.name,
            buttons=tuple(CONTROLS[name][0] for name in self.scenario.controls),
            resolution=SIZES[render_size],
            timeout=self.frames + 100,
        )
        self._frame_index = 0
        self._picture: Frame | None = None
        self._scene: Scene | None = None
        self._readings = Readings(0, 0, 0.0, 0.0, 0.0)
        self._is_open, self._is_running = True, False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Start the episode that `seed` decides; without a seed, the next of a random sequence."""
        if not self._is_open:
            raise GameError(f"doom/{self.scenario.name} is closed: make a new environment")
        super().reset(seed=seed)
        if options:
            raise GameError(f"doom/{self.scenario.name} has no reset options: {sorted(options)}")
        self._begin(np.random.default_rng(self.np_random.integers(2**31) if seed is None else seed))
        self._frame_index = 0
        self._is_running = True
        self._look()
        return self._observe(), self._info([])

    def _begin(self, rng: np.random.Generator) -> None:
        """Start the engine's episode and move a little at random.

        Some scenarios always begin with the same scene, which would make all episodes alike.
        """
        self._engine.start(int(rng.integers(2**32)))
        sticks = [name for name in self.scenario.controls if name in STICK_INDEX]
        pad = Actions.of(**dict(zip(sticks, rng.uniform(-1, 1, len(sticks)), strict=True)))
        for _ in range(rng.integers(self.scenario.warm_up_frames)):
            self._engine.act(self._values(pad))

    def step(self, action: Step) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold the pad as `action` says for one tic.

        Raises ActionsError for values that are no pad state, GameError without a running episode
        and GameExitedError if the engine is gone.
        """
        if not self._is_running:
            why = "has no running episode: call reset" if self._is_open else "is closed"
            raise GameError(f"doom/{self.scenario.name} {why}")
        self._engine.act(self._values(Actions.from_step(action)))
        self._frame_index += 1
        before = self._readings
        self._look()
        info = self._info(_events(before, self._readings))
        ended = self._engine.is_over or info["success"] or self._readings.health <= 0
        truncated = not ended and self._frame_index >= self.frames
        self._is_running = not (ended or truncated)
        return self._observe(), 0.0, ended, truncated, info

    def expert(self) -> Actions:
        """What a good player holds in the present state, one frame; changes nothing."""
        return self.scenario.expert(self.scene).as_actions()

    @property
    def scene(self) -> Scene:
        """Where everything is at present: what the expert knows and a policy does not."""
        if self._scene is None:
            raise GameError(f"doom/{self.scenario.name} has not been started: call reset first")
        return self._scene

    @property
    def engine_folder(self) -> str:
        """The engine's private folder, which is part of its command line."""
        return self._engine.folder

    def render(self) -> Frame:
        """The present picture at `render_size`, (H, W, 3) uint8 RGB."""
        if self._picture is None:
            raise GameError(f"doom/{self.scenario.name} has not been started: call reset first")
        return self._picture.copy()

    def close(self) -> None:
        """End the engine; again is harmless."""
        if self._is_open:
            self._is_open = self._is_running = False
            self._engine.close()

    def _values(self, actions: Actions) -> list[float]:
        """The engine's buttons."""
        values = []
        for control in self.scenario.controls:
            _, scale = CONTROLS[control]
            if control in STICK_INDEX:
                travel = float(actions.sticks[0, STICK_INDEX[control]])
                values.append(scale * travel if abs(travel) > _DEAD_ZONE else 0.0)
            else:
                values.append(scale * float(actions.pressed()[0, BUTTON_INDEX[control]]))
        return values

    def _look(self) -> None:
        """Take picture, objects and readings; an ended episode keeps its last picture."""
        seen = self._engine.look()
        if seen is not None:
            self._picture, things = seen
            players = [thing for thing in things if thing.name == "DoomPlayer"]
            others = tuple(thing for thing in things if thing.name != "DoomPlayer")
            self._scene = Scene(players[0], others) if players else self._scene
        self._readings = Readings(
            frames=self._frame_index,
            kills=int(self._engine.variable("KILLCOUNT")),
            health=self._engine.variable("HEALTH"),
            reward=self._engine.reward,
            armour=self._engine.variable("ARMOR"),
        )

    def _observe(self) -> Frame:
        assert self._picture is not None  # every episode has a first picture
        small = cv2.resize(self._picture, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def _info(self, events: list[str]) -> dict[str, Any]:
        progress = min(max(self.scenario.progress(self._readings), 0.0), 1.0)
        return {
            "frame_index": self._frame_index,
            "virtual_time_s": self._frame_index / RATE_HZ,
            "success": progress >= 1.0,
            "progress": progress,
            "events": events,
        }


_DEAD_ZONE = 0.05


def _events(before: Readings, after: Readings) -> list[str]:
    """What the readings tell about the last step."""
    events = []
    if after.kills > before.kills:
        events.append("killed a monster")
    if after.health < before.health:
        events.append("died" if after.health <= 0 else "was hurt")
    elif after.health > before.health:
        events.append("was healed")
    return events


def find(name: str) -> Scenario:
    """The scenario of that name; GameError, with the nearest names, if there is none."""
    names = [scenario.name for scenario in SCENARIOS]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise GameError(f"no ViZDoom scenario {name!r}; scenarios: {', '.join(names)}{hint}")
    return SCENARIOS[names.index(name)]
