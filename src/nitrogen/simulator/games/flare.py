"""Flare: an action role-playing game, seen at an angle from above; an episode begins on any map.

What is known of the game: a saved game is a text file that names map and place, and the game prints
the name of each map that it loads.
"""

import re
from pathlib import Path

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game, LineReader, Verdict, View
from nitrogen.simulator.games.levels import check_level

MAPS = Path("/usr/share/games/flare/mods/empyrean_campaign/maps")
_SETTINGS = """move_type_dimissed=1
fullscreen=0
resolution_w=640
resolution_h=480
music_volume=0
sound_volume=0
mouse_move=0
mouse_aim=0
no_mouse=1
vsync=0
max_fps=60
enable_joystick=1
joystick_device=0
"""
_HERO = """name=Player
permadeath=0
option=male,head_short,images/portraits/male01.png
class=Brute,
xp=0
build=4,1,1,2
equipped_quantity=1,0,1,0,1,1,1,0,0,1
equipped=7,0,8,0,4,5,6,0,0,11
carried_quantity=5,5
carried=2,3
spawn=maps/{map}.txt,{x},{y}
actionbar=0,0,0,0,0,0,0,0,0,0,1,7
powers=7
campaign=
questlog_dismissed=1
"""
_LOADING = re.compile(r"Map: Loading map 'maps/(.+)\.txt'")


class MapJudge:
    """Reports each map that the hero comes to as an event; the episode goes on."""

    def __init__(self) -> None:
        """Nothing has been loaded yet."""
        self._lines = LineReader()

    def on_start(self, view: View) -> Verdict:
        """The first map has been loaded."""
        self._lines.skip(view.log)
        return Verdict()

    def on_frame(self, view: View) -> Verdict:
        """Has another map been loaded?"""
        found = [_LOADING.search(line) for line in self._lines.read(view.log)]
        return Verdict(events=tuple(f"entered {match.group(1)}" for match in found if match))

    def on_exit(self, status: int) -> Verdict:
        """The menus are locked: it does not end by itself."""
        return Verdict(terminated=True, events=(f"exit {status}",))


def entrance(map: str) -> tuple[int, int]:
    """Where a map is usually entered, in tiles; (1, 1) if Flare is not installed."""
    path = MAPS / f"{map}.txt"
    place = re.search(r"^hero_pos=(\d+),(\d+)", path.read_text(), re.M) if path.exists() else None
    return (int(place[1]), int(place[2])) if place else (1, 1)


def game(map: str = "goblin_camp", *, place: tuple[int, int] | None = None) -> Game:
    """A new hero on one map, at its entrance or another `place` in tiles.

    The right trigger strikes, the left one blocks. Raises GameError if there is no such map.
    """
    check_level("Flare", map, [path.stem for path in MAPS.glob("*.txt")])
    x, y = place if place is not None else entrance(map)
    return Game(
        name="flare",
        title="Flare: Empyrean Campaign",
        command=("flare", "--load-slot=1"),
        packages=("flare-game",),
        size=(640, 480),
        rate_hz=60.0,
        display="none",
        files={
            ".config/flare/settings.txt": _SETTINGS,
            ".local/share/flare/saves/empyrean/1/avatar.txt": _HERO.format(map=map, x=x, y=y),
        },
        locked=MENU_BUTTONS,
        startup=Actions.released(90),
        judge=MapJudge,
        saves="fork",
        deterministic=True,
    )


GAME = game()
"""The camp of the goblins."""
