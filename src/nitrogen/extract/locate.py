"""Find the overlay: which skin, where, how large.

Works on the temporal mean of a video's keyframes: the game blurs away, the overlay stays. SIFT
matches between the mean and pictures of each skin vote for a scale and a position; the best
candidates are aligned to a fraction of a pixel and judged by the masked correlation of the drawn
skin with the mean. That score, not the count of matches, decides; "no overlay here" is an answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.errors import ExtractionError
from nitrogen.extract.keypoints import Keypoints, sift, vote
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import ButtonLayer, Skin, StickLayer
from nitrogen.video.pixels import Box, Luma
from nitrogen.video.reading import Picture

Gray = NDArray[np.float32]
"""(H, W) brightness in 0..255."""

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709: what 720p and larger videos use."""

MIN_SCORE = 0.45
"""Masked correlation below which nothing has been found."""

_WIDTHS = (380, 200)
"""Sizes at which a skin's keypoints are taken, in pixels."""
_HIGH_PASS_PX = 5.0
_GROUND = 100.0
"""Brightness behind a drawn skin; removed by the high-pass."""
_CANDIDATES = 6
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
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the canvas in the frame; may reach beyond it."""
        return self.placement.box(self.skin.canvas)


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


def keypoints_of(mean: Gray) -> Keypoints:
    """Keypoints of the mean picture of a video."""
    return sift(np.clip(mean, 0, 255).astype(np.uint8))


def locate(
    mean: Gray, library: Library, *, minimum: float = MIN_SCORE, frame: Keypoints | None = None
) -> Found:
    """The overlay in the mean picture of a video.

    frame: those keypoints of the mean that may be used; all when None. Raises ExtractionError,
    saying how near the best candidate came, if there is none.
    """
    aligned: list[Found] = []
    frame = keypoints_of(mean) if frame is None else frame
    for votes, skin, placement in library.candidates(frame)[:_CANDIDATES]:
        if aligned and aligned[0].score > 0.6 and votes < 0.5 * aligned[0].votes:
            break
        score, better = align(mean, skin, placement)
        aligned.append(Found(skin, better, score, votes))
    best = max(aligned, key=lambda found: found.score, default=None)
    if best is None or best.score < minimum:
        near = f"; the nearest is {best.skin.name} at {best.score:.2f}" if best else ""
        raise ExtractionError(
            f"no known overlay in the video (a correlation of {minimum:.2f} is needed{near});"
            " add its skin, or give its box by hand (--box), so that the network can read it"
        )
    rivals = tuple(
        other
        for other in aligned
        if other is not best
        and other.score > max(best.score - _NEAR_TIE, minimum)
        and _same_place(other.box, best.box)
    )
    return replace(best, rivals=rivals)


def _same_place(a: Box, b: Box) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) < 0.25 * min(a[2], a[3], b[2], b[3])


def fitted(mean: Gray, skin: Skin, box: Box) -> Found:
    """The skin where a person has seen it: the canvas fitted to the box, then aligned."""
    x, y, width, height = box
    rough = Placement(x, y, width / skin.canvas[0], height / skin.canvas[1])
    score, placement = align(mean, skin, rough)
    return Found(skin, placement, score, 0)


def mean_picture(pictures: Sequence[Picture]) -> Gray:
    """The temporal mean of luma pictures."""
    total = np.zeros(pictures[0].pixels.shape, np.float32)
    for picture in pictures:
        total += picture.pixels
    return np.asarray(total / len(pictures), np.float32)


def align(
    mean: Gray, skin: Skin, placement: Placement, *, rounds: int = 8
) -> tuple[float, Placement]:
    """Gauss-Newton on position and both scales; returns score and placement of the best round."""
    best = score_of(mean, skin, placement), placement
    for _ in range(rounds):
        step = _step(mean, skin, placement)
        if step is None:
            break
        placement = step
        score = score_of(mean, skin, placement)
        if score > best[0]:
            best = score, placement
        elif score < best[0] - 0.05:
            break
    return best


def score_of(mean: Gray, skin: Skin, placement: Placement) -> float:
    """Masked correlation of the drawn skin with the mean picture, both high-passed."""
    drawn, weight, shown = _views(mean, skin, placement)
    return _correlation(drawn, shown, weight)


def gray_of(
    renderer: Renderer, actions: Actions | None = None, ground: float | Gray = _GROUND
) -> Gray:
    """The skin in the given state (released when None) on an even ground, (h, w) brightness."""
    picture = renderer.draw(actions or Actions.released(1))
    return np.asarray(picture[..., :3] @ LUMA + (1 - picture[..., 3]) * ground, np.float32)


def crop(picture: Gray | Luma, box: tuple[int, int, int, int]) -> tuple[Gray, Gray]:
    """The box of a picture as floats, edges repeated, and 1 where the picture really is."""
    x, y, width, height = box
    columns, rows = np.arange(x, x + width), np.arange(y, y + height)
    inside_x = (columns >= 0) & (columns < picture.shape[1])
    inside_y = (rows >= 0) & (rows < picture.shape[0])
    clipped = np.ix_(
        np.clip(rows, 0, picture.shape[0] - 1), np.clip(columns, 0, picture.shape[1] - 1)
    )
    return picture[clipped].astype(np.float32), np.outer(inside_y, inside_x).astype(np.float32)


def high_pass(picture: Gray, sigma: float = _HIGH_PASS_PX) -> Gray:
    """What differs from the surroundings."""
    return np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def _views(mean: Gray, skin: Skin, placement: Placement) -> tuple[Gray, Gray, Gray]:
    renderer = Renderer(skin, placement)
    shown, inside = crop(mean, renderer.box)
    drawn = gray_of(renderer)
    weight = _weight(renderer) * inside
    return high_pass(drawn), weight, high_pass(shown)


def _weight(renderer: Renderer) -> Gray:
    """Where the skin is, less where its controls move."""
    alpha = renderer.draw(Actions.released(1))[..., 3]
    near = cv2.dilate(alpha, np.ones((5, 5), np.uint8))
    weight = np.clip(near, 0, 1).astype(np.float32)
    for layer in renderer.skin.layers:
        if isinstance(layer, StickLayer):
            weight[renderer.reach(layer)] *= 0.2
        elif isinstance(layer, ButtonLayer):
            weight[renderer.reach(layer)] *= 0.6
    return weight


def _correlation(a: Gray, b: Gray, weight: Gray) -> float:
    total = float(weight.sum())
    if total < 50:
        return -1.0
    a = a - float((a * weight).sum()) / total
    b = b - float((b * weight).sum()) / total
    spread = math.sqrt(float((weight * a * a).sum()) * float((weight * b * b).sum()))
    return float((weight * a * b).sum()) / spread if spread > 0 else -1.0


def _step(mean: Gray, skin: Skin, placement: Placement) -> Placement | None:
    """One step: fit gain, offset and the picture's four derivatives to the mean."""
    drawn, weight, shown = _views(mean, skin, placement)
    box = placement.box(skin.canvas)
    down, across = np.gradient(drawn)
    across, down = -across.astype(np.float32), -down.astype(np.float32)
    u = (np.arange(box[2]) + 0.5 + box[0] - placement.x)[None, :] / placement.scale_x
    v = (np.arange(box[3]) + 0.5 + box[1] - placement.y)[:, None] / placement.scale_y
    columns = [drawn, np.ones_like(drawn), across, down, across * u, down * v]
    root = np.sqrt(weight).ravel()
    matrix = np.stack([column.ravel() * root for column in columns], axis=1).astype(np.float64)
    normal = matrix.T @ matrix
    normal[np.diag_indices(6)] *= 1 + 1e-6
    try:
        fit = np.linalg.solve(normal, matrix.T @ (shown.ravel() * root))
    except np.linalg.LinAlgError:
        return None
    if fit[0] < 0.02:
        return None
    dx, dy, dsx, dsy = fit[2:] / fit[0]
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
