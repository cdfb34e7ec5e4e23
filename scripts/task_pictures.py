"""Pictures of start and success of the tasks of real games, for docs/reference/tasks.md.

    python scripts/task_pictures.py [--tasks supertux/welcome_antarctica] [--again]

Plays the demonstration that comes with each ready task and writes one small JPEG, start left and
success right, to docs/tasks/GAME-TASK.jpg; then writes the gallery between its marks in
docs/reference/tasks.md. Tasks that cannot run here, and pictures that exist, are left as they are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nitrogen import draw
from nitrogen.actions import Actions, Frame
from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.suite import OPEN_TASKS
from nitrogen.benchmark.task import Task
from nitrogen.errors import GameError
from nitrogen.play import rollout
from nitrogen.policy import ReplayPolicy

DOCS = Path(__file__).resolve().parents[1] / "docs"
FOLDER = DOCS / "tasks"
PAGE = DOCS / "reference" / "tasks.md"
MARKS = "<!-- pictures: made by scripts/task_pictures.py -->", "<!-- end of pictures -->"

HEIGHT = 200
"""Of each half; the width follows from the game's."""
MOST_BYTES = 40_000
LAST_FRAMES = 3
"""Full pictures are drawn for so many frames before the end: a game may be gone after it."""


class StartAndEnd:
    """An observer that keeps the first picture and the last one that could be drawn."""

    def __init__(self, env: Any, frames: int) -> None:
        """`frames`: length of the demonstration."""
        self._env, self._frames, self._count = env, frames, 0
        self.start: Frame | None = None
        self.end: Frame | None = None

    def on_action(self, frame: Frame, plan: Actions) -> None:
        """Keep the start, and the frames before the end."""
        if self.start is None:
            self.start = self._env.render()
        elif self._count >= self._frames - LAST_FRAMES:
            self.end = self._env.render()
        self._count += 1

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        """Keep the last frame, unless the game has ended itself."""
        if info["success"]:
            self.end = self._env.render()


def picture(task: Task) -> Frame:
    """Start and success side by side. Raises GameError if the demonstration does not succeed."""
    assert task.demonstration is not None, "only ready tasks of real games come here"
    made = Demonstration.load(task.demonstration)
    env = task.render()
    try:
        seen = StartAndEnd(env, len(made.actions))
        policy, seed = ReplayPolicy(made.actions), made.facts.seed
        episode = rollout(env, policy, seed=seed, frames=task.frames, observers=[seen])
    finally:
        env.close()
    if not episode.success or seen.start is None or seen.end is None:
        raise GameError(f"{task.name}: its demonstration came to {episode.progress:.2f} only")
    size = round(HEIGHT * seen.start.shape[1] / seen.start.shape[0]), HEIGHT
    halves = [draw.fit(shown, size) for shown in (seen.start, seen.end)]
    gap = np.full((HEIGHT, 4, 3), 255, np.uint8)
    return np.concatenate([halves[0], gap, halves[1]], axis=1)


def encoded(shown: Frame) -> bytes:
    """The best JPEG that fits."""
    bgr = cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    for quality in range(85, 20, -5):
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= MOST_BYTES:
            break
    return data


def place_of(task: Task) -> Path:
    """Where the task's picture lies."""
    return FOLDER / f"{task.name.replace('/', '-')}.jpg"


def write_gallery(tasks: Sequence[Task]) -> None:
    """Two tasks a row, between the marks of the page."""
    cells = [
        f"![{task.name}](../tasks/{place_of(task).name})<br>`{task.name}`: {task.goal}"
        for task in tasks
        if place_of(task).exists()
    ]
    cells += [""] * (len(cells) % 2)
    rows = [f"| {left} | {right} |" for left, right in zip(cells[::2], cells[1::2], strict=True)]
    before, rest = PAGE.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    table = "\n".join(["| start, success | start, success |", "|---|---|", *rows])
    PAGE.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}")


def main() -> None:
    """Make what is missing, and the gallery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=[])
    parser.add_argument("--again", action="store_true", help="also those that exist")
    options = parser.parse_args()
    ready = [each.task for each in OPEN_TASKS if each.task.is_ready]
    for task in ready:
        if options.tasks and task.name not in options.tasks:
            continue
        reason = task.missing()
        if reason is not None or (place_of(task).exists() and not options.again):
            print(f"{task.name}: {reason or 'is there'}", file=sys.stderr)
            continue
        FOLDER.mkdir(parents=True, exist_ok=True)
        place_of(task).write_bytes(encoded(picture(task)))
        print(place_of(task))
    write_gallery(ready)


if __name__ == "__main__":
    main()
