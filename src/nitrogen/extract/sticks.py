"""Follow a stick's sprite: templates at every position, coarse to fine, sub-pixel.

Every position of the stick predicts its surroundings, drawn as the skin would show them. Only
differences from the wider surroundings count (a high-pass), so that dark sticks on dark pads are
followed as well as bright ones; opaque pixels are held to the prediction, clear ones may show some
texture of the game. A coarse lattice finds the neighbourhood, a fine one the place, a parabola the
fraction.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.extract.colour import MATRICES
from nitrogen.extract.drawn import LUMA
from nitrogen.extract.still import high_pass
from nitrogen.overlay.render import Renderer
from nitrogen.overlay.skin import StickLayer

Gray = NDArray[np.float32]

_REACH = 1.12
"""How far beyond full deflection is looked, as a share of the travel."""
_COARSE = 6
"""Coarse steps from the centre to the rim."""
_FINER = 3
"""Fine steps per coarse step."""
_NOISE = 5.0
"""Standard deviation that compression leaves on an opaque pixel, high-passed."""
_UNIT = _REACH / (_COARSE * _FINER)
_AXIS = np.arange(-_COARSE, _COARSE + 1) * _FINER * _UNIT
_CORNERS = np.hypot(_AXIS[:, None], _AXIS[None, :]).ravel() > 1.45
"""Coarse places that no stick reaches, not even one that keys push into a corner."""
_BODY = 0.5
"""Cover below the stick from which its brightness alone is enough; else chroma helps."""
_CHROMA = MATRICES["bt709"][1:]
_AMBIGUOUS = 1.5
"""Times the energy of the best coarse place up to which another one is looked at closely."""
_DISBELIEF = 0.08
"""Share of what is left unexplained by which a click must explain the picture better."""
_CLICK_COVER = 0.15
"""Share of the stick's reach that a click changes, from which the tracker tells clicks."""


@dataclass(frozen=True, eq=False)
class _Cell:
    """The prediction for one place of the stick, plane by plane: ink + level * veil.

    Only pixels that count, (P,). Luma is high-passed; chroma, at half the size, is not, and is
    about 0.
    """

    ink: tuple[Gray, ...]
    veil: tuple[Gray, ...]
    """What a background of level 1 adds."""
    clear: tuple[Gray, ...]
    """Share of the background that shines through."""


@dataclass(frozen=True, eq=False)
class _Plane:
    """K places' predictions of one plane, ready to be compared with (N, P) pictures."""

    weight: Gray
    """(P, K): one over the variance of what a prediction leaves unexplained."""
    ink: Gray
    """(P, K), weighted; `veil` likewise."""
    veil: Gray
    constants: Gray
    """(3, K): weighted products of ink and ink, ink and veil, veil and veil."""

    def energies(self, flat: Gray, level: Gray) -> Gray:
        """Minus twice the log likelihood over backgrounds of `level`, (N,): (N, K)."""
        b = level[:, None]
        own, cross, through = self.constants
        # No term for the variances: a flat sky explains itself no worse than a flat sprite does.
        return np.asarray(
            (flat * flat) @ self.weight
            - 2 * (flat @ self.ink + b * (flat @ self.veil))
            + (own + 2 * b * cross + b * b * through),
            np.float32,
        )


def _energies(bank: "list[_Plane]", area: "list[Gray]", levels: Gray) -> Gray:
    """Of (N, P) pictures plane by plane, over backgrounds of (N, planes) levels: (N, K)."""
    parts = [
        plane.energies(pictures, levels[:, index])
        for index, (plane, pictures) in enumerate(zip(bank, area, strict=True))
    ]
    return np.asarray(sum(parts), np.float32)


class StickTracker:
    """Reads one stick from luma crops."""

    def __init__(
        self,
        renderer: Renderer,
        layer: StickLayer,
        *,
        gain: float,
        others: NDArray[np.bool_],
        texture: tuple[float, float],
    ) -> None:
        """How the skin's stick looks.

        gain: the overlay's opacity; others: (h, w), what other controls may change; texture:
        standard deviations of the game's luma, high-passed, and of its chroma about its level.
        """
        self._renderer, self._layer, self._gain = renderer, layer, gain
        click = Actions.of(f"{layer.side}_thumb")
        self._views = [renderer.split_at(layer), renderer.split_at(layer, click)]
        self._texture = texture
        reach = renderer.reach(layer)
        self.tells_click = layer.down is not None or bool(
            self._click_change()[reach].mean() > _CLICK_COVER
        )
        self._variants = (False, True) if self.tells_click else (False,)
        rows, columns = np.flatnonzero(reach.any(axis=1)), np.flatnonzero(reach.any(axis=0))
        self._rows, self._columns = _even(rows, 4), _even(columns, 4)
        under = self._views[0][0][..., 3]
        self._planes = 3 if float(under[reach].mean()) * gain < _BODY else 1
        margin = 12
        near = (self._rows, self._columns)
        self._near_views = [tuple(view[near] for view in pair) for pair in self._views]
        self._wide = (
            slice(max(self._rows.start - margin, 0), self._rows.stop + margin),
            slice(max(self._columns.start - margin, 0), self._columns.stop + margin),
        )
        alpha = np.maximum(under, self._views[0][1][..., 3])
        self._window = cv2.dilate(alpha, np.ones((3, 3), np.uint8)) < 0.1
        travel_x = max(layer.travel[0] * renderer.placement.scale_x, 1e-3)
        self._shrink = max(1, round(travel_x * _REACH / _COARSE / 1.5))
        self._cells: dict[tuple[bool, int, int], _Cell] = {}
        trust = self._swept(others)
        whole = (trust, *(_half(trust) for _ in range(self._planes - 1)))
        small = tuple(self._small(plane, i) for i, plane in enumerate(whole))
        self._kept, self._small_kept = (
            [np.flatnonzero(plane) for plane in planes] for planes in (whole, small)
        )
        self._trust, self._small_trust = (
            [plane[plane > 0] for plane in planes] for planes in (whole, small)
        )
        self._coarse = [self._lattice(down) for down in self._variants]
        self._near = lru_cache(maxsize=256)(self._neighbourhood)

    def track(self, crops: Gray) -> Gray:
        """(N, 3H/2, W) packed crops → (N, 4): x, y in travels, how clicked (0..1), score."""
        area, levels = self._area(crops)
        shrunk = [
            np.stack([self._small(picture, index) for picture in plane])
            for index, plane in enumerate(area)
        ]
        small = [_counting(*pair) for pair in zip(shrunk, self._small_kept, strict=True)]
        area = [_counting(*pair) for pair in zip(area, self._kept, strict=True)]
        result = np.full((len(crops), 5), np.inf, np.float32)
        coarse = np.stack([_energies(bank, small, levels) for bank in self._coarse], axis=1)
        coarse[:, :, _CORNERS] = np.inf
        for places, rows in self._candidates(coarse):
            for place in np.unique(places):
                chosen = rows[places == place]
                which, cell = divmod(int(place), coarse.shape[2])
                refined = self._refine(
                    [plane[chosen] for plane in area], levels[chosen], down=bool(which), place=cell
                )
                better = refined[:, 4] < result[chosen, 4]
                result[chosen[better]] = refined[better]
        return result[:, :4]

    @staticmethod
    def _candidates(coarse: Gray) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Flat places in (N, variants, K) energies worth a closer look, and their rows.

        The best of all, and the best elsewhere and of each other variant where they come near.
        """
        count, variants, cells = coarse.shape
        flat = coarse.reshape(count, -1)
        best = flat.argmin(axis=1)
        rows = np.arange(count)
        yield best, rows
        limit = _AMBIGUOUS * flat[rows, best] + 50.0
        width = 2 * _COARSE + 1
        down, across = np.divmod(np.arange(cells), width)
        at_down, at_across = np.divmod(best % cells, width)
        near = np.abs(down - at_down[:, None]) + np.abs(across - at_across[:, None]) < 4
        for variant in range(variants):
            own = (best // cells == variant)[:, None]
            rest = np.where(own & near, np.inf, coarse[:, variant])
            place = rest.argmin(axis=1)
            close = np.flatnonzero(rest[rows, place] < limit)
            yield variant * cells + place[close], close

    def _click_change(self) -> NDArray[np.bool_]:
        """(H, W): where a click changes what lies below or above the stick."""
        (under, over), (pressed, above) = self._views
        return np.asarray(
            np.abs(pressed - under).max(axis=2) + np.abs(above - over).max(axis=2) > 5
        )

    def _area(self, crops: Gray) -> tuple[list[Gray], Gray]:
        """The stick's surroundings plane by plane, and the background's level in each."""
        height, width = crops.shape[1] * 2 // 3, crops.shape[2]
        luma = crops[:, :height]
        area = [np.stack([high_pass(crop) for crop in luma[:, self._rows, self._columns]])]
        levels = [self._background(luma, self._window, 110.0)]
        if self._planes == 3:
            rows, columns = _halved(self._rows), _halved(self._columns)
            window = self._window[::2, ::2]
            for left in (0, width // 2):
                chroma = crops[:, height:, left : left + width // 2] - np.float32(128)
                levels.append(self._background(chroma, window, 0.0))
                area.append(chroma[:, rows, columns])
        return area, np.stack(levels, axis=1)

    def _swept(self, others: NDArray[np.bool_]) -> Gray:
        """How much each pixel counts: only what the stick can cover, little what others change."""
        covered = np.zeros(others[self._rows, self._columns].shape, np.float32)
        for i in range(-_COARSE, _COARSE + 1, 2):
            for j in range(-_COARSE, _COARSE + 1, 2):
                covered = np.maximum(covered, self._sprite(i / _COARSE, j / _COARSE, down=False)[1])
        near = cv2.dilate(covered, np.ones((5, 5), np.uint8)) > 0.02
        shone_on = cv2.dilate(others.astype(np.uint8), np.ones((7, 7), np.uint8))
        trust = np.where(shone_on[self._rows, self._columns], 0.2, 1.0)
        trust = np.where(others[self._rows, self._columns], 0.03, trust)
        return np.where(near, trust, 0.0).astype(np.float32)

    def _background(self, plane: Gray, window: NDArray[np.bool_], usual: float) -> Gray:
        """Level of the game where the skin lets it through, per picture: (N,)."""
        rows, columns = self._wide
        if window.shape != self._window.shape:
            rows, columns = _halved(rows), _halved(columns)
        seen = window[rows, columns]
        if seen.sum() < 20:
            return np.full(len(plane), usual, np.float32)
        return np.median(plane[:, rows, columns][:, seen], axis=1).astype(np.float32)

    def _lattice(self, down: bool) -> list[_Plane]:  # noqa: FBT001
        steps = range(-_COARSE * _FINER, _COARSE * _FINER + 1, _FINER)

        def small(plane: Gray, index: int) -> Gray:
            return self._small(plane, index).ravel()[self._small_kept[index]]

        cells = [self._drawn(down, i, j, small) for j in steps for i in steps]
        return self._bank(cells, self._small_trust)

    def _neighbourhood(self, down: bool, i: int, j: int, span: int) -> list[_Plane]:  # noqa: FBT001
        steps = range(-span, span + 1)
        cells = [self._cell(down, i + di, j + dj) for dj in steps for di in steps]
        return self._bank(cells, self._trust)

    def _bank(self, cells: list[_Cell], trust: list[Gray]) -> list[_Plane]:
        bank = []
        for index in range(self._planes):
            ink, veil, clear = (
                np.stack([getattr(cell, name)[index] for cell in cells])
                for name in ("ink", "veil", "clear")
            )
            texture = self._texture[min(index, 1)]
            weight = 0.25 * trust[index] / (_NOISE**2 + (clear * texture) ** 2)
            constants = [
                (weight * a * b).sum(axis=1) for a, b in ((ink, ink), (ink, veil), (veil, veil))
            ]
            bank.append(
                _Plane(
                    np.ascontiguousarray(weight.T, np.float32),
                    np.ascontiguousarray((weight * ink).T, np.float32),
                    np.ascontiguousarray((weight * veil).T, np.float32),
                    np.stack(constants).astype(np.float32),
                )
            )
        return bank

    def _refine(self, area: list[Gray], levels: Gray, *, down: bool, place: int) -> Gray:
        width = 2 * _COARSE + 1
        middle_i = (place % width - _COARSE) * _FINER
        middle_j = (place // width - _COARSE) * _FINER
        span = _FINER // 2 + 1
        side = 2 * span + 1
        energy = _energies(self._near(down, middle_i, middle_j, span), area, levels)
        best = energy.argmin(axis=1)
        luma, level = area[0], levels[:, 0]
        n = np.arange(len(luma))
        energy = energy.reshape(len(luma), side, side)
        j, i = np.divmod(best, side)
        j, i = np.clip(j, 1, side - 2), np.clip(i, 1, side - 2)
        lowest = energy[n, j, i]
        dx = _vertex(energy[n, j, i - 1], energy[n, j, i], energy[n, j, i + 1])
        dy = _vertex(energy[n, j - 1, i], energy[n, j, i], energy[n, j + 1, i])
        x, y = (middle_i + i - span + dx) * _UNIT, (middle_j + j - span + dy) * _UNIT
        clicked = np.zeros(len(luma), np.float32)
        score = np.zeros(len(luma), np.float32)
        for cell in np.unique(np.stack([i, j], axis=1), axis=0):
            chosen = np.flatnonzero((i == cell[0]) & (j == cell[1]))
            at = (middle_i + int(cell[0]) - span, middle_j + int(cell[1]) - span)
            score[chosen] = self._score(luma[chosen], level[chosen], down, at)
            if len(self._variants) == 2:
                clicked[chosen] = self._clicked(luma[chosen], level[chosen], at)
        return np.stack([x, y, clicked, score, lowest], axis=1).astype(np.float32)

    def _score(self, area: Gray, level: Gray, down: bool, at: tuple[int, int]) -> Gray:  # noqa: FBT001
        """Correlation of the pictures with the prediction where the stick moves."""
        cell = self._cell(down, *at)
        template = cell.ink[0] + level[:, None] * cell.veil[0]
        weight = self._trust[0] * (1.02 - cell.clear[0])
        both = (area * template) @ weight
        sizes = [(x * x) @ weight for x in (area, template)]
        return np.asarray(both / np.sqrt(np.maximum(sizes[0] * sizes[1], 1e-3)), np.float32)

    def _clicked(self, area: Gray, level: Gray, at: tuple[int, int]) -> Gray:
        """0 where the sprite at this place looks up, 1 where it looks pressed."""
        up, down = (self._cell(which, *at) for which in (False, True))
        variance = _NOISE**2 + (np.minimum(up.clear[0], down.clear[0]) * self._texture[0]) ** 2
        weight = self._trust[0] / variance
        released, pressed = (cell.ink[0] + level[:, None] * cell.veil[0] for cell in (up, down))
        costs = [((area - seen) ** 2) @ weight for seen in (released, pressed)]
        apart = ((pressed - released) ** 2) @ weight
        lead = costs[0] - costs[1] - _DISBELIEF * np.minimum(*costs)
        return np.asarray(0.5 + 0.5 * lead / (apart + 1), np.float32)

    def _cell(self, down: bool, i: int, j: int) -> _Cell:  # noqa: FBT001
        """The prediction with the stick at lattice place (i, j)."""
        key = (down, i, j)
        if key not in self._cells:
            self._cells[key] = self._drawn(
                down, i, j, lambda plane, index: plane.ravel()[self._kept[index]]
            )
        return self._cells[key]

    def _drawn(self, down: bool, i: int, j: int, cut: Callable[[Gray, int], Gray]) -> _Cell:  # noqa: FBT001
        ink, _, clear = self._sprite(i * _UNIT, j * _UNIT, down=down)
        small = (_half(clear),) * (self._planes - 1)
        chroma = tuple(_half(ink @ row) for row in _CHROMA[: self._planes - 1])
        parts = ((high_pass(ink @ LUMA), *chroma), (high_pass(clear), *small), (clear, *small))
        return _Cell(*(tuple(cut(p, index) for index, p in enumerate(part)) for part in parts))

    def _sprite(self, x: float, y: float, *, down: bool) -> tuple[Gray, Gray, Gray]:
        """Colour over black, the stick's own cover, and how clear, with it at (x, y)."""
        layer, renderer = self._layer, self._renderer
        sprite = layer.down if down and layer.down is not None else layer.up
        under, over = self._near_views[int(down)]
        pos = (layer.pos[0] + x * layer.travel[0], layer.pos[1] + y * layer.travel[1])
        left, top, pixels = renderer.sprite(sprite, pos, (x * layer.tilt, y * layer.tilt))
        picture = under.copy()
        cover = np.zeros(picture.shape[:2], np.float32)
        rows, own_rows = _common(top - self._rows.start, pixels.shape[0], picture.shape[0])
        columns, own_columns = _common(
            left - self._columns.start, pixels.shape[1], picture.shape[1]
        )
        seen = pixels[own_rows, own_columns]
        picture[rows, columns] = picture[rows, columns] * (1 - seen[..., 3:]) + seen
        cover[rows, columns] = seen[..., 3]
        picture = picture * (1 - over[..., 3:]) + over
        return picture[..., :3] * self._gain, cover, 1 - self._gain * picture[..., 3]

    def _small(self, picture: Gray, plane: int) -> Gray:
        shrink = self._shrink if plane == 0 else max(1, self._shrink // 2)
        if shrink == 1:
            return picture
        size = (math.ceil(picture.shape[1] / shrink), math.ceil(picture.shape[0] / shrink))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _counting(pictures: Gray, kept: NDArray[np.intp]) -> Gray:
    """(N, h, w) pictures → (N, P): only the pixels that count."""
    return pictures.reshape(len(pictures), -1).take(kept, axis=1)


def _common(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Of `length` pixels from `start` on those within 0..limit: there, and counted from `start`."""
    first, last = min(max(start, 0), limit), min(max(start + length, 0), limit)
    return slice(first, last), slice(first - start, last - start)


def _even(places: NDArray[np.intp], margin: int) -> slice:
    """From the first to the last place with a margin, even as chroma needs it."""
    start, stop = max(int(places[0]) - margin, 0), int(places[-1]) + 1 + margin
    return slice(start - start % 2, stop - stop % 2)


def _halved(part: slice) -> slice:
    return slice(part.start // 2, part.stop // 2)


def _half(plane: Gray) -> Gray:
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _vertex(left: Gray, middle: Gray, right: Gray) -> Gray:
    """Place of the bottom of the parabola through three energies one step apart, in -1..1."""
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / np.where(np.abs(bend) < 1e-9, 1e-9, bend)
    return np.where(bend > 0, np.clip(shift, -1, 1), 0.0).astype(np.float32)
