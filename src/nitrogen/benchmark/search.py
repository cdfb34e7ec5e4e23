"""Reach a task's goal by search over save-states: an expert for games that have none.

Go-explore (Ecoffet et al. 2021, Nature 590): keep one point per *cell* of the game's state, go back
to a promising and little-tried one, play random held moves from there, and keep what is new.

Knows environments that save, restore and report progress. What the search reads of a game (places,
counters) no policy ever sees.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from nitrogen.actions import Actions, Frame, Step
from nitrogen.errors import GameError

Propose = Callable[[np.random.Generator], Actions]
"""Draws a few rows to try, all equal."""

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


def by_progress(info: dict[str, Any]) -> Hashable:
    """The way to the goal in 128 cells."""
    return int(info["progress"] * 128)


def by_place(size: float, *more: str) -> CellOf:
    """Squares of `size` of the values x and y; `more` values tell further cells apart."""

    def cell(info: dict[str, Any]) -> Hashable:
        values = info["values"]
        place = int(values["x"] // size), int(values["y"] // size)
        return (*place, int(info["progress"] * 20), *(int(values[name]) for name in more))

    return cell


def moves(
    choices: Sequence[tuple[float, Sequence[str], dict[str, float]]],
    *,
    lengths: Sequence[int] = (6, 12, 24, 36),
) -> Propose:
    """Draws one of `choices` (weight, pressed buttons, other controls) for one of `lengths`."""
    weights = np.array([weight for weight, _, _ in choices])
    weights = weights / weights.sum()

    def propose(rng: np.random.Generator) -> Actions:
        _, buttons, controls = choices[rng.choice(len(choices), p=weights)]
        return Actions.of(*buttons, length=int(rng.choice(lengths)), **controls)

    return propose


def platform_moves(rng: np.random.Generator) -> Actions:
    """Mostly right, often running or jumping: for platformers."""
    buttons = [name for name, chance in (("west", 0.6), ("south", 0.5)) if rng.random() < chance]
    x = float(rng.choice([1, 1, 1, 1, 1, 0, -1]))
    return Actions.of(*buttons, length=int(rng.choice([6, 12, 24, 36])), left_x=x)


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How wide and how long to search."""

    propose: Propose = platform_moves
    cell: CellOf = by_progress
    points: int = 24
    """Points that are kept (each is a parked process)."""
    tries: int = 4
    """Proposals played from a point before it is left."""
    worn_out: int = 12
    """After so many tries a point gives way to another one in its cell: it may be doomed."""
    arrived: float = 0.99
    """From this progress on nothing is left to do but to wait for the end ..."""
    wait_frames: int = 0
    """... for so long; 0 goes on as before."""
    max_frames: int = 400_000
    """Game frames to spend."""


@dataclass(frozen=True)
class Found:
    """Actions that reach the goal from the start, and what finding them took."""

    actions: Actions
    frames_spent: int


@dataclass(eq=False)
class _Point:
    state: Any
    parts: list[Actions]
    progress: float
    tries: int = 0


@dataclass(eq=False)
class _Archive:
    size: int
    points: dict[Hashable, _Point] = field(default_factory=dict)
    visits: Counter[Hashable] = field(default_factory=Counter)
    furthest: float = 0.0

    def worth(self, cell: Hashable) -> float:
        """Further ones before nearer ones, fresh ones before tried ones, rare before common."""
        point = self.points[cell]
        return point.progress - 0.02 * point.tries - 0.02 * float(np.log(self.visits[cell]))

    def choose(self, rng: np.random.Generator) -> _Point:
        """The worthiest of six random ones."""
        cells = list(self.points)
        drawn = rng.integers(len(cells), size=6)
        point = self.points[max((cells[index] for index in drawn), key=self.worth)]
        point.tries += 1
        return point

    def wants(self, cell: Hashable, config: SearchConfig) -> bool:
        """Is a point in `cell` worth keeping?"""
        if cell in self.points:
            return self.points[cell].tries >= config.worn_out
        return True

    def add(self, cell: Hashable, point: _Point, env: SavingEnv) -> None:
        """Keep a point in place of the cell's old one, and let the least worthy go."""
        if cell in self.points:
            env.forget(self.points.pop(cell).state)
        self.points[cell] = point
        self.furthest = max(self.furthest, point.progress)
        if len(self.points) > self.size:
            least = min(self.points, key=self.worth)
            env.forget(self.points.pop(least).state)


def search(
    env: SavingEnv,
    *,
    seed: int,
    rng: np.random.Generator,
    config: SearchConfig | None = None,
    limit: int | None = None,
) -> Found:
    """Actions with which the episode of `seed` succeeds, of at most `limit` frames.

    Raises GameError if none are found within the frames of `config`.
    """
    config = config or SearchConfig()
    _, info = env.reset(seed=seed)
    archive = _Archive(config.points)
    archive.visits[config.cell(info)] += 1
    archive.add(config.cell(info), _Point(env.save(), [], info["progress"]), env)
    frames = 0
    while frames < config.max_frames:
        point = archive.choose(rng)
        env.restore(point.state)
        info = env.info()
        parts = list(point.parts)
        for _ in range(config.tries):
            waits = config.wait_frames and info["progress"] >= config.arrived
            actions = Actions.released(config.wait_frames) if waits else config.propose(rng)
            room = (limit or config.max_frames) - sum(map(len, parts))
            actions = actions[:room]
            is_over, info = _play(env, actions)
            frames += len(actions)
            parts.append(actions)
            if info["success"]:
                return Found(Actions.concatenate(parts), frames)
            if is_over or len(actions) == room:
                break
            cell = config.cell(info)
            archive.visits[cell] += 1
            if archive.wants(cell, config):
                archive.add(cell, _Point(env.save(), list(parts), info["progress"]), env)
    raise GameError(
        f"no way to the goal found in {frames} frames (furthest: {archive.furthest:.0%}, cells"
        f" seen: {len(archive.visits)}); allow more frames, or propose other moves"
    )


def _play(env: SavingEnv, actions: Actions) -> tuple[bool, dict[str, Any]]:
    """Hold equal rows without looking at the frames in between: far faster than step by step."""
    env.send(actions[:1].as_step(), frames=len(actions))
    _, _, terminated, truncated, info = env.receive()
    return terminated or truncated, info
