"""Training pictures for readers: pairs of consecutive crops of overlays, with their truth.

A *scene* is one pad under one set of conditions; many pairs of it are drawn at once, so that a
picture costs a fraction of a millisecond. With every scene comes its resting picture, as the median
over a video would show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, BUTTONS, Actions
from nitrogen.overlay.degrade import Degradation, Stack, degrade
from nitrogen.overlay.invent import random_sketch
from nitrogen.overlay.sketch import Sketch, take_states

SHOWN = (*BUTTONS, "left", "right")
"""Order of the columns of `Crops.shown`."""

_REST = 5
"""Pictures whose median is the resting picture."""
_HELD = 0.75
"""Share of the time in which a button is held that rests as held."""


@dataclass(frozen=True, eq=False)
class Crops:
    """P pairs of consecutive crops."""

    pictures: Stack
    """(2P, H, W, 3): the pairs one after the other."""
    rest: Stack
    """(P, H, W, 3): the resting picture of each pair's video."""
    actions: Actions
    """2P rows: what is held; controls that the pad does not show are released."""
    shown: NDArray[np.bool_]
    """(2P, 19): which controls of SHOWN can be seen."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rest)

    def take(self, pairs: NDArray[np.intp]) -> "Crops":
        """The given pairs, in that order."""
        rows = (2 * pairs[:, None] + [0, 1]).ravel()
        actions = Actions(self.actions.buttons[rows], self.actions.sticks[rows])
        return Crops(self.pictures[rows], self.rest[pairs], actions, self.shown[rows])

    @classmethod
    def concatenate(cls, parts: "Sequence[Crops]") -> "Crops":
        """The parts one after the other."""
        return cls(
            np.concatenate([part.pictures for part in parts]),
            np.concatenate([part.rest for part in parts]),
            Actions.concatenate(part.actions for part in parts),
            np.concatenate([part.shown for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """Pictures to lay overlays on: (K, H, W, 3), each larger than a crop."""

    pictures: Stack

    def crops(self, rng: np.random.Generator, pairs: int, size: tuple[int, int]) -> Stack:
        """Pairs of neighbouring windows, (2 * pairs, height, width, 3)."""
        _, height, width, _ = self.pictures.shape
        made = np.empty((2 * pairs, size[1], size[0], 3), np.uint8)
        stride = int(rng.integers(1, 3)) if min(height / size[1], width / size[0]) > 2 else 1
        room = np.array([height - size[1] * stride, width - size[0] * stride])
        speed = rng.normal(0, 4)
        for pair in range(pairs):
            picture = self.pictures[rng.integers(len(self.pictures))]
            place = rng.integers(0, room + 1)
            for row in (2 * pair, 2 * pair + 1):
                y, x = place
                made[row] = picture[y : y + size[1] * stride, x : x + size[0] * stride][
                    ::stride, ::stride
                ]
                place = np.clip(place + rng.normal(0, abs(speed), 2).astype(int), 0, room)
        return made


def textures(rng: np.random.Generator, count: int, size: tuple[int, int] = (480, 270)) -> Stack:
    """Made-up scenery, (count, height, width, 3): clouds of all sizes, edges and flat shapes."""
    made = np.empty((count, size[1], size[0], 3), np.uint8)
    for picture in made:
        total = np.zeros((size[1], size[0], 3), np.float32)
        for step in (2, 8, 32, 128):
            shape = (size[1] // step + 2, size[0] // step + 2, 3)
            cloud = rng.normal(0, rng.uniform(0, 30) * (step / 8) ** 0.5, shape)
            total += cv2.resize(cloud.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        total = total.mean(axis=2, keepdims=True) + total * rng.uniform(0, 0.8)
        tone = rng.uniform(20, 235) + rng.normal(0, 30, 3)
        canvas = np.clip(total + tone, 0, 255).astype(np.uint8)
        for _ in range(int(rng.integers(0, 25))):
            colour = np.clip(tone + rng.normal(0, 60) + rng.normal(0, 25, 3), 0, 255).tolist()
            corners = rng.integers(0, size[0], (int(rng.integers(3, 6)), 2)).astype(np.int32)
            if rng.random() < 0.5:
                corners = corners // 5 + rng.integers(0, size[0], 2).astype(np.int32)
            cv2.fillPoly(canvas, [corners], colour)
        picture[...] = canvas
    return made


def scene(
    rng: np.random.Generator,
    backgrounds: Backgrounds,
    *,
    pairs: int,
    size: tuple[int, int],
    sketch: Sketch | None = None,
    easy: bool = False,
    held: bool = False,
) -> Crops:
    """One pad, made up unless given, under random conditions; `pairs` pairs at `size` (w, h).

    easy: opaque, undamaged, over scenery that stands still; held: one button is held most of the
    time, so that the resting picture shows it pressed.
    """
    pad = sketch or random_sketch(rng, size)
    played, resting = states(rng, pairs), states(rng, (_REST + 1) // 2, busy=0.25)
    if held:
        button = rng.integers(len(BUTTONS))
        played.buttons[rng.random(len(played)) < _HELD, button] = 1
        resting.buttons[:, button] = 1
    played, resting = take_states(played, pad), take_states(resting, pad)[:_REST]
    drawn = np.empty((_REST + 2 * pairs, size[1], size[0], 4), np.uint8)
    pad.draw(Actions.concatenate([resting, played]), drawn)
    behind = _behind(rng, backgrounds, pairs, size)
    opacity = 1.0 if easy or rng.random() < 0.5 else float(rng.uniform(0.4, 1.0))
    hidden = np.zeros(2 * pairs, np.bool_)
    if easy:
        behind[_REST:] = behind[0]
    elif rng.random() < 0.15:
        hidden = np.repeat(rng.random(pairs) < 0.3, 2)
        drawn[_REST:][hidden] = 0
    conditions = Degradation() if easy else Degradation.random(rng)
    pictures = degrade(compose(drawn, behind, opacity), conditions, rng)
    rest = _median(pictures[:_REST])
    shown = np.array([pad.shows(name) for name in SHOWN]) & ~hidden[:, None]
    truth = Actions(
        played.buttons * ~hidden[:, None], (played.sticks * ~hidden[:, None]).astype(np.float32)
    )
    rests = np.broadcast_to(rest, (pairs, *rest.shape)).copy()
    return Crops(pictures[_REST:], rests, truth, shown)


def states(rng: np.random.Generator, pairs: int, *, busy: float = 1.0) -> Actions:
    """2 * pairs pad states; the second of a pair is the first with some controls changed.

    busy: share of what is usually pressed and moved.
    """
    share = busy * rng.uniform(0.05, 0.35)
    first, other = (_state(rng, pairs, share, busy) for _ in range(2))
    kept = rng.random((pairs, 1)) < rng.uniform(0.2, 0.8)
    keep_buttons = kept | (rng.random(first.buttons.shape) < 0.5)
    buttons = np.where(keep_buttons, first.buttons, other.buttons)
    drift = first.sticks + rng.normal(0, 0.08, first.sticks.shape)
    sticks = np.where(kept, np.clip(drift, -1, 1), other.sticks)
    return Actions(
        np.stack([first.buttons, buttons], axis=1).reshape(2 * pairs, -1),
        np.stack([first.sticks, sticks], axis=1).reshape(2 * pairs, -1),
    )


def _state(rng: np.random.Generator, count: int, share: float, busy: float) -> Actions:
    buttons = (rng.random((count, len(BUTTONS))) < share).astype(np.float32)
    for name in ("left_trigger", "right_trigger"):
        kind, travel = rng.random(count), rng.random(count)
        pulled = np.where(kind < 0.5 * busy, np.where(kind < 0.25 * busy, 1.0, travel), 0.0)
        buttons[:, BUTTON_INDEX[name]] = pulled
    for one, opposite in (("dpad_up", "dpad_down"), ("dpad_left", "dpad_right")):
        buttons[:, BUTTON_INDEX[opposite]] *= 1 - buttons[:, BUTTON_INDEX[one]]
    angle, kind = rng.uniform(0, 2 * np.pi, (count, 2)), rng.random((count, 2))
    size = np.where(kind < 0.35, 1.0, np.sqrt(rng.random((count, 2))))
    size = np.where(kind > 1 - 0.25 / busy, 0.03 * rng.random((count, 2)), size)
    sticks = np.stack([np.cos(angle) * size, np.sin(angle) * size], axis=2)
    return Actions(buttons, sticks.reshape(count, 4))


def _behind(
    rng: np.random.Generator, backgrounds: Backgrounds, pairs: int, size: tuple[int, int]
) -> Stack:
    """What lies behind the overlay, first for the resting pictures: the mean of the scenery."""
    made = backgrounds.crops(rng, pairs, size)
    if rng.random() < 0.12:
        made[:] = rng.integers(0, 256, 3) if rng.random() < 0.5 else rng.integers(0, 30)
    mean = made[::2].mean(axis=0).astype(np.uint8)
    return np.concatenate([np.broadcast_to(mean, (_REST, *mean.shape)), made])


def compose(drawn: NDArray[np.uint8], behind: Stack, opacity: float) -> Stack:
    """Premultiplied pictures (N, H, W, 4) over (N, H, W, 3)."""
    count, height, width, _ = drawn.shape
    tall = drawn.reshape(count * height, width, 4)
    keep = cv2.convertScaleAbs(cv2.extractChannel(tall, 3), alpha=-opacity, beta=255)
    ground = cv2.multiply(
        behind.reshape(count * height, width, 3), cv2.merge([keep, keep, keep]), scale=1 / 255
    )
    colour = cv2.convertScaleAbs(cv2.cvtColor(tall, cv2.COLOR_RGBA2RGB), alpha=opacity)
    return np.asarray(cv2.add(ground, colour), np.uint8).reshape(count, height, width, 3)


def _median(stack: Stack) -> Stack:
    """The median of five pictures."""
    a, b, c, d, e = stack
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(e, np.maximum(low, high))))
