"""The flyer's rules: through the cave alive, shooting what comes; three hits are the end.

Left stick flies, right trigger or south shoots ahead. The screen moves on by itself. Lengths in
view units, time in seconds.
"""

import math
from typing import NamedTuple

from nitrogen.mini.flyer.level import Level
from nitrogen.mini.world import DT, BaseWorld, Pad

SCROLL = 24.0
"""Speed of the screen."""
SPEED = 48.0
RADIUS = 4.2
FOE_RADIUS = 5.4
SHOT_SPEED = 130.0
SHOT_RADIUS = 2.4
HEARTS = 3

_RELOAD = 7  # steps between shots
_RELIEF = 36  # steps without harm after a hit
_WIDTH = 160.0


class Shot(NamedTuple):
    """A shot that flies to the right."""

    x: float
    y: float


class FlyerWorld(BaseWorld):
    """One episode; see the module."""

    __slots__ = (
        "camera", "climb", "defeated", "hearts", "level", "relief", "reload", "shot_down", "shots",
        "x", "y",
    )  # fmt: skip

    def __init__(self, level: Level) -> None:
        """Hover at the start of `level`."""
        super().__init__()
        self.level = level
        self.camera = 0.0
        self.x, self.y = 36.0, sum(level.gap(36.0)) / 2
        self.climb = 0.0
        self.hearts, self.relief, self.reload = HEARTS, 0, 0
        self.shots: tuple[Shot, ...] = ()
        self.defeated: frozenset[int] = frozenset()
        self.shot_down = 0

    @property
    def progress(self) -> float:
        """Share of the way through the cave."""
        return min(max((self.x - 36.0) / (self.level.end - 36.0), 0.0), 1.0)

    def foes(self) -> list[tuple[int, float, float]]:
        """Number and place of each enemy on the screen that is still there."""
        found = []
        time_s = self.time_s
        for number, foe in enumerate(self.level.foes):
            if number in self.defeated or not -40 < foe.x - self.camera < _WIDTH + 90:
                continue
            x, y = foe.at(time_s, self.camera)
            if -FOE_RADIUS < x - self.camera < _WIDTH + FOE_RADIUS:
                found.append((number, x, y))
        return found

    def advance(self, pad: Pad) -> None:
        """Move on by one step."""
        self.camera += SCROLL * DT
        self._fly(pad)
        foes = self.foes()
        self._shoot(foes, held=pad.right_trigger > 0.5 or pad.south)
        self._collide(foes)
        if not self.is_over and self.x >= self.level.end:
            self.end("left the cave", won=True)

    def _fly(self, pad: Pad) -> None:
        push = math.hypot(pad.left_x, pad.left_y)
        share = SPEED * DT * min(push, 1.0) / push if push > 0.15 else 0.0
        self.climb = pad.left_y * share / (SPEED * DT)
        self.x += SCROLL * DT + pad.left_x * share
        self.x = min(max(self.x, self.camera + 8.0), self.camera + 110.0)
        self.y = min(max(self.y + pad.left_y * share, RADIUS), 90.0 - RADIUS)

    def _shoot(self, foes: list[tuple[int, float, float]], *, held: bool) -> None:
        self.reload = max(self.reload - 1, 0)
        if held and not self.reload:
            self.shots = (*self.shots, Shot(self.x + 6, self.y))
            self.reload = _RELOAD
        kept = []
        for shot in self.shots:
            moved = Shot(shot.x + SHOT_SPEED * DT, shot.y)
            top, bottom = self.level.gap(moved.x)
            if moved.x > self.camera + _WIDTH or not top < moved.y < bottom:
                continue
            reach = FOE_RADIUS + SHOT_RADIUS
            hit = [n for n, x, y in foes if abs(x - moved.x) < reach and abs(y - moved.y) < reach]
            if hit:
                self.defeated |= {hit[0]}
                self.shot_down += 1
                self.events.append("shot down an enemy")
            else:
                kept.append(moved)
        self.shots = tuple(kept)

    def _collide(self, foes: list[tuple[int, float, float]]) -> None:
        if self.relief:
            self.relief -= 1
            return
        top, bottom = self.level.gap(self.x)
        reach = RADIUS + FOE_RADIUS - 1.0
        touched = [
            n for n, x, y in foes
            if n not in self.defeated and math.hypot(x - self.x, y - self.y) < reach
        ]  # fmt: skip
        if not touched and top + RADIUS - 1 <= self.y <= bottom - RADIUS + 1:
            return
        self.defeated |= set(touched)
        self.hearts -= 1
        self.relief = _RELIEF
        self.events.append("was hit")
        if not self.hearts:
            self.end("crashed", won=False)
