"""What Chocolate Doom has in memory: the player, the things of the level, its counters.

The engine keeps its state in static variables. Where they lie was found by comparing memory in the
title screen and in two maps; that they are right is checked when they are looked for.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from nitrogen.errors import GameError
from nitrogen.simulator.game import View

# Chocolate Doom 3.0.1 (Debian 3.0.1+really3.0.0+git1471-1), amd64: distances from the program.
_PLAYER = 0x14DDE0
# Within the player: the thing that he is, health, largest ammunition, kills and items.
_HEALTH, _AMMO_AT, _COUNTS = 44, 184, 216
_MAX_AMMO = struct.pack("<4i", 200, 50, 300, 50)
# A thing: neighbours in the ring of all things, what moves it, x, y, z; angle; flags and health.
_RING = struct.Struct("<qqq3i")
_ANGLE_AT, _FLAGS_AT, _THING_SIZE = 56, 160, 168
_COUNTS_AS_KILL, _COUNTS_AS_ITEM, _IS_CORPSE = 0x400000, 0x800000, 0x100000

Point = tuple[float, float]


@dataclass(frozen=True)
class Thing:
    """A monster, an item, the player."""

    address: int
    place: Point
    """In map units."""
    angle: float
    """Where it looks, in radians; 0 is east, a quarter turn is north."""
    health: int
    flags: int

    @property
    def is_monster(self) -> bool:
        """Alive, and its death counts."""
        return bool(self.flags & _COUNTS_AS_KILL) and self.health > 0 and not self.is_corpse

    @property
    def is_corpse(self) -> bool:
        """Dead."""
        return bool(self.flags & _IS_CORPSE)

    @property
    def is_item(self) -> bool:
        """Picking it up counts."""
        return bool(self.flags & _COUNTS_AS_ITEM)


class DoomState:
    """Reads player and level of the game in its present frame.

    Raises GameError if they are not where they should be.
    """

    def __init__(self, view: View) -> None:
        """Look for the player."""
        self._view = view
        self._player = view.memory.base("chocolate-doom") + _PLAYER
        if view.memory.read(self._player + _AMMO_AT, 16) != _MAX_AMMO:
            raise GameError(
                "the player is not where Chocolate Doom 3.0.1 keeps him; install chocolate-doom"
                " 3.0.1+really3.0.0+git1471-1"
            )

    def player(self) -> Thing:
        """The player."""
        return self._thing(self._player_address())[1]

    def things(self) -> Iterator[Thing]:
        """All other things of the level."""
        player = self._player_address()
        at, (mover, _) = self._thing(player)[0][1], self._thing(player)
        while at != player:
            links, thing = self._thing(at)
            if links[2] == mover[2]:  # not a door or a light
                yield thing
            at = links[1]

    def health(self) -> int:
        """The player's; 0 or less when he is dead."""
        return self._integers(self._player + _HEALTH, 1)[0]

    def counts(self) -> dict[str, int]:
        """Kills and items so far."""
        kills, items = self._integers(self._player + _COUNTS, 2)
        return {"kills": kills, "items": items}

    def _integers(self, address: int, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}i", self._view.memory.read(address, 4 * count))

    def _player_address(self) -> int:
        (address,) = struct.unpack("<q", self._view.memory.read(self._player, 8))
        return int(address)

    def _thing(self, address: int) -> tuple[tuple[int, int, int], Thing]:
        """Its links (before, after, mover) and what it is."""
        data = self._view.memory.read(address, _THING_SIZE)
        before, after, mover, x, y, _ = _RING.unpack_from(data)
        (angle,) = struct.unpack_from("<I", data, _ANGLE_AT)
        flags, health = struct.unpack_from("<2i", data, _FLAGS_AT)
        place = x / 65536, y / 65536
        thing = Thing(address, place, angle * 2 * math.pi / 2**32, health, flags)
        return (before, after, mover), thing
