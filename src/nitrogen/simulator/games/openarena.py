"""OpenArena: a first-person shooter in an arena, against a computer player."""

import zipfile
from pathlib import Path, PurePath

from nitrogen.actions import MENU_BUTTONS, Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.games.levels import check_level

PACKS = Path("/usr/share/games/openarena/baseoa")
_BINDINGS = """bind PAD0_A "+moveup"
bind PAD0_B "+movedown"
bind PAD0_RIGHTTRIGGER "+attack"
bind PAD0_LEFTSTICK_UP "+forward"
bind PAD0_LEFTSTICK_DOWN "+back"
bind PAD0_LEFTSTICK_LEFT "+moveleft"
bind PAD0_LEFTSTICK_RIGHT "+moveright"
bind PAD0_RIGHTSTICK_LEFT "+left"
bind PAD0_RIGHTSTICK_RIGHT "+right"
bind PAD0_RIGHTSTICK_UP "+lookup"
bind PAD0_RIGHTSTICK_DOWN "+lookdown"
"""
_SETTINGS = {
    "com_basegame": "baseoa",
    "fs_basepath": "/usr/lib/openarena",
    "com_homepath": ".openarena",
    "com_legacyprotocol": "71",
    "com_protocol": "71",
    "com_standalone": "1",
    "com_introplayed": "1",
    "com_maxfps": "60",
    "cl_motd": "0",
    "net_enabled": "0",
    "cl_renderer": "opengl1",  # three times as fast on the processor as the one with shaders
    "r_vertexLight": "1",
    "r_dynamiclight": "0",
    "r_intensity": "2",  # a window has no gamma of its own
    "r_fullscreen": "0",
    "r_mode": "-1",
    "r_customwidth": "320",
    "r_customheight": "240",
    "r_ext_texture_filter_anisotropic": "0",
    "r_picmip": "1",
    "r_fastsky": "1",
    "s_initsound": "0",
    "in_joystick": "1",
    "g_log": "games.log",
    "g_logsync": "1",
}


def _maps() -> set[str]:
    names: set[str] = set()
    for path in PACKS.glob("*.pk3"):
        with zipfile.ZipFile(path) as pack:
            names.update(name for name in pack.namelist() if name.endswith(".bsp"))
    return {PurePath(name).stem for name in names}


def game(map: str = "oa_dm1", *, bots: tuple[str, ...] = ()) -> Game:
    """One map; `bots` are names of computer players, for example `sarge`.

    Raises GameError if there is no such map.
    """
    check_level("OpenArena", map, _maps())
    settings = [word for name, value in _SETTINGS.items() for word in ("+set", name, value)]
    players = [word for name in bots for word in ("+addbot", name, "3")]
    return Game(
        name="openarena",
        title="OpenArena",
        command=("/usr/lib/ioquake3/ioquake3", *settings, "+devmap", map, *players),
        packages=("openarena",),
        size=(320, 240),
        rate_hz=60.0,
        display="offscreen",
        files={".openarena/baseoa/autoexec.cfg": _BINDINGS},
        locked=MENU_BUTTONS,
        startup=Actions.released(120),
        saves="fork",
        deterministic=True,
        start_limit_s=180.0,
    )


GAME = game()
"""A small map, alone."""
