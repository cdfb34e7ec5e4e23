"""Is the stick clicked? The colour of its cap says so, where the skin draws it differently."""

import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.render import Renderer
from nitrogen.overlay.skin import StickLayer

Gray = NDArray[np.float32]


class ClickColour:
    """Tells a clicked stick by the colour of its cap, where the two sprites differ in it."""

    def __init__(
        self, renderer: Renderer, layer: StickLayer, matrix: NDArray[np.float32], gain: float
    ) -> None:
        """`contrast` is 0 where the sprites cannot be told apart by colour."""
        self._gain, self.contrast = gain, 0.0
        below, _ = renderer.split_at(layer)
        views, covers = [], []
        for sprite in (layer.up, layer.down):
            picture = np.zeros_like(below)
            if sprite is not None:
                left, top, pixels = renderer.sprite(sprite, layer.pos)
                picture[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            views.append((picture[..., :3] @ matrix.T)[::2, ::2])
            covers.append(picture[::2, ::2, 3])
        change = np.abs(views[1] - views[0]).max(axis=2)
        core = (np.minimum(*covers) > 0.95) & (change > 12)
        self._rows, self._columns = np.nonzero(core)
        self._clear = np.asarray(below[::2, ::2, 3] < 0.05)
        travel = (layer.travel[0] * renderer.placement.scale_x / 2,
                  layer.travel[1] * renderer.placement.scale_y / 2)  # fmt: skip
        self._travel = travel
        if len(self._rows) >= 6:
            self._up, down = (view[core].mean(axis=0) for view in views)
            self._change = down - self._up
            trust = 1 / (np.array([25.0, 16.0, 16.0]) + ((1 - gain) * np.array([40, 15, 15])) ** 2)
            self._pull = trust * self._change * gain
            self.contrast = float(self._pull @ self._change * gain)

    def level(self, planes: Gray, xy: Gray) -> Gray:
        """0 where the cap at (x, y), (N, 2) in travels, looks up, 1 where it looks clicked."""
        height, width = planes.shape[1] * 2 // 3, planes.shape[2] // 2
        whole = (planes[:, :height:2, ::2], planes[:, height:, :width], planes[:, height:, width:])
        shift = np.rint(xy * self._travel).astype(int)
        seen = np.zeros((len(planes), 3), np.float32)
        for pair in np.unique(shift, axis=0):
            chosen = np.flatnonzero((shift == pair).all(axis=1))
            rows = np.clip(self._rows + pair[1], 0, height // 2 - 1)
            columns = np.clip(self._columns + pair[0], 0, width - 1)
            for index, plane in enumerate(whole):
                seen[chosen, index] = plane[chosen][:, rows, columns].mean(axis=1)
        seen[:, 1:] -= 128
        through = np.zeros_like(seen)
        if self._gain < 0.97 and self._clear.sum() >= 20:
            for index, plane in enumerate(whole):
                through[:, index] = np.median(plane[:, self._clear], axis=1)
            through[:, 1:] -= 128
        rest = seen - self._gain * self._up - (1 - self._gain) * through
        return np.asarray(rest @ self._pull / self.contrast, np.float32)
