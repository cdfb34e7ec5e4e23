"""Plays Neverputt: from corner to corner of the way that it knows for each hole, then to the cup.

An expert for demonstrations and for the row that policies are compared with. No policy sees what it
reads.
"""

import math

from nitrogen.actions import Actions
from nitrogen.benchmark.games.putt_state import Place, PuttState
from nitrogen.simulator.game import View

WAYS: dict[Place, tuple[Place, ...]] = {
    (5.0, -1.0): ((1.0, -5.5), (5.0, -5.5)),
    (5.0, -11.0): ((1.0, -6.0), (5.0, -6.0)),
}
"""By the place of the cup, the corners on the way to it; other holes are putted straight at."""

_NEAR = 1.2
"""A corner is reached at this distance."""
_ROLLS = 7.97
"""How far a putt of strength 1 rolls on level ground, measured; it grows with the square."""
_PAST = 0.4
"""The ball should reach the cup with the speed that rolls so much further."""
_WEAKEST, _STRONGEST = 0.25, 1.4
_TURN, _STRENGTH = 0.6, 0.02
"""What a full stick changes in a frame: degrees, and strength."""
_PRESS = 6
"""Frames that A is held, and let go."""


class PuttExpert:
    """One episode's player."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._frame = self._corner = 0

    def act(self, view: View) -> Actions:
        """What to hold until the next frame."""
        self._frame += 1
        state = PuttState(view)
        strength, direction = state.aim()
        presses = ("south",) if self._frame // _PRESS % 2 else ()
        if state.rolls:
            return Actions.released(1)
        if not strength:
            return Actions.of(*presses)
        x, z = self._target(state)
        to = x - state.ball[0], z - state.ball[1]
        turn = _wrong(math.degrees(math.atan2(-to[0], -to[1])), direction) / _TURN
        wanted = math.sqrt((math.hypot(*to) + _PAST) / _ROLLS)
        change = (min(max(wanted, _WEAKEST), _STRONGEST) - strength) / _STRENGTH
        if abs(turn) < 0.5 and abs(change) < 0.6:
            return Actions.of(*presses)
        return Actions.of(left_x=_stick(turn), left_y=_stick(change))

    def _target(self, state: PuttState) -> Place:
        """The next corner, or the cup."""
        way = (*WAYS.get(_rounded(state.cup), ()), state.cup)
        while self._corner < len(way) - 1 and math.dist(state.ball, way[self._corner]) < _NEAR:
            self._corner += 1
        return way[self._corner]


def _rounded(place: Place) -> Place:
    return round(place[0], 1), round(place[1], 1)


def _wrong(wanted: float, direction: float) -> float:
    return (wanted - direction + 180) % 360 - 180


def _stick(frames: float) -> float:
    """Full until less than a frame is left."""
    return max(-1.0, min(frames, 1.0))
