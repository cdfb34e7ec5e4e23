"""SuperTux: a platformer; an episode is one level, won when Tux has walked through its end.

What is known of the game: it exits with status 0 after the level that the command line named (also
when the level is left by the menu, so the menu buttons are locked); and Tux is the only object
whose box measures 31.8 by 30.8 pixels at the start, which finds him in the game's memory.
"""

import re
import struct
from pathlib import Path

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.errors import GameError
from nitrogen.simulator.game import Game, Verdict, View

LEVELS = Path("/usr/share/games/supertux2/levels")
_SMALL_TUX = struct.pack("<ff", 31.8, 30.8)
_BOX = struct.Struct("<ffffi")  # x, y, width, height, collision group
_DISABLED = 0
"""Tux's collision group from the moment that he dies."""
_FELL_OUT = 400.0
"""Pixels below his lowest standing place."""


class LevelJudge:
    """Follows Tux through a level: progress is the way to its end, dying ends the episode.

    Raises GameError from `on_start` if Tux is not found in memory.
    """

    def __init__(self, *, goal_x: float) -> None:
        """`goal_x`: where the level ends, in pixels."""
        self._goal_x = goal_x
        self._address = 0
        self._start_x = self._furthest_x = 0.0

    def on_start(self, view: View) -> Verdict:
        """Find Tux."""
        found = view.memory.find(_SMALL_TUX)
        if not found:
            raise GameError(
                "Tux is not found in the memory of supertux2: another version than 0.6, or the"
                " level does not begin with a small Tux"
            )
        self._address = found[0] - 8
        x, _ = self._look(view)[:2]
        self._start_x = self._furthest_x = x
        return self.on_frame(view)

    def on_frame(self, view: View) -> Verdict:
        """Where is he, and does he live?"""
        x, y, is_dead = self._look(view)
        events = ("died",) if is_dead else ()
        if not is_dead:
            self._furthest_x = max(self._furthest_x, x)
        way = (self._furthest_x - self._start_x) / max(self._goal_x - self._start_x, 1.0)
        return Verdict(
            terminated=is_dead,
            progress=min(max(way, 0.0), 0.99),
            events=events,
            values={"x": x, "y": y, "goal_x": self._goal_x},
        )

    def on_exit(self, status: int) -> Verdict:
        """The game exits by itself only after the end of the level."""
        success = status == 0
        return Verdict(
            terminated=True,
            success=success,
            progress=1.0 if success else 0.0,
            events=("finished",) if success else (f"exit {status}",),
        )

    def _look(self, view: View) -> tuple[float, float, bool]:
        x, y, _, _, group = _BOX.unpack(view.memory.read(self._address, _BOX.size))
        return x, y, group == _DISABLED


def level_end_x(path: Path) -> float:
    """Where the end sequence of a level begins, in pixels. Raises GameError if it has none."""
    try:
        text = path.read_text()
    except OSError as error:
        raise GameError(
            f"no level {path}: {error}; levels are the .stl files in {LEVELS}"
        ) from None
    ends = []
    for part in text.split("(sequencetrigger")[1:]:
        if re.search(r'\(sequence\s+"endsequence"\)', part[:400]):
            place = re.search(r"\(x\s+(-?[\d.]+)\)", part[:400])
            ends.append(float(place.group(1)) if place else 0.0)
    if not ends:
        raise GameError(f"{path} has no end sequence; it is not a level that can be finished")
    return min(ends)


def game(level: str = "world1/welcome_antarctica", *, size: tuple[int, int] = (640, 480)) -> Game:
    """One level, for example `world1/welcome_antarctica`, at a window size.

    Raises GameError if there is no such level.
    """
    width, height = size
    path = LEVELS / f"{level}.stl"
    goal_x = level_end_x(path) if LEVELS.is_dir() else 0.0
    options = "--window --renderer sdl --disable-sound --disable-music --userdir {home}"
    return Game(
        name="supertux",
        title="SuperTux",
        command=("supertux2", *options.split(), "--geometry", f"{width}x{height}", str(path)),
        packages=("supertux",),
        size=size,
        rate_hz=200 / 3,  # one logic step per frame: the game counts 15 whole milliseconds
        display="none",
        locked=MENU_BUTTONS,
        startup=Actions.concatenate(  # skip the card with the level's name, and fade in
            [Actions.released(10), Actions.of("south", length=4), Actions.released(50)]
        ),
        judge=_Judges(goal_x),
        saves="fork",
        skips_drawing=True,
        deterministic=True,
    )


class _Judges:
    """Makes level judges; equal for equal levels, so that games can be compared."""

    def __init__(self, goal_x: float) -> None:
        self._goal_x = goal_x

    def __call__(self) -> LevelJudge:
        return LevelJudge(goal_x=self._goal_x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Judges) and self._goal_x == other._goal_x

    def __hash__(self) -> int:
        return hash(self._goal_x)


GAME = game()
"""The first level of the first world."""
