"""Presets of the OBS plugin input-overlay: a layout JSON and one texture atlas.

Facts of the format: elements are drawn in the order of the file; a pressed sprite lies below the
released one, three pixels apart; the nine sprites of a directional pad and the five of a player
light lie side by side; a trigger fills over its released sprite, or switches at a tenth.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nitrogen.errors import SkinError
from nitrogen.overlay.importers.draft import Draft, cut_out, picture
from nitrogen.overlay.skin import DPAD_STATES, Sprite

_GAP = 3
"""Pixels between neighbouring sprites of the atlas."""

_SDL = (
    "south", "east", "west", "north", "back", "guide", "start", "l3", "r3", "lb", "rb",
    "up", "down", "left", "right",
)  # fmt: skip
"""Buttons by code in today's presets."""

_OLD = (
    "south", "east", "west", "north", "lb", "rb", "back", "start", "guide", "l3", "r3",
    "left", "right", "up", "down",
)  # fmt: skip
_OLD_BASE = 0xEC00
"""Presets of version 4 and older count from here."""

_TEXTURE, _BUTTON, _STICK, _TRIGGER, _PLAYER, _DPAD = 0, 2, 5, 6, 7, 8
_OTHER = {1: "keyboard key", 3: "mouse button", 4: "mouse wheel", 9: "mouse movement"}
_DIRECTIONS = {1: "up", 2: "down", 3: "left", 4: "right"}
_PRESSED_LIGHT = 4
_STRAIGHT = 5
"""Directional sprites that a preset cannot do without: neutral and four directions."""


def recognise(source: Path) -> Path | None:
    """The layout file in a folder (or the file itself), if it is a preset of this kind."""
    files = [source] if source.is_file() else sorted(source.glob("*.json"))
    return next((file for file in files if _elements(file) is not None), None)


def read(source: Path, *, style: str | None = None) -> Draft:
    """A preset as a draft.

    style: name of the texture where a folder has several. Raises SkinError, naming the file and
    what is missing in it.
    """
    layout = recognise(source)
    if layout is None:
        raise SkinError(f"{source} has no layout JSON with 'elements'; is it a preset?")
    values, elements = json.loads(layout.read_text()), _elements(layout) or []
    texture = _texture(layout, style)
    atlas = picture(texture, needed_by=str(layout))
    canvas = (int(values.get("overlay_width", 0)), int(values.get("overlay_height", 0)))
    if min(canvas) <= 0:
        raise SkinError(f"{layout}: overlay_width and overlay_height are missing")
    draft = Draft(name=texture.stem, canvas=canvas, source=f"{layout.name}, {texture.name}")
    for index, element in enumerate(elements):
        _Element(element, atlas, f"{layout}: element {element.get('id', index)!r}").add_to(draft)
    return draft


def _elements(path: Path) -> list[dict[str, Any]] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = values.get("elements") if isinstance(values, dict) else None
    return found if isinstance(found, list) and "overlay_width" in values else None


def _texture(layout: Path, style: str | None) -> Path:
    pictures = sorted(layout.parent.glob("*.png"))
    wanted = style or layout.stem
    exact = [file for file in pictures if file.stem == wanted]
    if exact or (len(pictures) == 1 and style is None):
        return (exact or pictures)[0]
    if not pictures:
        raise SkinError(f"{layout} needs a texture: no PNG beside it")
    names = ", ".join(file.stem for file in pictures)
    raise SkinError(f"{layout}: which texture? Name one with --style: {names}")


class _Element:
    """One element of a layout."""

    def __init__(self, values: dict[str, Any], atlas: Sprite, what: str) -> None:
        self._values, self._atlas, self._what = values, atlas, what

    def add_to(self, draft: Draft) -> None:
        """Add the layers that this element stands for."""
        kinds = {
            _TEXTURE: self._image, _BUTTON: self._button, _STICK: self._stick,
            _TRIGGER: self._trigger, _PLAYER: self._player, _DPAD: self._dpad,
        }  # fmt: skip
        kind = self._values.get("type")
        if kind in kinds:
            kinds[kind](draft)
        elif kind in _OTHER:
            draft.skipped.append(f"{self._what} is a {_OTHER[kind]}")
        else:
            raise SkinError(f"{self._what} has the unknown type {kind!r}")

    def _image(self, draft: Draft) -> None:
        draft.image(self._sprite(), self._pos())

    def _button(self, draft: Draft) -> None:
        code = int(self._values.get("code", -1))
        names, code = (_OLD, code - _OLD_BASE) if code >= _OLD_BASE else (_SDL, code)
        if not 0 <= code < len(names):
            draft.image(self._sprite(), self._pos())
            draft.skipped.append(f"{self._what} has the button code {self._values.get('code')}")
        else:
            draft.button(names[code], self._pos(), self._sprite(down=1), self._sprite())

    def _stick(self, draft: Draft) -> None:
        radius = self._values.get("stick_radius")
        if not isinstance(radius, int | float):
            raise SkinError(f"{self._what} is a stick without stick_radius")
        draft.stick(
            "right" if self._values.get("side") == 1 else "left",
            self._pos(),
            self._sprite(),
            down=self._sprite(down=1),
            travel=(float(radius), float(radius)),
        )

    def _trigger(self, draft: Draft) -> None:
        name = "rt" if self._values.get("side") == 1 else "lt"
        draft.image(self._sprite(), self._pos(), label=f"{name}_up")
        if self._values.get("trigger_mode"):
            draft.trigger(name, self._pos(), self._sprite(down=1), mode="switch")
            return
        direction = _DIRECTIONS.get(self._values.get("direction", 1))
        if direction is None:
            raise SkinError(f"{self._what} fills in direction {self._values['direction']!r}")
        draft.trigger(name, self._pos(), self._sprite(down=1), mode="fill", direction=direction)

    def _player(self, draft: Draft) -> None:
        draft.button("guide", self._pos(), self._sprite(right=_PRESSED_LIGHT))

    def _dpad(self, draft: Draft) -> None:
        states = {
            state: self._sprite(right=index) for index, state in enumerate(DPAD_STATES[:_STRAIGHT])
        }
        _, _, width, height = self._numbers("mapping", 4)
        for index, state in enumerate(DPAD_STATES[_STRAIGHT:], _STRAIGHT):
            try:
                states[state] = self._sprite(right=index)
            except SkinError:
                draft.skipped.append(f"{self._what} has no sprite for the diagonal {state!r}")
                states[state] = np.zeros((height, width, 4), np.uint8)
        draft.dpad(self._pos(), states)

    def _sprite(self, *, right: int = 0, down: int = 0) -> Sprite:
        x, y, width, height = self._numbers("mapping", 4)
        box = (x + right * (width + _GAP), y + down * (height + _GAP), width, height)
        return cut_out(self._atlas, box, what=self._what)

    def _pos(self) -> tuple[float, float]:
        x, y = self._numbers("pos", 2)
        return float(x), float(y)

    def _numbers(self, key: str, count: int) -> list[int]:
        found = self._values.get(key)
        if not isinstance(found, list) or len(found) != count:
            raise SkinError(f"{self._what}: {key} must be a list of {count} numbers")
        return [round(float(value)) for value in found]
