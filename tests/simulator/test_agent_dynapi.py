"""The agent knows the places of functions in SDL's own tables; here real libraries are asked."""

import ctypes
import ctypes.util
import importlib.util
import platform
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "agent/linux/dynapi.c"
ROW = re.compile(r'\{"(SDL_\w+)", \{(-?\d+), (-?\d+)\}\}')
JUMP = b"\xff\x25"  # jmp *offset(%rip): what each exported function of SDL begins with
SLOTS = 2000


def known_places(major: int) -> dict[str, int]:
    rows = ROW.findall(SOURCE.read_text())
    assert len(rows) > 50
    return {name: int(places[major - 2]) for name, *places in rows if int(places[major - 2]) >= 0}


def sdl(major: int) -> ctypes.CDLL:
    found = ctypes.util.find_library("SDL2-2.0" if major == 2 else "SDL3")
    if found is None and major == 3:
        spec = importlib.util.find_spec("tcod")
        brought = Path(spec.origin).parents[1].glob("tcod.libs/libSDL3*") if spec else iter(())
        found = next((str(path) for path in brought), None)
    if found is None:
        pytest.skip("needs SDL 2 (libsdl2-2.0-0) and SDL 3 (libsdl3-0, or pip install tcod)")
    return ctypes.CDLL(found)


def slot(library: ctypes.CDLL, name: str) -> int:
    """Address of the pointer through which the exported function jumps."""
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    at = ctypes.string_at(address, 16).index(JUMP)
    offset = int.from_bytes(ctypes.string_at(address + at + 2, 4), "little", signed=True)
    return address + at + 6 + offset


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 code")
@pytest.mark.parametrize("major", [2, 3])
def test_places(major: int):
    library, places = sdl(major), known_places(major)
    library.SDL_WasInit(0)  # fills SDL's table
    anchor = slot(library, "SDL_Init") - 8 * places["SDL_Init"]
    for name, place in places.items():
        assert slot(library, name) == anchor + 8 * place, name
    table = (ctypes.c_void_p * SLOTS)()
    last = max(places.values())
    assert library.SDL_DYNAPI_entry(major - 1, table, 8 * (last + 1)) == 0
    assert (
        table[places["SDL_Init"]] == ctypes.c_void_p.from_address(slot(library, "SDL_Init")).value
    )
