"""Find the overlay: which skin, where, how large.

Works on what stands still in a video's keyframes (`still.py`). SIFT matches between it and
pictures of each skin vote for a scale and a position, and where that finds nothing every skin is
tried everywhere (`sweep.py`); the best candidates are aligned to a fraction of a pixel and judged
by the masked correlation of the drawn skin with the mean, over the ground that fits best: what is
behind an overlay is not known, and may be a black box. That score, not the count of matches,
decides; "no overlay here" is an answer.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import ExtractionError
from nitrogen.extract.drawn import gray_of, ink_and_cover, weight_of
from nitrogen.extract.keypoints import Keypoints, sift, vote
from nitrogen.extract.still import Gray, Still, crop, high_pass
from nitrogen.extract.sweep import sweep
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin
from nitrogen.video.pixels import Box

MIN_SCORE = 0.45
"""Masked correlation below which nothing has been found."""

SURE = 0.6
"""Masked correlation from which no other way of looking is tried."""

SWEPT = 0.65
"""Masked correlation needed by what was found by trying every place: chance tries as often."""

Where = Callable[[Keypoints], NDArray[np.bool_]]

_WIDTHS = (380, 200)
"""Sizes at which a skin's keypoints are taken, in pixels."""
_CANDIDATES = 6
_LEAST_GAIN = 0.02
"""Contrast against the drawn skin below which nothing is there to be aligned with."""
_LEAST_PX = 50
"""Pixels that must be comparable."""
_NEAR_TIE = 0.12
"""Difference in score within which colour has to decide between two skins."""


@dataclass(frozen=True)
class Found:
    """An overlay in a video."""

    skin: Skin
    placement: Placement
    score: float
    """Masked correlation in -1..1 between the drawn skin and the mean picture."""
    votes: int
    """Keypoint matches that agree on the placement."""
    rivals: tuple["Found", ...] = ()
    """Other skins at the same place that score nearly as well."""

    @property
    def name(self) -> str:
        """Of the skin."""
        return self.skin.name

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the canvas in the frame; may reach beyond it."""
        return self.placement.box(self.skin.canvas)


@dataclass(frozen=True)
class Candidate:
    """Where an overlay of an unknown skin may be."""

    box: Box
    """x, y, width, height in the frame."""
    score: float
    """How sure the finder is, 0..1."""
    name: ClassVar[str] = "unknown skin"


class Library:
    """The skins that are looked for, with their keypoints."""

    def __init__(self, skins: Sequence[Skin]) -> None:
        """Draw every skin in its released state and take its keypoints."""
        if not skins:
            raise ExtractionError("no skins to look for; give a folder of padskin/1 skins")
        self.skins = list(skins)
        self._keypoints = [self._of(skin) for skin in self.skins]

    @staticmethod
    def _of(skin: Skin) -> Keypoints:
        parts = []
        for width in _WIDTHS:
            scale = width / max(skin.canvas)
            drawn = gray_of(Renderer(skin, Placement(0, 0, scale, scale)))
            found = sift(np.clip(drawn, 0, 255).astype(np.uint8))
            found.points[:, :3] /= scale
            parts.append(found)
        return Keypoints(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.descriptors for part in parts]),
        )

    def candidates(self, frame: Keypoints) -> list[tuple[int, Skin, Placement]]:
        """Votes, skin and rough placement of every skin that gets enough, most votes first."""
        found = []
        for skin, keypoints in zip(self.skins, self._keypoints, strict=True):
            for votes, placement in vote(keypoints, frame):
                found.append((votes, skin, placement))
        return sorted(found, key=lambda item: -item[0])


def locate(
    still: Still,
    library: Library,
    *,
    minimum: float = MIN_SCORE,
    where: Where | None = None,
    faint: bool = True,
) -> Found:
    """The overlay in what stands still in a video.

    where: tells which keypoints may be used; all when None. faint: whether to look more closely if
    nothing is found at first, which takes a third of a second per skin of the library in the end.
    Raises ExtractionError, saying how near the best candidate came, if there is none.
    """
    aligned = _judged(still, library, still.keypoints, where)
    best = max(aligned, key=lambda found: found.score, default=None)
    if faint and (best is None or best.score < max(minimum, SURE)):
        # These are more, and noisier; they show what is small, faint or over a pale sky.
        aligned += _judged(still, library, still.faint_keypoints, where)
        best = max(aligned, key=lambda found: found.score, default=None)
    if faint and where is None and (best is None or best.score < minimum):
        aligned += [found for found in _swept(still, library) if found.score >= SWEPT]
        best = max(aligned, key=lambda found: found.score, default=None)
    if best is None or best.score < minimum:
        near = f"; the nearest is {best.skin.name} at {best.score:.2f}" if best else ""
        raise ExtractionError(
            f"no known overlay in the video (a correlation of {minimum:.2f} is needed{near});"
            " add its skin, or give its box by hand (--box), so that the network can read it"
        )
    rivals: dict[str, Found] = {}
    for other in sorted(aligned, key=lambda found: found.score):
        near_tie = other.score > max(best.score - _NEAR_TIE, minimum)
        if other.skin.name != best.skin.name and near_tie and _same_place(other.box, best.box):
            rivals[other.skin.name] = other
    return replace(best, rivals=tuple(reversed(rivals.values())))


def _judged(
    still: Still, library: Library, keypoints: Keypoints, where: Where | None
) -> list[Found]:
    """The candidates with most votes, aligned."""
    if where is not None:
        keypoints = keypoints.where(where(keypoints))
    aligned: list[Found] = []
    for votes, skin, placement in library.candidates(keypoints)[:_CANDIDATES]:
        if aligned and aligned[0].score > 0.6 and votes < 0.5 * aligned[0].votes:
            break
        score, better = align(still, skin, placement)
        aligned.append(Found(skin, better, score, votes))
    return aligned


def _swept(still: Still, library: Library) -> list[Found]:
    """The best of what is found without keypoints, aligned."""
    aligned = []
    for _, skin, placement in sweep(still, library.skins)[:_CANDIDATES]:
        score, better = align(still, skin, placement)
        aligned.append(Found(skin, better, score, 0))
    return aligned


def _same_place(a: Box, b: Box) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) < 0.25 * min(a[2], a[3], b[2], b[3])


def fitted(still: Still, skin: Skin, box: Box) -> Found:
    """The skin where a person has seen it: the canvas fitted to the box, then aligned."""
    x, y, width, height = box
    rough = Placement(x, y, width / skin.canvas[0], height / skin.canvas[1])
    score, placement = align(still, skin, rough)
    return Found(skin, placement, score, 0)


def align(
    still: Still, skin: Skin, placement: Placement, *, rounds: int = 8
) -> tuple[float, Placement]:
    """Gauss-Newton on position and both scales; returns score and placement of the best round."""
    best, drawn = -1.0, placement
    for turn in range(rounds + 1):
        view = _view(still, skin, placement)
        score = view.score()
        if score > best:
            best, drawn = score, placement
        elif score < best - 0.05:
            break
        step = view.step() if turn < rounds else None
        if step is None:
            break
        placement = step
    return best, drawn


def score_of(still: Still, skin: Skin, placement: Placement) -> float:
    """Masked correlation of the drawn skin with the mean picture, both high-passed."""
    return _view(still, skin, placement).score()


@dataclass(frozen=True, eq=False)
class _View:
    """A skin at a placement beside the picture there, high-passed, about their weighted means."""

    placement: Placement
    box: Box
    drawn: Gray
    """Over the ground that fits best."""
    shown: Gray
    weight: Gray
    """How much each pixel counts."""

    def score(self) -> float:
        return _correlation(self.drawn, self.shown, self.weight)

    def step(self) -> Placement | None:
        """Fit gain, offset and the picture's four derivatives to what is shown."""
        placement, box = self.placement, self.box
        down, across = np.gradient(self.drawn)
        across, down = -across.astype(np.float32), -down.astype(np.float32)
        u = (np.arange(box[2]) + 0.5 + box[0] - placement.x)[None, :] / placement.scale_x
        v = (np.arange(box[3]) + 0.5 + box[1] - placement.y)[:, None] / placement.scale_y
        columns = [self.drawn, np.ones_like(down), across, down, across * u, down * v]
        root = np.sqrt(self.weight).ravel()
        matrix = np.stack([column.ravel() * root for column in columns], axis=1).astype(np.float64)
        normal = matrix.T @ matrix
        normal[np.diag_indices(6)] *= 1 + 1e-6
        try:
            fit = np.linalg.solve(normal, matrix.T @ (self.shown.ravel() * root))
        except np.linalg.LinAlgError:
            return None
        return _moved(placement, fit[2:] / fit[0]) if fit[0] >= _LEAST_GAIN else None


def _moved(placement: Placement, by: NDArray[np.float64]) -> Placement | None:
    """The placement moved and resized, by at most 4 pixels; None where it changes too much."""
    dx, dy, dsx, dsy = by
    limit = min(1.0, 4.0 / max(abs(dx), abs(dy), 1e-9))
    scale_x, scale_y = placement.scale_x + limit * dsx, placement.scale_y + limit * dsy
    if not (0.7 < scale_x / placement.scale_x < 1.4 and 0.7 < scale_y / placement.scale_y < 1.4):
        return None
    return replace(
        placement,
        x=float(placement.x + limit * dx),
        y=float(placement.y + limit * dy),
        scale_x=float(scale_x),
        scale_y=float(scale_y),
    )


def _view(still: Still, skin: Skin, placement: Placement) -> _View:
    renderer = Renderer(skin, placement)
    shown, inside = crop(still.mean, renderer.box)
    doubt, _ = crop(still.doubt, renderer.box)
    weight = np.asarray(weight_of(renderer) * inside / doubt, np.float32)
    weight /= np.float32(max(float(weight.max()), 1e-9))
    ink, cover = (high_pass(part) for part in ink_and_cover(renderer))
    shown = high_pass(shown)
    drawn = np.asarray(ink - _ground(ink, cover, shown, weight) * cover, np.float32)
    return _View(placement, renderer.box, drawn, shown, weight)


def _ground(ink: Gray, cover: Gray, shown: Gray, weight: Gray) -> np.float32:
    """The brightness behind the skin, 0..255, over which it looks most like what is shown."""
    total = max(float(weight.sum()), 1e-9)
    root = np.sqrt(weight)
    a, b, c = ((x - float((x * weight).sum()) / total) * root for x in (ink, cover, shown))
    inner = np.array([[np.vdot(a, a), -np.vdot(a, b)], [-np.vdot(a, b), np.vdot(b, b)]], np.float64)
    inner[np.diag_indices(2)] += 1e-6 * max(float(np.trace(inner)), 1e-9)
    gain, through = np.linalg.solve(inner, np.array([np.vdot(a, c), -np.vdot(b, c)], np.float64))
    levels = [0.0, 255.0]
    if gain > 0 and 0 < through < 255 * gain:
        levels.append(float(through / gain))

    def likeness(level: float) -> float:
        drawn = a - np.float32(level) * b
        return float(np.vdot(drawn, c)) / max(float(np.linalg.norm(drawn)), 1e-9)

    return np.float32(max(levels, key=likeness))


def _correlation(a: Gray, b: Gray, weight: Gray) -> float:
    total = float(weight.sum())
    if (weight > 0.01).sum() < _LEAST_PX:
        return -1.0
    a = a - float((a * weight).sum()) / total
    b = b - float((b * weight).sum()) / total
    spread = math.sqrt(float((weight * a * a).sum()) * float((weight * b * b).sum()))
    return float((weight * a * b).sum()) / spread if spread > 0 else -1.0
