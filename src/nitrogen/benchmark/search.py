"""Reach a task's goal by search over save-states: an expert for games that have none.

Go-explore (Ecoffet et al. 2021, Nature 590): keep one point per *cell* of the game's state, go back
to a promising and little-tried one, play random held moves from there, and keep what is new.

Knows environments that save, restore and report progress. What the search reads of a game (places,
counters) no policy ever sees.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.benchmark.archive import Archive, CellOf, Journal, Point, SavingEnv, play_held
from nitrogen.errors import GameError

Propose = Callable[[np.random.Generator], Actions]
"""Draws a few rows to try, all equal."""

Guide = Callable[[dict[str, Any], np.random.Generator], Actions]
"""Draws a few rows to try, all equal, knowing the `info` of the last step."""

JOURNAL_EVERY = 4_000
"""Game frames between two saves of a search's state."""


def by_progress(info: dict[str, Any]) -> Hashable:
    """The way to the goal in 128 cells."""
    return int(info["progress"] * 128)


def by_place(size: float, *more: str) -> CellOf:
    """Squares of `size` of the values x and y; `more` values tell further cells apart."""
    return partial(_place, size, more)


def _place(size: float, more: tuple[str, ...], info: dict[str, Any]) -> Hashable:
    values = info["values"]
    place = int(values["x"] // size), int(values["y"] // size)
    return (*place, int(info["progress"] * 20), *(int(values[name]) for name in more))


def moves(
    choices: Sequence[tuple[float, Sequence[str], dict[str, float]]],
    *,
    lengths: Sequence[int] = (6, 12, 24, 36),
) -> Propose:
    """Draws one of `choices` (weight, pressed buttons, other controls) for one of `lengths`."""
    weights = np.array([weight for weight, _, _ in choices])
    return partial(_move, tuple(choices), weights / weights.sum(), tuple(lengths))


def _move(
    choices: Sequence[tuple[float, Sequence[str], dict[str, float]]],
    weights: NDArray[np.float64],
    lengths: Sequence[int],
    rng: np.random.Generator,
) -> Actions:
    _, buttons, controls = choices[rng.choice(len(choices), p=weights)]
    return Actions.of(*buttons, length=int(rng.choice(lengths)), **controls)


def platform_moves(rng: np.random.Generator) -> Actions:
    """Mostly right, often running or jumping: for platformers."""
    buttons = [name for name, chance in (("west", 0.6), ("south", 0.5)) if rng.random() < chance]
    x = float(rng.choice([1, 1, 1, 1, 1, 0, -1]))
    return Actions.of(*buttons, length=int(rng.choice([6, 12, 24, 36])), left_x=x)


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How wide and how long to search."""

    propose: Propose = platform_moves
    guide: Guide | None = None
    """Where the state of the game says what may help: proposes half of the time."""
    cell: CellOf = by_progress
    points: int = 24
    """Points that are kept (each is a parked process)."""
    tries: int = 4
    """Proposals played from a point before it is left."""
    pull: float = 1.0
    """How much progress counts against freshness: less where the way first leads off the goal."""
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


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is."""

    frames: int
    furthest: float
    """Progress of the best point, in 0..1."""
    points: int


def search(
    env: SavingEnv,
    *,
    seed: int,
    rng: np.random.Generator,
    config: SearchConfig | None = None,
    limit: int | None = None,
    opening: Actions | None = None,
    journal: Path | None = None,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Found:
    """Actions with which the episode of `seed` succeeds, of at most `limit` frames.

    opening: played before the search begins. journal: a file that the state of the search is kept
    in, so that a killed search goes on and comes to the same end; it is removed when a way is
    found. Raises GameError if none is found within the frames of `config`, or if the opening ends
    the episode; DataError if the journal is that of another search.
    """
    config = config or SearchConfig()
    kept = Journal(journal, {"seed": seed, "opening": 0 if opening is None else len(opening)})
    archive = Archive(config.points, config.pull)
    frames = kept.load(archive, env, seed, rng)
    if not archive.points:
        archive.begin(env, seed, opening, config.cell)
    saved = frames
    while frames < config.max_frames:
        if frames - saved >= JOURNAL_EVERY:
            kept.save(archive, frames, rng)
            saved = frames
            on_progress(SearchProgress(frames, archive.furthest, len(archive.points)))
        played, found = _explore(env, archive, rng, config, limit or config.max_frames)
        frames += played
        if found is not None:
            kept.remove()
            return Found(found, frames)
    kept.save(archive, frames, rng)
    raise GameError(
        f"no way to the goal found in {frames} frames (furthest: {archive.furthest:.0%}, cells"
        f" seen: {len(archive.visits)}); allow more frames, or propose other moves"
    )


def _explore(
    env: SavingEnv, archive: Archive, rng: np.random.Generator, config: SearchConfig, limit: int
) -> tuple[int, Actions | None]:
    """Try a few proposals from one point; the frames that took, and the way if it was found."""
    point, frames = archive.choose(rng), 0
    env.restore(point.state)
    info = env.info()
    parts = list(point.parts)
    for _ in range(config.tries):
        room = limit - sum(map(len, parts))
        actions = _next(config, info, rng)[:room]
        if not len(actions):
            break
        is_over, info = play_held(env, actions)
        frames += len(actions)
        parts.append(actions)
        if info["success"]:
            return frames, Actions.concatenate(parts)
        if is_over or len(actions) == room:
            break
        cell = config.cell(info)
        archive.visits[cell] += 1
        if archive.wants(cell, config.worn_out):
            archive.add(cell, Point(env.save(), list(parts), info["progress"]), env)
    return max(frames, 1), None


def _next(config: SearchConfig, info: dict[str, Any], rng: np.random.Generator) -> Actions:
    """What is tried next."""
    if config.wait_frames and info["progress"] >= config.arrived:
        return Actions.released(config.wait_frames)
    if config.guide is not None and rng.random() < 0.5:
        return config.guide(info, rng)
    return config.propose(rng)
