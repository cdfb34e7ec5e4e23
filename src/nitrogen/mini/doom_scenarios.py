"""The ViZDoom scenarios that are played: which controls work, what counts, for how long.

Facts only: knows nothing of the engine or of Gymnasium. Success is always judged from game
variables, never from the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from nitrogen.mini import doom_experts
from nitrogen.mini.doom_experts import Scene
from nitrogen.mini.world import Pad

RATE_HZ = 35
"""Tics per second of the Doom engine; one step is one tic."""

CONTROLS = {
    "left_x": ("MOVE_LEFT_RIGHT_DELTA", 24.0),
    "left_y": ("MOVE_FORWARD_BACKWARD_DELTA", -25.0),
    "right_x": ("TURN_LEFT_RIGHT_DELTA", 6.0),
    "right_trigger": ("ATTACK", 1.0),
}
"""Engine button of a pad control and its value at full travel: walking speed, 6 degrees a tic.

Down is positive on the pad and backward is negative in the engine, so `left_y` turns its sign.
"""


class Readings(NamedTuple):
    """What a scenario is judged by."""

    frames: int
    kills: int
    health: float
    reward: float
    """Sum of the scenario's own rewards."""
    armour: float


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario: its facts, and who plays it well."""

    name: str
    """Also the name of ViZDoom's configuration."""
    kind: Literal["combat", "navigation", "game-specific"]
    goal: str
    """When it counts as a success, in one sentence."""
    time_limit_s: float
    controls: tuple[str, ...]
    """Pad controls that do something here; the others are not connected."""
    progress: Callable[[Readings], float]
    """Share of the goal that is reached; 1 is success and ends the episode."""
    expert: Callable[[Scene], Pad]
    """What a good player holds in a given state; a function of the state alone."""
    warm_up_frames: int = 30
    """Fewer steps than this are played at random before an episode begins."""
    view: Literal["3D"] = "3D"

    @property
    def frames(self) -> int:
        """Steps until the time limit."""
        return round(self.time_limit_s * RATE_HZ)


def _kills(wanted: int) -> Callable[[Readings], float]:
    return lambda readings: readings.kills / wanted


def _survive(seconds: float) -> Callable[[Readings], float]:
    def progress(readings: Readings) -> float:
        share = readings.frames / (seconds * RATE_HZ)
        return share if readings.health > 0 else min(share, 0.99)

    return progress


def _reach_armour(readings: Readings) -> float:
    # The scenario rewards every unit of the way, 1312 in all, and picking up is the end.
    return 1.0 if readings.armour > 0 else min(readings.reward / 1312.0, 0.99)


SCENARIOS = (
    Scenario(
        name="basic",
        kind="combat",
        goal="Shoot the monster at the other end of the room.",
        time_limit_s=5.0,
        controls=("left_x", "right_trigger"),
        progress=_kills(1),
        expert=doom_experts.basic,
    ),
    Scenario(
        name="defend_the_center",
        kind="combat",
        goal="Shoot ten monsters that come from all sides before they reach you.",
        time_limit_s=60.0,
        controls=("right_x", "right_trigger"),
        progress=_kills(10),
        expert=doom_experts.defend_the_center,
    ),
    Scenario(
        name="defend_the_line",
        kind="combat",
        goal="Shoot twenty monsters that come and throw fire from the other end of the room.",
        time_limit_s=60.0,
        warm_up_frames=8,
        controls=("right_x", "right_trigger"),
        progress=_kills(20),
        expert=doom_experts.defend_the_line,
    ),
    Scenario(
        name="health_gathering",
        kind="navigation",
        goal="Survive half a minute on the acid floor by collecting medikits.",
        time_limit_s=31.0,
        controls=("left_y", "right_x"),
        progress=_survive(30.0),
        expert=doom_experts.health_gathering,
    ),
    Scenario(
        name="take_cover",
        kind="game-specific",
        goal="Dodge the fire balls for twenty seconds.",
        time_limit_s=21.0,
        controls=("left_x",),
        progress=_survive(20.0),
        expert=doom_experts.take_cover,
    ),
    Scenario(
        name="deadly_corridor",
        kind="navigation",
        goal="Reach the armour at the end of a corridor full of gunmen.",
        time_limit_s=60.0,
        warm_up_frames=4,
        controls=("left_x", "left_y", "right_x", "right_trigger"),
        progress=_reach_armour,
        expert=doom_experts.deadly_corridor,
    ),
)
"""Every scenario that can be played."""
