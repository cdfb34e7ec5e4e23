"""Skins of RetroSpy (and NintendoSpy): `skin.xml` and PNG pictures.

Facts of the format: a background, then details, triggers, buttons and sticks, drawn in this order;
pictures are stretched to `width` and `height`; `section` elements add controls for one kind of
console; `target` and `ignore` bind an element to backgrounds by name.
"""

from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np

from nitrogen.errors import SkinError
from nitrogen.overlay.importers.draft import Draft, by_place, picture, resized
from nitrogen.overlay.skin import Sprite

_CONTROLS = {
    "up": "up", "down": "down", "left": "left", "right": "right",
    "cross": "south", "circle": "east", "square": "west", "triangle": "north",
    "l": "lb", "r": "rb", "l1": "lb", "r1": "rb", "lb": "lb", "rb": "rb",
    "l2": "lt", "r2": "rt", "zl": "lt", "zr": "rt", "lt": "lt", "rt": "rt",
    "trig_l_d": "lt", "trig_r_d": "rt",
    "select": "back", "share": "back", "back": "back", "view": "back", "minus": "back", "-": "back",
    "create": "back", "start": "start", "options": "start", "menu": "start", "plus": "start",
    "+": "start", "home": "guide", "ps": "guide", "guide": "guide", "xbox": "guide",
    "l3": "l3", "r3": "r3", "ls": "l3", "rs": "r3", "lstick": "l3", "rstick": "r3",
}  # fmt: skip
"""Names that mean the same on every pad."""

_NUMBERS = {
    "b0": "south", "b1": "east", "b2": "west", "b3": "north", "b4": "lb", "b5": "rb",
    "b6": "back", "b7": "start",
}  # fmt: skip

_LETTERS = {
    "nintendo": {"b": "south", "a": "east", "y": "west", "x": "north"},
    "gamecube": {"a": "south", "x": "east", "b": "west", "y": "north", "z": "rb", "l": "lt",
                 "r": "rt"},
    "playstation": {"x": "south"},
    "generic": {**_NUMBERS, "b8": "l3", "b9": "r3"},
    "mister": {**_NUMBERS, "b8": "guide", "b9": "l3", "b10": "r3"},
    "other": {"a": "south", "b": "east", "x": "west", "y": "north"},
}  # fmt: skip
"""Letters and numbers by kind of console; elsewhere the letters are as on an Xbox."""

_NINTENDO = ("switch", "snes", "nes", "n64", "wii", "gba", "virtualboy", "classic")
_TRIGGERS = {
    "trig_l": "lt", "l_trig": "lt", "l2": "lt", "lt": "lt", "ltrig": "lt", "z": "lt",
    "trig_r": "rt", "r_trig": "rt", "r2": "rt", "rt": "rt", "rtrig": "rt", "rz": "rt",
}  # fmt: skip
_STICKS: dict[str, Literal["left", "right"]] = {
    "lstick_x": "left", "stick_x": "left", "x": "left", "lx": "left", "left_x": "left",
    "rstick_x": "right", "cstick_x": "right", "rx": "right", "right_x": "right",
}  # fmt: skip
_DIRECTIONS = ("up", "down", "left", "right")


def recognise(source: Path) -> Path | None:
    """The `skin.xml` in a folder (or the file itself), if it is one of this kind."""
    file = source if source.is_file() else source / "skin.xml"
    return file if file.suffix == ".xml" and file.is_file() else None


def read(source: Path, *, style: str | None = None) -> Draft:
    """A RetroSpy skin as a draft.

    style: the kind of console (`type`) or the background, where a skin has several. Raises
    SkinError, naming the file and what is missing in it.
    """
    path = recognise(source)
    if path is None:
        raise SkinError(f"{source} has no skin.xml; is it a RetroSpy skin?")
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise SkinError(f"{path} cannot be read as XML: {error}") from error
    if root.tag != "skin":
        raise SkinError(f"{path}: the outermost element is <{root.tag}>, not <skin>")
    return _Reader(path, root, style).draft()


class _Reader:
    """One skin being read for one kind of console and one background."""

    def __init__(self, path: Path, root: ElementTree.Element, style: str | None) -> None:
        self._path, self._root = path, root
        kinds = [kind for kind in root.get("type", "").split(";") if kind]
        backgrounds = root.findall("background")
        names = [found.get("name", "") for found in backgrounds]
        if not backgrounds:
            raise SkinError(f"{path}: no <background>; every RetroSpy skin needs one")
        if style is not None and style not in (*kinds, *names):
            raise SkinError(f"{path} has no style {style!r}; styles: {', '.join((*kinds, *names))}")
        self._kind = style if style in kinds else (kinds[0] if kinds else "")
        self._background = backgrounds[names.index(style) if style in names else 0]
        self._faces = self._face_buttons()

    def draft(self) -> Draft:
        """Everything that the skin shows for this kind of console."""
        base = self._base()
        draft = Draft(
            name=self._path.parent.name,
            canvas=(base.shape[1], base.shape[0]),
            source=f"{self._path.parent.name}/{self._path.name} ({self._root.get('name', '')})",
            author=self._root.get("author", ""),
        )
        draft.image(base, (0, 0))
        for element in self._all("detail"):
            draft.image(self._sprite(element), self._pos(element), label="detail")
        for element in self._all("analog"):
            self._trigger(element, draft)
        for element in self._all("button"):
            self._button(element, draft)
        for element in self._all("stick"):
            self._stick(element, draft)
        for tag in ("rangebutton", "touchpad", "analogtext"):
            draft.skipped += [f"{self._where(found)} is a {tag}" for found in self._all(tag)]
        return draft

    def _base(self) -> Sprite:
        file, colour = self._background.get("image"), self._background.get("color")
        if file:
            base = picture(self._file(file), needed_by=f"{self._path}: <background>")
            size = self._size(self._background, (base.shape[1], base.shape[0]))
            return resized(base, size)
        width, height = self._size(self._background, (0, 0))
        if not width or not height:
            raise SkinError(f"{self._path}: a <background> needs an image, or width and height")
        base = np.zeros((height, width, 4), np.uint8)
        base[:] = _colour(colour, self._path)
        return base

    def _all(self, tag: str) -> list[ElementTree.Element]:
        """Elements of a kind, outside sections and in those for this console."""
        sections = [
            section
            for section in self._root.findall("section")
            if self._kind in section.get("type", "").split(";")
        ]
        found = [element for part in (self._root, *sections) for element in part.findall(tag)]
        name = self._background.get("name", "")
        return [
            element
            for element in found
            if name in (element.get("target") or name).split(";")
            and name not in (element.get("ignore") or "").split(";")
        ]

    def _button(self, element: ElementTree.Element, draft: Draft) -> None:
        name = element.get("name", "").lower().removeprefix("analog_")
        control = self._faces.get(name) or _CONTROLS.get(name)
        if control is None:
            draft.skipped.append(f"{self._where(element)} is no button of ours")
            return
        draft.button(control, self._pos(element), self._sprite(element))

    def _face_buttons(self) -> dict[str, str]:
        """Names of letters and numbers on this pad: by place where all four are there."""
        family = next((key for key in _LETTERS if self._kind.startswith(key)), "other")
        if self._kind.startswith(_NINTENDO):
            family = "nintendo"
        known = _LETTERS[family]
        places = {
            element.get("name", "").lower(): self._pos(element) for element in self._all("button")
        }
        for four in (("a", "b", "x", "y"), ("b0", "b1", "b2", "b3")):
            if family != "gamecube" and all(name in places for name in four):
                found = by_place(
                    {f"?{letter}": places[name] for letter, name in zip("ABXY", four, strict=True)}
                )
                named = zip(four, "ABXY", strict=True)
                known = known | {name: found[f"?{letter}"] for name, letter in named}
        return known

    def _trigger(self, element: ElementTree.Element, draft: Draft) -> None:
        name = element.get("name", "").lower()
        if name.startswith("analog_"):
            self._button(element, draft)
            return
        control = "rt" if element.get("usenegative") == "true" else _TRIGGERS.get(name)
        if control is None:
            draft.skipped.append(f"{self._where(element)} is no trigger of ours")
            return
        direction = element.get("direction", "")
        if direction not in (*_DIRECTIONS, "fade"):
            raise SkinError(
                f"{self._where(element)}: direction must be one of {_DIRECTIONS} or fade, not"
                f" {direction!r}"
            )
        draft.trigger(
            control, self._pos(element), self._sprite(element),
            mode="fade" if direction == "fade" else "fill",
            direction="up" if direction == "fade" else direction,
            reverse=element.get("reverse") == "true",
        )  # fmt: skip

    def _stick(self, element: ElementTree.Element, draft: Draft) -> None:
        side = _STICKS.get(element.get("xname", "").lower())
        if side is None:
            draft.skipped.append(f"{self._where(element)} is no stick of ours")
            return
        travel = (self._number(element, "xrange"), self._number(element, "yrange"))
        draft.stick(side, self._pos(element), self._sprite(element), down=None, travel=travel)

    def _sprite(self, element: ElementTree.Element) -> Sprite:
        file = element.get("image")
        if not file:
            raise SkinError(f"{self._where(element)} has no image")
        sprite = picture(self._file(file), needed_by=self._where(element))
        return resized(sprite, self._size(element, (sprite.shape[1], sprite.shape[0])))

    def _file(self, name: str) -> Path:
        return self._path.parent / name.replace("\\", "/")

    def _pos(self, element: ElementTree.Element) -> tuple[float, float]:
        return self._number(element, "x"), self._number(element, "y")

    def _size(self, element: ElementTree.Element, default: tuple[int, int]) -> tuple[int, int]:
        keys = zip(("width", "height"), default, strict=True)
        width, height = (
            round(self._number(element, key)) if element.get(key) else value for key, value in keys
        )
        return width, height

    def _number(self, element: ElementTree.Element, key: str) -> float:
        try:
            return float(element.get(key, ""))
        except ValueError:
            raise SkinError(
                f"{self._where(element)}: {key} must be a number, not {element.get(key)!r}"
            ) from None

    def _where(self, element: ElementTree.Element) -> str:
        name = element.get("name") or element.get("xname") or element.get("image") or ""
        return f"{self._path}: <{element.tag}> {name!r}"


_NAMED = {"white": "FFFFFF", "black": "000000", "gray": "808080", "transparent": "00000000"}


def _colour(text: str | None, path: Path) -> tuple[int, int, int, int]:
    """RGBA of `#RRGGBB`, `#AARRGGBB` or a plain name; nothing means transparent."""
    if not text:
        return 0, 0, 0, 0
    digits = _NAMED.get(text.lower(), text.removeprefix("#"))
    try:
        values = bytes.fromhex(digits)
        alpha, red, green, blue = values if len(values) == 4 else (255, *values)
    except ValueError:
        raise SkinError(
            f"{path}: the background's color {text!r} must be written #RRGGBB"
        ) from None
    return red, green, blue, alpha
