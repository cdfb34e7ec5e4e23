"""Videos that show what a policy sees, does and plans while it plays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nitrogen import draw
from nitrogen.actions import Actions, Frame
from nitrogen.play import Episode, GameEnv, rollout
from nitrogen.policy import Policy
from nitrogen.video.writing import VideoWriter


class Visualiser:
    """An observer that draws each step with `draw.scene` and writes it to a video."""

    def __init__(self, env: GameEnv, writer: VideoWriter, *, title: str, execute: int) -> None:
        """`execute` is how many actions of a plan are played; it is framed in the picture."""
        self._env, self._writer, self._title, self._execute = env, writer, title, execute
        self._played = self._since_plan = 0
        self._planned: Actions | None = None
        self._progress = 0.0

    def on_action(self, frame: Frame, plan: Actions) -> None:
        """Draw the game as it is now, with the action about to be played."""
        if self._planned is None or len(plan) >= len(self._planned):
            self._since_plan = 0
        self._planned = plan
        view: Any = self._env.render()
        rate: float = self._env.unwrapped.rate_hz  # type: ignore[attr-defined]
        lines = [
            f"frame {self._played}",
            f"{self._played / rate:.2f} s",
            f"progress {100 * self._progress:.0f} %",
        ]
        left = max(0, self._execute - self._since_plan)
        self._writer.write(
            draw.scene(view, frame, plan, execute=left, title=self._title, lines=lines)
        )
        self._since_plan += 1

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        """Remember the progress."""
        self._played += 1
        self._progress = float(info.get("progress", 0.0))


def film(
    make: Callable[[], GameEnv],
    policy: Policy,
    path: Path,
    *,
    title: str,
    seed: int,
    frames: int,
    execute: int,
) -> Episode:
    """Play one episode and write it as a 720p video with the visualiser."""
    env = make()
    try:
        rate: float = env.unwrapped.rate_hz  # type: ignore[attr-defined]
        options = {"preset": "ultrafast"}  # the pictures are flat, and people wait
        with VideoWriter(path, (1280, 720), rate_hz=rate, crf=31, options=options) as writer:
            watcher = Visualiser(env, writer, title=title, execute=execute)
            return rollout(
                env, policy, seed=seed, frames=frames, execute=execute, observers=[watcher]
            )
    finally:
        env.close()
