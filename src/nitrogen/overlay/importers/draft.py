"""A `padskin/1` folder in the making: what every importer fills.

Knows layers, sprites and the folder's format; knows nothing of where skins come from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import SkinError
from nitrogen.files import replacing_folder
from nitrogen.overlay.skin import FORMAT, Skin, Sprite, load_skin, read_png

Point = tuple[float, float]


@dataclass
class Draft:
    """The layers of one skin in drawing order, and who made it."""

    name: str
    canvas: tuple[int, int]
    source: str
    author: str = ""
    licence: str = ""
    layers: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """What the source has and `padskin/1` has no place for."""
    _sprites: dict[str, Sprite] = field(default_factory=dict)

    def image(self, sprite: Sprite, pos: Point, *, label: str = "base") -> None:
        """Add a picture that is always there; nothing if it is empty."""
        (cut,), at = trim([sprite], pos)
        if cut.size:
            self.layers.append({"kind": "image", "file": self._keep(cut, label), "pos": at})

    def button(self, name: str, pos: Point, down: Sprite, up: Sprite | None = None) -> None:
        """Add a button by its short name (`south`, `lb`, ...)."""
        both, at = trim([down] if up is None else [down, up], pos)
        layer = {"kind": "button", "name": name, "file_down": self._keep(both[0], f"{name}_down")}
        if up is not None:
            layer["file_up"] = self._keep(both[1], f"{name}_up")
        whole = {**layer, "pos": at}
        if whole not in self.layers:  # some skins have the same button under two names
            self.layers.append(whole)

    def dpad(self, pos: Point, states: dict[str, Sprite]) -> None:
        """Add a directional pad with one sprite per direction."""
        sprites, at = trim(list(states.values()), pos)
        files = {
            state: self._keep(sprite, f"dpad_{state}")
            for state, sprite in zip(states, sprites, strict=True)
        }
        self.layers.append({"kind": "dpad", "files": files, "pos": at})

    def trigger(
        self, name: str, pos: Point, sprite: Sprite, *, mode: Literal["fill", "fade", "switch"],
        direction: str = "up", reverse: bool = False,
    ) -> None:  # fmt: skip
        """Add a trigger; a filling sprite keeps its size, as the filling goes by it."""
        (cut,), at = ([sprite], [*pos]) if mode == "fill" else trim([sprite], pos)
        self.layers.append(
            {"kind": "trigger", "name": name, "file": self._keep(cut, name), "pos": at,
             "mode": mode, "direction": direction, "reverse": reverse}
        )  # fmt: skip

    def stick(
        self, side: Literal["left", "right"], pos: Point, up: Sprite, *, down: Sprite | None,
        travel: Point, tilt: float = 0.0,
    ) -> None:  # fmt: skip
        """Add a stick; its sprite keeps its size, as it leans about its middle."""
        letter = side[0]
        layer = {"kind": "stick", "name": letter, "file_up": self._keep(up, f"stick_{letter}"),
                 "pos": [*pos], "range": [*travel], "tilt": tilt}  # fmt: skip
        if down is not None:
            layer["file_down"] = self._keep(down, f"stick_{letter}_down")
        self.layers.append(layer)

    def write(self, folder: Path) -> Skin:
        """Write the skin's folder, whole or not at all, and read it back.

        Raises SkinError if the folder holds something else, nothing is shown or the disk refuses.
        """
        folder = Path(folder)
        if folder.exists() and not (folder / "skin.json").is_file():
            raise SkinError(f"{folder} exists and is no skin; name a new folder")
        if all(layer["kind"] == "image" for layer in self.layers):
            raise SkinError(f"{self.source} shows no control that a gamepad has; nothing to import")
        values = {
            "format": FORMAT, "name": self.name, "source": self.source,
            "licence": self.licence or "unknown", "author": self.author or "unknown",
            "canvas": list(self.canvas), "layers": self.layers,
        }  # fmt: skip
        try:
            with replacing_folder(folder) as partial:
                (partial / "sprites").mkdir()
                for file, sprite in self._sprites.items():
                    (partial / file).write_bytes(png(sprite))
                (partial / "skin.json").write_text(json.dumps(values, indent=1) + "\n")
        except OSError as error:
            raise SkinError(f"{folder} cannot be written: {error}") from error
        return load_skin(folder)

    def _keep(self, sprite: Sprite, label: str) -> str:
        for file, kept in self._sprites.items():
            if np.array_equal(kept, sprite):
                return file
        file = f"sprites/{len(self._sprites) + 1:02d}_{label}.png"
        self._sprites[file] = sprite
        return file


def trim(sprites: list[Sprite], pos: Point) -> tuple[list[Sprite], list[float]]:
    """The sprites without the transparent rim that they share, and their new place."""
    seen = np.zeros(sprites[0].shape[:2], np.bool_)
    for sprite in sprites:
        seen |= sprite[..., 3] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return [sprite[:0, :0] for sprite in sprites], [*pos]
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    at = [float(pos[0] + columns[0]), float(pos[1] + rows[0])]
    return [np.ascontiguousarray(sprite[part]) for sprite in sprites], at


_LETTERS = {"?A": "south", "?B": "east", "?X": "west", "?Y": "north"}


def by_place(middles: Mapping[str, Point]) -> dict[str, str]:
    """Short names for controls by their names; `?A ?B ?X ?Y` are named by where they are.

    Makers disagree on the letters, never on the places. Of two, the left one is south.
    """
    names = {name: _LETTERS.get(name, name) for name in middles}
    faces = {name: at for name, at in middles.items() if name in _LETTERS}
    right = max(faces, key=lambda name: faces[name][0], default="")
    left = min(faces, key=lambda name: faces[name][0], default="")
    lowest = max(faces, key=lambda name: faces[name][1], default="")
    highest = min(faces, key=lambda name: faces[name][1], default="")
    if len({right, left, lowest, highest}) == len(_LETTERS):
        names |= {right: "east", left: "west", lowest: "south", highest: "north"}
    elif len(faces) == 2:
        names |= {left: "south", right: "east"}
    return names


def png(sprite: Sprite) -> bytes:
    """A sprite as the bytes of a PNG."""
    if not sprite.size:
        sprite = np.zeros((1, 1, 4), np.uint8)
    return cv2.imencode(".png", cv2.cvtColor(sprite, cv2.COLOR_RGBA2BGRA))[1].tobytes()


def cut_out(atlas: Sprite, box: tuple[int, int, int, int], *, what: str) -> Sprite:
    """The part x, y, width, height of an atlas; what lies over its edge is transparent.

    Raises SkinError, naming `what`, if the part lies outside altogether.
    """
    x, y, width, height = box
    found = atlas[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    if width <= 0 or height <= 0 or not found.size:
        raise SkinError(
            f"{what}: the sprite at x, y, width, height = {box} is missing, its texture has"
            f" {atlas.shape[1]}x{atlas.shape[0]} pixels; is it the right texture?"
        )
    part = np.zeros((height, width, 4), np.uint8)
    top, left = max(-y, 0), max(-x, 0)
    part[top : top + found.shape[0], left : left + found.shape[1]] = found
    return part


def resized(sprite: Sprite, size: tuple[int, int]) -> Sprite:
    """A sprite at (width, height), without dark rims where it is transparent."""
    if size == (sprite.shape[1], sprite.shape[0]):
        return sprite
    mass = sprite.astype(np.float32)
    mass[..., :3] *= mass[..., 3:] / 255
    smaller = size[0] < sprite.shape[1] or size[1] < sprite.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    mass = np.asarray(cv2.resize(mass, size, interpolation=method), np.float32)
    alpha: NDArray[np.float32] = np.maximum(mass[..., 3:], 1e-6)
    mass[..., :3] *= 255 / alpha
    return np.clip(np.round(mass), 0, 255).astype(np.uint8)


def picture(path: Path, *, needed_by: str) -> Sprite:
    """The PNG at `path`. Raises SkinError, naming file and user, if it is missing or damaged."""
    if not path.is_file():
        raise SkinError(f"{needed_by} needs the picture {path}, which is missing")
    return read_png(path)
