"""The network reader: reads an overlay whose skin is unknown, given only its box.

Two passes, like the matched reader. `scan` turns crops into a trace, a few numbers per frame: what
the network reads, and how lit each spot of the overlay is. `read` looks at the trace of the whole
video and decides: which controls this overlay shows, and which spot each button is; buttons without
a spot are read by the network alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import BUTTON_INDEX, BUTTONS, PRESSED, Actions
from nitrogen.errors import ExtractionError
from nitrogen.extract import caps, networks, roles
from nitrogen.extract.cap_network import CapNetwork
from nitrogen.extract.presses import presses
from nitrogen.extract.reader import Planes, ReaderName, Reading
from nitrogen.extract.repeats import MOST as MOST_REPEATS
from nitrogen.extract.repeats import Repeats
from nitrogen.extract.segformer import CROPS, Reader, SegformerConfig, deflection
from nitrogen.extract.spots import MOST, Spots
from nitrogen.extract.tints import AGREED, Tints
from nitrogen.extract.tints import MOST as MOST_TINTS
from nitrogen.model.precision import autocast
from nitrogen.video.pixels import Box, even_box

FORMAT = "nitrogen.reader/1"
SHIPPED = Path(__file__).parent / "weights"
"""The reader that comes with the package, with its recipe beside it (docs/guides/fit.md)."""

Gray = NDArray[np.float32]

SHOWN = 0.5
"""Mean probability over the video from which a control counts as part of the overlay."""
STICK_SHOWN = 0.9
"""The same for sticks whose cap is not followed: most that are there are."""
STICK_HINTED = (0.2, 0.35)
"""Mean probability from which sticks that are followed count: of two, of one alone."""
THUMBS = ("left_thumb", "right_thumb")
_OFF = 0.6
"""Largest reading of a resting stick that is taken off."""
_SURE, _PULLED = (0.9, 0.3), (0.8, 0.2)
"""A button that the network alone sees is believed if it is sure of it, with this probability (of
triggers, this travel), in this share of the frames in which it sees it pressed; noise rarely is."""

_BUTTONS = slice(0, 17)
_TRAVEL = slice(17, 34)
_STICKS = slice(34, 38)
_SHOWN = slice(38, 57)
_LEVELS = slice(57, 57 + MOST)
_CAPS = (slice(57 + MOST, 60 + MOST), slice(60 + MOST, 63 + MOST))
"""Of each stick's cap: x, y and how sure the network is."""
_REPEATS = slice(63 + MOST, 63 + MOST + MOST_REPEATS)
_TINTS = slice(63 + MOST + MOST_REPEATS, 63 + MOST + MOST_REPEATS + MOST_TINTS)
_STRAY = 63 + MOST + MOST_REPEATS + MOST_TINTS
"""Pixels of a press colour that belong to no spot."""
_WIDTH = _STRAY + 1
_MARKED, _STRAY_FEWEST = 6, 4
"""Buttons found by their press colour from which others should have it too, and on how many pixels
at least, while they are pressed."""
_ENOUGH = 30
"""Samples from which caps are learned."""
_LOOKS = 3
"""At most, to tell which samples show the overlay."""
_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class ReaderConfig:
    """The content of a reader's `config.json`."""

    network: SegformerConfig
    storage: networks.Storage
    sha256: str
    """Of `model.safetensors`."""


def save_network(folder: Path, network: Reader, *, storage: networks.Storage = "float16") -> Path:
    """Write a reader as `config.json` and `model.safetensors`. Raises CheckpointError."""
    sha256 = networks.write_weights(folder, network, storage)
    described = ReaderConfig(network=network.config, storage=storage, sha256=sha256)
    return networks.write_config(folder, described, FORMAT)


def load_network(folder: Path = SHIPPED) -> Reader:
    """The network in a reader's folder, in evaluation mode; by default the one that ships.

    Raises CheckpointError if a file is missing, damaged or does not fit.
    """
    what = "a reader, which `nitrogen fit` trains"
    described = networks.read_config(folder, ReaderConfig, FORMAT, what)
    network = Reader(described.network)
    networks.load_weights(folder, network, described)
    return network


class NetworkReader:
    """Reads the overlay in one box, whatever its skin."""

    name: ReaderName = "network"
    width = _WIDTH
    """Numbers per frame in a trace."""

    def __init__(
        self,
        network: Reader,
        box: Box,
        samples: list[Planes],
        *,
        cap_network: CapNetwork | None = None,
    ) -> None:
        """samples: packed crops of `even_box(box)` from all over the video, some dozens.

        cap_network: follows the sticks' caps; without it they are read as the network sees them.
        The samples' median is the resting picture that every crop is compared with. Raises
        ExtractionError if there are none.
        """
        if not samples:
            raise ExtractionError("no samples of the overlay to learn its resting picture from")
        self.box = even_box(box)
        self.opacity: float | None = None
        self._network, self._size = network, (network.config.width, network.config.height)
        shown, small, seen = _showing(network, samples)
        small, seen = small[shown], seen[shown]
        self._median = self._rest = np.median(small, axis=0).astype(np.int16)
        self._spots = Spots(small, self._median)
        if not np.array_equal(self._spots.released, self._median):
            self._rest = self._spots.released
            seen = _seen(network, small, self._rest)
        hints = _sigmoid(seen[:, _BUTTONS])
        self._repeats = None if self._spots.opaque else Repeats(small, hints)
        self._tints = Tints(small, hints, self._marks(small, hints))
        self._cap_network = cap_network
        self._sticks: tuple[caps.Stick | None, caps.Stick | None] = (None, None)
        if cap_network is not None and len(small) >= _ENOUGH:
            close = np.stack([caps.grey(samples[row]) for row in np.flatnonzero(shown)])
            self._sticks = caps.learn(cap_network, close, seen[:, _STICKS])

    def _marks(self, pictures: NDArray[np.uint8], hints: Gray) -> Gray | None:
        """Colours (M, 3) of what the network takes for presses where it looks the same again."""
        if self._repeats is None:
            return None
        levels = self._repeats.level(pictures)[:, : len(self._repeats)]
        agreed = roles.correlations(np.clip(levels, 0, 1), hints).max(axis=1)
        return np.asarray(self._repeats.colours[agreed > AGREED])

    def scan(self, crops: list[Planes]) -> Gray:
        """The trace of consecutive frames' packed crops, (N, width)."""
        pairs = [(i, min(i + 1, len(crops) - 1)) for i in range(0, len(crops), CROPS)]
        parts = []
        for at in range(0, len(pairs), _BATCH):
            chosen = [crops[index] for pair in pairs[at : at + _BATCH] for index in pair]
            parts.append(self._trace(chosen))
        return np.concatenate(parts)[: len(crops)]

    def read(self, trace: Gray) -> Reading:
        """Decide on the trace of a whole video, (T, width), by the rows that show the overlay."""
        visible = _visible(_sigmoid(trace[:, _SHOWN]))
        if visible.all() or not visible.any():
            return self._decided(trace, visible)
        part = self._decided(trace[visible], visible[visible])
        buttons = np.zeros((len(trace), len(BUTTONS)), np.float32)
        sticks = np.zeros((len(trace), 4), np.float32)
        confidence = np.zeros(len(trace), np.float32)
        buttons[visible], sticks[visible] = part.actions.buttons, part.actions.sticks
        confidence[visible] = part.confidence
        return replace(
            part, actions=Actions(buttons, sticks), visible=visible, confidence=confidence
        )

    def _decided(self, trace: Gray, visible: NDArray[np.bool_]) -> Reading:
        """The reading of rows that all show the overlay, or none of them."""
        shown = _sigmoid(trace[:, _SHOWN])
        present = shown.mean(axis=0) > [*[SHOWN] * len(BUTTONS), *[STICK_SHOWN] * 2]
        pressed = _sigmoid(trace[:, _BUTTONS])
        buttons = presses(trace[:, _BUTTONS]).astype(np.float32)
        for name in roles.TRIGGERS:
            index = BUTTON_INDEX[name]
            travel = trace[:, _TRAVEL][:, index]
            soft = np.minimum(travel, PRESSED) if self._spots.opaque else 0
            buttons[:, index] = np.where(buttons[:, index] > 0, travel, soft)
        sticks = np.clip(trace[:, _STICKS] - _resting(trace[:, _STICKS]), -1, 1)
        followed = self._followed(shown)
        present[len(BUTTONS) :] |= followed
        stickless = not present[len(BUTTONS) :].any()
        levels = self._levels(trace)
        north = shown[:, BUTTON_INDEX["north"]].mean() > SHOWN
        two_faces = self._spots.opaque and not north
        found = roles.assign(
            *self._spotted(), levels, pressed, sticks,
            two_faces=two_faces, certain=len(self._tints), stickless=stickless,
        )  # fmt: skip
        sure = [_is_sure(column, _SURE) for column in pressed.T]
        for name in roles.TRIGGERS:
            sure[BUTTON_INDEX[name]] = _is_sure(buttons[:, BUTTON_INDEX[name]], _PULLED)
        for name in roles.SELDOM:
            held = buttons[:, BUTTON_INDEX[name]] > PRESSED
            sure[BUTTON_INDEX[name]] &= bool(held.mean() <= roles.SELDOM_MOST)
        present[: len(BUTTONS)] &= sure
        buttons *= present[: len(BUTTONS)]
        self._doubt(trace, found, buttons)
        margin = np.where(present[: len(BUTTONS)], np.abs(2 * pressed - 1), 1.0)
        for name, spots in found.items():
            index, level = BUTTON_INDEX[name], levels[:, spots].mean(axis=1)
            buttons[:, index] = level if name in roles.TRIGGERS else level > PRESSED
            margin[:, index] = np.minimum(1, np.abs(2 * level - 1))
            present[index] = True
        for side, name in enumerate(THUMBS):
            if not present[len(BUTTONS) + side] and name not in found:
                present[BUTTON_INDEX[name]] = False
                buttons[:, BUTTON_INDEX[name]] = 0
        sticks = self._deflections(trace, sticks, followed) * np.repeat(present[len(BUTTONS) :], 2)
        names = {n for n, p in zip((*BUTTONS, "left", "right"), present, strict=True) if p}
        return Reading(
            Actions(
                np.clip(buttons, 0, 1) * visible[:, None],
                (sticks * visible[:, None]).astype(np.float32),
            ),
            visible,
            (margin.min(axis=1) * visible).astype(np.float32),
            frozenset(names),
        )

    def _doubt(self, trace: Gray, found: dict[str, list[int]], buttons: Gray) -> None:
        """Release buttons (T, B) that the network alone sees, where no press colour is to be seen.

        Only if enough of the others are marked by it.
        """
        count = len(self._tints)
        used = {spot for spots in found.values() for spot in spots if spot < count}
        marked = {name for name, spots in found.items() if spots[0] < count}
        if len(marked) < _MARKED:
            return
        free = [spot for spot in range(count) if spot not in used]
        stray = trace[:, _STRAY] + trace[:, _TINTS][:, free] @ self._tints.sizes[free]
        for name, index in BUTTON_INDEX.items():
            if name in roles.FACE and len(marked & {*roles.FACE}) < 2:
                continue  # they may have colours of their own
            pressed = buttons[:, index] > PRESSED
            if name not in found and pressed.any() and np.median(stray[pressed]) < _STRAY_FEWEST:
                buttons[:, index] = 0

    def _levels(self, trace: Gray) -> Gray:
        """How lit each spot is, (T, S), in the order of `_spotted`."""
        parts = [
            trace[:, _TINTS][:, : len(self._tints)],
            trace[:, _LEVELS][:, : len(self._spots)],
        ]
        if self._repeats is not None:
            parts.append(trace[:, _REPEATS][:, : len(self._repeats)])
        return np.concatenate(parts, axis=1)

    def _spotted(self) -> tuple[Gray, Gray]:
        """Places (S, 2) and sizes (S,) of all spots."""
        kinds = [kind for kind in (self._tints, self._spots, self._repeats) if kind is not None]
        return (
            np.concatenate([kind.places for kind in kinds]),
            np.concatenate([kind.sizes for kind in kinds]),
        )

    def _followed(self, shown: Gray) -> NDArray[np.bool_]:
        """Which sticks (2,) are followed, if the network sees a little of them too, (T, 19)."""
        found = np.array([stick is not None for stick in self._sticks])
        seen = shown[:, len(BUTTONS) :].mean(axis=0)
        pair, alone = STICK_HINTED
        return np.asarray(found & (seen.mean() >= pair if found.all() else seen >= alone))

    def _deflections(self, trace: Gray, rough: Gray, followed: NDArray[np.bool_]) -> Gray:
        """Deflections (T, 4): of the caps where they are followed well, else the network's."""
        places = [
            caps.Places(trace[:, at][:, :2], trace[:, at][:, 2]) if one else None
            for one, at in zip(followed, _CAPS, strict=True)
        ]
        sticks = rough.copy()
        for side, better in enumerate(caps.deflections(places)):
            if better is not None:
                sticks[:, 2 * side : 2 * side + 2] = np.clip(better, -1, 1)
        return sticks

    def _trace(self, crops: list[Planes]) -> Gray:
        """Trace of an even number of packed crops."""
        pictures = np.stack([shrink(crop, self._size) for crop in crops])
        levels = self._spots.level(pictures.astype(np.int16) - self._median)
        places = np.zeros((len(crops), 3 * len(_CAPS)), np.float32)
        if self._cap_network is not None and self._sticks != (None, None):
            close = np.stack([caps.grey(crop) for crop in crops])
            for side, stick in enumerate(self._sticks):
                if stick is not None:
                    at, match = stick.find(self._cap_network, close)
                    places[:, 3 * side : 3 * side + 3] = np.c_[at, match]
        again = np.zeros((len(crops), MOST_REPEATS), np.float32)
        if self._repeats is not None:
            again = self._repeats.level(pictures)
        parts = [
            _look(self._network, pictures, self._rest),
            levels,
            places,
            again,
            self._tints.level(pictures),
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)


def share_shown(network: Reader, samples: list[Planes]) -> float:
    """Share of the samples of a box in which the network sees an overlay."""
    return float(_showing(network, samples)[0].mean()) if samples else 0.0


def _showing(
    network: Reader, samples: list[Planes]
) -> tuple[NDArray[np.bool_], NDArray[np.uint8], Gray]:
    """Which samples (N,) show the overlay, the small pictures, and what is seen in them.

    An overlay that is away for half of the video, behind a scene without it, would otherwise
    rest as that scene.
    """
    size = network.config.width, network.config.height
    pictures = np.stack([shrink(sample, size) for sample in samples])
    shown = np.ones(len(pictures), np.bool_)
    for _ in range(_LOOKS):
        rest = np.median(pictures[shown], axis=0).astype(np.int16)
        seen = _seen(network, pictures, rest)
        again = _visible(_sigmoid(seen[:, _SHOWN]))
        if again.sum() < _ENOUGH or (again == shown).all():
            break
        shown = again
    return shown, pictures, seen


def _seen(network: Reader, pictures: NDArray[np.uint8], rest: NDArray[np.int16]) -> Gray:
    """What the network reads in pictures that do not follow each other."""
    parts = [
        _look(network, np.repeat(pictures[at : at + _BATCH], CROPS, axis=0), rest)[::CROPS]
        for at in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts)


def _look(network: Reader, pictures: NDArray[np.uint8], rest: NDArray[np.int16]) -> Gray:
    """What the network reads in an even number of crops."""
    batch = as_input(pictures, rest if network.config.reference else None)
    with torch.inference_mode(), autocast("auto"):
        made = network(batch)
    sticks = deflection(made.sticks).flatten(2)
    columns = torch.cat([made.buttons, made.travel, sticks, made.shown], dim=2)
    return np.asarray(columns.float().flatten(0, 1).numpy(), np.float32)


def shrink(planes: Planes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A packed crop as RGB (H, W, 3) of `size` (width, height)."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    parts = (planes[:height], planes[height:, width // 2 :], planes[height:, : width // 2])
    small = [
        cv2.resize(
            np.ascontiguousarray(part),
            size,
            interpolation=cv2.INTER_AREA if part.shape[1] > size[0] else cv2.INTER_LINEAR,
        )
        for part in parts
    ]
    return np.asarray(cv2.cvtColor(cv2.merge(small), cv2.COLOR_YCrCb2RGB), np.uint8)


def as_input(pictures: NDArray[np.uint8], rest: NDArray[np.int16] | None) -> Tensor:
    """2 B consecutive crops (2B, H, W, 3), or with their rest pictures, as the network's input.

    rest: (H, W, 3) for all, or (B, H, W, 3) one per pair; None for a network without reference.
    """
    count, height, width, _ = pictures.shape
    colours = torch.from_numpy(pictures).float().div_(127.5).sub_(1)
    pairs = colours.view(count // CROPS, CROPS, height, width, 3)
    if rest is not None:
        base = torch.from_numpy(rest).float().div_(127.5).sub_(1)
        base = base[None, None] if base.ndim == 3 else base[:, None]
        pairs = torch.cat([pairs, pairs - base], dim=-1)
    # (B, crop, H, W, C) to (B, C, H, crop * W), colours last in memory.
    joined = pairs.permute(0, 2, 1, 3, 4).flatten(2, 3).contiguous()
    return joined.permute(0, 3, 1, 2)


def _visible(shown: Gray) -> NDArray[np.bool_]:
    """Whether any control shows in each row of probabilities (T, 19)."""
    return np.asarray(shown.max(axis=1) > SHOWN)


def _resting(sticks: Gray) -> Gray:
    """What the network reads while the sticks rest, (4,): the median, unless that is far off."""
    middle = np.median(sticks, axis=0)
    return np.asarray(np.where(np.abs(middle) < _OFF, middle, 0), np.float32)


def _is_sure(level: Gray, wanted: tuple[float, float]) -> bool:
    """Whether a level (T,) is that of presses rather than of noise: high enough, often enough."""
    high, share = wanted
    return bool((level > high).sum() >= share * (level > PRESSED).sum())


def _sigmoid(values: Gray) -> Gray:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32)
