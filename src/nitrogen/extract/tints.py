"""Controls that light up in the overlay's press colour.

Most overlays mark every press in one colour, or a few. Which one, the video tells: the more
buttons a network thinks are pressed, the more pixels have that colour. A patch that takes it on as
a whole, with an edge round it, is a control, though it be pressed once in the whole video; the game
behind may have the colour too, but not in one shape at one place again and again.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.roles import correlations
from nitrogen.extract.spots import centres, grown

Gray = NDArray[np.float32]

MOST = 48
"""Spots kept, first those that the network agrees with."""

_TRIED = 12
"""Colours looked at, of those that go best with the number of presses."""
_BITS = 3
"""Of each channel, to count colours by."""
_GREY = 24.0
"""Chroma below which a colour has no hue: the game has too much of it."""
_TOLERANCE, _LUMA = 24.0, 0.5
"""Of luma, and more per unit of chroma, because strong colours are rarer."""
_HALF, _ACROSS = 0.5, 0.4
"""Share of a colour's chroma that a pixel must have, and how far, by that, its hue may be off."""
_SHADE = 0.95
"""Cosine between the chroma of two colours from which one is a shade of the other."""
_APART = 32
"""Channels of two colours differ by this."""
_SAMPLES = 30
"""Samples below which chance looks like a rule."""
_FEWEST, _SHARE = 2, 0.85
"""Samples in which a pixel is lit, at least, and the largest share."""
_ALIKE = 0.6
"""Share of common samples from which neighbours belong to one spot."""
_SMALLEST = 4
"""Pixels of a spot."""
_EDGE = 5
"""Width of what is taken to belong to a pixel of a spot, for mixed colours at its edge."""
_LEAK = 0.3
"""Largest share of the pixels round a lit spot that have its colour: else it is a larger thing."""
_BETWEEN = 0.4
"""Largest share of half-lit samples among the lit; those do not count in which the pixels are lit
that are lit most often, as of a trigger that fills."""
_NESTED = 0.75
"""Share of the lit pixels that must be among as many of the most often lit ones for that."""
AGREED = 0.65
"""Correlation with the network, for two different buttons, that makes a colour the one of
presses."""
_SAME = 0.8
"""Share of common samples from which neighbouring patches are one spot."""
_TOUCHING = 9
"""Pixels across which they are neighbours."""


class _Colour(NamedTuple):
    luma: float
    chroma: tuple[float, float]
    """Less that of grey."""

    def alike(self, other: "_Colour") -> bool:
        """Whether it is a shade of the other."""
        one, two = (np.array(colour.chroma) for colour in (self, other))
        return bool(one @ two > _SHADE * np.linalg.norm(one) * np.linalg.norm(two))

    def of(self, pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which pixels of pictures (..., 3) in YCrCb have it, at least by half."""
        strong = float(np.hypot(*self.chroma))
        luma = pictures[..., 0].astype(np.float32) - self.luma
        red, blue = (pictures[..., channel].astype(np.float32) - 128 for channel in (1, 2))
        near = np.abs(luma) < _TOLERANCE + _LUMA * strong
        along, across = (
            (red * one + blue * other) / strong**2
            for one, other in (self.chroma, (-self.chroma[1], self.chroma[0]))
        )
        return np.asarray(near & (along > _HALF) & (np.abs(across) < _ACROSS * along))


class _Spot(NamedTuple):
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    colour: int
    full: float
    """Share of its pixels that are lit when it is."""


class Tints:
    """The spots of one video's overlay that take on its press colours."""

    def __init__(self, pictures: NDArray[np.uint8], hints: Gray, marks: Gray | None = None) -> None:
        """pictures: (N, H, W, 3) RGB samples from all over the video, in order.

        hints: (N, B) how probable a network thinks it that each button is pressed in them.
        marks: (M, 3) RGB colours to look at as well.
        """
        self._size = pictures.shape[1:3]
        self._colours: list[_Colour] = []
        self._spots: list[_Spot] = []
        if len(pictures) < _SAMPLES:
            return
        seen = _converted(pictures)
        tried = []
        extra = np.zeros((0, 3), np.float32) if marks is None else marks
        likely = _converted(np.clip(extra, 0, 255).astype(np.uint8)[None])[0]
        for middle in _different(chain(likely, _candidates(pictures, seen, hints))):
            colour = _Colour(middle[0], (middle[1] - 128, middle[2] - 128))
            found = list(_shapes(colour.of(seen)))
            if weight := _marks(found, hints):
                tried.append((weight, colour, found))
        taken = list[_Shape]()
        kept = list[tuple[float, _Spot]]()
        for _, colour, found in sorted(tried, key=lambda one: -one[0]):
            if any(colour.alike(other) for other in self._colours):
                continue
            new = [shape for shape in found if not any(shape.like(other) for other in taken)]
            for shape in _joined(new):
                rows, columns = np.nonzero(shape.inside)
                spot = _Spot(rows, columns, len(self._colours), shape.full)
                kept.append((shape.button(hints)[1], spot))
            self._colours.append(colour)
            taken += new
        kept.sort(key=lambda one: -one[0])
        self._spots = [spot for _, spot in kept[:MOST]]

    def __len__(self) -> int:
        """How many there are, at most MOST."""
        return len(self._spots)

    @property
    def places(self) -> Gray:
        """Centres, (S, 2): x and y in shares of the picture's size."""
        return centres(self._spots, self._size)

    @property
    def sizes(self) -> Gray:
        """Pixels of each, (S,)."""
        return np.array([len(spot.rows) for spot in self._spots], np.float32)

    def level(self, pictures: NDArray[np.uint8]) -> Gray:
        """How lit each spot is, 0 to about 1, in N pictures (N, H, W, 3) RGB: (N, MOST + 1).

        The last column counts the pixels that have a press colour and belong to no spot.
        """
        levels = np.zeros((len(pictures), MOST + 1), np.float32)
        seen = _converted(pictures) if self._spots else pictures
        known = np.zeros(self._size, np.uint8)
        for index, spot in enumerate(self._spots):
            known[spot.rows, spot.columns] = 1
            lit = self._colours[spot.colour].of(seen[:, spot.rows, spot.columns])
            levels[:, index] = lit.mean(axis=1) / spot.full
        stray = cv2.dilate(known, np.ones((_EDGE, _EDGE))) == 0
        for colour in self._colours:
            levels[:, MOST] += colour.of(seen[:, stray]).sum(axis=1)
        return levels


def _converted(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB pictures (..., W, 3) in YCrCb."""
    if not pictures.size:
        return pictures
    flat = cv2.cvtColor(pictures.reshape(-1, pictures.shape[-2], 3), cv2.COLOR_RGB2YCrCb)
    return np.asarray(flat, np.uint8).reshape(pictures.shape)


def _candidates(
    pictures: NDArray[np.uint8], seen: NDArray[np.uint8], hints: Gray
) -> Iterator[Gray]:
    """The colours (3,) whose number of pixels goes best with the presses, all or of one button."""
    parts = (pictures >> (8 - _BITS)).astype(np.intp)
    codes = (parts[..., 0] << 2 * _BITS) | (parts[..., 1] << _BITS) | parts[..., 2]
    counts = np.stack([np.bincount(c.ravel(), minlength=1 << 3 * _BITS) for c in codes])
    often = ((counts >= _SMALLEST).sum(axis=0) >= _FEWEST) & _coloured()
    together = correlations(counts.astype(np.float32), np.c_[hints.sum(axis=1), hints])
    agreed = np.where(often[:, None], together, -1)
    ranked = [np.argsort(-one)[:_TRIED] for one in (agreed[:, 0], agreed[:, 1:].max(axis=1))]
    for code in np.concatenate(ranked):
        if agreed[code].max() > 0:
            yield np.median(seen[codes == code], axis=0).astype(np.float32)


def _different(colours: Iterable[Gray]) -> Iterator[Gray]:
    """Those (3,) that are no grey and differ from all before."""
    chosen: list[Gray] = []
    for colour in colours:
        away = [np.abs(colour - other).max() for other in chosen]
        if np.hypot(*(colour[1:] - 128.0)) >= _GREY and min(away, default=_APART) >= _APART:
            chosen.append(np.asarray(colour, np.float32))
            yield chosen[-1]


def _coloured() -> NDArray[np.bool_]:
    """Which codes of colours are no grey."""
    steps = (np.arange(1 << _BITS) << (8 - _BITS)) + (1 << (7 - _BITS))
    every = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).astype(np.uint8)
    return np.asarray(np.hypot(*(_converted(every).reshape(-1, 3)[:, 1:] - 128.0).T) >= _GREY)


class _Shape(NamedTuple):
    """A patch that is lit as a whole."""

    inside: NDArray[np.bool_]
    """Its pixels, (H, W)."""
    on: NDArray[np.bool_]
    """Samples in which it is lit, (N,)."""
    full: float
    """Usual share of its pixels then."""

    def button(self, hints: Gray) -> tuple[int, float]:
        """Which button goes best with it by the network, (N, B), and the correlation."""
        agreed = correlations(self.on[:, None].astype(np.float32), hints)[0]
        return int(agreed.argmax()), float(agreed.max())

    def like(self, other: "_Shape") -> bool:
        """Whether both are lit together and touch each other."""
        both, either = (self.on & other.on).sum(), (self.on | other.on).sum()
        return bool(both >= _SAME * either) and bool((_wider(self.inside) & other.inside).any())


def _wider(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(inside.astype(np.uint8), np.ones((_TOUCHING, _TOUCHING))) > 0)


def _joined(shapes: list[_Shape]) -> list[_Shape]:
    """Shapes that are parts of one, joined."""
    left, joined = sorted(shapes, key=lambda shape: -int(shape.inside.sum())), list[_Shape]()
    while left:
        whole = left.pop(0)
        while parts := [shape for shape in left if whole.like(shape)]:
            inside = np.logical_or.reduce([whole.inside, *(part.inside for part in parts)])
            whole = whole._replace(inside=inside)
            left = [shape for shape in left if all(shape is not part for part in parts)]
        joined.append(whole)
    return joined


def _shapes(lit: NDArray[np.bool_]) -> Iterator[_Shape]:
    """The patches that are lit as a whole in samples (N, H, W)."""
    often = lit.sum(axis=0)
    wanted = (often >= _FEWEST) & (often < _SHARE * len(lit))
    labels = grown(lit & wanted, wanted, _ALIKE)
    names, sizes = np.unique(labels[wanted], return_counts=True)
    for name in names[sizes >= _SMALLEST]:
        inside = labels == name
        share = lit[:, inside].mean(axis=1)
        on = share > 0.5
        if on.sum() < _FEWEST:
            continue
        between = _torn(lit[(share > 0.25) & (share < 0.75)][:, inside], often[inside])
        near, far = (
            cv2.dilate(inside.astype(np.uint8), np.ones((size, size))) > 0 for size in (3, 5)
        )
        if between <= _BETWEEN * on.sum() and lit[on][:, far & ~near].mean() < _LEAK:
            yield _Shape(inside, on, float(np.median(share[on])))


def _torn(lit: NDArray[np.bool_], often: NDArray[np.intp]) -> int:
    """Of samples (N, P) of pixels, how many light others than those that are lit most often."""
    ranks = np.argsort(np.argsort(-often, kind="stable"), kind="stable")
    counts = lit.sum(axis=1, keepdims=True)
    first = (lit & (ranks < counts)).sum(axis=1)
    return int((first < _NESTED * counts[:, 0]).sum())


def _marks(shapes: list[_Shape], hints: Gray) -> float:
    """Pixels that mark presses, by how sure that is; 0 unless for two buttons or more."""
    told = [(*shape.button(hints), int(shape.inside.sum())) for shape in shapes]
    sure = [(button, agreed * pixels) for button, agreed, pixels in told if agreed > AGREED]
    return sum(weight for _, weight in sure) if len({button for button, _ in sure}) > 1 else 0.0
