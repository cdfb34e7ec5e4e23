"""How a good player plays the platformer: a function of the present state alone.

It runs, jumps a little before an obstacle, holds the button to the top of the jump, and steers in
the air so that it lands well. What would happen it finds out by playing copies of the world about
a second ahead. It keeps a margin: it prefers what would also go well a little to the left or right,
so that whoever imitates it imperfectly still gets through.
"""

from nitrogen.mini.platformer.world import HALF_WIDTH, PlatformerWorld, is_gap
from nitrogen.mini.world import Pad

_REACT = 7
"""Steps ahead that walls, spikes and enemies are jumped: at top speed 1.4 tiles."""
_EDGE = 4
"""Steps ahead that gaps are jumped; an edge can be left late, but not early."""
_FLIGHT = 50
"""Steps after which every jump has ended."""
_ROOM = 4
"""Steps to run on safely after landing."""
_MARGIN = 0.4
"""Tiles to either side."""

_IDLE = Pad()
_RIGHT = Pad(left_x=1.0)
_JUMP = Pad(left_x=1.0, south=True)
_STICKS = (1.0, 0.7, 0.4, 0.1, -0.3, -1.0)


def play(world: PlatformerWorld) -> Pad:
    """What to hold now."""
    if world.is_over:
        return _IDLE
    if world.grounded:
        return _on_ground(world)
    if world.can_jump and is_gap(world, world.x) and _lands(world, _JUMP, then=1.0):
        return _JUMP
    return _in_air(world)


def _on_ground(world: PlatformerWorld) -> Pad:
    if not _fails(world, _RIGHT):
        return _RIGHT
    for stick in (1.0, 0.5, 0.0):
        if _lands(world, _JUMP, then=stick):
            return _JUMP
    for pad in (_IDLE, Pad(left_x=-0.6), Pad(left_x=-1.0)):
        if not _fails(world, pad):
            return pad
    for stick in (0.0, -0.5, -1.0):
        if _lands(world, Pad(left_x=stick, south=True), then=stick):
            return Pad(left_x=stick, south=True)
    return _JUMP


def _in_air(world: PlatformerWorld) -> Pad:
    pads = [
        Pad(left_x=stick, south=held)
        for held in ((True, False) if world.vy > 0 else (False,))
        for stick in _STICKS
    ]
    fair = None
    for pad in pads:
        if _lands(world, pad, then=pad.left_x):
            if _lands_anyhow(world, pad):
                return pad
            fair = fair or pad
    return fair or pads[0]


def _fails(world: PlatformerWorld, pad: Pad) -> bool:
    """Whether holding `pad` without a jump soon ends at a wall, over a gap or dead."""
    ahead = world.clone()
    for step in range(_REACT):
        ahead.step(pad)
        if ahead.is_over:
            return not ahead.is_won
        if pad.left_x > 0 and ahead.vx <= 0.0:
            return True
        if step < _EDGE and not ahead.grounded and is_gap(ahead, ahead.x):
            return True
    return False


def _lands(world: PlatformerWorld, first: Pad, *, then: float, aside: float = 0.0) -> bool:
    """Whether a flight ends well: `first` for 8 steps, then the stick at `then`.

    South stays held while rising if `first` holds it. The flight starts `aside` tiles to the right.
    """
    ahead = world.clone()
    ahead.x += aside
    for flown in range(_FLIGHT):
        stick = first.left_x if flown < 8 else then
        ahead.step(Pad(left_x=stick, south=first.south and (ahead.vy > 0 or flown == 0)))
        if ahead.is_over:
            return ahead.is_won
        if ahead.grounded:
            break
    return not _is_doomed(ahead)


def _is_doomed(world: PlatformerWorld) -> bool:
    """Whether running on after a landing leaves no time for the next jump."""
    for _ in range(_ROOM):
        world.step(_RIGHT)
        if world.is_over:
            return not world.is_won
        if not world.grounded and is_gap(world, world.x):
            return True
    return False


def _lands_anyhow(world: PlatformerWorld, pad: Pad) -> bool:
    """Whether the flight would end well from a little farther left and right, too."""
    for aside in (-_MARGIN, _MARGIN):
        edge = world.x + aside + (HALF_WIDTH if aside > 0 else -HALF_WIDTH)
        is_free = world.ground(edge) <= world.y
        if is_free and not _lands(world, pad, then=pad.left_x, aside=aside):
            return False
    return True
