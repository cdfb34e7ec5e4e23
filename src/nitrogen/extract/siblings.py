"""Which of several like skins is it? Their lines agree, so colour has to tell.

The median of many crops shows the overlay with nearly everything released, in brightness and
colour. The skin whose drawing is nearest to it wins.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.extract import colour
from nitrogen.extract.locate import Found
from nitrogen.extract.reader import Planes
from nitrogen.extract.still import Gray
from nitrogen.overlay.render import Renderer
from nitrogen.overlay.sprites import Premultiplied
from nitrogen.video.pixels import Box

_MOST = 40.0
"""Difference in grey levels beyond which a pixel is simply wrong."""


def settle(found: Found, samples: Sequence[Planes], box: Box) -> Found:
    """The one of `found` and its rivals that looks most like the packed crops of `box`."""
    if not found.rivals:
        return found
    candidates = (found, *found.rivals)
    median = np.median(np.stack(samples), axis=0).astype(np.float32)
    drawn = [
        Renderer(one.skin, one.placement, box).draw(Actions.released(1)).copy()
        for one in candidates
    ]
    covered = colour.pack(np.max([picture[..., 3] for picture in drawn], axis=0) > 0.3)
    errors = [
        min(_error(picture, median, covered, matrix) for matrix in colour.MATRICES.values())
        for picture in drawn
    ]
    return candidates[int(np.argmin(errors))]


def ground_of(median: Gray, alpha: Gray) -> Gray:
    """Brightness behind a skin, (H, W): what the median shows round and between its parts."""
    clear = 1 - np.clip(alpha, 0, 1)
    clear = np.where(clear > 0.5, clear, 0.0).astype(np.float32) + 1e-4
    size = (0, 0)
    return np.asarray(
        cv2.GaussianBlur(median * clear, size, 8) / cv2.GaussianBlur(clear, size, 8), np.float32
    )


def _error(
    picture: Premultiplied,
    median: Gray,
    covered: NDArray[np.bool_],
    matrix: NDArray[np.float32],
) -> float:
    """Mean squared difference, wrong pixels counting alike, at the opacity that fits best."""
    height = picture.shape[0]
    view = colour.view(picture, matrix)
    ground = np.full_like(median, 128.0)
    ground[:height] = ground_of(median[:height], picture[..., 3])
    middle = np.zeros_like(median)
    middle[height:] = 128.0
    change = (view.ink + middle * view.alpha - view.alpha * ground)[covered]
    seen = (median - ground)[covered]
    gain = np.clip(float(change @ seen) / max(float(change @ change), 1e-6), 0.2, 1.0)
    rest = np.clip(np.abs(seen - gain * change), 0, _MOST)
    return float((rest**2).mean())
