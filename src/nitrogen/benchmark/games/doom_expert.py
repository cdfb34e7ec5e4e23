"""Plays Doom with the level's map and things at hand: shoots what it sees, else walks to its goal.

An expert for demonstrations and for the row that policies are compared with. No policy sees what it
reads.
"""

import functools
import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from nitrogen.actions import Actions
from nitrogen.benchmark.games.doom_map import DoomMap, Field, Point, read_map
from nitrogen.benchmark.games.doom_state import DoomState, Thing
from nitrogen.simulator.game import View
from nitrogen.simulator.games.freedoom import IWAD

Aim = Literal["monsters", "items"] | Point
"""Monsters to kill, items to gather, or a place to reach."""

_RANGE = 1000.0
"""Monsters that are further away are left alone."""
_CANDIDATES = 4
"""Of the things to go to, the ways to so many of the nearest are compared."""
_PATCH = 4
"""Squares that share a way: monsters move, and ways take time."""
_STANDS = 10
"""Frames after which a player who wants to walk and does not is stuck ..."""
_DODGE = 16
"""Frames to one side while shooting."""
_NUDGE = 24
"""... and frames between two attempts to open what is in the way."""


@dataclass(frozen=True)
class _Held:
    """What is held for one frame."""

    turn: float = 0.0
    ahead: bool = False
    aside: float = 0.0
    buttons: tuple[str, ...] = ()

    def actions(self) -> Actions:
        return Actions.of(
            *self.buttons,
            right_x=-self.turn,
            left_y=-1.0 if self.ahead else 0.0,
            left_x=self.aside,
        )


class DoomExpert:
    """One episode's player."""

    def __init__(self, level: str, aim: Aim) -> None:
        """`level`: for example `E1M1`."""
        self._map = read_map(IWAD, level)
        self._aim = aim
        self._target: int | None = None
        self._places: deque[Point] = deque(maxlen=_STANDS)
        self._frame = self._pushed = 0

    def act(self, view: View) -> Actions:
        """What to hold until the next frame."""
        self._frame += 1
        state = DoomState(view)
        player, things = state.player(), list(state.things())
        enemy = self._enemy(player, things)
        if enemy is not None:
            self._places.clear()
            return _shoot(player, enemy, 1.0 if self._frame // _DODGE % 2 else -1.0).actions()
        return self._walk(player, *self._goal(player, things)).actions()

    def _enemy(self, player: Thing, things: list[Thing]) -> Thing | None:
        """The nearest monster in sight."""
        near = [
            thing
            for thing in things
            if thing.is_monster and math.dist(thing.place, player.place) < _RANGE
        ]
        near.sort(key=lambda thing: math.dist(thing.place, player.place))
        return next((each for each in near if self._map.sees(player.place, each.place)), None)

    def _goal(self, player: Thing, things: list[Thing]) -> tuple[Point, Field]:
        """Where to go, and the way there; a goal that was chosen is kept while it is there."""
        if isinstance(self._aim, tuple):
            return self._aim, self._way_to(self._aim)
        wanted = {thing.address: thing for thing in things if self._wants(thing)}
        if not wanted:
            return player.place, self._way_to(player.place)
        if self._target not in wanted:
            self._target = self._nearest(player, list(wanted.values())).address
        place = wanted[self._target].place
        return place, self._way_to(place)

    def _wants(self, thing: Thing) -> bool:
        return thing.is_monster if self._aim == "monsters" else thing.is_item

    def _nearest(self, player: Thing, wanted: list[Thing]) -> Thing:
        """The nearest on foot, of the nearest ones."""
        wanted.sort(key=lambda thing: math.dist(thing.place, player.place))
        return min(
            wanted[:_CANDIDATES],
            key=lambda thing: self._map.left(player.place, self._way_to(thing.place)),
        )

    def _way_to(self, place: Point) -> Field:
        """The way to the patch in which `place` lies, or to its own square."""
        x, y = self._map.square(place)
        middle = x - x % _PATCH + _PATCH // 2, y - y % _PATCH + _PATCH // 2
        is_free = self._map.is_free(middle)
        return _way(self._map, middle if is_free else (x, y))

    def _walk(self, player: Thing, goal: Point, way: Field) -> _Held:
        """Down the way; straight to the goal at its end; what is in the way is opened."""
        here = player.place
        is_near = self._map.left(here, way) < 40
        ahead = goal if is_near else self._map.next_place(here, way)
        wrong = _bearing(player, ahead)
        walks = abs(wrong) < math.radians(35)
        if not walks:
            self._places.clear()
        self._places.append(here)
        turn = _turn(wrong, math.radians(4))
        if len(self._places) == _STANDS and math.dist(here, self._places[0]) < 6:
            if self._frame - self._pushed >= _NUDGE:
                self._pushed = self._frame
                return _Held(turn, walks, buttons=("south",))
            side = 1.0 if self._frame // 40 % 2 else -1.0
            return _Held(turn, walks, aside=side if self._frame % 40 < 14 else 0.0)
        runs = ("west",) if abs(wrong) < math.radians(12) and not is_near else ()
        return _Held(turn, walks, buttons=runs)


def _shoot(player: Thing, enemy: Thing, side: float) -> _Held:
    """Aim and fire, stepping from side to side: fireballs and bullets go where one stood."""
    wrong = _bearing(player, enemy.place)
    wide = math.atan2(16.0, math.dist(player.place, enemy.place))
    fires = abs(wrong) < max(wide, math.radians(1.5))
    trigger = ("right_trigger",) if fires else ()
    return _Held(_turn(wrong, wide / 2), aside=side, buttons=trigger)


def _bearing(player: Thing, place: Point) -> float:
    """How far the player must turn left to look at `place`, in radians."""
    (x, y), (u, v) = player.place, place
    return (math.atan2(v - y, u - x) - player.angle + math.pi) % (2 * math.pi) - math.pi


def _turn(wrong: float, tolerance: float) -> float:
    """Keys know only left, right and nothing."""
    return 0.0 if abs(wrong) < max(tolerance, math.radians(1)) else math.copysign(1.0, wrong)


@functools.lru_cache(maxsize=256)
def _way(level: DoomMap, square: tuple[int, int]) -> Field:
    return level.way(level.middle(square))
