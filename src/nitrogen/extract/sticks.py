"""Follow a stick's sprite: templates at every position, coarse to fine, sub-pixel.

Every position of the stick predicts its surroundings, drawn as the skin would show them. Only
differences from the wider surroundings count (a high-pass), so that dark sticks on dark pads are
followed as well as bright ones; opaque pixels are held to the prediction, clear ones may show some
texture of the game. A coarse lattice finds the neighbourhood, a fine one the place, a parabola the
fraction.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.locate import LUMA, high_pass
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


@dataclass(frozen=True, eq=False)
class _Cell:
    """The prediction for one place of the stick: ink + level * veil, both high-passed."""

    ink: Gray
    veil: Gray
    """What a background of brightness 1 adds."""
    clear: Gray
    """Share of the background that shines through."""

    def at(self, level: float) -> Gray:
        """The prediction over a background of this brightness."""
        return self.ink + np.float32(level) * self.veil


@dataclass(frozen=True, eq=False)
class _Bank:
    """K places' predictions, ready to be compared with (N, P) pictures."""

    weight: Gray
    """(P, K): one over the variance of what a prediction leaves unexplained."""
    ink: Gray
    """(P, K), weighted; `veil` likewise."""
    veil: Gray
    constants: Gray
    """(3, K): weighted products of ink and ink, ink and veil, veil and veil."""

    def energies(self, flat: Gray, level: Gray) -> Gray:
        """Minus twice the log likelihood over backgrounds of brightness `level`, (N,): (N, K)."""
        b = level[:, None]
        own, cross, through = self.constants
        # No term for the variances: a flat sky explains itself no worse than a flat sprite does.
        return np.asarray(
            (flat * flat) @ self.weight
            - 2 * (flat @ self.ink + b * (flat @ self.veil))
            + (own + 2 * b * cross + b * b * through),
            np.float32,
        )


class StickTracker:
    """Reads one stick from luma crops."""

    def __init__(
        self,
        renderer: Renderer,
        layer: StickLayer,
        *,
        gain: float,
        others: NDArray[np.bool_],
        texture: float,
    ) -> None:
        """How the skin's stick looks.

        gain: the overlay's opacity; others: (h, w), what other controls may change; texture:
        standard deviation of the game's picture, high-passed.
        """
        self._renderer, self._layer, self._gain = renderer, layer, gain
        self._under, self._over = renderer.split_at(layer)
        self._texture = texture
        reach = renderer.reach(layer)
        rows, columns = np.flatnonzero(reach.any(axis=1)), np.flatnonzero(reach.any(axis=0))
        self._rows = slice(max(int(rows[0]) - 3, 0), int(rows[-1]) + 4)
        self._columns = slice(max(int(columns[0]) - 3, 0), int(columns[-1]) + 4)
        margin = 12
        self._wide = (
            slice(max(self._rows.start - margin, 0), self._rows.stop + margin),
            slice(max(self._columns.start - margin, 0), self._columns.stop + margin),
        )
        alpha = np.maximum(self._under[..., 3], self._over[..., 3])[self._wide]
        self._window = cv2.dilate(alpha, np.ones((3, 3), np.uint8)) < 0.1
        self._variants = (False, True) if layer.down is not None else (False,)
        travel_x = max(layer.travel[0] * renderer.placement.scale_x, 1e-3)
        self._shrink = max(1, round(travel_x * _REACH / _COARSE / 1.5))
        self._cells: dict[tuple[bool, int, int], _Cell] = {}
        self._trust = self._swept(others)
        self._coarse = [self._lattice(down) for down in self._variants]
        self._near = lru_cache(maxsize=128)(self._neighbourhood)

    def track(self, crops: Gray) -> Gray:
        """(N, H, W) crops → (N, 4): x and y in travels, how clicked it looks (0..1), score."""
        area = np.stack([high_pass(crop) for crop in crops[:, self._rows, self._columns]])
        level = self._background(crops)
        result = np.zeros((len(crops), 4), np.float32)
        small = np.stack([self._small(picture) for picture in area]).reshape(len(area), -1)
        energies = [bank.energies(small, level) for bank in self._coarse]
        variant = np.stack([e.min(axis=1) for e in energies], axis=1).argmin(axis=1)
        cell = np.stack([e.argmin(axis=1) for e in energies], axis=1)
        for which in np.unique(variant):
            for place in np.unique(cell[variant == which, which]):
                chosen = np.flatnonzero((variant == which) & (cell[:, which] == place))
                result[chosen] = self._refine(
                    area[chosen], level[chosen], down=bool(which), place=int(place)
                )
        return result

    def _swept(self, others: NDArray[np.bool_]) -> Gray:
        """How much each pixel counts: only what the stick can cover, little what others change."""
        covered = np.zeros(others[self._rows, self._columns].shape, np.float32)
        for i in range(-_COARSE, _COARSE + 1, 2):
            for j in range(-_COARSE, _COARSE + 1, 2):
                covered = np.maximum(covered, self._sprite(i / _COARSE, j / _COARSE, down=False)[1])
        near = cv2.dilate(covered, np.ones((5, 5), np.uint8)) > 0.02
        trust = np.where(others[self._rows, self._columns], 0.03, 1.0)
        return np.where(near, trust, 0.0).astype(np.float32)

    def _background(self, crops: Gray) -> Gray:
        """Brightness of the game where the skin lets it through, per crop: (N,)."""
        seen = self._window
        if seen.sum() < 20:
            return np.full(len(crops), 110.0, np.float32)
        return np.median(crops[:, self._wide[0], self._wide[1]][:, seen], axis=1).astype(np.float32)

    def _lattice(self, down: bool) -> _Bank:  # noqa: FBT001
        steps = range(-_COARSE * _FINER, _COARSE * _FINER + 1, _FINER)
        cells = [self._cell(down, i, j) for j in steps for i in steps]
        small = [
            _Cell(self._small(cell.ink), self._small(cell.veil), self._small(cell.clear))
            for cell in cells
        ]
        return self._bank(small, self._small(self._trust))

    def _neighbourhood(self, down: bool, i: int, j: int, span: int) -> _Bank:  # noqa: FBT001
        steps = range(-span, span + 1)
        cells = [self._cell(down, i + di, j + dj) for dj in steps for di in steps]
        return self._bank(cells, self._trust)

    def _bank(self, cells: list[_Cell], trust: Gray) -> _Bank:
        ink, veil, clear = (
            np.stack([getattr(cell, name).ravel() for cell in cells])
            for name in ("ink", "veil", "clear")
        )
        weight = 0.25 * trust.ravel() / (_NOISE**2 + (clear * self._texture) ** 2)
        constants = [
            (weight * a * b).sum(axis=1) for a, b in ((ink, ink), (ink, veil), (veil, veil))
        ]
        return _Bank(
            np.ascontiguousarray(weight.T, np.float32),
            np.ascontiguousarray((weight * ink).T, np.float32),
            np.ascontiguousarray((weight * veil).T, np.float32),
            np.stack(constants).astype(np.float32),
        )

    def _refine(self, area: Gray, level: Gray, *, down: bool, place: int) -> Gray:
        width = 2 * _COARSE + 1
        middle_i = (place % width - _COARSE) * _FINER
        middle_j = (place // width - _COARSE) * _FINER
        span = _FINER // 2 + 1
        side = 2 * span + 1
        flat = area.reshape(len(area), -1)
        energy = self._near(down, middle_i, middle_j, span).energies(flat, level)
        best = energy.argmin(axis=1)
        n = np.arange(len(area))
        energy = energy.reshape(len(area), side, side)
        j, i = np.divmod(best, side)
        j, i = np.clip(j, 1, side - 2), np.clip(i, 1, side - 2)
        dx = _vertex(energy[n, j, i - 1], energy[n, j, i], energy[n, j, i + 1])
        dy = _vertex(energy[n, j - 1, i], energy[n, j, i], energy[n, j + 1, i])
        x, y = (middle_i + i - span + dx) * _UNIT, (middle_j + j - span + dy) * _UNIT
        clicked = np.zeros(len(area), np.float32)
        score = np.zeros(len(area), np.float32)
        for cell in np.unique(np.stack([i, j], axis=1), axis=0):
            chosen = np.flatnonzero((i == cell[0]) & (j == cell[1]))
            at = (middle_i + int(cell[0]) - span, middle_j + int(cell[1]) - span)
            score[chosen] = self._score(area[chosen], level[chosen], down, at)
            if len(self._variants) == 2:
                clicked[chosen] = self._clicked(area[chosen], level[chosen], at)
        return np.stack([x, y, clicked, score], axis=1).astype(np.float32)

    def _score(self, area: Gray, level: Gray, down: bool, at: tuple[int, int]) -> Gray:  # noqa: FBT001
        """Correlation of the pictures with the prediction where the stick moves."""
        cell = self._cell(down, *at)
        template = cell.ink + level[:, None, None] * cell.veil
        weight = self._trust * (1.02 - cell.clear)
        both = (area * template * weight).sum(axis=(1, 2))
        sizes = [(x * x * weight).sum(axis=(1, 2)) for x in (area, template)]
        return np.asarray(both / np.sqrt(np.maximum(sizes[0] * sizes[1], 1e-3)), np.float32)

    def _clicked(self, area: Gray, level: Gray, at: tuple[int, int]) -> Gray:
        """0 where the sprite at this place looks up, 1 where it looks pressed."""
        up, down = self._cell(False, *at), self._cell(True, *at)  # noqa: FBT003
        variance = _NOISE**2 + (np.minimum(up.clear, down.clear) * self._texture) ** 2
        b = level[:, None, None]
        change = (down.ink - up.ink) + b * (down.veil - up.veil)
        middle = ((down.ink + up.ink) + b * (down.veil + up.veil)) / 2
        pull = self._trust * change / variance
        apart = (pull * change).sum(axis=(1, 2))
        return np.asarray(0.5 + ((area - middle) * pull).sum(axis=(1, 2)) / (apart + 1), np.float32)

    def _cell(self, down: bool, i: int, j: int) -> _Cell:  # noqa: FBT001
        """The prediction with the stick at lattice place (i, j)."""
        key = (down, i, j)
        if key not in self._cells:
            ink, _, clear = self._sprite(i * _UNIT, j * _UNIT, down=down)
            self._cells[key] = _Cell(high_pass(ink), high_pass(clear), clear)
        return self._cells[key]

    def _sprite(self, x: float, y: float, *, down: bool) -> tuple[Gray, Gray, Gray]:
        """Brightness over black, the stick's own cover, and how clear, with it at (x, y)."""
        layer, renderer = self._layer, self._renderer
        sprite = layer.down if down and layer.down is not None else layer.up
        pos = (layer.pos[0] + x * layer.travel[0], layer.pos[1] + y * layer.travel[1])
        left, top, pixels = renderer.sprite(sprite, pos, (x * layer.tilt, y * layer.tilt))
        picture = self._under.copy()
        cover = np.zeros(picture.shape[:2], np.float32)
        if pixels.size:
            place = (slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1]))
            picture[place] = picture[place] * (1 - pixels[..., 3:]) + pixels
            cover[place] = pixels[..., 3]
        picture = picture * (1 - self._over[..., 3:]) + self._over
        gray = picture[..., :3] @ LUMA * self._gain
        clear = 1 - self._gain * picture[..., 3]
        return tuple(  # type: ignore[return-value]
            np.ascontiguousarray(part[self._rows, self._columns], np.float32)
            for part in (gray, cover, clear)
        )

    def _small(self, picture: Gray) -> Gray:
        if self._shrink == 1:
            return picture
        size = (
            math.ceil(picture.shape[1] / self._shrink),
            math.ceil(picture.shape[0] / self._shrink),
        )
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _vertex(left: Gray, middle: Gray, right: Gray) -> Gray:
    """Place of the bottom of the parabola through three energies one step apart, in -1..1."""
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / np.where(np.abs(bend) < 1e-9, 1e-9, bend)
    return np.where(bend > 0, np.clip(shift, -1, 1), 0.0).astype(np.float32)
