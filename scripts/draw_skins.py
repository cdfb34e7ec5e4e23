"""Draw our own controller skins into src/nitrogen/overlay/skins.

    python scripts/draw_skins.py [FOLDER]

Each skin is a `padskin/1` folder drawn by the code below and dedicated to the public domain (CC0).
Shapes are generic; no maker's artwork or mark is used.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

FINE = 8
"""Drawn this many times larger, then averaged."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Sheet:
    """A transparent picture that shapes are drawn onto, in canvas coordinates."""

    def __init__(self, width: float, height: float, left: float = 0, top: float = 0) -> None:
        self.left, self.top = left, top
        self.size = (int(np.ceil(width)), int(np.ceil(height)))
        self.pixels = np.zeros((self.size[1], self.size[0], 4), np.float32)

    def polygon(self, points: Sequence[Point], fill: Colour, alpha: float = 1.0) -> None:
        mask = np.zeros((self.size[1] * FINE, self.size[0] * FINE), np.uint8)
        at = (np.array(points) - (self.left, self.top)) * FINE
        cv2.fillPoly(mask, [np.round(at * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        self._paint(mask, fill, alpha)

    def line(
        self, points: Sequence[Point], colour: Colour, width: float, alpha: float = 1.0,
        *, closed: bool = True,
    ) -> None:  # fmt: skip
        mask = np.zeros((self.size[1] * FINE, self.size[0] * FINE), np.uint8)
        at = (np.array(points) - (self.left, self.top)) * FINE
        thick = max(1, round(width * FINE))
        cv2.polylines(mask, [np.round(at).astype(np.int32)], closed, 255, thick, cv2.LINE_AA)
        self._paint(mask, colour, alpha)

    def text(self, at: Point, letters: str, colour: Colour, height: float) -> None:
        face, scale = cv2.FONT_HERSHEY_DUPLEX, height * FINE / 22
        thick = max(1, round(height * FINE / 9))
        (w, h), _ = cv2.getTextSize(letters, face, scale, thick)
        mask = np.zeros((self.size[1] * FINE, self.size[0] * FINE), np.uint8)
        x = (at[0] - self.left) * FINE - w / 2
        y = (at[1] - self.top) * FINE + h / 2
        cv2.putText(mask, letters, (round(x), round(y)), face, scale, 255, thick, cv2.LINE_AA)
        self._paint(mask, colour, 1.0)

    def _paint(self, mask: np.ndarray, colour: Colour, alpha: float) -> None:
        cover = cv2.resize(mask, self.size, interpolation=cv2.INTER_AREA).astype(np.float32)
        cover = cover[..., None] * (alpha / 255)
        new = np.concatenate([np.broadcast_to(np.float32(colour), (*cover.shape[:2], 3)) * cover,
                              255 * cover], axis=2)  # fmt: skip
        self.pixels = new + self.pixels * (1 - cover)

    def save(self, path: Path) -> None:
        alpha = self.pixels[..., 3:]
        colour = np.where(alpha > 0, self.pixels[..., :3] * 255 / np.maximum(alpha, 1e-6), 0)
        rgba = np.concatenate([colour, alpha], axis=2).round().clip(0, 255).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(
            str(path), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 9]
        )


def circle(x: float, y: float, radius: float, corners: int = 64) -> list[Point]:
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False) + np.pi / corners
    return [(x + radius * np.cos(t), y + radius * np.sin(t)) for t in turns]


def rounded(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    points = []
    for cx, cy, start in ((x + width - radius, y + radius, -90), (x + width - radius, y + height - radius, 0),
                          (x + radius, y + height - radius, 90), (x + radius, y + radius, 180)):  # fmt: skip
        for turn in np.radians(np.linspace(start, start + 90, 9)):
            points.append((cx + radius * np.cos(turn), cy + radius * np.sin(turn)))
    return points


def smooth(points: Sequence[Point], steps: int = 12) -> list[Point]:
    """A closed Catmull-Rom curve through the points."""
    p = np.array(points, float)
    result = []
    for i in range(len(p)):
        a, b, c, d = (p[(i + k) % len(p)] for k in (-1, 0, 1, 2))
        for t in np.linspace(0, 1, steps, endpoint=False):
            result.append(tuple(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                                       + (3 * b - a - 3 * c + d) * t**3)))  # fmt: skip
    return result


def mirrored(half: Sequence[Point], width: float) -> list[Point]:
    """A shape symmetric about the middle of the canvas, from its right half, top to bottom."""
    return [*half, *[(width - x, y) for x, y in reversed(half)]]


class Folder:
    """Collects the layers of one skin and writes them."""

    def __init__(self, root: Path, name: str, canvas: tuple[int, int], style: str) -> None:
        self.folder, self.canvas = root / name, canvas
        shutil.rmtree(self.folder, ignore_errors=True)
        self.layers: list[dict] = []
        self.head = {"format": "padskin/1", "name": name, "source": "scripts/draw_skins.py",
                     "licence": "CC0-1.0", "author": "nitrogen contributors", "style": style,
                     "canvas": list(canvas)}  # fmt: skip

    def sprite(self, name: str, box: tuple[float, ...], draw: Callable[[Sheet], None]) -> dict:
        left, top = np.floor(box[0] - 2), np.floor(box[1] - 2)
        sheet = Sheet(box[0] + box[2] + 2 - left, box[1] + box[3] + 2 - top, left, top)
        draw(sheet)
        file = f"sprites/{len(list(self.folder.glob('sprites/*'))) + 1:02d}_{name}.png"
        sheet.save(self.folder / file)
        return {"file": file, "pos": [float(left), float(top)]}

    def image(self, name: str, draw: Callable[[Sheet], None], box: tuple[float, ...] | None = None) -> None:
        made = self.sprite(name, box or (2, 2, self.canvas[0] - 4, self.canvas[1] - 4), draw)
        self.layers.append({"kind": "image", **made})

    def button(self, name: str, box: tuple[float, ...], up: Callable[[Sheet], None] | None,
               down: Callable[[Sheet], None]) -> None:  # fmt: skip
        layer = {"kind": "button", "name": name}
        if up is not None:
            layer["file_up"] = self.sprite(f"{name}_up", box, up)["file"]
        made = self.sprite(f"{name}_down", box, down)
        self.layers.append({**layer, "pos": made["pos"], "file_down": made["file"]})

    def trigger(self, name: str, box: tuple[float, ...], draw: Callable[[Sheet], None],
                mode: str = "fill", direction: str = "up") -> None:  # fmt: skip
        made = self.sprite(name, box, draw)
        self.layers.append({"kind": "trigger", "name": name, **made, "mode": mode,
                            "direction": direction, "reverse": False})  # fmt: skip

    def stick(self, name: str, box: tuple[float, ...], up: Callable[[Sheet], None],
              down: Callable[[Sheet], None], reach: float) -> None:  # fmt: skip
        made = self.sprite(f"stick_{name}", box, up)
        pressed = self.sprite(f"stick_{name}_down", box, down)
        self.layers.append({"kind": "stick", "name": name, "file_up": made["file"],
                            "pos": made["pos"], "range": [reach, reach], "tilt": 0,
                            "file_down": pressed["file"]})  # fmt: skip

    def write(self) -> None:
        text = json.dumps({**self.head, "layers": self.layers}, indent=1)
        (self.folder / "skin.json").write_text(text + "\n")


def nitrogen(root: Path) -> None:
    """The default: a dark pad with offset sticks, coloured letters and a teal highlight."""
    width, height = 640, 440
    out = Folder(root, "nitrogen", (width, height), "dark pad, offset sticks, teal highlight")
    dark, edge, well, light = (38, 42, 51), (96, 104, 120), (22, 24, 30), (214, 220, 230)
    teal = (38, 208, 190)
    body = smooth(
        mirrored(
            [(400, 84), (490, 78), (556, 104), (594, 190), (622, 310), (616, 392), (574, 418),
             (520, 392), (464, 326), (400, 306)], width)  # fmt: skip
    )

    def base(s: Sheet) -> None:
        s.polygon(body, dark, 0.94)
        s.line(body, edge, 4)
        for x, y in ((168, 172), (398, 262)):
            s.polygon(circle(x, y, 56), well)
            s.line(circle(x, y, 56), edge, 3)
        s.polygon(circle(242, 262, 50), (30, 33, 41))

    out.image("base", base)
    for name, x in (("lt", 128), ("rt", 448)):
        shape = rounded(x, 10, 64, 52, 14)

        def empty(s: Sheet, shape: list[Point] = shape) -> None:
            s.polygon(shape, well, 0.94)
            s.line(shape, edge, 3)

        def full(s: Sheet, shape: list[Point] = shape) -> None:
            s.polygon(shape, teal)

        out.image(f"{name}_well", empty, (x, 10, 64, 52))
        out.trigger(name, (x, 10, 64, 52), full)
    for name, x in (("lb", 104), ("rb", 420)):
        shape, box = rounded(x, 66, 116, 26, 10), (x, 66, 116, 26)
        out.button(name, box, _plate(shape, dark, edge), _plate(shape, teal, light))
    for name, x, y, letter, colour in (
        ("south", 486, 220, "A", (110, 200, 90)), ("east", 536, 170, "B", (225, 84, 80)),
        ("west", 436, 170, "X", (80, 140, 235)), ("north", 486, 120, "Y", (240, 196, 70)),
    ):  # fmt: skip
        box, ring = (x - 24, y - 24, 48, 48), circle(x, y, 23)
        out.button(name, box, _letter(ring, well, colour, letter, (x, y), colour),
                   _letter(ring, colour, light, letter, (x, y), well))  # fmt: skip
    for name, x in (("back", 270), ("start", 370)):
        box, pill = (x - 18, 156, 36, 22), rounded(x - 17, 158, 34, 18, 9)
        out.button(name, box, _plate(pill, well, edge), _plate(pill, teal, light))
    ring = circle(320, 122, 22)
    out.button("guide", (296, 98, 48, 48), _letter(ring, well, light, "N", (320, 122), light),
               _letter(ring, teal, light, "N", (320, 122), well))  # fmt: skip
    for name, x, y, w, h in (("up", 227, 217, 30, 32), ("down", 227, 275, 30, 32),
                             ("left", 197, 247, 32, 30), ("right", 255, 247, 32, 30)):  # fmt: skip
        arm = rounded(x, y, w, h, 6)
        out.button(name, (x, y, w, h), _plate(arm, (58, 64, 76), edge), _plate(arm, teal, light))
    for name, x, y in (("l", 168, 172), ("r", 398, 262)):
        box = (x - 36, y - 36, 72, 72)
        out.stick(name, box, _cap(x, y, (70, 77, 92), light), _cap(x, y, teal, light), 26)
    out.write()


def _plate(shape: Sequence[Point], fill: Colour, line: Colour) -> Callable[[Sheet], None]:
    def draw(s: Sheet) -> None:
        s.polygon(shape, fill)
        s.line(shape, line, 3)

    return draw


def _letter(
    shape: Sequence[Point], fill: Colour, line: Colour, letter: str, at: Point, ink: Colour
) -> Callable[[Sheet], None]:
    def draw(s: Sheet) -> None:
        s.polygon(shape, fill)
        s.line(shape, line, 3)
        s.text(at, letter, ink, 22)

    return draw


def _cap(x: float, y: float, fill: Colour, line: Colour) -> Callable[[Sheet], None]:
    def draw(s: Sheet) -> None:
        s.polygon(circle(x, y, 35), fill)
        s.line(circle(x, y, 33), line, 3)
        s.line(circle(x, y, 20), line, 2, 0.5)

    return draw


def main(root: Path) -> None:
    for draw in (nitrogen,):
        draw(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1
         else Path(__file__).parents[1] / "src/nitrogen/overlay/skins")  # fmt: skip
