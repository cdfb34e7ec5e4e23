"""Training pictures for the finder: what stands still in videos that nobody recorded.

Each sample is a part of a frame over the time of a video: scenery that moves, or hardly does, the
fixed displays that games show, and in most of them a made-up or given pad with random presses. What
is kept is what `still.py` keeps of a real video.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, Actions
from nitrogen.extract.still import Still, high_pass
from nitrogen.overlay.crops import states, textures
from nitrogen.overlay.degrade import Stack
from nitrogen.overlay.invent import random_sketch
from nitrogen.overlay.sketch import Sketch, sketch_of
from nitrogen.overlay.skin import Skin

Pictures = NDArray[np.uint8]
"""(N, H, W) brightness."""
Size = tuple[int, int]

WIDTHS = (34.0, 130.0)
"""Of the overlays, in pixels of the picture."""
_SEEN = 30
"""Opacity, of 255, from which a pixel belongs to the overlay."""
_SIZES = 5
"""Sizes at which each given skin is kept."""


@dataclass(frozen=True)
class Sample:
    """One part of a frame, and where in it an overlay is."""

    still: Still
    box: tuple[float, float, float, float] | None
    """left, top, right, bottom in pixels; None if there is none."""


class Stills:
    """Samples, each a function of the generator that is given."""

    def __init__(
        self,
        rng: np.random.Generator,
        sequences: Sequence[Stack],
        skins: Sequence[Skin],
        size: Size,
    ) -> None:
        """sequences: frames of games in order, (K, H, W, 3); size: of a sample, (w, h)."""
        self._size = size
        self._sequences = [_gray(sequence) for sequence in sequences]
        self._textures = _gray(textures(rng, 150))
        self._sketches = [
            _drawn(sketch_of(skin, (round(width), round(width * skin.canvas[1] / skin.canvas[0]))))
            for skin in skins
            for width in _widths(rng, _SIZES)
        ]

    def sample(self, rng: np.random.Generator, *, invented: float = 0.6) -> Sample:
        """One sample; `invented` of the pads are made up, the others of the skins given."""
        count = int(np.exp(rng.uniform(np.log(5), np.log(40))))
        pictures = self._scenery(rng, count)
        _displays(rng, pictures)
        box = None
        if rng.random() < 0.75:
            given = self._sketches and rng.random() >= invented
            pad = self._sketches[rng.integers(len(self._sketches))] if given else _invented(rng)
            box = _lay(rng, pictures, pad)
        else:
            _displays(rng, pictures)
        return Sample(_still(rng, pictures), box)

    def _scenery(self, rng: np.random.Generator, count: int) -> Pictures:
        """(count, h, w): windows of a game or of made-up scenery over time."""
        width, height = self._size
        if rng.random() < 0.7:
            source = self._sequences[rng.integers(len(self._sequences))]
        else:
            source = self._textures
        stands = rng.random() < 0.2
        if stands or source is self._textures:
            chosen = np.full(count, rng.integers(len(source)))
            if rng.random() < 0.5 and not stands:
                chosen = rng.integers(0, len(source), count)
        else:
            chosen = (rng.integers(len(source)) + np.arange(count)) % len(source)
        zoom = float(np.exp(rng.uniform(np.log(0.7), np.log(3))))
        zoom = max(zoom, width / source.shape[2], height / source.shape[1])
        span = (max(1, int(width / zoom)), max(1, int(height / zoom)))
        room = np.array([source.shape[1] - span[1], source.shape[2] - span[0]])
        place = rng.integers(0, room + 1).astype(float)
        speed = 0.0 if stands else float(rng.choice([0, 0, 1, 8, 30]))
        made = np.empty((count, height, width), np.uint8)
        for row, index in enumerate(chosen):
            y, x = place.astype(int)
            window = source[index, y : y + span[1], x : x + span[0]]
            made[row] = cv2.resize(window, self._size, interpolation=cv2.INTER_LINEAR)
            place = np.clip(place + rng.normal(0, speed, 2), 0, room)
        if rng.random() < 0.25:
            made = (made * rng.uniform(0.3, 0.8) + rng.uniform(0, 50)).astype(np.uint8)
        return made


def _gray(pictures: Stack) -> NDArray[np.uint8]:
    return np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures])


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A sketch and the box of what it shows."""

    sketch: Sketch
    box: tuple[int, int, int, int]
    """left, top, right, bottom in pixels of the sketch."""


def _drawn(sketch: Sketch) -> _Drawn:
    """With the box of all that can be seen of it, released or pressed."""
    board = np.zeros((2, *sketch.base.shape), np.uint8)
    every = Actions(np.ones((2, len(BUTTONS)), np.float32), np.zeros((2, 4), np.float32))
    every.buttons[0] = 0
    sketch.draw(every, board)
    seen = board[..., 3].max(axis=0) > _SEEN
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return _Drawn(sketch, (0, 0, seen.shape[1], seen.shape[0]))
    return _Drawn(sketch, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))


def _invented(rng: np.random.Generator) -> _Drawn:
    (width,) = _widths(rng, 1)
    return _drawn(random_sketch(rng, (round(width), max(16, round(width * rng.uniform(0.5, 0.8))))))


def _widths(rng: np.random.Generator, count: int) -> list[float]:
    """Widths of overlays in pixels."""
    low, high = (math.log(width) for width in WIDTHS)
    return [math.exp(rng.uniform(low, high)) for _ in range(count)]


def _lay(
    rng: np.random.Generator, pictures: Pictures, pad: _Drawn
) -> tuple[float, float, float, float] | None:
    """Blend the pad, in random states, into the pictures; where it is."""
    count, height, width = pictures.shape
    left, top, right, bottom = pad.box
    beyond = 0.12 if rng.random() < 0.12 else 0.0
    x, y = (
        _corner(rng, whole, side, beyond * side)
        for whole, side in ((width, right - left), (height, bottom - top))
    )
    played = states(rng, (count + 1) // 2, busy=float(rng.uniform(0.1, 1)))
    drawn = np.empty((count, *pad.sketch.base.shape), np.uint8)
    pad.sketch.draw(Actions(played.buttons[:count], played.sticks[:count]), drawn)
    opacity = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.4, 1))
    area = (slice(max(y, 0), min(y + bottom - top, height)),
            slice(max(x, 0), min(x + right - left, width)))  # fmt: skip
    if area[0].stop <= area[0].start or area[1].stop <= area[1].start:
        return None
    part = drawn[:, area[0].start - y + top : area[0].stop - y + top,
                 area[1].start - x + left : area[1].stop - x + left]  # fmt: skip
    ink = part[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    cover = part[..., 3].astype(np.float32) / 255
    often = float(rng.uniform(0.6, 1)) if rng.random() < 0.15 else 1.0
    shows = rng.random(count) < often
    if rng.random() < 0.12:
        _boxed(rng, pictures, area)
    target = pictures[:, area[0], area[1]]
    mixed = target * (1 - opacity * cover) + opacity * ink
    target[shows] = mixed[shows].astype(np.uint8)
    return (float(max(x, 0)), float(max(y, 0)), float(area[1].stop), float(area[0].stop))


def _corner(rng: np.random.Generator, whole: int, side: int, beyond: float) -> int:
    """Where a side begins within a whole, or up to `beyond` outside."""
    ends = sorted((-beyond, whole - side + beyond))
    return int(rng.uniform(ends[0], ends[1]))


def _boxed(rng: np.random.Generator, pictures: Pictures, area: tuple[slice, slice]) -> None:
    """A plain box behind the overlay, as capturing software without transparency leaves it."""
    more = rng.integers(0, 12, 4)
    rows = slice(max(area[0].start - more[0], 0), area[0].stop + more[1])
    columns = slice(max(area[1].start - more[2], 0), area[1].stop + more[3])
    pictures[:, rows, columns] = rng.choice([0.0, 150.0, float(rng.uniform(0, 255))])


def _displays(rng: np.random.Generator, pictures: Pictures) -> None:
    """What games show at fixed places: bars, texts, maps, rows of icons, frames, letterboxes."""
    for _ in range(int(rng.integers(0, 5))):
        _KINDS[rng.integers(len(_KINDS))](rng, pictures)


def _place(
    rng: np.random.Generator, pictures: Pictures, low: int, high: int
) -> tuple[int, int, int]:
    """x, y and a size in pixels."""
    size = int(np.exp(rng.uniform(np.log(low), np.log(high))))
    return int(rng.integers(0, pictures.shape[2])), int(rng.integers(0, pictures.shape[1])), size


def _tone(rng: np.random.Generator) -> float:
    return float(rng.choice([rng.uniform(0, 255), 0.0, 255.0]))


def _bar(rng: np.random.Generator, pictures: Pictures) -> None:
    x, y, size = _place(rng, pictures, 12, 110)
    height = int(rng.integers(2, max(3, size // 3)))
    tones = _tone(rng), _tone(rng)
    share = float(rng.uniform(0.2, 1))
    for picture in pictures:
        cv2.rectangle(picture, (x, y), (x + size, y + height), tones[0], -1)
        share = float(np.clip(share + rng.normal(0, 0.04), 0, 1))
        cv2.rectangle(picture, (x, y), (x + int(share * size), y + height), tones[1], -1)


def _text(rng: np.random.Generator, pictures: Pictures) -> None:
    x, y, size = _place(rng, pictures, 6, 30)
    letters = [chr(c) for c in rng.integers(48, 91, int(rng.integers(1, 14)))]
    font, tone = int(rng.integers(0, 8)), _tone(rng)
    thick = int(rng.integers(1, 3))
    changes = rng.random() < 0.4
    for picture in pictures:
        if changes:
            letters[-1] = chr(int(rng.integers(48, 58)))
        cv2.putText(picture, "".join(letters), (x, y), font, size / 22, tone, thick, cv2.LINE_AA)


def _disc(rng: np.random.Generator, pictures: Pictures) -> None:
    """A map, a dial, a round button: alone, or two or three of them."""
    x, y, size = _place(rng, pictures, 4, 30)
    tones, edge = (_tone(rng), _tone(rng)), int(rng.integers(1, 4))
    copies = int(rng.integers(1, 4))
    apart = int(rng.uniform(1.5, 4) * size)
    moving = rng.random() < 0.5
    for picture in pictures:
        for copy in range(copies):
            cv2.circle(picture, (x + copy * apart, y), size, tones[0], -1 if edge > 1 else 1)
            cv2.circle(picture, (x + copy * apart, y), size, tones[1], edge)
        if moving:
            dot = rng.normal(0, size / 3, 2).astype(int)
            cv2.circle(picture, (x + int(dot[0]), y + int(dot[1])), max(1, size // 4), tones[1], -1)


def _icons(rng: np.random.Generator, pictures: Pictures) -> None:
    x, y, size = _place(rng, pictures, 5, 24)
    count, apart = int(rng.integers(2, 8)), int(size * rng.uniform(1, 1.6))
    coarse = rng.uniform(0, 255, (count, 4, 4)).astype(np.float32)
    icons = [cv2.resize(icon, (size, size), interpolation=cv2.INTER_CUBIC) for icon in coarse]
    lit = rng.integers(0, count, len(pictures))
    for row, picture in enumerate(pictures):
        for place, icon in enumerate(icons):
            left = x + place * apart
            area = picture[y : y + size, left : left + size]
            shown = icon[: area.shape[0], : area.shape[1]]
            area[...] = np.clip(shown * (1.3 if lit[row] == place else 1.0), 0, 255)


def _panel(rng: np.random.Generator, pictures: Pictures) -> None:
    """A framed part that shows something else: a camera, a chat, a second view."""
    x, y, size = _place(rng, pictures, 25, 120)
    height = int(size * rng.uniform(0.4, 1.2))
    tone = _tone(rng)
    inside = rng.uniform(0, 255, (len(pictures), 6, 8)).astype(np.float32)
    still = rng.random() < 0.5
    for row, picture in enumerate(pictures):
        area = picture[y : y + height, x : x + size]
        if not area.size:
            return
        shown = cv2.resize(inside[0 if still else row], (size, height))
        area[...] = shown[: area.shape[0], : area.shape[1]]
        cv2.rectangle(picture, (x, y), (x + size, y + height), tone, 1)


def _letterbox(rng: np.random.Generator, pictures: Pictures) -> None:
    side, share = int(rng.integers(0, 4)), float(rng.uniform(0.05, 0.4))
    tall = int(pictures.shape[1] * share)
    wide = int(pictures.shape[2] * share)
    area = (pictures[:, :tall], pictures[:, -tall:], pictures[..., :wide], pictures[..., -wide:])
    area[side][...] = _tone(rng)


_KINDS = (_bar, _text, _text, _disc, _icons, _panel, _letterbox)


def _still(rng: np.random.Generator, pictures: Pictures) -> Still:
    """What stands still in the pictures, as a decoder gives them."""
    blur = float(rng.choice([0, rng.uniform(0.3, 1.0)]))
    noise = float(rng.uniform(0.3, 3.0))
    sigma = float(rng.uniform(1.0, 5.0))
    total, squares = (np.zeros(pictures.shape[1:], np.float32) for _ in range(2))
    grain = rng.normal(0, noise, (4, *pictures.shape[1:])).astype(np.float32)
    for row, shown in enumerate(pictures):
        sharp = shown.astype(np.float32)
        picture = cv2.GaussianBlur(sharp, (0, 0), blur) if blur else sharp
        picture = picture + np.roll(grain[row % 4], row * 7, axis=1)
        total += picture
        squares += high_pass(picture, sigma) ** 2
    mean = total / np.float32(len(pictures))
    spread = squares / len(pictures) - high_pass(mean, sigma) ** 2
    return Still(mean, np.maximum(spread, 0), len(pictures))
