"""Every skin tried everywhere, at every size: slow, but needs no keypoints.

Line drawings without a body, small and a little blurred, give SIFT nothing that it knows again.
Here the drawn skin is correlated with what stands still, as a whole, by Fourier transforms of a
picture 320 pixels wide. The picture is the mean in standard errors, bounded, so that a strong edge
of the game counts no more than a faint line of the overlay. What comes out are rough placements to
align and judge; their correlation here says little, because so many are tried.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.extract.drawn import ink_and_cover, weight_of
from nitrogen.extract.still import Gray, Still, high_pass
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin

_WIDTH = 320
"""Of the picture that is searched, in pixels."""
_BOUND = 3.0
"""Standard errors beyond which a mark counts no more."""
_DETAIL = 2.0
"""High-pass in pixels of that picture."""
_LARGEST, _SMALLEST, _STEP = 0.45, 0.07, 1.06
"""Widths of a skin as shares of the frame's, and the ratio from one to the next."""
_BEYOND = 40
"""Pixels by which an overlay may reach out of the picture, at most half of its own."""
_GROUNDS = (0.0, 64.0, 128.0, 192.0, 255.0)
"""Brightness behind the skin."""
_LEAST_PX = 4
_FLAT = 1e-3
"""Variance, in standard errors squared, that the picture has everywhere."""

_Spectrum = NDArray[np.complexfloating]


def sweep(still: Still, skins: Sequence[Skin]) -> list[tuple[float, Skin, Placement]]:
    """Correlation in -1..1, skin and rough placement: the best of each skin, best first."""
    found = []
    picture = _Searched(still)
    for skin in skins:
        best = max(picture.places(skin), key=lambda place: place[0], default=None)
        if best is not None:
            found.append((best[0], skin, best[1]))
    return sorted(found, key=lambda place: -place[0])


class _Searched:
    """A still picture in which skins are looked for."""

    def __init__(self, still: Still) -> None:
        self._shrink = still.size[0] / _WIDTH
        self._size = (_WIDTH, max(round(still.size[1] / self._shrink), 1))
        marks = np.clip(still.marks, -_BOUND, _BOUND)
        small = cv2.resize(marks, self._size, interpolation=cv2.INTER_AREA)
        reach = (self._size[1] + 2 * _BEYOND, self._size[0] + 2 * _BEYOND)
        self._shape = (cv2.getOptimalDFTSize(reach[0]), cv2.getOptimalDFTSize(reach[1]))
        wide = np.zeros(self._shape, np.float32)
        inside = slice(_BEYOND, _BEYOND + self._size[1]), slice(_BEYOND, _BEYOND + self._size[0])
        wide[inside] = high_pass(np.asarray(small, np.float32), _DETAIL)
        self._picture: _Spectrum = np.fft.rfft2(wide)
        self._squares: _Spectrum = np.fft.rfft2(wide**2)

    def places(self, skin: Skin) -> list[tuple[float, Placement]]:
        """The best place at each size, and its correlation."""
        scale = _LARGEST * _WIDTH / skin.canvas[0]
        renderer = Renderer(skin, Placement(0, 0, scale, scale))
        layers = (*ink_and_cover(renderer), weight_of(renderer))
        found = []
        share = _LARGEST
        while share >= _SMALLEST:
            smaller = share / _LARGEST
            height, width = (round(side * smaller) for side in layers[0].shape)
            if height >= _LEAST_PX and height <= self._size[1]:
                size = (max(width, _LEAST_PX), height)
                parts = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in layers)
                score, x, y = self._best(*(np.asarray(part, np.float32) for part in parts))
                by = scale * smaller * self._shrink
                place = ((x - _BEYOND) * self._shrink, (y - _BEYOND) * self._shrink)
                found.append((score, Placement(*place, by, by)))
            share /= _STEP
        return found

    def _best(self, ink: Gray, cover: Gray, weight: Gray) -> tuple[float, int, int]:
        """Highest correlation of a template over places and grounds, and its column and row.

        Half of the template's width and height must lie on the picture.
        """
        total = float(weight.sum())
        ink, cover = (high_pass(part, _DETAIL) for part in (ink, cover))
        ink, cover = (part - float((part * weight).sum()) / total for part in (ink, cover))
        window = self._spectrum(weight)
        mean = self._over(self._picture, window)
        spread = self._over(self._squares, window) - mean**2 / total
        spread = np.sqrt(np.maximum(spread, _FLAT * total))
        with_ink = self._over(self._picture, self._spectrum(weight * ink)) / spread
        with_cover = self._over(self._picture, self._spectrum(weight * cover)) / spread
        best = np.full(self._shape, -1.0, np.float32)
        for ground in _GROUNDS:
            drawn = ink - np.float32(ground) * cover
            norm = float(np.sqrt((weight * drawn * drawn).sum()))
            if norm > 0:
                np.maximum(best, (with_ink - np.float32(ground) * with_cover) / norm, out=best)
        rows, columns = (
            slice(max(_BEYOND - side // 2, 0), _BEYOND + whole - side // 2 + 1)
            for side, whole in zip(ink.shape, reversed(self._size), strict=True)
        )
        best = best[rows, columns]
        row, column = divmod(int(best.argmax()), best.shape[1])
        return float(best[row, column]), columns.start + column, rows.start + row

    def _spectrum(self, template: Gray) -> _Spectrum:
        wide = np.zeros(self._shape, np.float32)
        wide[: template.shape[0], : template.shape[1]] = template
        return np.conj(np.fft.rfft2(wide))

    def _over(self, picture: _Spectrum, template: _Spectrum) -> Gray:
        """The template's product with the picture at every place."""
        return np.asarray(np.fft.irfft2(picture * template, self._shape), np.float32)
