"""The points that a search has kept, and the file that lets a killed search go on.

A point is a parked process, which dies with the search; so the file holds the moves that lead to
each point, and whoever goes on plays them again.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nitrogen import files
from nitrogen.actions import Actions, Frame, Step
from nitrogen.errors import DataError, GameError

FORMAT = "nitrogen.search/1"

CellOf = Callable[[dict[str, Any]], Hashable]
"""Which states count as alike, from the `info` of a step."""


class SavingEnv(Protocol):
    """An environment with exact save-states."""

    def reset(self, *, seed: int | None = None) -> tuple[Frame, dict[str, Any]]:
        """Begin an episode."""

    def send(self, action: Step, *, frames: int | None = None) -> None:
        """Hold `action` for so many frames ..."""

    def receive(self) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """... and what the last of them came to."""

    def save(self) -> Any:
        """Remember this frame."""

    def restore(self, state: Any) -> Frame:
        """Go back to a remembered frame."""

    def forget(self, state: Any) -> None:
        """Let a remembered frame go."""

    def info(self) -> dict[str, Any]:
        """Of the present frame."""


@dataclass(eq=False)
class Point:
    """A state worth coming back to."""

    state: Any
    parts: list[Actions]
    """What leads here from the start: stretches of equal rows."""
    progress: float
    tries: int = 0


@dataclass(eq=False)
class Archive:
    """One point per cell, the worthiest ones."""

    size: int
    pull: float = 1.0
    """How much progress counts against freshness."""
    points: dict[Hashable, Point] = field(default_factory=dict)
    visits: Counter[Hashable] = field(default_factory=Counter)
    furthest: float = 0.0

    def begin(self, env: SavingEnv, seed: int, opening: Actions | None, cell_of: CellOf) -> None:
        """Keep the start of the episode, or where `opening` leads.

        Raises GameError if the opening ends the episode.
        """
        _, info = env.reset(seed=seed)
        parts = [] if opening is None else held_parts(opening)
        for part in parts:
            is_over, info = play_held(env, part)
            if is_over:
                raise GameError(f"seed {seed}: the episode ends before the search begins")
        self.visits[cell_of(info)] += 1
        self.add(cell_of(info), Point(env.save(), parts, info["progress"]), env)

    def worth(self, cell: Hashable) -> float:
        """Further ones before nearer ones, fresh ones before tried ones, rare before common."""
        point = self.points[cell]
        fresh = -0.02 * point.tries - 0.02 * float(np.log(self.visits[cell]))
        return self.pull * point.progress + fresh

    def choose(self, rng: np.random.Generator) -> Point:
        """The worthiest of six random ones."""
        cells = list(self.points)
        drawn = rng.integers(len(cells), size=6)
        point = self.points[max((cells[index] for index in drawn), key=self.worth)]
        point.tries += 1
        return point

    def wants(self, cell: Hashable, worn_out: int) -> bool:
        """Is a point in `cell` worth keeping?"""
        if cell in self.points:
            return self.points[cell].tries >= worn_out
        return True

    def add(self, cell: Hashable, point: Point, env: SavingEnv) -> None:
        """Keep a point in place of the cell's old one, and let the least worthy go."""
        if cell in self.points:
            env.forget(self.points.pop(cell).state)
        self.points[cell] = point
        self.furthest = max(self.furthest, point.progress)
        if len(self.points) > self.size:
            least = min(self.points, key=self.worth)
            env.forget(self.points.pop(least).state)


class Journal:
    """Keeps the state of a search in a file; without a path it keeps nothing."""

    def __init__(self, path: Path | None, of: dict[str, int]) -> None:
        """of: what tells this search from others."""
        self._path, self._of = path, of

    def save(self, archive: Archive, frames: int, rng: np.random.Generator) -> None:
        """Write everything that decides how the search goes on, whole or not at all."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "format": FORMAT,
            "of": self._of,
            "frames": frames,
            "rng": rng.bit_generator.state,
            "furthest": archive.furthest,
            "visits": list(archive.visits.items()),
            "points": [
                [cell, point.progress, point.tries, [_plain(part) for part in point.parts]]
                for cell, point in archive.points.items()
            ],
        }
        files.write_text(self._path, json.dumps(state))

    def load(self, archive: Archive, env: SavingEnv, seed: int, rng: np.random.Generator) -> int:
        """Fill the empty archive, and return the frames spent so far: 0 if there is no file.

        Every point is reached again by playing its moves. Raises DataError if the file is damaged
        or another search's.
        """
        if self._path is None or not self._path.exists():
            return 0
        try:
            state = json.loads(self._path.read_text())
            if (state["format"], state["of"]) != (FORMAT, self._of):
                raise DataError(
                    f"{self._path} belongs to another search ({state['of']}, not {self._of});"
                    " delete it or choose another folder"
                )
            for cell, progress, tries, plain in state["points"]:
                parts = [_actions(part) for part in plain]
                env.reset(seed=seed)
                for part in parts:
                    play_held(env, part)
                archive.points[_hashable(cell)] = Point(env.save(), parts, progress, tries)
            archive.visits.update({_hashable(cell): count for cell, count in state["visits"]})
            archive.furthest, frames = state["furthest"], state["frames"]
            rng.bit_generator.state = state["rng"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._path} cannot be read: {error}; delete it to search from the start"
            ) from error
        return int(frames)

    def remove(self) -> None:
        """The search is over."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def play_held(env: SavingEnv, actions: Actions) -> tuple[bool, dict[str, Any]]:
    """Hold equal rows without looking at the frames in between: far faster than step by step."""
    env.send(actions[:1].as_step(), frames=len(actions))
    _, _, terminated, truncated, info = env.receive()
    return terminated or truncated, info


def held_parts(actions: Actions) -> list[Actions]:
    """Cut where a row differs from the one before it."""
    rows = np.concatenate([actions.buttons, actions.sticks], axis=1)
    cuts = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    edges = [0, *cuts.tolist(), len(actions)]
    return [actions[a:b] for a, b in itertools.pairwise(edges) if b > a]


def _plain(part: Actions) -> list[Any]:
    return [len(part), part.buttons[0].tolist(), part.sticks[0].tolist()]


def _actions(plain: list[Any]) -> Actions:
    length, buttons, sticks = plain
    return Actions(
        np.tile(np.array(buttons, np.float32), (length, 1)),
        np.tile(np.array(sticks, np.float32), (length, 1)),
    )


def _hashable(cell: Any) -> Hashable:
    """JSON knows no tuples."""
    return tuple(map(_hashable, cell)) if isinstance(cell, list) else cell
