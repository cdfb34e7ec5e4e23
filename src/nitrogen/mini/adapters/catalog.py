"""The goals in games of other packages."""

from functools import partial

from nitrogen.mini.adapters import atari, car_racing, procgen, rooms
from nitrogen.mini.adapters.base import AdaptedGame

GAMES = (
    AdaptedGame(
        name="atari/river_raid",
        kind="combat",
        view="2D top-down",
        goal="Score 600 points in River Raid with the first plane.",
        time_limit_s=60.0,
        rate_hz=atari.RATE_HZ,
        module="ale_py",
        extra="atari",
        distributions=("ale-py",),
        make=partial(atari.Score, "riverraid", 600),
        has_expert=False,
    ),
    AdaptedGame(
        name="procgen/coinrun",
        kind="navigation",
        view="2D side-scrolling",
        goal="Reach the coin at the end of the level.",
        time_limit_s=30.0,
        rate_hz=procgen.RATE_HZ,
        module="procgen",
        extra="procgen",
        distributions=("procgen-mirror",),
        make=partial(procgen.Level, "coinrun"),
        has_expert=False,
    ),
    AdaptedGame(
        name="miniworld/reach_the_box",
        kind="navigation",
        view="3D",
        goal="Walk to the red box in the room.",
        time_limit_s=12.0,
        rate_hz=rooms.RATE_HZ,
        module="miniworld",
        extra="miniworld",
        distributions=("miniworld",),
        make=partial(rooms.Room, "OneRoom"),
        has_expert=True,
    ),
    AdaptedGame(
        name="miniworld/pick_up_five",
        kind="game-specific",
        view="3D",
        goal="Pick up the five objects in the yard.",
        time_limit_s=60.0,
        rate_hz=rooms.RATE_HZ,
        module="miniworld",
        extra="miniworld",
        distributions=("miniworld",),
        make=partial(rooms.Room, "PickupObjects"),
        has_expert=True,
    ),
    AdaptedGame(
        name="car_racing/drive_the_track",
        kind="navigation",
        view="2D top-down",
        goal="Drive over 90 per cent of the track in 40 seconds.",
        time_limit_s=40.0,
        rate_hz=car_racing.RATE_HZ,
        module="Box2D",
        extra="box2d",
        distributions=("Box2D", "pygame-ce"),
        make=partial(car_racing.Track, 0.9),
        has_expert=True,
    ),
)
"""Every one of them."""
