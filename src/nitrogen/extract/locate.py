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
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import ButtonLayer, Skin, StickLayer
from nitrogen.video import Luma, Picture

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
_MIN_VOTES = 4
_CANDIDATES = 6


@dataclass(frozen=True)
class Found:
    """An overlay in a video."""

    skin: Skin
    placement: Placement
    score: float
    """Masked correlation in -1..1 between the drawn skin and the mean picture."""
    votes: int
    """Keypoint matches that agree on the placement."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the canvas in the frame; may reach beyond it."""
        return self.placement.box(self.skin.canvas)


@dataclass(frozen=True, eq=False)
class _Keypoints:
    points: NDArray[np.float32]
    """(N, 4): x, y, size, angle in degrees."""
    descriptors: NDArray[np.float32]
    """(N, 128), each of length 1."""


class Library:
    """The skins that are looked for, with their keypoints."""

    def __init__(self, skins: Sequence[Skin]) -> None:
        """Draw every skin in its released state and take its keypoints."""
        if not skins:
            raise ExtractionError("no skins to look for; give a folder of padskin/1 skins")
        self.skins = list(skins)
        self._keypoints = [self._of(skin) for skin in self.skins]

    @staticmethod
    def _of(skin: Skin) -> _Keypoints:
        parts = []
        for width in _WIDTHS:
            scale = width / max(skin.canvas)
            drawn = gray_of(Renderer(skin, Placement(0, 0, scale, scale)))
            found = _sift(np.clip(drawn, 0, 255).astype(np.uint8))
            found.points[:, :3] /= scale
            parts.append(found)
        return _Keypoints(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.descriptors for part in parts]),
        )

    def candidates(self, mean: Gray) -> list[tuple[int, Skin, Placement]]:
        """Votes, skin and rough placement of every skin that gets enough, most votes first."""
        frame = _sift(np.clip(mean, 0, 255).astype(np.uint8))
        found = []
        for skin, keypoints in zip(self.skins, self._keypoints, strict=True):
            for votes, placement in _vote(keypoints, frame):
                found.append((votes, skin, placement))
        return sorted(found, key=lambda item: -item[0])


def locate(mean: Gray, library: Library, *, minimum: float = MIN_SCORE) -> Found:
    """The overlay in the mean picture of a video.

    Raises ExtractionError, saying how near the best candidate came, if there is none.
    """
    aligned: list[Found] = []
    for votes, skin, placement in library.candidates(mean)[:_CANDIDATES]:
        if aligned and aligned[0].score > 0.6 and votes < 0.5 * aligned[0].votes:
            break
        score, better = align(mean, skin, placement)
        aligned.append(Found(skin, better, score, votes))
    best = max(aligned, key=lambda found: found.score, default=None)
    if best is None or best.score < minimum:
        near = f"; the nearest is {best.skin.name} at {best.score:.2f}" if best else ""
        raise ExtractionError(
            f"no known overlay in the video (a correlation of {minimum:.2f} is needed{near});"
            " name its skin and box by hand, or add its skin to the library"
        )
    return best


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


def _sift(picture: Luma) -> _Keypoints:
    detector = cv2.SIFT_create(nfeatures=4000, contrastThreshold=0.015, edgeThreshold=15)  # type: ignore[attr-defined]
    found, descriptors = detector.detectAndCompute(picture, None)
    if descriptors is None:
        return _Keypoints(np.zeros((0, 4), np.float32), np.zeros((0, 128), np.float32))
    points = np.array([(*k.pt, k.size, k.angle) for k in found], np.float32)
    length = np.linalg.norm(descriptors, axis=1, keepdims=True)
    return _Keypoints(points, (descriptors / np.maximum(length, 1e-6)).astype(np.float32))


def _vote(template: _Keypoints, frame: _Keypoints) -> list[tuple[int, Placement]]:
    """The scale and position that most matches agree on, if enough do."""
    if len(template.points) < 2 or len(frame.points) < 2:
        return []
    likeness = template.descriptors @ frame.descriptors.T
    order = np.argpartition(-likeness, 1, axis=1)[:, :2]
    pair = np.take_along_axis(likeness, order, axis=1)
    first = np.where(pair[:, 0] >= pair[:, 1], 0, 1)
    rows = np.arange(len(order))
    best, second = pair[rows, first], pair[rows, 1 - first]
    distance, other = np.sqrt(np.maximum(2 - 2 * best, 0)), np.sqrt(np.maximum(2 - 2 * second, 0))
    a, b = template.points, frame.points[order[rows, first]]
    turn = np.abs((b[:, 3] - a[:, 3] + 180) % 360 - 180)
    good = (distance < 0.9 * other) & (turn < 20)
    a, b, distance = a[good], b[good], distance[good]
    if len(a) < _MIN_VOTES:
        return []
    keep = np.argsort(distance)[:150]
    return _consensus(a[keep], b[keep])


def _consensus(a: NDArray[np.float32], b: NDArray[np.float32]) -> list[tuple[int, Placement]]:
    i, j = np.triu_indices(len(a), 1)
    apart = np.hypot(*(a[i, :2] - a[j, :2]).T)
    shown = np.hypot(*(b[i, :2] - b[j, :2]).T)
    scale = shown / np.maximum(apart, 1e-6)
    own = b[i, 2] / a[i, 2]
    usable = (apart > 0.03 * a[:, :2].max()) & (scale > 0.05) & (scale < 3)
    usable &= (scale < 1.6 * own) & (own < 1.6 * scale)
    i, j, scale = i[usable], j[usable], scale[usable]
    if not len(i):
        return []
    middle_a, middle_b = (a[i, :2] + a[j, :2]) / 2, (b[i, :2] + b[j, :2]) / 2
    shift = middle_b - scale[:, None] * middle_a
    best_count, best_inside = 0, None
    for start in range(0, len(i), 2000):
        part = slice(start, start + 2000)
        moved = scale[part, None, None] * a[None, :, :2] + shift[part, None]
        inside = np.hypot(*np.moveaxis(moved - b[None, :, :2], 2, 0)) < 3.0
        counts = inside.sum(axis=1)
        top = int(counts.argmax())
        if counts[top] > best_count:
            best_count, best_inside = int(counts[top]), inside[top]
    if best_inside is None:
        return []
    places = len({(round(float(x)), round(float(y))) for x, y in b[best_inside, :2]})
    if places < _MIN_VOTES:
        return []
    p, q = a[best_inside, :2], b[best_inside, :2]
    centred = p - p.mean(axis=0)
    size = float((centred * (q - q.mean(axis=0))).sum() / max(float((centred**2).sum()), 1e-6))
    if size <= 0.05:
        return []
    x, y = q.mean(axis=0) - size * p.mean(axis=0)
    return [(places, Placement(float(x), float(y), size, size))]
