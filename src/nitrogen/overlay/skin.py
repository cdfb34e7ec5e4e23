"""A skin: the picture of a controller that streamers overlay on their video, taken apart.

A skin folder (`padskin/1`) holds `skin.json` and PNG sprites. The picture is a stack of layers in
canvas pixels, drawn in order: images that are always there, buttons, directional pads, triggers
and sticks. Knows files and sprites; drawing is `overlay.render`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import SkinError

FORMAT = "padskin/1"
SHIPPED = Path(__file__).parent / "skins"
"""Our own skins, drawn by `scripts/draw_skins.py`, CC0."""

CONTROLS = {
    "south": "south", "east": "east", "west": "west", "north": "north",
    "lb": "left_shoulder", "rb": "right_shoulder", "lt": "left_trigger", "rt": "right_trigger",
    "back": "back", "start": "start", "guide": "guide", "l3": "left_thumb", "r3": "right_thumb",
    "up": "dpad_up", "down": "dpad_down", "left": "dpad_left", "right": "dpad_right",
}  # fmt: skip
"""Names in `skin.json` to names of buttons; by position, so Nintendo's B is south."""

DPAD_STATES = ("c", "l", "r", "u", "d", "ul", "ur", "dl", "dr")
"""Neutral, the four directions and the four diagonals."""

Sprite = NDArray[np.uint8]
"""(H, W, 4) RGBA, straight alpha."""


@dataclass(frozen=True, eq=False)
class ImageLayer:
    """Always drawn."""

    pos: tuple[float, float]
    sprite: Sprite


@dataclass(frozen=True, eq=False)
class ButtonLayer:
    """`down` while pressed, else `up` if there is one."""

    button: str
    pos: tuple[float, float]
    up: Sprite | None
    down: Sprite


@dataclass(frozen=True, eq=False)
class DpadLayer:
    """One of nine sprites by direction; missing diagonals show the horizontal direction."""

    pos: tuple[float, float]
    states: dict[str, Sprite]


@dataclass(frozen=True, eq=False)
class TriggerLayer:
    """A sprite that shows the travel: filled from one side, faded in, or switched on from 0.12."""

    button: str
    pos: tuple[float, float]
    sprite: Sprite
    mode: Literal["fill", "fade", "switch"]
    direction: Literal["up", "down", "left", "right"]
    """Towards which the filling grows."""
    reverse: bool


@dataclass(frozen=True, eq=False)
class StickLayer:
    """A sprite moved by `travel` times the axis and tilted; `down` replaces it while clicked."""

    side: Literal["left", "right"]
    pos: tuple[float, float]
    up: Sprite
    down: Sprite | None
    travel: tuple[float, float]
    """Canvas pixels at full deflection, x and y."""
    tilt: float
    """Degrees by which the sprite leans at full deflection, as `rotateX`, `rotateY` in CSS."""


Layer = ImageLayer | ButtonLayer | DpadLayer | TriggerLayer | StickLayer

SWITCH = 0.12
"""Travel from which a trigger of mode `switch` shows."""


@dataclass(frozen=True, eq=False)
class Skin:
    """A controller picture and how it moves."""

    name: str
    canvas: tuple[int, int]
    """Width and height."""
    layers: tuple[Layer, ...]
    author: str
    licence: str
    folder: Path

    @property
    def buttons(self) -> frozenset[str]:
        """The buttons that this skin can show."""
        shown: set[str] = set()
        for layer in self.layers:
            if isinstance(layer, ButtonLayer | TriggerLayer):
                shown.add(layer.button)
            elif isinstance(layer, DpadLayer):
                shown |= {"dpad_up", "dpad_down", "dpad_left", "dpad_right"}
            elif isinstance(layer, StickLayer) and layer.down is not None:
                shown.add(f"{layer.side}_thumb")
        return frozenset(shown)

    @property
    def switched(self) -> dict[str, float]:
        """The triggers that this skin shows as a switch, and from which travel on."""
        return {
            layer.button: SWITCH
            for layer in self.layers
            if isinstance(layer, TriggerLayer) and layer.mode == "switch"
        }

    @property
    def sticks(self) -> frozenset[str]:
        """The sticks that this skin can show: `left`, `right`."""
        return frozenset(layer.side for layer in self.layers if isinstance(layer, StickLayer))


def load_skin(folder: Path) -> Skin:
    """Read and check one skin folder.

    Raises SkinError, naming file and key, if anything is missing, unknown or unreadable.
    """
    path = Path(folder) / "skin.json"
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise SkinError(f"no skin.json in {folder}; a skin is a {FORMAT} folder") from None
    except (OSError, ValueError) as error:
        raise SkinError(f"{path} cannot be read as JSON: {error}") from error
    reader = _Reader(Path(folder), str(path))
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise SkinError(f"{path}: expected an object with the format {FORMAT!r}")
    width, height = reader.pair(values, "canvas")
    if not (0 < width <= 8192 and 0 < height <= 8192):
        raise SkinError(f"{path}: canvas must lie in 1..8192 pixels, not {width}x{height}")
    layers = values.get("layers")
    if not isinstance(layers, list) or not layers:
        raise SkinError(f"{path}: layers must be a list with at least one layer")
    return Skin(
        name=str(values.get("name") or Path(folder).name),
        canvas=(round(width), round(height)),
        layers=tuple(reader.layer(layer, index) for index, layer in enumerate(layers)),
        author=str(values.get("author", "")),
        licence=str(values.get("licence", "")),
        folder=Path(folder),
    )


def load_skins(folder: Path) -> list[Skin]:
    """All skins in the subfolders of `folder`, by name. Raises SkinError if there is none."""
    if not Path(folder).is_dir():
        raise SkinError(f"no folder {folder}")
    found = sorted(path.parent for path in Path(folder).glob("*/skin.json"))
    if not found:
        raise SkinError(f"no skins in {folder}; each is a folder with a skin.json ({FORMAT})")
    return [load_skin(path) for path in found]


def shipped_skins() -> list[Skin]:
    """Our own skins."""
    return load_skins(SHIPPED)


def find_skin(name: str, *, folders: Sequence[Path] = ()) -> Skin:
    """The skin called `name`: a path to a skin folder, a shipped skin or one in `folders`.

    Raises SkinError with the known names if there is none.
    """
    for folder in (*folders, SHIPPED):
        if (Path(folder) / name / "skin.json").is_file():
            return load_skin(Path(folder) / name)
    if (Path(name) / "skin.json").is_file():
        return load_skin(Path(name))
    known = sorted(at.parent.name for at in SHIPPED.glob("*/skin.json"))
    known += sorted(at.parent.name for folder in folders for at in folder.glob("*/skin.json"))
    raise SkinError(f"no skin {name!r}; known skins: {', '.join(known) or 'none'}")


_DIRECTIONS = ("up", "down", "left", "right")


class _Reader:
    """Reads layers of one skin and says where it fails."""

    def __init__(self, folder: Path, where: str) -> None:
        self._folder, self._where, self._sprites = folder, where, dict[str, Sprite]()

    def layer(self, values: Any, index: int) -> Layer:
        where = f"layer {index}"
        if not isinstance(values, dict):
            raise SkinError(f"{self._where}: {where} must be an object")
        kinds: dict[str, Callable[[dict[str, Any]], Layer]] = {
            "image": self._image,
            "button": self._button,
            "dpad": self._dpad,
            "trigger": self._trigger,
            "stick": self._stick,
        }
        make = kinds.get(str(values.get("kind")))
        if make is None:
            raise SkinError(
                f"{self._where}: {where} has the kind {values.get('kind')!r}, not one of {[*kinds]}"
            )
        return make(values)

    def _image(self, values: dict[str, Any]) -> ImageLayer:
        self._check(values, {"file", "pos"})
        return ImageLayer(self.pair(values, "pos"), self._sprite(values, "file"))

    def _button(self, values: dict[str, Any]) -> ButtonLayer:
        self._check(values, {"name", "file_down", "pos"}, {"file_up"})
        return ButtonLayer(
            self._control(values),
            self.pair(values, "pos"),
            self._sprite(values, "file_up") if values.get("file_up") else None,
            self._sprite(values, "file_down"),
        )

    def _dpad(self, values: dict[str, Any]) -> DpadLayer:
        self._check(values, {"files", "pos"})
        files = values["files"]
        needed, known = set(DPAD_STATES[:5]), set(DPAD_STATES)
        if not isinstance(files, dict) or not needed <= set(files) <= known:
            raise SkinError(f"{self._where}: dpad files need the states {DPAD_STATES[:5]}")
        states = {state: self._sprite(files, state) for state in files}
        for state in DPAD_STATES[5:]:
            states.setdefault(state, states[state[1]])
        return DpadLayer(self.pair(values, "pos"), states)

    def _trigger(self, values: dict[str, Any]) -> TriggerLayer:
        self._check(values, {"name", "file", "pos", "mode"}, {"direction", "reverse"})
        return TriggerLayer(
            self._control(values),
            self.pair(values, "pos"),
            self._sprite(values, "file"),
            self._one_of(values, "mode", ("fill", "fade", "switch")),
            self._one_of({"direction": "up", **values}, "direction", _DIRECTIONS),
            bool(values.get("reverse", False)),
        )

    def _stick(self, values: dict[str, Any]) -> StickLayer:
        self._check(values, {"name", "file_up", "pos", "range"}, {"file_down", "tilt"})
        return StickLayer(
            {"l": "left", "r": "right"}[self._one_of(values, "name", ("l", "r"))],  # type: ignore[arg-type]
            self.pair(values, "pos"),
            self._sprite(values, "file_up"),
            self._sprite(values, "file_down") if values.get("file_down") else None,
            self.pair(values, "range"),
            float(values.get("tilt") or 0.0),
        )

    def _check(
        self, values: dict[str, Any], needed: set[str], optional: Iterable[str] = ()
    ) -> None:
        known = needed.union(optional)
        missing, unknown = needed - set(values), set(values) - known - {"kind"}
        if missing or unknown:
            raise SkinError(
                f"{self._where}: a {values['kind']} layer lacks {sorted(missing)} or has unknown"
                f" keys {sorted(unknown)}; known keys: {sorted(known)}"
            )

    def _control(self, values: dict[str, Any]) -> str:
        return CONTROLS[self._one_of(values, "name", tuple(CONTROLS))]

    def _one_of(self, values: dict[str, Any], key: str, allowed: Sequence[str]) -> Any:
        if values[key] not in allowed:
            raise SkinError(
                f"{self._where}: {key} must be one of {[*allowed]}, not {values[key]!r}"
            )
        return values[key]

    def pair(self, values: dict[str, Any], key: str) -> tuple[float, float]:
        try:
            first, second = (float(value) for value in values[key])
        except (KeyError, TypeError, ValueError):
            raise SkinError(f"{self._where}: {key} must be a list of two numbers") from None
        if not np.isfinite([first, second]).all():
            raise SkinError(f"{self._where}: {key} must be finite")
        return first, second

    def _sprite(self, values: dict[str, Any], key: str) -> Sprite:
        name = str(values[key])
        if name not in self._sprites:
            path = self._folder / name
            if not path.resolve().is_relative_to(self._folder.resolve()):
                raise SkinError(f"{self._where}: sprite {name!r} lies outside the skin's folder")
            if not path.is_file():
                raise SkinError(f"{self._where}: no sprite {path}")
            self._sprites[name] = read_png(path)
        return self._sprites[name]


def read_png(path: Path) -> Sprite:
    """A picture file as a sprite. Raises SkinError if it cannot be read."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SkinError(f"{path} cannot be read as a picture")
    if pixels.dtype != np.uint8:
        pixels = (pixels / 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
