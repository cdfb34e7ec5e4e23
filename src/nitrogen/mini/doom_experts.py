"""How a good player plays the ViZDoom scenarios: functions of what the engine knows of the state.

They act on what is in view, as a player must: what is behind the player does not draw it.
Nothing is kept between calls.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from nitrogen.mini.doom_engine import Thing
from nitrogen.mini.world import Pad

_HALF_VIEW = 42.0
"""Degrees to either side that count as in view (the picture shows 45)."""
_TURN = 6.0  # degrees a tic at full stick


class Scene(NamedTuple):
    """The player and everything else."""

    player: Thing
    things: tuple[Thing, ...]

    def bearing(self, thing: Thing) -> float:
        """Degrees from straight ahead to the thing; positive is to the right."""
        toward = math.degrees(math.atan2(thing.y - self.player.y, thing.x - self.player.x))
        return (self.player.angle - toward + 180.0) % 360.0 - 180.0

    def distance(self, thing: Thing) -> float:
        """In map units."""
        return math.hypot(thing.x - self.player.x, thing.y - self.player.y)

    def in_view(self, *names: str) -> list[Thing]:
        """Things of these names in front of the player."""
        return [
            thing
            for thing in self.things
            if thing.name in names and abs(self.bearing(thing)) < _HALF_VIEW
        ]


def basic(scene: Scene) -> Pad:
    """Step sideways until the monster is straight ahead, and shoot."""
    monsters = scene.in_view("Cacodemon")
    if not monsters:
        return Pad()
    bearing = scene.bearing(monsters[0])
    return Pad(left_x=_stick(bearing / 8.0), right_trigger=float(abs(bearing) < 3.5))


def defend_the_center(scene: Scene) -> Pad:
    """Turn to the monster that is near and close to the sights; search to the right."""
    return _gunner(scene, ("Demon", "MarineChainsawVzd"), near=lambda apart: apart / 12.0)


def defend_the_line(scene: Scene) -> Pad:
    """The same, but the ones that throw fire first, and nobody comes from behind."""
    return _gunner(scene, ("Demon", "DoomImp"), near=lambda apart: apart / 40.0)


def _gunner(scene: Scene, names: tuple[str, ...], *, near: Callable[[float], float]) -> Pad:
    def cost(thing: Thing) -> float:
        return abs(scene.bearing(thing)) + near(scene.distance(thing))

    target = min(scene.in_view(*names), key=cost, default=None)
    if target is None:
        return Pad(right_x=1.0)
    bearing = scene.bearing(target)
    # Half the width of a monster, 20 units, as seen from here.
    width = math.degrees(math.atan2(16.0, scene.distance(target)))
    return Pad(
        right_x=_stick(0.7 * bearing / _TURN), right_trigger=float(abs(bearing) < max(width, 1.5))
    )


def health_gathering(scene: Scene) -> Pad:
    """Walk to the medikit that is soonest reached; look for one to the right."""
    medikits = scene.in_view("Medikit")
    if not medikits:
        return Pad(right_x=0.7, left_y=-0.3)

    def cost(thing: Thing) -> float:
        return scene.distance(thing) + 4.0 * abs(scene.bearing(thing))

    bearing = scene.bearing(min(medikits, key=cost))
    return Pad(
        left_y=-round(max(math.cos(math.radians(1.6 * bearing)), 0.3), 3),
        right_x=_stick(bearing / 18.0),
    )


def take_cover(scene: Scene) -> Pad:
    """Step to where no fire ball will pass, the nearest such place, and not into the corner."""
    balls = [
        ball
        for ball in scene.things
        if ball.name == "DoomImpBall" and ball.x > scene.player.x - 10 and ball.vx < 0
    ]
    best, least = 0.0, math.inf
    for tenths in range(-10, 11, 2):
        stick = tenths / 10
        cost = 0.02 * abs(stick) + _danger(scene, balls, stick)
        if cost < least:
            best, least = stick, cost
    return Pad(left_x=best)


def deadly_corridor(scene: Scene) -> Pad:
    """Shoot whoever is near, the nearest first; then walk on to the armour."""
    foes = [thing for thing in scene.things if thing.name in _GUNMEN]
    near = [foe for foe in foes if scene.distance(foe) < 300.0]

    def cost(foe: Thing) -> float:
        return scene.distance(foe) + 2.0 * abs(scene.bearing(foe))

    target = min(near, key=cost, default=None)
    if target is not None:
        bearing = scene.bearing(target)
        width = math.degrees(math.atan2(20.0, scene.distance(target)))
        return Pad(right_x=_stick(bearing / _TURN), right_trigger=float(abs(bearing) < width))
    armours = [thing for thing in scene.things if thing.name == "GreenArmor"]
    if not armours:
        return Pad()
    bearing = scene.bearing(armours[0])
    return Pad(left_y=-1.0 if abs(bearing) < 20 else 0.0, right_x=_stick(bearing / 10.0))


_GUNMEN = ("ChaingunGuy", "Zombieman", "ShotgunGuy")


def _danger(scene: Scene, balls: list[Thing], stick: float) -> float:
    """How close fire balls will come if the player keeps moving like this."""
    speed, total = -4.7 * stick, 0.0  # to the right is towards smaller y here
    for ball in balls:
        steps = (ball.x - scene.player.x) / -ball.vx
        if steps > 60:
            continue
        aside = abs(ball.y + ball.vy * steps - (scene.player.y + speed * min(steps, 25.0)))
        total += max(0.0, 1.0 - aside / 60.0) * (1.0 + 8.0 / (steps + 4.0))
    place = scene.player.y + 25.0 * speed
    return total + max(0.0, abs(place - 384.0) - 250.0) * 0.01


def _stick(value: float) -> float:
    return round(max(min(value, 1.0), -1.0), 3)
