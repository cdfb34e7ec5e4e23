"""Finish a level by search over save-states: an expert for games that have none.

Knows environments that save, restore and report progress. Keeps the furthest points reached, goes
back to one of them, tries random held actions, and keeps what got further.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nitrogen.actions import Actions
from nitrogen.errors import GameError
from nitrogen.simulator.env import GameEnv, GameState

Propose = Callable[[np.random.Generator], Actions]
"""Draws a few equal rows to try."""


@dataclass(eq=False)
class _Point:
    state: GameState
    parts: list[Actions]
    tries: int = 0


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How wide and how long to search."""

    cells: int = 128
    """The way to the goal is divided into so many cells; one point is kept in each."""
    points: int = 24
    """Furthest points that are kept (each is a parked process)."""
    tries: int = 4
    """Proposals played from a point before it is left."""
    worn_out: int = 12
    """After so many tries a point gives way to another one in its cell: it may be doomed."""
    arrived: float = 0.99
    """From this progress on nothing is left to do but to wait for the end ..."""
    wait_frames: int = 1500
    """... for so long."""
    max_frames: int = 400_000
    """Game frames to spend."""


@dataclass(frozen=True)
class Found:
    """Actions that finish the level from its start, and what finding them took."""

    actions: Actions
    frames_spent: int


@dataclass(eq=False)
class _Archive:
    size: int
    points: dict[int, _Point] = field(default_factory=dict)

    def choose(self, rng: np.random.Generator) -> _Point:
        """Further ones more often, tried ones less often."""
        cells = sorted(self.points)
        weights = np.array(
            [(1 + rank) / (1 + self.points[cell].tries) for rank, cell in enumerate(cells)]
        )
        point = self.points[cells[rng.choice(len(cells), p=weights / weights.sum())]]
        point.tries += 1
        return point

    def wants(self, cell: int, config: SearchConfig) -> bool:
        """Is a point in `cell` worth keeping?"""
        if cell in self.points:
            return self.points[cell].tries >= config.worn_out
        return len(self.points) < self.size or cell > min(self.points)

    def add(self, cell: int, point: _Point, env: GameEnv) -> None:
        """Keep a point in place of the cell's old one, and let the nearest ones go."""
        if cell in self.points:
            env.forget(self.points[cell].state)
        self.points[cell] = point
        for near in sorted(self.points)[: -self.size]:
            env.forget(self.points.pop(near).state)


def platform_moves(rng: np.random.Generator) -> Actions:
    """Mostly right, often running or jumping: for platformers."""
    buttons = [name for name, chance in (("west", 0.6), ("south", 0.5)) if rng.random() < chance]
    x = float(rng.choice([1, 1, 1, 1, 1, 0, -1]))
    return Actions.of(*buttons, length=int(rng.choice([6, 12, 24, 36])), left_x=x)


def search(
    env: GameEnv,
    *,
    seed: int,
    rng: np.random.Generator,
    propose: Propose = platform_moves,
    config: SearchConfig | None = None,
) -> Found:
    """Actions with which the episode of `seed` succeeds.

    Raises GameError if none are found within the frames of `config`.
    """
    config = config or SearchConfig()
    _, info = env.reset(seed=seed)
    archive = _Archive(config.points)
    archive.add(0, _Point(env.save(), []), env)
    frames = 0
    while frames < config.max_frames:
        point = archive.choose(rng)
        env.restore(point.state)
        info = env.info()
        parts = list(point.parts)
        for _ in range(config.tries):
            has_arrived = info["progress"] >= config.arrived
            actions = Actions.released(config.wait_frames) if has_arrived else propose(rng)
            played, is_over, info = _play(env, actions)
            frames += played
            parts.append(actions[:played])
            if info["success"]:
                return Found(Actions.concatenate(parts), frames)
            if is_over:
                break
            cell = int(info["progress"] * config.cells)
            if archive.wants(cell, config):
                archive.add(cell, _Point(env.save(), list(parts)), env)
    raise GameError(
        f"{env.game.name}: no way to the end found in {frames} frames (furthest:"
        f" {max(archive.points) / config.cells:.0%}); allow more frames, or propose other moves"
    )


def _play(env: GameEnv, actions: Actions) -> tuple[int, bool, dict[str, Any]]:
    info: dict[str, Any] = {}
    for index in range(len(actions)):
        _, _, terminated, truncated, info = env.step(actions[index : index + 1].as_step())
        if terminated or truncated:
            return index + 1, True, info
    return len(actions), False, info
