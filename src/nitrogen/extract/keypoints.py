"""Keypoints of pictures, and the scale and position on which their matches agree (SIFT)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.render import Placement
from nitrogen.video.pixels import Box, Luma

_MIN_VOTES = 4


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Where they are, and what they look like."""

    points: NDArray[np.float32]
    """(N, 4): x, y, size, angle in degrees."""
    descriptors: NDArray[np.float32]
    """(N, 128), each of length 1."""

    def where(self, keep: NDArray[np.bool_]) -> "Keypoints":
        """Those for which `keep`, (N,), holds."""
        return Keypoints(self.points[keep], self.descriptors[keep])

    def inside(self, box: Box) -> NDArray[np.bool_]:
        """(N,): which of them lie in x, y, width, height."""
        x, y, width, height = box
        across, down = self.points[:, 0], self.points[:, 1]
        return (across >= x) & (across < x + width) & (down >= y) & (down < y + height)


def sift(picture: Luma) -> Keypoints:
    """The SIFT keypoints of a picture, up to 4,000."""
    detector = cv2.SIFT_create(nfeatures=4000, contrastThreshold=0.015, edgeThreshold=15)  # type: ignore[attr-defined]
    found, descriptors = detector.detectAndCompute(picture, None)
    if descriptors is None:
        return Keypoints(np.zeros((0, 4), np.float32), np.zeros((0, 128), np.float32))
    points = np.array([(*k.pt, k.size, k.angle) for k in found], np.float32)
    length = np.linalg.norm(descriptors, axis=1, keepdims=True)
    return Keypoints(points, (descriptors / np.maximum(length, 1e-6)).astype(np.float32))


def vote(template: Keypoints, frame: Keypoints) -> list[tuple[int, Placement]]:
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
