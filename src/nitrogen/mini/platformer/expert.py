"""How a good player plays the platformer: a function of the present state alone.

It runs, jumps when running on would end at an obstacle within `_REACT` steps, holds the button to
the top of the jump, and steers in the air so that it lands well. What would happen it finds out by
playing copies of the world a second ahead.
"""

from nitrogen.mini.platformer.world import PlatformerWorld, is_gap
from nitrogen.mini.world import Pad

_REACT = 7
"""Steps ahead: at top speed 1.5 tiles."""
_FLIGHT = 45
"""Steps after which every jump has ended."""
_AFTER = 4
"""Steps to survive after landing."""

_IDLE = Pad()
_RIGHT = Pad(left_x=1.0)


def play(world: PlatformerWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return _IDLE
    return _on_ground(world) if world.grounded else _in_air(world)


def _on_ground(world: PlatformerWorld) -> Pad:
    if not _fails(world, _RIGHT, steps=_REACT):
        return _RIGHT
    for stick in (1.0, 0.5, 0.0):
        if _lands(world, first=Pad(left_x=1.0, south=True), then=stick):
            return Pad(left_x=1.0, south=True)
    for pad in (_IDLE, Pad(left_x=-0.6), Pad(left_x=-1.0)):
        if not _fails(world, pad, steps=2 * _REACT):
            return pad
    for stick in (0.0, -0.5, -1.0):
        if _lands(world, first=Pad(left_x=stick, south=True), then=stick):
            return Pad(left_x=stick, south=True)
    return Pad(left_x=1.0, south=True)


def _in_air(world: PlatformerWorld) -> Pad:
    holds = (True, False) if world.vy > 0 else (False,)
    for held in holds:
        for stick in (1.0, 0.6, 0.2, -0.3, -1.0):
            pad = Pad(left_x=stick, south=held)
            if _lands(world, first=pad, then=stick):
                return pad
    return Pad(left_x=1.0, south=world.vy > 0)


def _fails(world: PlatformerWorld, pad: Pad, *, steps: int) -> bool:
    """Whether holding `pad` without a jump ends at a wall, over a gap or dead."""
    ahead = world.clone()
    for _ in range(steps):
        ahead.step(pad)
        blocked = pad.left_x > 0 and ahead.vx <= 0.0
        if ahead.is_over:
            return not ahead.is_won
        if blocked or (not ahead.grounded and is_gap(ahead, ahead.x)):
            return True
    return False


def _lands(world: PlatformerWorld, *, first: Pad, then: float) -> bool:
    """Whether a flight ends well: `first` for 8 steps, then the stick at `then`.

    South stays held while rising if `first` holds it.
    """
    ahead = world.clone()
    for flown in range(_FLIGHT):
        stick = first.left_x if flown < 8 else then
        ahead.step(Pad(left_x=stick, south=first.south and (ahead.vy > 0 or flown == 0)))
        if ahead.is_over:
            return ahead.is_won
        if ahead.grounded:
            break
    for _ in range(_AFTER):
        ahead.step(_IDLE)
    return not ahead.is_over or ahead.is_won
