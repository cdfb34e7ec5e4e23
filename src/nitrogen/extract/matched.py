"""The matched reader: reads an overlay whose skin is known and located, without a network.

Two passes. `scan` turns crops into a trace, a few numbers per frame: how much each control's
difference shows, where each stick is, whether the overlay is there at all. `read` looks at the
trace of the whole video, finds each control's levels and decides. A trace is small, so it can be
stored chunk by chunk and the decision made when the video is through.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, BUTTONS, STICKS, Actions
from nitrogen.extract import detectors
from nitrogen.extract.detectors import Detector
from nitrogen.extract.locate import Found, Gray, gray_of, high_pass
from nitrogen.extract.reader import Reading
from nitrogen.extract.sticks import StickTracker
from nitrogen.overlay.render import Renderer
from nitrogen.overlay.skin import StickLayer, TriggerLayer
from nitrogen.video import Luma

VISIBLE = 0.35
"""Share of the usual contrast below which the overlay counts as hidden."""

_DIAGONALS = (("dpad_up", "dpad_left"), ("dpad_up", "dpad_right"),
              ("dpad_down", "dpad_left"), ("dpad_down", "dpad_right"))  # fmt: skip


class MatchedReader:
    """Reads one overlay at one place."""

    def __init__(self, found: Found, samples: list[Luma]) -> None:
        """samples: luma crops of `found.box` from all over the video, at least some dozens."""
        self.skin = found.skin
        stack = np.stack(samples).astype(np.float32)
        self._median = np.median(stack, axis=0).astype(np.float32)
        self._renderer = Renderer(found.skin, replace(found.placement, opacity=1.0))
        self._ground = _ground(self._median, self._renderer)
        self._drawn = gray_of(self._renderer, ground=self._ground)
        self.gain = self._fit_gain()
        rest = stack - self._median
        self._names: list[str] = []
        self._detectors: list[Detector] = []
        self._curves: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for name in BUTTONS:
            difference = self._difference(**{name: 1.0})
            detector = detectors.fit(difference, rest, self.gain)
            if name in self.skin.buttons and detector is not None:
                self._add(name, detector)
        self._presence = detectors.fit(self._still(), rest, self.gain)
        self._sticks = [
            (layer.side, StickTracker(self._renderer, layer, self._ground), layer)
            for layer in self.skin.layers
            if isinstance(layer, StickLayer)
        ]
        self._absolute = detectors.apply(self._detectors, self._offset()[None])[0]

    @property
    def width(self) -> int:
        """Numbers per frame in a trace."""
        return 1 + len(self._detectors) + 4 * len(self._sticks)

    def scan(self, crops: list[Luma]) -> Gray:
        """The trace of some frames, (N, width)."""
        pictures = np.stack(crops).astype(np.float32)
        rest = pictures - self._median
        parts = [np.ones((len(crops), 1), np.float32)]
        if self._presence is not None:
            parts = [1 + detectors.apply([self._presence], rest) / self.gain]
        parts.append(detectors.apply(self._detectors, rest))
        parts += [tracker.track(pictures) for _, tracker, _ in self._sticks]
        return np.concatenate(parts, axis=1)

    def read(self, trace: Gray) -> Reading:
        """Decide on the trace of a whole video, (T, width)."""
        count = len(trace)
        buttons = np.zeros((count, len(BUTTONS)), np.float32)
        margin = np.ones(count, np.float32)
        for place, name in enumerate(self._names):
            response = trace[:, 1 + place]
            released, pressed = detectors.threshold(
                response, self.gain, absolute=float(self._absolute[place])
            )
            level = (response - released) / (pressed - released)
            if name in self._curves:
                travel, curve = self._curves[name]
                buttons[:, BUTTON_INDEX[name]] = np.interp(level, curve, travel)
            else:
                buttons[:, BUTTON_INDEX[name]] = level > 0.5
                margin = np.minimum(margin, np.abs(level - 0.5) * 2)
        sticks = np.zeros((count, len(STICKS)), np.float32)
        start = 1 + len(self._detectors)
        for index, (side, _, layer) in enumerate(self._sticks):
            part = trace[:, start + 4 * index : start + 4 * index + 4]
            first = 0 if side == "left" else 2
            sticks[:, first : first + 2] = np.clip(part[:, :2], -1, 1)
            margin = np.minimum(margin, part[:, 2:].max(axis=1) * 1.25)
            if layer.down is not None:
                clicked = _clicked(part[:, 3] - part[:, 2])
                buttons[:, BUTTON_INDEX[f"{side}_thumb"]] = clicked
        visible = trace[:, 0] > VISIBLE
        return Reading(
            Actions(np.clip(buttons, 0, 1), sticks),
            visible,
            (np.clip(margin, 0, 1) * visible).astype(np.float32),
            frozenset(self._names) | self.skin.buttons | self.skin.sticks,
        )

    def _add(self, name: str, detector: Detector) -> None:
        self._names.append(name)
        self._detectors.append(detector)
        analogue = any(
            isinstance(layer, TriggerLayer) and layer.button == name and layer.mode != "switch"
            for layer in self.skin.layers
        )
        if analogue:
            travel = np.linspace(0, 1, 17)
            levels = np.stack([self._difference(**{name: float(t)}) for t in travel])
            curve = np.maximum.accumulate(detectors.apply([detector], levels)[:, 0])
            self._curves[name] = travel, curve + 1e-6 * travel

    def _difference(self, **controls: float) -> Gray:
        drawn = gray_of(self._renderer, Actions.of(**controls), self._ground)
        return np.asarray(drawn - self._drawn, np.float32)

    def _still(self) -> Gray:
        """The high-passed skin where no control changes it."""
        picture = high_pass(self._drawn)
        for layer in self.skin.layers:
            if not hasattr(layer, "sprite") or isinstance(layer, TriggerLayer):
                picture[self._renderer.reach(layer)] = 0
        alpha = self._renderer.draw(Actions.released(1))[..., 3]
        return np.asarray(picture * (cv2.dilate(alpha, np.ones((3, 3), np.uint8)) > 0.1))

    def _fit_gain(self) -> float:
        """Contrast of the overlay in the video against the drawn skin: opacity, mostly."""
        drawn, shown = self._still(), high_pass(self._median)
        gain = float((drawn * shown).sum() / max(float((drawn * drawn).sum()), 1e-6))
        return float(np.clip(gain, 0.2, 1.3))

    def _offset(self) -> Gray:
        """The median picture against the drawn released skin, high-passed."""
        return high_pass(self._median) - self.gain * high_pass(self._drawn)


def _ground(median: Gray, renderer: Renderer) -> Gray:
    """Brightness behind the skin: what the median shows round and between its parts."""
    clear = 1 - np.clip(renderer.draw(Actions.released(1))[..., 3], 0, 1)
    clear = np.where(clear > 0.5, clear, 0.0).astype(np.float32) + 1e-4
    size = (0, 0)
    return np.asarray(
        cv2.GaussianBlur(median * clear, size, 8) / cv2.GaussianBlur(clear, size, 8), np.float32
    )


def _clicked(difference: Gray) -> NDArray[np.bool_]:
    """Where the pressed sprite fits better: cut between the two groups, if there are two."""
    cut = 0.0
    for _ in range(10):
        above, below = difference[difference > cut], difference[difference <= cut]
        if len(above) < 3 or len(below) < 3:
            break
        cut = float(np.median(above) + np.median(below)) / 2
    return difference > cut
