"""Short clips of episodes: the last seconds, small, with the pad beside the picture."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nitrogen import draw
from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.results import BASELINES, Result
from nitrogen.benchmark.run import Player, play_observed
from nitrogen.benchmark.tables import clip_prefix
from nitrogen.benchmark.task import Task
from nitrogen.errors import GameError
from nitrogen.play import GameEnv
from nitrogen.video.writing import VideoWriter

SIZE = (640, 360)
"""Width and height of a clip."""
SECONDS = 12
"""Length of a clip: what came before is left out."""
_PAD = (8, 258, 168, 94)


class ClipRecorder:
    """An observer that keeps the last seconds of an episode."""

    def __init__(self, env: GameEnv, rate_hz: float) -> None:
        """`env` must render; about 30 frames per second are kept."""
        self._env = env
        self._every = max(1, round(rate_hz / 30))
        self.rate_hz = rate_hz / self._every
        self.frames: deque[Frame] = deque(maxlen=round(SECONDS * self.rate_hz))
        self._count = 0

    def on_action(self, frame: Frame, plan: Actions) -> None:
        """Keep the picture with the pad as it is about to be held."""
        if self._count % self._every == 0:
            shown = self._env.render()
            if not isinstance(shown, np.ndarray):
                raise GameError("the game renders no picture; make it with render_mode='rgb_array'")
            small = np.asarray(cv2.resize(shown, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
            draw.pad(small, _PAD, plan[:1])
            self.frames.append(small)
        self._count += 1

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        """Nothing: the new frame is kept when its action is known."""


def choose(results: Sequence[Result], task: str) -> dict[str, Result]:
    """A success and a failure of the task: of the policy if there are, else of the others."""
    order = {name: place for place, name in enumerate(("expert", *BASELINES), start=1)}
    mine = [r for r in results if r.task == task and r.mode == "paused" and not r.trace.fault]
    mine.sort(key=lambda result: (order.get(result.player, 0), result.episode.seed))
    chosen = {}
    for name, success in (("success", True), ("failure", False)):
        fitting = [result for result in mine if result.episode.success == success]
        if fitting:
            chosen[name] = fitting[0]
    return chosen


def record_clip(task: Task, player: Player, seed: int, path: Path) -> None:
    """Play the episode again and write its last seconds to `path`."""
    env = task.render()
    try:
        recorder = ClipRecorder(env, task.rate_hz)
        play_observed(env, task, player, seed, [recorder])
    finally:
        env.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"preset": "veryfast"}
    with VideoWriter(path, SIZE, rate_hz=recorder.rate_hz, crf=30, options=options) as writer:
        for frame in recorder.frames:
            writer.write(frame)


def record_clips(
    tasks: Sequence[Task], players: Sequence[Player], results: Sequence[Result], folder: Path
) -> list[Path]:
    """One success and one failure per task, where there are, unless the file is there already."""
    by_name = {player.name: player for player in players}
    paths = []
    for task in tasks:
        for what, result in choose(results, task.name).items():
            player = result.player.replace(" ", "_")
            path = folder / f"{clip_prefix(task.name)}{what}_{player}_{result.episode.seed}.mp4"
            if not path.exists():
                record_clip(task, by_name[result.player], result.episode.seed, path)
            paths.append(path)
    return paths
