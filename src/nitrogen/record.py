"""Play a game and write the video that a streamer would: with a controller overlay in a corner.

Beside the video goes what really was pressed, as parquet, so that extraction can be measured. Row t
of the truth belongs to frame t: the state that is held while the frame is shown, which leads to
frame t + 1, and which the overlay on frame t shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import STICKS, Actions, Frame
from nitrogen.data.truth import truth_path, write_truth
from nitrogen.draw import fit
from nitrogen.errors import GameError
from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.skin import Skin
from nitrogen.play import Episode, GameEnv, rollout
from nitrogen.policy import Policy
from nitrogen.video.writing import VideoWriter


@dataclass(frozen=True, kw_only=True)
class RecordConfig:
    """How a recording looks."""

    size: tuple[int, int] = (1280, 720)
    """Width and height of the video."""
    corner: str = "bottom_right"
    width: float = 0.22
    """Of the overlay, as a share of the frame's width."""
    margin: float = 0.02
    """Between overlay and frame edges, as a share of the frame's width."""
    opacity: float = 1.0
    bitrate: int = 6_000_000
    """Bits per second; streamers send 4.5 to 9 Mbit/s at 720p60."""
    preset: str = "superfast"
    """Of x264."""


@dataclass(frozen=True)
class Recording:
    """What `record` has written."""

    video: Path
    truth: Path
    episodes: list[Episode]

    @property
    def frames(self) -> int:
        """Frames in the video."""
        return sum(episode.frames for episode in self.episodes)


class StickNoise:
    """Plays what a policy plans with Ornstein-Uhlenbeck noise on the sticks.

    The noise is played and shown, so a recording visits states that a perfect player never sees
    and shows how the player recovers. Buttons are left alone. `std` is the noise's standard
    deviation, `frames` its correlation time.
    """

    def __init__(
        self, policy: Policy, rng: np.random.Generator, *, std: float = 0.3, frames: float = 15.0
    ) -> None:
        """Wrap `policy`; of each of its plans only the first action is played."""
        self._policy, self._rng = policy, rng
        self._std, self._keep = std, float(np.exp(-1 / frames))
        self._noise = np.zeros(len(STICKS), np.float32)

    def reset(self) -> None:
        """Forget the noise and reset the policy."""
        self._noise[:] = 0
        self._policy.reset()

    def act(self, frame: Frame) -> Actions:
        """One frame: the policy's action, its sticks disturbed and clipped."""
        action = self._policy.act(frame)[:1]
        fresh = self._rng.standard_normal(len(STICKS)) * self._std * np.sqrt(1 - self._keep**2)
        self._noise = (self._keep * self._noise + fresh).astype(np.float32)
        return Actions(action.buttons, np.clip(action.sticks + self._noise, -1, 1))


class OverlayRecorder:
    """An observer that writes what the game shows with the pad drawn onto it."""

    def __init__(
        self, env: GameEnv, writer: VideoWriter, renderer: Renderer, size: tuple[int, int]
    ):
        """`env` must render "rgb_array"."""
        self._env, self._writer, self._renderer, self._size = env, writer, renderer, size
        self.buttons: list[NDArray[np.float32]] = []
        self.sticks: list[NDArray[np.float32]] = []

    def on_action(self, frame: Frame, plan: Actions) -> None:
        """Write the frame that is shown, with the action that is about to be played."""
        shown = self._env.render()
        if not isinstance(shown, np.ndarray):
            raise GameError("the game renders no picture; make it with render_mode='rgb_array'")
        picture = fit(shown, self._size)
        self._renderer.blend(picture, plan[:1])
        self._writer.write(picture)
        self.buttons.append(plan.buttons[0].copy())
        self.sticks.append(plan.sticks[0].copy())

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        """Nothing: the new frame is written when its action is known."""


def record(
    env: GameEnv,
    policy: Policy,
    path: Path,
    *,
    skin: Skin,
    seeds: Sequence[int],
    frames: int,
    config: RecordConfig | None = None,
    on_episode: Callable[[Episode], None] = lambda episode: None,
) -> Recording:
    """Play one episode per seed, each of at most `frames` frames, into one video at `path`.

    The truth goes to `<path without suffix>.pad.parquet`. Both files appear when they are complete.
    Raises VideoError if the video cannot be written and GameError if the game renders no picture.
    """
    config = config or RecordConfig()
    placement = place(
        skin,
        config.size,
        corner=config.corner,
        width=config.width,
        margin=config.margin,
        opacity=config.opacity,
    )
    renderer = Renderer(skin, placement)
    rate_hz = float(env.metadata["render_fps"])
    episodes = []
    with VideoWriter(
        path,
        config.size,
        rate_hz=rate_hz,
        bitrate=config.bitrate,
        options={"preset": config.preset},
    ) as writer:
        recorder = OverlayRecorder(env, writer, renderer, config.size)
        for seed in seeds:
            episode = rollout(env, policy, seed=seed, frames=frames, observers=[recorder])
            episodes.append(episode)
            on_episode(episode)
    truth = truth_path(path)
    facts = {
        "video": Path(path).name,
        "rate_hz": rate_hz,
        "skin": skin.name,
        "placement": asdict(placement),
        "box": list(renderer.box),
        "size": list(config.size),
        "switched": skin.switched,
    }
    actions = Actions(np.array(recorder.buttons), np.array(recorder.sticks))
    lengths = [episode.frames for episode in episodes]
    extra: dict[str, NDArray[Any]] = {
        "episode": np.repeat(np.arange(len(episodes), dtype=np.int32), lengths),
        "seed": np.repeat(np.array([episode.seed for episode in episodes], np.int64), lengths),
    }
    write_truth(truth, actions, facts, extra)
    return Recording(Path(path), truth, episodes)
