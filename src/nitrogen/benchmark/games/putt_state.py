"""What Neverputt has in memory: the ball, the cup, the aim, the putts.

Where the variables lie was found by comparing memory between putts; that they are right is checked
when they are looked for.
"""

import math
import struct

from nitrogen.benchmark.games.neverball import Layout
from nitrogen.errors import GameError
from nitrogen.simulator.game import View

# Neverputt 1.6.0 (Debian 1.6.0+git20180603-3), amd64: distances from the program.
_LEVEL = 0x57748
_AIM = 0x5761C  # strength of the putt, 0 while nobody aims; direction in degrees
_PUTTS = 0x57C18  # of the first player at the first hole
_IS_IN = 0x5D3C4  # is the first player done with the hole?
_COUNTS_AT = 0x5D3D8
_COUNTS = struct.Struct("<4i")  # holes; whose turn it is; players; hole
_ALONE = 2, 1, 1, 1  # one hole, after an empty one; one player
_BALLS = 5  # one to copy from, and four players'
_BALL_SIZE, _MOTION_AT = 124, 36
_MOTION = struct.Struct("<6f")  # place and speed
_STANDS = 0.01

Place = tuple[float, float]
"""On the floor: x and z; the height is left out."""


class PuttState:
    """Reads the game in its present frame.

    Raises GameError if hole and scores are not where they should be.
    """

    def __init__(self, view: View) -> None:
        """Look for the hole."""
        self._memory = view.memory
        self._base = view.memory.base("neverputt")
        self._layout = Layout.of(view.memory, "neverputt", _LEVEL, balls=_BALLS)
        if _COUNTS.unpack(self._memory.read(self._base + _COUNTS_AT, _COUNTS.size)) != _ALONE:
            raise GameError(
                "the scores are not where Neverputt 1.6.0 keeps them; install neverputt"
                " 1.6.0+git20180603-3"
            )
        at = self._layout.ball + _BALL_SIZE + _MOTION_AT
        self._motion = _MOTION.unpack(self._memory.read(at, _MOTION.size))

    @property
    def ball(self) -> Place:
        """Where the ball is."""
        return self._motion[0], self._motion[2]

    @property
    def cup(self) -> Place:
        """Where it should go."""
        x, _, z, _ = self._layout.goals[0]
        return x, z

    @property
    def rolls(self) -> bool:
        """Does the ball move?"""
        return math.hypot(*self._motion[3:]) > _STANDS

    def aim(self) -> tuple[float, float]:
        """Strength, 0 while nobody aims, and direction in degrees: 0 along -z, 90 along -x."""
        strength, direction = struct.unpack("<2f", self._memory.read(self._base + _AIM, 8))
        return strength, direction

    def putts(self) -> int:
        """Those that came to an end, and one for each fall off the course."""
        return self._number(_PUTTS)

    def is_in(self) -> bool:
        """Is the ball in the cup, or have there been twelve putts?"""
        return bool(self._number(_IS_IN))

    def _number(self, at: int) -> int:
        return int.from_bytes(self._memory.read(self._base + at, 4), "little")
