"""The matched reader: reads an overlay whose skin is known and located, without a network.

Two passes. `scan` turns crops into a trace, a few numbers per frame: how pressed each button looks,
where each stick is, whether the overlay is there at all. `read` looks at the trace of the whole
video, finds where to cut, and decides. A trace is small, so it can be stored stretch by stretch and
the decision made when the video is through.
"""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, STICKS, Actions
from nitrogen.errors import ExtractionError
from nitrogen.extract import colour, detectors
from nitrogen.extract.clicks import ClickColour
from nitrogen.extract.drawn import gray_of
from nitrogen.extract.hypotheses import Control, Patches, changed
from nitrogen.extract.locate import Found
from nitrogen.extract.reader import Planes, ReaderName, Reading
from nitrogen.extract.siblings import ground_of
from nitrogen.extract.sticks import StickTracker
from nitrogen.extract.still import Gray, high_pass
from nitrogen.overlay.render import Renderer
from nitrogen.overlay.skin import StickLayer, TriggerLayer
from nitrogen.video.pixels import Box, even_box

VISIBLE = 0.35
"""Share of the usual contrast below which the overlay counts as hidden."""

DPAD = ("dpad_up", "dpad_down", "dpad_left", "dpad_right")
_DPAD_STATES = ((), (0,), (1,), (2,), (3,), (0, 2), (0, 3), (1, 2), (1, 3))
_TRAVEL = np.linspace(0, 1, 13)
_TIE = 0.02
"""Difference in level that tells nothing."""
_LOST = 0.6
"""Score below which a stick is not where it seems to be."""
_LONGEST_BRIDGE = 15
"""Rows without sight of the stick that are bridged; longer ones stay as read."""
_CLICK_CONTRAST = 9.0
"""Standard deviations, squared, by which a stick's cap must change colour to be judged by it."""


class MatchedReader:
    """Reads one overlay at one place."""

    name: ReaderName = "matched"

    def __init__(
        self,
        found: Found,
        samples: list[Planes],
        *,
        box: Box | None = None,
        frame: tuple[int, int] | None = None,
    ) -> None:
        """samples: packed crops of `box` (`reading_box(found)`) from all over, some dozens.

        frame: width and height of the video, if the overlay may reach beyond it. Raises
        ExtractionError if there are no samples.
        """
        if not samples:
            raise ExtractionError("no samples of the overlay to learn from")
        self.skin, self.box = found.skin, box or reading_box(found)
        self._height = self.box[3]
        self._inside = _inside(self.box, frame)
        stack = np.stack(samples).astype(np.float32)
        self._median = np.median(stack, axis=0).astype(np.float32)
        luma = self._median[: self._height]
        self._renderer = Renderer(found.skin, replace(found.placement, opacity=1.0), self.box)
        ground = ground_of(luma, self._renderer.draw(Actions.released(1))[..., 3])
        self._drawn = gray_of(self._renderer, ground=ground)
        self.gain = self._fit_gain()
        self.opacity: float | None = self.gain
        rest = stack[:, : self._height] - luma
        self._presence = detectors.fit(self._still(), rest, self.gain)
        texture = _texture(stack, self._renderer)
        changes = self._luma_changes()
        self._sticks = [
            (
                layer.side,
                StickTracker(
                    self._renderer,
                    layer,
                    gain=self.gain,
                    others=changes | ~self._inside,
                    texture=texture,
                ),
                layer,
            )
            for layer in self.skin.layers
            if isinstance(layer, StickLayer)
            and (self._renderer.reach(layer) & self._inside).sum() > 20
        ]
        self.matrix, self._controls = self._best_matrix(stack)
        matrix = colour.MATRICES[self.matrix]
        self._clicks = [
            ClickColour(self._renderer, layer, matrix, self.gain) for _, _, layer in self._sticks
        ]

    @property
    def width(self) -> int:
        """Numbers per frame in a trace."""
        return 1 + sum(len(names) for names, _ in self._controls) + 4 * len(self._sticks)

    def scan(self, crops: list[Planes]) -> Gray:
        """The trace of some frames' packed crops, (N, width)."""
        pictures = np.stack(crops).astype(np.float32)
        luma = pictures[:, : self._height]
        parts = [np.ones((len(crops), 1), np.float32)]
        if self._presence is not None:
            rest = luma - self._median[: self._height]
            parts = [1 + detectors.apply([self._presence], rest) / self.gain]
        for names, control in self._controls:
            patches = control.patches(pictures)
            if len(names) == 4:
                parts.append(_directions(control, patches))
            elif self._is_analogue(names[0]):
                parts.append(_travel(control, patches))
            else:
                zero = np.zeros(len(crops), np.intp)
                energies = control.energies(patches)
                parts.append(control.level(patches, energies, zero, zero + 1)[:, None])
        for (_, tracker, _), click in zip(self._sticks, self._clicks, strict=True):
            tracked = tracker.track(pictures)
            if click.contrast > _CLICK_CONTRAST:
                tracked[:, 2] = click.level(pictures, tracked[:, :2])
            parts.append(tracked)
        return np.concatenate(parts, axis=1)

    def read(self, trace: Gray) -> Reading:
        """Decide on the trace of a whole video, (T, width)."""
        count = len(trace)
        buttons = np.zeros((count, len(BUTTON_INDEX)), np.float32)
        margin = np.ones(count, np.float32)
        names = [name for names, _ in self._controls for name in names]
        for place, name in enumerate(names, start=1):
            if self._is_analogue(name):
                buttons[:, BUTTON_INDEX[name]] = trace[:, place]
            else:
                level = trace[:, place] - cut(trace[:, place])
                buttons[:, BUTTON_INDEX[name]] = level > 0
                margin = np.minimum(margin, np.abs(level) * 2)
        _apart(buttons, trace, names)
        sticks = np.zeros((count, len(STICKS)), np.float32)
        start = 1 + len(names)
        for index, (side, tracker, _) in enumerate(self._sticks):
            part = trace[:, start + 4 * index : start + 4 * index + 4]
            first = 0 if side == "left" else 2
            sticks[:, first : first + 2] = np.clip(bridged(part[:, :2], part[:, 3]), -1, 1)
            margin = np.minimum(margin, part[:, 3] * 1.25)
            if tracker.tells_click:
                clicked = part[:, 2] > cut(part[:, 2])
                buttons[:, BUTTON_INDEX[f"{side}_thumb"]] = clicked
        visible = trace[:, 0] > VISIBLE
        return Reading(
            Actions(np.clip(buttons, 0, 1), sticks),
            visible,
            (np.clip(margin, 0, 1) * visible).astype(np.float32),
            self._readable(names),
        )

    def _readable(self, names: list[str]) -> frozenset[str]:
        """The controls that can be read: those of the skin that lie inside the frame."""
        readable = set(names)
        for side, tracker, layer in self._sticks:
            reach = self._renderer.reach(layer)
            if (reach & self._inside).sum() > 0.5 * reach.sum():
                readable.add(side)
                if tracker.tells_click:
                    readable.add(f"{side}_thumb")
        return frozenset(readable)

    def _luma_changes(self) -> NDArray[np.bool_]:
        """What buttons, pads and triggers may change, (H, W)."""
        released = self._renderer.draw(Actions.released(1)).copy()
        changes = np.zeros(released.shape[:2], np.bool_)
        for name in sorted(self.skin.buttons - {"left_thumb", "right_thumb"}):
            pressed = self._renderer.draw(_held(name, 1.0))
            changes |= np.abs(pressed - released).max(axis=2) > 0.05
        return changes

    def _best_matrix(self, stack: Gray) -> tuple[str, list[tuple[tuple[str, ...], Control]]]:
        """The colour matrix whose controls explain the samples best, and its controls."""
        made = {name: list(self._make_controls(stack, name)) for name in colour.MATRICES}
        costs = {
            name: sum(float(c.energies(c.patches(stack)).min(axis=1).sum()) for _, c in controls)
            for name, controls in made.items()
        }
        best = min(costs, key=costs.__getitem__)
        return best, made[best]

    def _make_controls(self, stack: Gray, matrix: str) -> Iterator[tuple[tuple[str, ...], Control]]:
        shown = self.skin.buttons
        clicks = {f"{side}_thumb" for side, tracker, _ in self._sticks if tracker.tells_click}
        states: dict[tuple[str, ...], list[Actions]] = {}
        if set(DPAD) & shown:
            states[DPAD] = [Actions.of(*(DPAD[i] for i in state)) for state in _DPAD_STATES]
        for name in sorted(shown - set(DPAD) - clicks):
            travels = [float(t) for t in _TRAVEL] if self._is_analogue(name) else [0.0, 1.0]
            states[(name,)] = [_held(name, travel) for travel in travels]
        views = {
            names: [
                colour.view(self._renderer.draw(state), colour.MATRICES[matrix]) for state in some
            ]
            for names, some in states.items()
        }
        changes = {
            names: np.max([changed(some[0], view) for view in some[1:]], axis=0) > 2.0
            for names, some in views.items()
        }
        reach = np.zeros((self._height, self.box[2]), np.bool_)
        for _, _, layer in self._sticks:
            reach |= self._renderer.reach(layer)
        inside = colour.pack(self._inside)
        for names, some in views.items():
            others = colour.pack(reach)
            for other, change in changes.items():
                if other != names:
                    others |= change
            control = Control(
                some, stack, self._median, opacity=self.gain, others=others, inside=inside
            )
            if control.evidence.max() > 0:
                yield names, control

    def _is_analogue(self, name: str) -> bool:
        return any(
            isinstance(layer, TriggerLayer) and layer.button == name and layer.mode != "switch"
            for layer in self.skin.layers
        )

    def _still(self) -> Gray:
        """The high-passed skin where nothing changes it; where only sticks do if that is little."""
        picture = high_pass(self._drawn)
        for layer in self.skin.layers:
            if isinstance(layer, StickLayer):
                picture[self._renderer.reach(layer)] = 0
        alpha = self._renderer.draw(Actions.released(1))[..., 3]
        picture *= cv2.dilate(alpha, np.ones((3, 3), np.uint8)) > 0.1
        near = cv2.dilate(self._luma_changes().astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        picture *= self._inside
        still = np.where(near, np.float32(0), picture)
        enough = float((still**2).sum()) > 0.1 * float((picture**2).sum())
        return np.asarray(still if enough else picture, np.float32)

    def _fit_gain(self) -> float:
        """Contrast of the overlay in the video against the drawn skin: opacity, mostly."""
        drawn, shown = self._still(), high_pass(self._median[: self._height])
        gain = float((drawn * shown).sum() / max(float((drawn * drawn).sum()), 1e-6))
        return float(np.clip(gain, 0.2, 1.0))


def reading_box(found: Found) -> Box:
    """The crop that the reader wants: the overlay's box with even place and size."""
    return even_box(found.box)


def _apart(buttons: Gray, trace: Gray, names: list[str]) -> None:
    """No pad is pressed up and down at once: of two opposites the likelier one stays, in place.

    Neither stays where nothing tells them apart, as with skins that draw no diagonals.
    """
    for one, other in (DPAD[:2], DPAD[2:]):
        if one in names and other in names:
            first, second = BUTTON_INDEX[one], BUTTON_INDEX[other]
            lead = trace[:, 1 + names.index(one)] - trace[:, 1 + names.index(other)]
            both = (buttons[:, first] > 0) & (buttons[:, second] > 0)
            buttons[both & (lead < _TIE), first] = 0
            buttons[both & (lead > -_TIE), second] = 0


def bridged(places: Gray, score: Gray) -> Gray:
    """(T, 2) places of a stick, led straight over short stretches in which it was lost from sight.

    score: (T,), correlation of the picture with what the place predicts.
    """
    lost = score < _LOST
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(np.int8)))
    bridge = np.zeros(len(score), np.bool_)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        bridge[start:stop] = stop - start <= _LONGEST_BRIDGE
    known = np.flatnonzero(~bridge)
    if not bridge.any() or not len(known):
        return places
    rows = np.arange(len(score))
    led = [np.interp(rows, known, places[known, axis]) for axis in (0, 1)]
    return np.stack(led, axis=1).astype(np.float32)


def cut(trace: Gray) -> float:
    """Where to cut a trace of levels, nominally 0 and 1: the middle of its widest gap near 0.5."""
    low, high = 0.35, 0.65
    inside = np.sort(trace[(trace > low) & (trace < high)])
    edges = np.concatenate([[low], inside, [high]])
    gaps = np.diff(edges)
    widest = int(gaps.argmax())
    return float(edges[widest] + gaps[widest] / 2)


def _inside(box: Box, frame: tuple[int, int] | None) -> NDArray[np.bool_]:
    """(h, w): which pixels of the box the frame really has."""
    x, y, width, height = box
    right, bottom = frame or (x + width, y + height)
    columns, rows = np.arange(x, x + width), np.arange(y, y + height)
    return np.outer((rows >= 0) & (rows < bottom), (columns >= 0) & (columns < right))


def _directions(control: Control, patches: Patches) -> Gray:
    """How pressed each of the four directions looks, (N, 4)."""
    energies = control.energies(patches)
    result = np.empty((len(patches), 4), np.float32)
    for direction in range(4):
        on = [k for k, state in enumerate(_DPAD_STATES) if direction in state]
        off = [k for k, state in enumerate(_DPAD_STATES) if direction not in state]
        best_on = np.array(on)[energies[:, on].argmin(axis=1)]
        best_off = np.array(off)[energies[:, off].argmin(axis=1)]
        result[:, direction] = control.level(patches, energies, best_off, best_on)
    return result


def _travel(control: Control, patches: Patches) -> Gray:
    """The travel that explains each picture best, (N, 1), refined between the states."""
    energies = control.energies(patches)
    best = np.clip(energies.argmin(axis=1), 1, len(_TRAVEL) - 2)
    n = np.arange(len(patches))
    left, middle, right = energies[n, best - 1], energies[n, best], energies[n, best + 1]
    bend = np.maximum(left - 2 * middle + right, 1e-3)
    shift = np.clip(0.5 * (left - right) / bend, -1, 1)
    travel = np.clip((best + shift) * _TRAVEL[1], 0, 1)
    weak = energies[:, 0] - energies.min(axis=1) < 0.02 * control.evidence[-1]
    return np.where(weak, 0.0, travel)[:, None].astype(np.float32)


def _held(name: str, travel: float) -> Actions:
    state = Actions.released(1)
    state.buttons[:, BUTTON_INDEX[name]] = travel
    return state


def _texture(stack: Gray, renderer: Renderer) -> tuple[float, float]:
    """Standard deviations where the skin is clear: of luma, high-passed, and of chroma."""
    clear = renderer.draw(Actions.released(1))[..., 3] < 0.05
    if clear.sum() < 50:
        return 15.0, 20.0
    height, width = clear.shape
    luma = np.stack([high_pass(picture[:height])[clear] for picture in stack[::4]])
    chroma = np.concatenate(
        [stack[:, height:, part][:, clear[::2, ::2]] for part in _halves(width)], axis=1
    )
    chroma = chroma - np.median(chroma, axis=1, keepdims=True)
    return float(np.clip(luma.std(), 4, 40)), float(np.clip(chroma.std(), 10, 60))


def _halves(width: int) -> tuple[slice, slice]:
    return slice(0, width // 2), slice(width // 2, width)
