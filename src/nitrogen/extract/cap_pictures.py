"""Training pictures for the cap network: windows round the sticks of pads in a made-up video.

A scene is one pad under one set of conditions, in many states over many pieces of scenery. Their
median and their spread are what a reader learns of a video before it follows the caps in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, Actions
from nitrogen.extract.cap_network import ACROSS, WINDOW, stacked
from nitrogen.overlay.crops import Backgrounds, compose
from nitrogen.overlay.degrade import Degradation, degrade
from nitrogen.overlay.invent import random_sketch
from nitrogen.overlay.sketch import Sketch, take_states

_STATES = 36
"""Pictures of a scene, an even number."""
_AWAY = 12
"""Pixels by which a window's middle is off the stick's rest."""
_LEFT_BEHIND = 0.25
"""Share of the pads on which a picture of the cap stays where it rests."""
_ELSEWHERE = 0.12
"""Share of the windows that are laid anywhere on the pad."""


@dataclass(frozen=True, eq=False)
class Windows:
    """N windows and where the caps in them are."""

    pictures: NDArray[np.float32]
    """(N, 4, WINDOW, WINDOW), what the network sees."""
    places: NDArray[np.float32]
    """(N, 2, 2): x and y in pixels of the middles of both caps; far outside where there is none."""

    @classmethod
    def concatenate(cls, parts: "Sequence[Windows]") -> "Windows":
        """The parts one after the other."""
        return cls(
            np.concatenate([part.pictures for part in parts]),
            np.concatenate([part.places for part in parts]),
        )


def windows(
    rng: np.random.Generator,
    backgrounds: Backgrounds,
    sketches: Sequence[Sketch],
    *,
    invented: float,
) -> Windows:
    """The windows of one scene; `invented` of the pads are made up, the others of `sketches`."""
    pad = None
    while pad is None or not pad.caps:
        if rng.random() < invented or not sketches:
            pad = random_sketch(rng, (ACROSS, int(rng.integers(110, 210))))
        else:
            pad = sketches[int(rng.integers(len(sketches)))]
            if rng.random() < 0.6:
                pad = pad.recoloured(rng)
    if rng.random() < _LEFT_BEHIND:
        pad = pad.leaving_caps()
    played = take_states(_states(rng), pad)
    size = pad.base.shape[1], pad.base.shape[0]
    drawn = np.empty((_STATES, *pad.base.shape), np.uint8)
    pad.draw(played, drawn)
    behind = backgrounds.crops(rng, _STATES // 2, size)
    if rng.random() < 0.15:
        behind[:] = rng.integers(0, 256, 3)
    opacity = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.4, 1.0))
    pictures = degrade(compose(drawn, behind, opacity), Degradation.random(rng), rng)
    grey = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures])
    if rng.random() < 0.4:
        grey = _coarse(grey, float(rng.uniform(0.4, 1)))
    rest = np.median(grey, axis=0).astype(np.float32)
    spread = grey.astype(np.float32).std(axis=0)
    places = _places(pad, played)
    made = []
    for side in pad.caps:
        corner = np.round(
            np.array(pad.caps[side].centre) - WINDOW / 2 + rng.uniform(-_AWAY, _AWAY, 2)
        )
        if rng.random() < _ELSEWHERE:
            corner = rng.uniform(-WINDOW / 3, np.array(size) - WINDOW * 2 / 3)
        corner = corner.astype(int)
        chosen = rng.permutation(_STATES)[: _STATES // 3]
        shown = stacked(grey[chosen], rest, spread, (int(corner[0]), int(corner[1])))
        made.append(Windows(shown, (places[chosen] - corner).astype(np.float32)))
    return Windows.concatenate(made)


def _states(rng: np.random.Generator) -> Actions:
    """Pad states as in a video: sticks rest for some of the time and go all ways."""
    buttons = (rng.random((_STATES, len(BUTTONS))) < rng.uniform(0.02, 0.3)).astype(np.float32)
    rests = rng.uniform(0.05, 0.75, 2)
    angle = rng.uniform(0, 2 * np.pi, (_STATES, 2))
    if rng.random() < 0.3:  # in many games a stick goes mostly two ways
        angle = np.where(rng.random((_STATES, 2)) < 0.7, np.pi * np.round(angle / np.pi), angle)
    size = np.where(rng.random((_STATES, 2)) < 0.4, 1.0, np.sqrt(rng.random((_STATES, 2))))
    size = np.where(rng.random((_STATES, 2)) < rests, 0.02 * rng.random((_STATES, 2)), size)
    sticks = np.stack([np.cos(angle) * size, np.sin(angle) * size], axis=2)
    return Actions(buttons, sticks.reshape(_STATES, 4).astype(np.float32))


def _places(pad: Sketch, played: Actions) -> NDArray[np.float32]:
    """(T, 2, 2) pixels of the caps' middles in the sketch."""
    made = np.full((len(played), 2, 2), -1e3, np.float32)
    for index, side in enumerate(("left", "right")):
        if side in pad.caps:
            cap = pad.caps[side]
            pushed = played.sticks[:, 2 * index : 2 * index + 2] * np.array(cap.reach)
            made[:, index] = np.array(cap.centre) + 0.5 + pushed
    return made


def _coarse(pictures: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """As if the overlay were smaller in the video."""
    height, width = pictures.shape[1:]
    small = (max(8, round(width * share)), max(8, round(height * share)))
    return np.stack([
        cv2.resize(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (width, height))
        for picture in pictures
    ])  # fmt: skip
