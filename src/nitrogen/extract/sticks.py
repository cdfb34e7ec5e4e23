"""Follow a stick's sprite: high-passed normalised correlation, coarse to fine, sub-pixel.

Every position of the stick is a template, drawn as the skin would show it. A coarse lattice of
templates finds the neighbourhood, a fine one the place, a parabola the fraction. Only differences
from the surroundings count, so that dark sticks on dark pads are followed as well as bright ones.
"""

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
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


class StickTracker:
    """Reads one stick from crops."""

    def __init__(self, renderer: Renderer, layer: StickLayer, ground: Gray, gain: float) -> None:
        """ground: (h, w) brightness behind the skin, as far as known; gain: its opacity."""
        self._renderer, self._layer, self._ground, self._gain = renderer, layer, ground, gain
        self._alpha = renderer.draw(Actions.released(1))[..., 3].copy()
        reach = renderer.reach(layer)
        rows, columns = np.flatnonzero(reach.any(axis=1)), np.flatnonzero(reach.any(axis=0))
        self._rows = slice(max(int(rows[0]) - 3, 0), int(rows[-1]) + 4)
        self._columns = slice(max(int(columns[0]) - 3, 0), int(columns[-1]) + 4)
        self._has_down = layer.down is not None
        travel_x = max(layer.travel[0] * renderer.placement.scale_x, 1e-3)
        spacing = travel_x * _REACH / _COARSE
        self._shrink = max(1, round(spacing / 1.5))
        self._side = 2 * _COARSE * _FINER + 1
        self._near = lru_cache(maxsize=128)(self._neighbourhood)
        self._fine: dict[tuple[bool, int, int], tuple[Gray, Gray]] = {}
        self._coarse = [
            self._bank(down) for down in ((False, True) if self._has_down else (False,))
        ]

    def track(self, crops: Gray) -> Gray:
        """(N, H, W) crops → (N, 4): x and y in travels, how clicked it looks (0..1), score."""
        area = np.stack([high_pass(crop) for crop in crops[:, self._rows, self._columns]])
        result = np.zeros((len(crops), 4), np.float32)
        small = np.stack([self._small(picture) for picture in area])
        scores = [_correlate(small, *bank) for bank in self._coarse]
        tops = np.stack([score.max(axis=1) for score in scores], axis=1)
        result[:, 3] = tops.max(axis=1)
        variant = tops.argmax(axis=1)
        cell = np.stack([score.argmax(axis=1) for score in scores], axis=1)
        for which in np.unique(variant):
            for place in np.unique(cell[variant == which, which]):
                chosen = np.flatnonzero((variant == which) & (cell[:, which] == place))
                result[chosen, :3] = self._refine(area[chosen], bool(which), int(place))
        return result

    def _bank(self, down: bool) -> tuple[Gray, Gray]:  # noqa: FBT001
        steps = range(-_COARSE * _FINER, _COARSE * _FINER + 1, _FINER)
        pairs = [self._template(down, i, j) for j in steps for i in steps]
        templates = np.stack([self._small(template) for template, _ in pairs])
        weights = np.stack([self._small(weight) for _, weight in pairs])
        return _prepare(templates, weights)

    def _refine(self, area: Gray, down: bool, place: int) -> Gray:  # noqa: FBT001
        width = 2 * _COARSE + 1
        middle_i = (place % width - _COARSE) * _FINER
        middle_j = (place // width - _COARSE) * _FINER
        span = _FINER // 2 + 1
        offsets = range(-span, span + 1)
        bank = self._near(down, middle_i, middle_j, span)
        score = _correlate(area, *bank).reshape(len(area), len(offsets), len(offsets))
        best = score.reshape(len(area), -1).argmax(axis=1)
        j, i = np.divmod(best, len(offsets))
        j, i = np.clip(j, 1, 2 * span - 1), np.clip(i, 1, 2 * span - 1)
        n = np.arange(len(area))
        dx = _vertex(score[n, j, i - 1], score[n, j, i], score[n, j, i + 1])
        dy = _vertex(score[n, j - 1, i], score[n, j, i], score[n, j + 1, i])
        unit = _REACH / (_COARSE * _FINER)
        x, y = (middle_i + i - span + dx) * unit, (middle_j + j - span + dy) * unit
        clicked = np.zeros(len(area), np.float32)
        if self._has_down:
            for cell in np.unique(np.stack([i, j], axis=1), axis=0):
                chosen = np.flatnonzero((i == cell[0]) & (j == cell[1]))
                at = (middle_i + int(cell[0]) - span, middle_j + int(cell[1]) - span)
                clicked[chosen] = self._clicked(area[chosen], *at)
        return np.stack([x, y, clicked], axis=1).astype(np.float32)

    def _clicked(self, area: Gray, i: int, j: int) -> Gray:
        """0 where the sprite at this place looks up, 1 where it looks pressed."""
        up, weight = self._template(False, i, j)  # noqa: FBT003
        down, other = self._template(True, i, j)  # noqa: FBT003
        weight = np.maximum(weight, other)
        change = (down - up) * self._gain
        middle = (down + up) / 2 * self._gain
        apart = float((weight * change * change).sum())
        return np.asarray(
            0.5 + ((area - middle) * (weight * change)).sum(axis=(1, 2)) / (apart + 1.0), np.float32
        )

    def _neighbourhood(self, down: bool, i: int, j: int, span: int) -> tuple[Gray, Gray]:  # noqa: FBT001
        steps = range(-span, span + 1)
        pairs = [self._template(down, i + di, j + dj) for dj in steps for di in steps]
        return _prepare(np.stack([t for t, _ in pairs]), np.stack([w for _, w in pairs]))

    def _template(self, down: bool, i: int, j: int) -> tuple[Gray, Gray]:  # noqa: FBT001
        key = (down, i, j)
        if key not in self._fine:
            unit = _REACH / (_COARSE * _FINER)
            self._fine[key] = self._draw(down, i * unit, j * unit)
        return self._fine[key]

    def _draw(self, down: bool, x: float, y: float) -> tuple[Gray, Gray]:  # noqa: FBT001
        """The stick's surroundings with the stick at (x, y), high-passed, and the weights."""
        layer, renderer = self._layer, self._renderer
        under, over = renderer.split_at(layer)
        sprite = layer.down if down and layer.down is not None else layer.up
        pos = (layer.pos[0] + x * layer.travel[0], layer.pos[1] + y * layer.travel[1])
        left, top, pixels = renderer.sprite(sprite, pos, x * layer.tilt)
        picture = under.copy()
        alpha = np.zeros(picture.shape[:2], np.float32)
        if pixels.size:
            place = (slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1]))
            picture[place] = picture[place] * (1 - pixels[..., 3:]) + pixels
            alpha[place] = pixels[..., 3]
        picture = picture * (1 - over[..., 3:]) + over
        gray = picture[..., :3] @ LUMA + (1 - picture[..., 3]) * self._ground
        near = cv2.dilate(alpha, np.ones((5, 5), np.uint8))
        weight = np.maximum(near, np.maximum(under[..., 3], over[..., 3])) + 0.02
        area = np.ascontiguousarray(gray[self._rows, self._columns], np.float32)
        return high_pass(area), np.ascontiguousarray(weight[self._rows, self._columns], np.float32)

    def _small(self, picture: Gray) -> Gray:
        if self._shrink == 1:
            return picture
        size = (
            math.ceil(picture.shape[1] / self._shrink),
            math.ceil(picture.shape[0] / self._shrink),
        )
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _prepare(templates: Gray, weights: Gray) -> tuple[Gray, Gray]:
    """Weighted templates of zero weighted mean and length 1, and the weights, both (K, P)."""
    flat, weight = templates.reshape(len(templates), -1), weights.reshape(len(weights), -1)
    weight = weight / weight.sum(axis=1, keepdims=True)
    flat = flat - (flat * weight).sum(axis=1, keepdims=True)
    length = np.sqrt((weight * flat * flat).sum(axis=1, keepdims=True))
    return (flat * weight / np.maximum(length, 1e-6)).astype(np.float32), weight.astype(np.float32)


def _correlate(pictures: Gray, templates: Gray, weights: Gray) -> Gray:
    """Weighted correlation of (N, h, w) pictures with K prepared templates: (N, K)."""
    flat = pictures.reshape(len(pictures), -1)
    mean = flat @ weights.T
    variance = (flat * flat) @ weights.T - mean * mean
    return np.asarray((flat @ templates.T) / np.sqrt(np.maximum(variance, 0.25)), np.float32)


def _vertex(left: Gray, middle: Gray, right: Gray) -> Gray:
    """Place of the top of the parabola through three scores one step apart, in -1..1."""
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / np.where(np.abs(bend) < 1e-9, -1e-9, bend)
    return np.where(bend < 0, np.clip(shift, -1, 1), 0.0).astype(np.float32)
