"""Draw our own controller skins into src/nitrogen/overlay/skins.

    python scripts/draw_skins.py [FOLDER]

Each skin is a `padskin/1` folder drawn by the code below and dedicated to the public domain (CC0).
Shapes are generic; no maker's artwork or mark is used.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
        """Fill a shape."""
        mask = np.zeros((self.size[1] * FINE, self.size[0] * FINE), np.uint8)
        at = (np.array(points) - (self.left, self.top)) * FINE
        cv2.fillPoly(mask, [np.round(at * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        self._paint(mask, fill, alpha)

    def line(
        self, points: Sequence[Point], colour: Colour, width: float, alpha: float = 1.0,
        *, closed: bool = True,
    ) -> None:  # fmt: skip
        """Draw a line along points."""
        mask = np.zeros((self.size[1] * FINE, self.size[0] * FINE), np.uint8)
        at = (np.array(points) - (self.left, self.top)) * FINE
        thick = max(1, round(width * FINE))
        cv2.polylines(mask, [np.round(at).astype(np.int32)], closed, 255, thick, cv2.LINE_AA)
        self._paint(mask, colour, alpha)

    def text(self, at: Point, letters: str, colour: Colour, height: float) -> None:
        """Write letters centred at a point."""
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
        """Write the picture as a PNG."""
        alpha = self.pixels[..., 3:]
        colour = np.where(alpha > 0, self.pixels[..., :3] * 255 / np.maximum(alpha, 1e-6), 0)
        rgba = np.concatenate([colour, alpha], axis=2).round().clip(0, 255).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(
            str(path), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 9]
        )


def circle(x: float, y: float, radius: float, corners: int = 64) -> list[Point]:
    """A circle as a polygon."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False) + np.pi / corners
    return [(x + radius * np.cos(t), y + radius * np.sin(t)) for t in turns]


def rounded(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    """A rectangle with round corners."""
    points = []
    right, bottom = x + width - radius, y + height - radius
    left, top = x + radius, y + radius
    corners = ((right, top, -90), (right, bottom, 0), (left, bottom, 90), (left, top, 180))
    for cx, cy, start in corners:
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
        """Draw one sprite of a box on the canvas; its file and place."""
        left, top = np.floor(box[0] - 2), np.floor(box[1] - 2)
        sheet = Sheet(box[0] + box[2] + 2 - left, box[1] + box[3] + 2 - top, left, top)
        draw(sheet)
        file = f"sprites/{len(list(self.folder.glob('sprites/*'))) + 1:02d}_{name}.png"
        sheet.save(self.folder / file)
        return {"file": file, "pos": [float(left), float(top)]}

    def image(
        self, name: str, draw: Callable[[Sheet], None], box: tuple[float, ...] | None = None
    ) -> None:
        """A layer that is always there."""
        made = self.sprite(name, box or (2, 2, self.canvas[0] - 4, self.canvas[1] - 4), draw)
        self.layers.append({"kind": "image", **made})

    def button(self, name: str, box: tuple[float, ...], up: Callable[[Sheet], None] | None,
               down: Callable[[Sheet], None]) -> None:  # fmt: skip
        """A layer for one button."""
        layer = {"kind": "button", "name": name}
        if up is not None:
            layer["file_up"] = self.sprite(f"{name}_up", box, up)["file"]
        made = self.sprite(f"{name}_down", box, down)
        self.layers.append({**layer, "pos": made["pos"], "file_down": made["file"]})

    def trigger(self, name: str, box: tuple[float, ...], draw: Callable[[Sheet], None],
                mode: str = "fill", direction: str = "up") -> None:  # fmt: skip
        """A layer for one trigger."""
        made = self.sprite(name, box, draw)
        self.layers.append({"kind": "trigger", "name": name, **made, "mode": mode,
                            "direction": direction, "reverse": False})  # fmt: skip

    def stick(self, name: str, box: tuple[float, ...], up: Callable[[Sheet], None],
              down: Callable[[Sheet], None], reach: float, tilt: float) -> None:  # fmt: skip
        """A layer for one stick."""
        made = self.sprite(f"stick_{name}", box, up)
        pressed = self.sprite(f"stick_{name}_down", box, down)
        self.layers.append({"kind": "stick", "name": name, "file_up": made["file"],
                            "pos": made["pos"], "range": [reach, reach], "tilt": tilt,
                            "file_down": pressed["file"]})  # fmt: skip

    def dpad(self, box: tuple[float, ...], states: dict[str, Callable[[Sheet], None]]) -> None:
        """One sprite per direction."""
        made = {state: self.sprite(f"dpad_{state}", box, draw) for state, draw in states.items()}
        files = {state: sprite["file"] for state, sprite in made.items()}
        self.layers.append({"kind": "dpad", "files": files, "pos": made["c"]["pos"]})

    def write(self) -> None:
        """Finish the folder."""
        text = json.dumps({**self.head, "layers": self.layers}, indent=1)
        (self.folder / "skin.json").write_text(text + "\n")


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colours and manners of one style."""

    body: Colour | None = (38, 42, 51)
    """None: only lines, or no body at all."""
    edge: Colour = (96, 104, 120)
    well: Colour | None = (22, 24, 30)
    cap: Colour = (70, 77, 92)
    plate: Colour | None = (58, 64, 76)
    ink: Colour = (214, 220, 230)
    hot: Colour = (38, 208, 190)
    """Of whatever is pressed."""
    line: float = 3.0
    outline: bool = True
    """Whether the body's outline is drawn."""
    colours: tuple[Colour, Colour, Colour, Colour] | None = None
    """Of the face buttons south, east, west, north; all in `ink` when None."""
    trigger: str = "fill"
    direction: str = "up"
    hat: bool = False
    """One sprite per direction instead of four arms."""
    tilt: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things are on a canvas 640 wide."""

    canvas: tuple[int, int] = (640, 440)
    body: tuple[Point, ...]
    """Right half of the outline, from the top middle down."""
    left: Point | None
    right: Point | None
    dpad: Point
    face: Point
    marks: tuple[str, str, str, str]
    """South, east, west, north."""
    menu: tuple[Point, Point]
    guide: Point | None
    shoulders: float = 104.0
    """Left edge of the left bumper; None of the four when the pad has only two."""
    triggers: bool = True
    well: float = 56.0
    cap: float = 35.0
    reach: float = 26.0


OFFSET = Layout(
    body=((400, 84), (490, 78), (556, 104), (594, 190), (622, 310), (616, 392), (574, 418),
          (520, 392), (464, 326), (400, 306)),
    left=(168, 172), right=(398, 262), dpad=(242, 262), face=(486, 170), marks=("A", "B", "X", "Y"),
    menu=((270, 167), (370, 167)), guide=(320, 122),
)  # fmt: skip
PARALLEL = Layout(
    body=((380, 92), (470, 76), (548, 90), (590, 170), (626, 330), (618, 404), (580, 424),
          (540, 396), (492, 318), (440, 300), (360, 300)),
    left=(236, 268), right=(404, 268), dpad=(144, 176), face=(496, 176),
    marks=("cross", "circle", "square", "triangle"), menu=((216, 128), (424, 128)),
    guide=(320, 252), well=50.0, cap=32.0, reach=22.0,
)  # fmt: skip
SWITCH = replace(OFFSET, marks=("B", "A", "Y", "X"), menu=((276, 128), (364, 128)),
                 guide=(358, 176), well=48.0, cap=33.0, reach=20.0)  # fmt: skip
FLOATING = replace(OFFSET, left=(110, 190), right=(400, 250), dpad=(240, 250), face=(520, 180))
RETRO = Layout(
    canvas=(640, 320),
    body=((420, 96), (540, 92), (610, 140), (624, 200), (600, 262), (540, 290), (470, 276),
          (420, 250)),
    left=None, right=None, dpad=(136, 186), face=(500, 186), marks=("B", "A", "Y", "X"),
    menu=((270, 200), (350, 200)), guide=None, triggers=False,
)  # fmt: skip

RAINBOW = ((110, 200, 90), (225, 84, 80), (80, 140, 235), (240, 196, 70))
SHAPES = ((120, 160, 235), (230, 110, 110), (220, 130, 200), (100, 205, 160))
WHITE, BLACK, GREY = (240, 242, 245), (18, 18, 20), (150, 156, 165)
LINES = Look(body=None, well=None, plate=None, edge=WHITE, ink=WHITE, cap=(45, 48, 54))

SKINS: dict[str, tuple[str, Layout, Look]] = {
    "nitrogen": ("dark pad, offset sticks, teal highlight", OFFSET, Look(colours=RAINBOW)),
    "offset_light": ("white pad, offset sticks, like Xbox One", OFFSET, Look(
        body=(226, 229, 234), edge=(140, 146, 156), well=(186, 191, 199), cap=(70, 74, 82),
        plate=(250, 250, 252), ink=(40, 44, 52), hot=(20, 120, 240))),
    "offset_series": ("black pad, offset sticks, like Xbox Series, hat", OFFSET, Look(
        body=(26, 27, 30), edge=(70, 72, 78), well=(12, 12, 14), cap=(52, 54, 60),
        plate=(40, 42, 47), hot=(250, 250, 250), hat=True, colours=RAINBOW)),
    "offset_classic": ("grey pad, filled letters, like Xbox 360", OFFSET, Look(
        body=(198, 202, 206), edge=(120, 124, 130), well=(96, 100, 108), cap=(56, 60, 66),
        plate=(150, 154, 160), ink=(30, 32, 36), hot=(120, 230, 60), colours=RAINBOW,
        trigger="fade")),
    "offset_lines": ("white lines, offset sticks, green highlight", OFFSET, replace(
        LINES, hot=(60, 200, 70))),
    "parallel_dark": ("dark pad, parallel sticks, like PS4", PARALLEL, Look(
        body=(32, 34, 40), edge=(88, 94, 108), hot=(70, 150, 255), colours=SHAPES)),
    "parallel_light": ("white and black pad, parallel sticks, like PS5", PARALLEL, Look(
        body=(236, 238, 242), edge=(120, 126, 138), well=(34, 36, 42), cap=(60, 63, 70),
        plate=(246, 247, 250), ink=(92, 98, 110), hot=(30, 110, 235), trigger="fade")),
    "parallel_classic": ("black pad, parallel sticks, like PS3, red highlight", PARALLEL, Look(
        body=(20, 20, 22), edge=(64, 66, 72), well=(8, 8, 10), cap=(44, 45, 50), plate=(34, 35, 39),
        hot=(235, 60, 50), trigger="switch", tilt=14.0, colours=SHAPES)),
    "parallel_lines": ("white lines, parallel sticks, cyan highlight", PARALLEL, replace(
        LINES, hot=(40, 225, 245), cap=(30, 32, 36))),
    "switch_dark": ("dark pad, Nintendo order", SWITCH, Look(
        body=(44, 45, 48), edge=(110, 112, 118), cap=(84, 86, 92), hot=(250, 250, 250),
        trigger="switch")),
    "switch_red": ("two-coloured pad, Nintendo order", SWITCH, Look(
        body=(206, 52, 48), edge=(120, 26, 24), well=(120, 30, 28), cap=(40, 40, 44),
        plate=(60, 60, 64), hot=(255, 226, 90), hat=True)),
    "generic_blocks": ("controls without a pad, white on nothing", FLOATING, Look(
        body=None, outline=False, edge=(230, 232, 236), well=(70, 74, 82), cap=(230, 232, 236),
        plate=(120, 124, 132), ink=(30, 32, 36), hot=(90, 230, 90), line=2.0,
        direction="right")),
    "generic_neon": ("dark pad, neon lines", OFFSET, Look(
        body=(14, 10, 30), edge=(220, 60, 240), well=(26, 18, 52), cap=(60, 36, 110),
        plate=(36, 24, 70), ink=(90, 240, 255), hot=(255, 240, 90), tilt=10.0)),
    "retro_grey": ("grey pad without sticks", RETRO, Look(
        body=(196, 196, 202), edge=(110, 110, 120), well=None, plate=(70, 70, 78), ink=(60, 60, 70),
        hot=(235, 50, 60))),
}  # fmt: skip


def pad(root: Path, name: str, style: str, layout: Layout, look: Look) -> None:
    """Draw one skin."""
    out = Folder(root, name, layout.canvas, style)
    width = layout.canvas[0]
    sticks = [(n, at) for n, at in (("l", layout.left), ("r", layout.right)) if at is not None]
    body = smooth(mirrored(layout.body, width))

    def base(s: Sheet) -> None:
        if look.body is not None:
            s.polygon(body, look.body, 0.96)
        if look.outline:
            s.line(body, look.edge, look.line + 1)
        for _, (x, y) in sticks:
            if look.well is not None:
                s.polygon(circle(x, y, layout.well), look.well)
            s.line(circle(x, y, layout.well), look.edge, look.line)

    out.image("base", base)
    draw_shoulders(out, layout, look)
    for index, (button, dx, dy) in enumerate(
        (("south", 0, 50), ("east", 50, 0), ("west", -50, 0), ("north", 0, -50))
    ):
        x, y = layout.face[0] + dx, layout.face[1] + dy
        tint = look.colours[index] if look.colours else look.ink
        hot = look.colours[index] if look.colours and look.hot == Look.hot else look.hot
        ring, mark = circle(x, y, 23), layout.marks[index]
        out.button(button, (x - 24, y - 24, 48, 48),
                   _letter(ring, look.well or look.plate, tint, mark, (x, y), look.line),
                   _letter(ring, hot, look.ink, mark, (x, y), look.line, BLACK))  # fmt: skip
    for button, (x, y) in zip(("back", "start"), layout.menu, strict=True):
        pill = rounded(x - 17, y - 9, 34, 18, 9)
        out.button(button, (x - 18, y - 11, 36, 22), _plate(pill, look.well, look.edge, look.line),
                   _plate(pill, look.hot, look.ink, look.line))  # fmt: skip
    if layout.guide:
        x, y = layout.guide
        radius = 22 if layout is OFFSET else 16
        box = (x - radius - 2, y - radius - 2, 2 * radius + 4, 2 * radius + 4)
        ring = circle(x, y, radius)
        out.button("guide", box,
                   _letter(ring, look.well, look.ink, "N", (x, y), look.line),
                   _letter(ring, look.hot, look.ink, "N", (x, y), look.line, BLACK))  # fmt: skip
    draw_dpad(out, layout, look)
    for button, (x, y) in sticks:
        r = layout.cap
        box = (x - r - 1, y - r - 1, 2 * r + 2, 2 * r + 2)
        out.stick(button, box, _cap(x, y, r, look.cap, look.ink),
                  _cap(x, y, r, look.hot, look.ink), layout.reach, look.tilt)  # fmt: skip
    out.write()


def draw_shoulders(out: Folder, layout: Layout, look: Look) -> None:
    """Bumpers, and triggers where the pad has them."""
    width, left = layout.canvas[0], layout.shoulders
    for button, x in (("lb", left), ("rb", width - left - 116)):
        shape, box = rounded(x, 66, 116, 26, 10), (x, 66, 116, 26)
        out.button(button, box, _plate(shape, look.plate or look.body, look.edge, look.line),
                   _plate(shape, look.hot, look.ink, look.line))  # fmt: skip
    if not layout.triggers:
        return
    for button, x in (("lt", left + 24), ("rt", width - left - 88)):
        shape, box = rounded(x, 10, 64, 52, 14), (x, 10, 64, 52)
        out.image(f"{button}_well", _plate(shape, look.well, look.edge, look.line), box)
        full = _plate(shape, look.hot, look.hot, 1)
        sideways = {"lt": "left", "rt": "right"}[button]
        direction = look.direction if look.direction == "up" else sideways
        out.trigger(button, box, full, look.trigger, direction)


def draw_dpad(out: Folder, layout: Layout, look: Look) -> None:
    """Four arms, or one hat of nine states."""
    x, y = layout.dpad
    arms = {"up": (x - 15, y - 45, 30, 32), "down": (x - 15, y + 13, 30, 32),
            "left": (x - 45, y - 15, 32, 30), "right": (x + 13, y - 15, 32, 30)}  # fmt: skip
    off = {n: _plate(rounded(*box, 6), look.plate, look.edge, look.line) for n, box in arms.items()}
    on = {n: _plate(rounded(*box, 6), look.hot, look.ink, look.line) for n, box in arms.items()}
    if not look.hat:
        for name, box in arms.items():
            out.button(name, box, off[name], on[name])
        return
    states = {"c": (), "u": ("up",), "d": ("down",), "l": ("left",), "r": ("right",),
              "ul": ("up", "left"), "ur": ("up", "right"), "dl": ("down", "left"),
              "dr": ("down", "right")}  # fmt: skip

    def cross(pressed: Sequence[str]) -> Callable[[Sheet], None]:
        def draw(s: Sheet) -> None:
            for name in arms:
                (on if name in pressed else off)[name](s)

        return draw

    out.dpad((x - 46, y - 46, 92, 92), {state: cross(names) for state, names in states.items()})


def _plate(
    shape: Sequence[Point], fill: Colour | None, line: Colour, width: float
) -> Callable[[Sheet], None]:
    def draw(s: Sheet) -> None:
        if fill is not None:
            s.polygon(shape, fill)
        s.line(shape, line, width)

    return draw


def _letter(
    shape: Sequence[Point], fill: Colour | None, line: Colour, mark: str, at: Point, width: float,
    ink: Colour | None = None,
) -> Callable[[Sheet], None]:  # fmt: skip
    def draw(s: Sheet) -> None:
        _plate(shape, fill, line, width)(s)
        _mark(s, mark, at, ink or line)

    return draw


def _mark(s: Sheet, mark: str, at: Point, ink: Colour) -> None:
    x, y = at
    if mark == "cross":
        for sign in (-1, 1):
            s.line([(x - 8, y - 8 * sign), (x + 8, y + 8 * sign)], ink, 3, closed=False)
    elif mark == "circle":
        s.line(circle(x, y, 9), ink, 3)
    elif mark == "square":
        s.line([(x - 8, y - 8), (x + 8, y - 8), (x + 8, y + 8), (x - 8, y + 8)], ink, 3)
    elif mark == "triangle":
        s.line([(x, y - 10), (x + 10, y + 7), (x - 10, y + 7)], ink, 3)
    else:
        s.text((x, y - 1), mark, ink, 22)


def _cap(x: float, y: float, r: float, fill: Colour, line: Colour) -> Callable[[Sheet], None]:
    def draw(s: Sheet) -> None:
        s.polygon(circle(x, y, r), fill)
        s.line(circle(x, y, r - 2), line, 3)
        s.line(circle(x, y, 0.57 * r), line, 2, 0.5)

    return draw


def main(root: Path) -> None:
    """Draw all skins."""
    for name, (style, layout, look) in SKINS.items():
        pad(root, name, style, layout, look)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1
         else Path(__file__).parents[1] / "src/nitrogen/overlay/skins")  # fmt: skip
