"""The platformer's physics and rules.

Left stick runs, south jumps: the longer it is held the higher; held on, it jumps again. Enemies die
when jumped on. Lengths in tiles, time in seconds, heights grow up.
"""

from nitrogen.mini.platformer.level import GAP, Level
from nitrogen.mini.world import DT, BaseWorld, Pad

RUN = 6.0
"""Top speed."""
JUMP = 13.5
"""Upward speed at take-off: 2.7 tiles high, 4.8 tiles far at top speed."""
GRAVITY = 33.5
HALF_WIDTH = 0.36
HEIGHT = 1.2

_GROUND_GRIP, _AIR_GRIP = 50.0, 34.0
_CUT = 4.5  # upward speed left when the button is released
_BOUNCE = 8.0
_FALL = 15.0
_COYOTE = 6  # steps after running off an edge in which a jump still counts
_LEDGE = 0.5  # a foot this little below an edge still gets up
_BOTTOM = -1.5
_SPIKE_HEIGHT, _SPIKE_INSET = 0.45, 0.25
WALKER_HALF_WIDTH, WALKER_HEIGHT = 0.4, 0.8


class PlatformerWorld(BaseWorld):
    """One episode; see the module."""

    __slots__ = (
        "_coyote", "defeated", "farthest", "grounded", "level",
        "vx", "vy", "x", "y",
    )  # fmt: skip

    def __init__(self, level: Level) -> None:
        """Stand at the start of `level`."""
        super().__init__()
        self.level = level
        self.x, self.y, self.vx, self.vy = 2.5, level.heights[2], 0.0, 0.0
        self.grounded, self._coyote = True, 0
        self.farthest = self.x
        self.defeated: frozenset[int] = frozenset()

    @property
    def progress(self) -> float:
        """Share of the way to the flag."""
        return min(max((self.farthest - 2.5) / (self.level.flag - 2.5), 0.0), 1.0)

    def advance(self, pad: Pad) -> None:
        """Move on by one step."""
        self._run(pad.left_x)
        self._jump(held=pad.south)
        self._fall()
        self._touch()
        if self.x > self.farthest:
            self.farthest = self.x
            if self.x >= self.level.flag and not self.is_over:
                self.end("reached the flag", won=True)

    def ground(self, x: float) -> float:
        """Height of the ground at `x`; a wall at the start, flat beyond the end."""
        heights = self.level.heights
        if x < 0:
            return 99.0
        column = int(x)
        return heights[column] if column < len(heights) else heights[-1]

    @property
    def can_jump(self) -> bool:
        """On the ground, or just off its edge."""
        return self.grounded or self._coyote > 0

    def _run(self, stick: float) -> None:
        wish = stick * RUN if abs(stick) > 0.15 else 0.0
        grip = (_GROUND_GRIP if self.grounded else _AIR_GRIP) * DT
        self.vx += min(max(wish - self.vx, -grip), grip)
        x = self.x + self.vx * DT
        if self.vx:
            edge = x + (HALF_WIDTH if self.vx > 0 else -HALF_WIDTH)
            wall = self.ground(edge)
            if wall > self.y + _LEDGE or (wall > self.y and self.vy > 0):
                x = int(edge) - HALF_WIDTH - 1e-6 if self.vx > 0 else int(edge + 1) + HALF_WIDTH
                self.vx = 0.0
            elif wall > self.y:
                self.y = wall
        self.x = x

    def _jump(self, *, held: bool) -> None:
        if held and (self.grounded or self._coyote):
            self.vy, self.grounded, self._coyote = JUMP, False, 0
            self.events.append("jumped")
        elif not held and self.vy > _CUT:
            self.vy = _CUT
        self._coyote = max(self._coyote - 1, 0)

    def _fall(self) -> None:
        support = max(self.ground(self.x - HALF_WIDTH), self.ground(self.x + HALF_WIDTH))
        if self.grounded and support < self.y:
            self.grounded, self._coyote = False, _COYOTE
        if self.grounded:
            return
        # Half of the acceleration before and half after moving: exact parabolas.
        self.y += self.vy * DT - 0.5 * GRAVITY * DT * DT
        self.vy = max(self.vy - GRAVITY * DT, -_FALL)
        if self.vy <= 0 and self.y <= support:
            self.y, self.vy, self.grounded = support, 0.0, True
        elif self.y < _BOTTOM:
            self.end("fell", won=False)

    def _touch(self) -> None:
        level, x, y = self.level, self.x, self.y
        reach = HALF_WIDTH - _SPIKE_INSET
        for edge in (x - reach, x + reach):
            column = min(max(int(edge), 0), len(level.spikes) - 1)
            if level.spikes[column] and y < level.heights[column] + _SPIKE_HEIGHT:
                self.end("hit spikes", won=False)
                return
        for index, walker in enumerate(level.walkers):
            if abs(walker.left - x) > 9 and abs(walker.right - x) > 9:
                continue
            if index not in self.defeated:
                self._meet(index, walker.at(self.time_s)[0], walker.height)

    def _meet(self, index: int, x: float, height: float) -> None:
        if abs(x - self.x) > WALKER_HALF_WIDTH + HALF_WIDTH or self.y > height + WALKER_HEIGHT:
            return
        if self.vy < 0 and self.y > height + 0.25:
            self.defeated |= {index}
            self.vy, self.grounded = _BOUNCE, False
            self.events.append("defeated an enemy")
        else:
            self.end("hit an enemy", won=False)


def is_gap(world: PlatformerWorld, x: float) -> bool:
    """Whether there is no ground at `x`."""
    return world.ground(x) == GAP
