"""Platformer levels from a seed: columns of ground, gaps, steps, spikes and walking enemies.

Lengths are in tiles; heights grow up and are those of the ground above the bottom of the picture.
"""

from dataclasses import dataclass

import numpy as np

GAP = -20.0
"""Height of a column without ground."""

VIEW_TILES = 8.0
"""Height of the picture; it is 16:9 as wide."""

_LENGTH = 84
"""Tiles until the last obstacle, at least."""

_OBSTACLES = 8
"""At least."""


@dataclass(frozen=True)
class Walker:
    """An enemy that walks to and fro between `left` and `right`."""

    left: float
    right: float
    height: float
    """Of the ground under it."""
    speed: float
    """Tiles per second."""
    phase: float
    """How far along its way, in tiles, at time 0."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Position of its middle, and its direction (-1 or 1)."""
        span = self.right - self.left
        way = (self.phase + self.speed * time_s) % (2 * span)
        return (self.left + way, 1.0) if way < span else (self.right - (way - span), -1.0)


@dataclass(frozen=True)
class Level:
    """What never changes during an episode."""

    heights: tuple[float, ...]
    """Of the ground in each column."""
    spikes: tuple[bool, ...]
    """Whether a column is covered with spikes."""
    walkers: tuple[Walker, ...]
    obstacles: int
    """How many things a player who only runs would fail at."""
    flag: float
    """Where the level is won."""

    @property
    def length(self) -> float:
        """In tiles."""
        return float(len(self.heights))


def generate(rng: np.random.Generator) -> Level:
    """A level of about 95 tiles; every obstacle can be passed by a jump at full speed."""
    builder = _Builder(rng)
    builder.flat(int(rng.integers(6, 9)))
    while len(builder.heights) < _LENGTH or builder.obstacles < _OBSTACLES:
        builder.obstacle()
        builder.flat(int(rng.integers(4, 7)))
    builder.flat(7)
    return Level(
        heights=tuple(float(height) for height in builder.heights),
        spikes=tuple(builder.spikes),
        walkers=tuple(builder.walkers),
        obstacles=builder.obstacles,
        flag=len(builder.heights) - 5.5,
    )


class _Builder:
    """A level in the making, from left to right."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.heights: list[float] = []
        self.spikes: list[bool] = []
        self.walkers: list[Walker] = []
        self.obstacles = 0
        self.height = int(rng.integers(1, 4))
        # Each level favours some kinds, so that levels differ in character.
        kinds = (self._gap, self._islands, self._spikes, self._step, self._block, self._walker)
        self._kinds = kinds
        self._chances = rng.dirichlet(np.full(len(kinds), 4.0))

    def flat(self, width: int, *, spikes: bool = False) -> None:
        self.heights += [self.height] * width
        self.spikes += [spikes] * width

    def obstacle(self) -> None:
        self._kinds[self.rng.choice(len(self._kinds), p=self._chances)]()
        self.obstacles += 1

    def _change(self, low: int, high: int) -> None:
        """Go up or down by a random step, keeping the ground in the lower half of the picture."""
        self.height = int(np.clip(self.height + self.rng.integers(low, high + 1), 1, 3))

    def _hole(self, width: int) -> None:
        self.heights += [GAP] * width
        self.spikes += [False] * width

    def _gap(self) -> None:
        self._hole(int(self.rng.integers(2, 4)))
        self._change(-1, 1)

    def _islands(self) -> None:
        for _ in range(self.rng.integers(1, 3)):
            self._hole(2)
            self._change(-1, 1)
            self.flat(int(self.rng.integers(3, 5)))
            self.obstacles += 1
        self._hole(2)

    def _spikes(self) -> None:
        self.flat(int(self.rng.integers(1, 3)), spikes=True)

    def _step(self) -> None:
        if self.height == 3:
            self.height = int(self.rng.integers(1, 3))
            self.flat(4)
        self.height += int(self.rng.integers(1, 4 - self.height))

    def _block(self) -> None:
        rise = int(self.rng.integers(1, 3)) if self.height < 3 else 1
        self.height += rise
        self.flat(int(self.rng.integers(1, 3)))
        self.height -= rise

    def _walker(self) -> None:
        start, width = len(self.heights), int(self.rng.integers(6, 9))
        self.flat(width)
        left, right = start + 0.6, start + width - 0.6
        self.walkers.append(
            Walker(
                left=left,
                right=right,
                height=float(self.height),
                speed=float(self.rng.uniform(1.0, 1.8)),
                phase=float(self.rng.uniform(0, 2 * (right - left))),
            )
        )
