"""The map of a Doom level, read from its WAD file: where one can walk, and who sees whom.

Facts about the format: the Unofficial Doom Specs 1.666 (Matthew Fell). Heights are those at the
level's start: a door counts as a way through, and as a wall for the eye.
"""

import functools
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import GameError

CELL = 16
"""Side of a square of the walking grid, in map units."""
_WALL, _DOOR = 18.0, 14.0
"""Squares nearer than so to a wall are blocked: the player's radius of 16, and a little; squares
nearer than so to the line of a door can be walked through."""
_STEP, _HEIGHT, _EYE = 24, 56, 41
"""The highest step that can be walked up, the lowest opening, and the eye's height."""
_DOORS, _LOCKED = (1, 31), (26, 27, 28, 32, 33, 34)
"""Lines that open the sector behind them when they are used; without and with a key, which nobody
has here."""
_LIFTS = (10, 21, 62, 88, 120, 121, 122, 123)
"""Lines that lower the sectors with their tag for a while."""

Point = tuple[float, float]
Field = NDArray[np.float32]
_Value = TypeVar("_Value", bound=np.generic)
_AROUND = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]


@dataclass(frozen=True, eq=False)
class DoomMap:
    """One level. Places are in map units; grids are indexed [x, y] in squares of `CELL`."""

    ends: NDArray[np.float64]
    """(N, 4): x1, y1, x2, y2 of each line."""
    openings: NDArray[np.float64]
    """(N, 2): lowest and highest height that can be seen through each line; equal for walls."""
    origin: Point
    floors: NDArray[np.int32]
    """Height of the floor of each square."""
    opens: NDArray[np.bool_]
    """Squares of doors and lifts."""
    room: NDArray[np.int32]
    """Height of the ceiling above the floor of each square."""
    blocked: NDArray[np.bool_]
    """Squares too near to a wall to stand in."""

    def square(self, place: Point) -> tuple[int, int]:
        """The square around a place; the nearest one if it lies outside."""
        index = ((value - low) // CELL for value, low in zip(place, self.origin, strict=True))
        x, y = (int(np.clip(i, 0, n - 1)) for i, n in zip(index, self.blocked.shape, strict=True))
        return x, y

    def middle(self, square: tuple[int, int]) -> Point:
        """The middle of a square."""
        x, y = square
        return self.origin[0] + (x + 0.5) * CELL, self.origin[1] + (y + 0.5) * CELL

    def is_free(self, square: tuple[int, int]) -> bool:
        """Is it inside the grid, and no wall near?"""
        x, y = square
        width, depth = self.blocked.shape
        return x < width and y < depth and not self.blocked[x, y]

    def way(self, goal: Point) -> Field:
        """How far it is to walk from each square to `goal`, in map units; inf: no way."""
        left = np.full(self.blocked.shape, np.inf, np.float32)
        x, y = self.square(goal)
        left[max(x - 1, 0) : x + 2, max(y - 1, 0) : y + 2] = CELL
        left[x, y] = 0.0
        free = ~self.blocked
        free[x, y] = True
        passable = [(dx, dy, self._passable(dx, dy) & free) for dx, dy in _AROUND]
        box = slice(max(x - 3, 0), x + 4), slice(max(y - 3, 0), y + 4)
        while True:  # only around what has changed
            old = left[box]
            new = old.copy()
            for dx, dy, can in passable:
                further = _shifted(old, dx, dy, np.inf) + np.float32(CELL * math.hypot(dx, dy))
                np.minimum(new, further, out=new, where=can[box])
            changed = np.argwhere(new != old)
            if not len(changed):
                return left
            left[box] = new
            changed += np.array([box[0].start, box[1].start])
            first, last = changed.min(axis=0), changed.max(axis=0)
            box = (
                slice(int(max(first[0] - 2, 0)), int(last[0] + 3)),
                slice(int(max(first[1] - 2, 0)), int(last[1] + 3)),
            )

    def _passable(self, dx: int, dy: int) -> NDArray[np.bool_]:
        """Squares from which one can walk to the neighbour at (dx, dy)."""
        rise = _shifted(self.floors, dx, dy, 10_000) - self.floors
        opens = self.opens | _shifted(self.opens, dx, dy, 0)
        low = _shifted(self.room, dx, dy, 0) < _HEIGHT
        passable: NDArray[np.bool_] = opens | ((rise <= _STEP) & ~low)
        return passable

    def next_place(self, place: Point, way: Field, *, squares: int = 4) -> Point:
        """Where to walk from `place`: some squares further down the way."""
        x, y = self.square(place)
        for _ in range(squares):
            ahead = [
                (x + dx, y + dy)
                for dx, dy in _AROUND
                if 0 <= x + dx < way.shape[0] and 0 <= y + dy < way.shape[1]
            ]
            x, y = min([(x, y), *ahead], key=lambda square: way[square])
        return self.middle((x, y))

    def left(self, place: Point, way: Field) -> float:
        """How far it is to walk from `place`: of the squares around it, the nearest to the goal."""
        x, y = self.square(place)
        around = way[max(x - 1, 0) : x + 2, max(y - 1, 0) : y + 2]
        return float(around.min())

    def sees(self, eye: Point, thing: Point) -> bool:
        """Does nothing that stands still hide `thing` from the player at `eye`?"""
        start, way = np.array(eye), np.array(thing) - np.array(eye)
        first, along = self.ends[:, :2], self.ends[:, 2:] - self.ends[:, :2]
        cross = way[0] * along[:, 1] - way[1] * along[:, 0]
        apart = first - start
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (apart[:, 0] * along[:, 1] - apart[:, 1] * along[:, 0]) / cross
            u = (apart[:, 0] * way[1] - apart[:, 1] * way[0]) / cross
        met = (t > 0) & (t < 1) & (u >= 0) & (u <= 1)
        low, high = (float(self.floors[self.square(place)]) for place in (eye, thing))
        height = low + _EYE + t[met] * (high - low)
        lowest, highest = self.openings[met].T
        return not bool(((lowest >= height) | (highest <= height)).any())


@functools.cache
def read_map(wad: Path, name: str) -> DoomMap:
    """The level called `name`, for example `E1M1`. Raises GameError if the file has none."""
    lumps = _lumps(wad, name)
    corners = np.frombuffer(lumps["VERTEXES"], "<i2").reshape(-1, 2).astype(float)
    lines = np.frombuffer(lumps["LINEDEFS"], "<u2").reshape(-1, 7).astype(int)
    sides = np.frombuffer(lumps["SIDEDEFS"], "<i2").reshape(-1, 15)[:, 14].astype(int)
    sectors = np.frombuffer(lumps["SECTORS"], "<i2").reshape(-1, 13)
    floors, ceilings, tags = (sectors[:, column].astype(int) for column in (0, 1, 12))
    ends = np.concatenate([corners[lines[:, 0]], corners[lines[:, 1]]], axis=1)
    is_open = lines[:, 6] != 0xFFFF
    front, back = sides[lines[:, 5]], sides[np.where(is_open, lines[:, 6], lines[:, 5])]
    lowest = np.maximum(floors[front], floors[back]).astype(float)
    highest = np.where(is_open, np.minimum(ceilings[front], ceilings[back]), lowest).astype(float)

    doors = np.isin(lines[:, 3], _DOORS) & is_open
    lifted = lines[np.isin(lines[:, 3], _LIFTS), 4]
    moving = np.isin(tags, lifted[lifted > 0])

    origin = float(corners[:, 0].min()), float(corners[:, 1].min())
    width, depth = (int(span // CELL) + 1 for span in np.ptp(corners, axis=0))
    x, y = np.meshgrid(np.arange(width), np.arange(depth), indexing="ij")
    middles = np.stack([origin[0] + (x + 0.5) * CELL, origin[1] + (y + 0.5) * CELL], axis=-1)
    lies_in = _sector_of(middles.reshape(-1, 2), lumps, lines, sides).reshape(width, depth)
    walls = ends[~is_open | ((lines[:, 2] & 1) != 0) | np.isin(lines[:, 3], _LOCKED)]
    return DoomMap(
        ends=ends,
        openings=np.stack([lowest, highest], axis=1),
        origin=origin,
        floors=floors[lies_in].astype(np.int32),
        opens=moving[lies_in] | _near(middles, ends[doors], _DOOR),
        room=(ceilings - floors)[lies_in].astype(np.int32),
        blocked=_near(middles, walls, _WALL),
    )


def _lumps(wad: Path, name: str) -> dict[str, bytes]:
    """The parts of a level."""
    data = wad.read_bytes()
    count, at = struct.unpack("<ii", data[4:12])
    entries = [struct.unpack("<ii8s", data[i : i + 16]) for i in range(at, at + 16 * count, 16)]
    names = [text.rstrip(b"\0").decode("ascii", errors="replace") for _, _, text in entries]
    if name not in names:
        raise GameError(f"{wad} has no level {name}")
    first = names.index(name) + 1
    parts = zip(names[first : first + 10], entries[first : first + 10], strict=True)
    return {part: data[start : start + size] for part, (start, size, _) in parts}


def _sector_of(
    places: NDArray[np.float64],
    lumps: dict[str, bytes],
    lines: NDArray[np.int_],
    sides: NDArray[np.int_],
) -> NDArray[np.int_]:
    """The sector of each of `places` (N, 2), down the tree of the level's halves."""
    nodes = np.frombuffer(lumps["NODES"], "<i2").reshape(-1, 14).astype(int)
    leaves = np.frombuffer(lumps["SSECTORS"], "<u2").reshape(-1, 2).astype(int)
    pieces = np.frombuffer(lumps["SEGS"], "<u2").reshape(-1, 6).astype(int)
    at = np.full(len(places), len(nodes) - 1)
    while (inner := at < 0x8000).any():
        x, y, dx, dy = nodes[at[inner], :4].T
        is_left = (places[inner, 1] - y) * dx - (places[inner, 0] - x) * dy > 0
        right, left = (nodes[at[inner], column] & 0xFFFF for column in (12, 13))
        at[inner] = np.where(is_left, left, right)
    piece = pieces[leaves[at & 0x7FFF, 1]]
    sector: NDArray[np.int_] = sides[lines[piece[:, 3], 5 + piece[:, 4]]]
    return sector


def _near(
    middles: NDArray[np.float64], lines: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Which of the squares (W, D, 2) have their middles nearer than `radius` to a line."""
    near = np.zeros(middles.shape[:2], bool)
    low = middles[0, 0] - CELL / 2
    for x1, y1, x2, y2 in lines:
        start, along = np.array([x1, y1]), np.array([x2 - x1, y2 - y1])
        first = (np.array([min(x1, x2), min(y1, y2)]) - low - radius) // CELL
        last = (np.array([max(x1, x2), max(y1, y2)]) - low + radius) // CELL + 1
        (i, j), (k, m) = np.maximum(first, 0).astype(int), last.astype(int)
        apart = middles[i:k, j:m] - start
        t = np.clip((apart @ along) / max(float(along @ along), 1.0), 0.0, 1.0)
        near[i:k, j:m] |= np.linalg.norm(apart - t[..., None] * along, axis=-1) < radius
    return near


def _shifted(grid: NDArray[_Value], dx: int, dy: int, outside: float) -> NDArray[_Value]:
    """For each square the value of its neighbour at (dx, dy)."""
    shifted = np.full_like(grid, outside)
    width, depth = grid.shape
    to = slice(max(-dx, 0), width - max(dx, 0)), slice(max(-dy, 0), depth - max(dy, 0))
    of = slice(max(dx, 0), width + min(dx, 0)), slice(max(dy, 0), depth + min(dy, 0))
    shifted[to] = grid[of]
    return shifted
