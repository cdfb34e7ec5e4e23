"""Controls of an overlay that the game shines through: what looks the same again and again.

Behind thin lines a game moves, so a median says nothing; but whenever a button is pressed, its
patch shows one and the same picture. So each patch's samples are compared with each other: a group
that is alike, with a gap to all others, that comes back several times is a control being held.
Neighbouring patches with the same group are one spot. What a spot shows while held and otherwise,
with the spread of each pixel, reads it in every frame as a likelihood.

A button that is pressed once or twice does not come back often enough for that. There the network
helps: what its surest samples of a button have in common, at one place and nowhere else, is the
button, be the network ever so unsure of the other samples.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import PRESSED
from nitrogen.extract.spots import centres

Gray = NDArray[np.float32]

MOST = 32
"""Spots kept, the clearest first."""

_PATCH, _STEP = 6, 3
"""Size of a patch and distance between them, in pixels."""
_FEWEST = 5
"""Samples in a group."""
_SHARE = 0.6
"""Largest share of all samples in a group."""
_GAP = 1.8
"""Times the group's own spread by which the others are further away."""
_NOISE = 40.0
"""Mean square difference of two pictures of the same thing, after compression."""
_RETURNS = 3
"""Times that a group must come back after it was gone."""
_ALIKE = 0.7
"""Share of common samples from which patches belong to one spot."""
_NEAR = 16
"""Pixels between the patches of one spot."""
_FAR_OFF, _ELSEWHERE = 28, 3
"""A group also found in this many patches this many pixels away is a scene of the game."""
_ROUNDS = 3
_SPREAD = 30.0
"""Variance of a pixel that compression leaves."""
_FAR = 16.0
"""Squared deviations beyond this count no more."""
_TOLD = 0.35
"""Mean log likelihood ratio of held samples, per pixel, from which a spot is clear."""
_MOST_CHANGED = 0.7
"""Quantile of the change from which a pixel tells a spot's colour."""
_BETWEEN = 0.1
"""Largest share of half-lit samples among the lit."""


_HINTED_FEWEST = 3
"""Samples in a group that agrees with the network."""
_HINTED_GAP = 1.5
_SURE = 0.7
"""Share of the samples of a button that are taken for the surest."""
_AGREED = 0.5
"""Correlation with the network from which a group is taken for a button."""
_TRIES = 3
"""Places looked at for each button."""


class _Spot(NamedTuple):
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    held: Gray
    """(pixels, 3), with its variance."""
    held_variance: Gray
    free: Gray
    free_variance: Gray
    usual: float
    """Log likelihood ratio while held."""

    def ratio(self, pictures: NDArray[np.uint8]) -> Gray:
        """Log likelihood of held less that of free, per pixel and colour, (N,)."""
        pixels = pictures[:, self.rows, self.columns].astype(np.float32)
        free = np.minimum(np.square(pixels - self.free) / self.free_variance, _FAR)
        held = np.minimum(np.square(pixels - self.held) / self.held_variance, _FAR)
        ratio = free - held + np.log(self.free_variance / self.held_variance)
        return np.asarray(ratio.mean(axis=(1, 2)) / 2, np.float32)

    def level(self, pictures: NDArray[np.uint8]) -> Gray:
        ratio = self.ratio(pictures) / self.usual
        return np.asarray(np.clip(0.5 + 0.5 * ratio, -0.5, 1.5), np.float32)


class Repeats:
    """The spots of one video's overlay that look the same again and again."""

    def __init__(self, pictures: NDArray[np.uint8], hints: Gray | None = None) -> None:
        """pictures: (N, H, W, 3) samples from all over the video, in order.

        hints: (N, B) how probable a network thinks it that each button is pressed in them.
        """
        self._size = pictures.shape[1:3]
        found = [
            spot
            for patches, group in _merged(*_own(*_groups(pictures)))
            if (spot := _learned(pictures, patches, group)) is not None
        ]
        if hints is not None:
            known = [spot.ratio(pictures) > 0 for spot in found]
            found += [
                spot
                for spot, group in _hinted(pictures, hints)
                if not any(_overlap(group, other) > _ALIKE for other in known)
            ]
        self._spots = found[:MOST]

    def __len__(self) -> int:
        """How many there are, at most MOST."""
        return len(self._spots)

    @property
    def places(self) -> Gray:
        """Centres, (S, 2): x and y in shares of the picture's size."""
        return centres(self._spots, self._size)

    @property
    def sizes(self) -> Gray:
        """Pixels of each, (S,)."""
        return np.array([len(spot.rows) for spot in self._spots], np.float32)

    @property
    def colours(self) -> Gray:
        """Of each while it is held, where that changes most, (S, 3) RGB."""
        found = np.zeros((len(self), 3), np.float32)
        for index, spot in enumerate(self._spots):
            change = np.abs(spot.held - spot.free).max(axis=1)
            most = change >= np.quantile(change, _MOST_CHANGED)
            found[index] = np.median(spot.held[most], axis=0)
        return found

    def level(self, pictures: NDArray[np.uint8]) -> Gray:
        """How likely each spot is lit in N pictures, 0.5 where undecided, (N, MOST)."""
        levels = np.zeros((len(pictures), MOST), np.float32)
        for index, spot in enumerate(self._spots):
            levels[:, index] = spot.level(pictures)
        return levels


def _groups(
    pictures: NDArray[np.uint8],
) -> tuple[NDArray[np.intp], NDArray[np.bool_], Gray]:
    """Top left corners (P, 2) of patches that have a group, its samples (P, N), its gap (P,)."""
    count, height, width, _ = pictures.shape
    corners, groups, gaps = [], [], []
    sizes = np.arange(_FEWEST, int(_SHARE * count) - 2)
    if not len(sizes):
        return np.zeros((0, 2), np.intp), np.zeros((0, count), np.bool_), np.zeros(0, np.float32)
    for top in range(0, height - _PATCH + 1, _STEP):
        for left in range(0, width - _PATCH + 1, _STEP):
            patch = pictures[:, top : top + _PATCH, left : left + _PATCH]
            flat = patch.reshape(count, -1).astype(np.float32)
            flat -= flat.mean(axis=0)
            power = np.square(flat).sum(axis=1)
            apart = (power[:, None] + power - 2 * flat @ flat.T) / flat.shape[1]
            ranked = np.sort(apart, axis=1)
            gap = ranked[:, sizes + 2] / (ranked[:, sizes] + _NOISE)
            sample, place = divmod(int(gap.argmax()), len(sizes))
            group = apart[sample] <= ranked[sample, sizes[place]]
            if gap[sample, place] >= _GAP and _returns(group) >= _RETURNS:
                corners.append((top, left))
                groups.append(group)
                gaps.append(gap[sample, place])
    shape = (len(corners), count)
    return (
        np.array(corners, np.intp).reshape(-1, 2),
        np.array(groups, np.bool_).reshape(shape),
        np.array(gaps, np.float32),
    )


def _returns(group: NDArray[np.bool_]) -> int:
    """How often samples of the group follow others."""
    return int((np.diff(group.astype(np.int8), prepend=0) == 1).sum())


def _own(
    corners: NDArray[np.intp], groups: NDArray[np.bool_], gaps: Gray
) -> tuple[NDArray[np.intp], NDArray[np.bool_], Gray]:
    """Without the groups that are found all over the overlay."""
    shared = groups.astype(np.float32) @ groups.T.astype(np.float32)
    sizes = groups.sum(axis=1)
    alike = shared > 0.5 * (sizes[:, None] + sizes - shared)
    apart = np.hypot(*(corners[:, None] - corners).transpose(2, 0, 1)) > _FAR_OFF
    own = (alike & apart).sum(axis=1) < _ELSEWHERE
    return corners[own], groups[own], gaps[own]


def _merged(
    corners: NDArray[np.intp], groups: NDArray[np.bool_], gaps: Gray
) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Patches that have the same group and its samples, most patches first."""
    free = np.ones(len(corners), np.bool_)
    found = []
    for leader in np.argsort(-gaps):
        if not free[leader]:
            continue
        both = (groups & groups[leader]).sum(axis=1)
        either = (groups | groups[leader]).sum(axis=1)
        near = np.hypot(*(corners - corners[leader]).T) <= _NEAR
        same = free & near & (both >= _ALIKE * either)
        free &= ~same
        if same.sum() >= 2:
            found.append((corners[same], groups[same].mean(axis=0) > 0.5))
    return sorted(found, key=lambda spot: -len(spot[0]))


def _hinted(pictures: NDArray[np.uint8], hints: Gray) -> Iterator[tuple[_Spot, NDArray[np.bool_]]]:
    """Spots that show the same in the samples that the network is surest of, and their samples."""
    count, height, width, _ = pictures.shape
    corners = np.array([
        (top, left)
        for top in range(0, height - _PATCH + 1, _STEP)
        for left in range(0, width - _PATCH + 1, _STEP)
    ])  # fmt: skip
    sizes = np.arange(_HINTED_FEWEST - 1, int(_SHARE * count) - 2)
    if not len(sizes):
        return
    flat = np.stack([
        pictures[:, top : top + _PATCH, left : left + _PATCH].reshape(count, -1)
        for top, left in corners
    ]).astype(np.float32)  # fmt: skip
    power = np.square(flat).sum(axis=2)
    for hint in hints.T:
        lit = int((hint > PRESSED).sum())
        if lit < _HINTED_FEWEST or lit > _SHARE * count:
            continue
        surest = np.argsort(-hint)[: max(_HINTED_FEWEST, int(_SURE * lit))]
        usual = np.median(flat[:, surest], axis=1)
        apart = power + np.square(usual).sum(axis=1)[:, None]
        apart -= 2 * np.matmul(flat, usual[:, :, None])[..., 0]
        apart = np.maximum(apart / flat.shape[2], 0)
        ranked = np.sort(apart, axis=1)
        gaps = ranked[:, sizes + 2] / (ranked[:, sizes] + _NOISE)
        best = gaps.argmax(axis=1)
        groups = apart <= np.take_along_axis(ranked, sizes[best][:, None], axis=1)
        agreed = _agreement(groups, hint) * (gaps.max(axis=1) >= _HINTED_GAP)
        for _ in range(_TRIES):
            leader = int(agreed.argmax())
            if agreed[leader] < _AGREED:
                break
            away = np.hypot(*(corners - corners[leader]).T)
            alike = np.array([_overlap(group, groups[leader]) for group in groups])
            same = (away <= _NEAR) & (alike >= _ALIKE)
            agreed[away <= _NEAR] = 0
            if same.sum() < 2 or ((away > _FAR_OFF) & (alike > _ALIKE)).sum() >= _ELSEWHERE:
                continue
            group = groups[same].mean(axis=0) > 0.5
            spot = _learned(pictures, corners[same], group, fewest=_HINTED_FEWEST, returns=1)
            if spot is not None:
                group = spot.ratio(pictures) > 0
                if _agreement(group[None], hint)[0] >= _AGREED:
                    yield spot, group


def _agreement(groups: NDArray[np.bool_], hint: Gray) -> Gray:
    """Correlation of each group (P, N) with the network's probabilities (N,)."""
    centred = groups - groups.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(centred, axis=1) * np.linalg.norm(hint - hint.mean())
    return np.asarray(centred @ (hint - hint.mean()) / np.maximum(scale, 1e-6), np.float32)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Share of the samples of either group that are in both."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def _learned(
    pictures: NDArray[np.uint8],
    corners: NDArray[np.intp],
    group: NDArray[np.bool_],
    *,
    fewest: int = _FEWEST,
    returns: int = _RETURNS,
) -> _Spot | None:
    """What the patches show while held and otherwise; None if that is not clearly told."""
    inside = np.zeros(pictures.shape[1:3], np.bool_)
    for top, left in corners:
        inside[top : top + _PATCH, left : left + _PATCH] = True
    rows, columns = np.nonzero(inside)
    pixels = pictures[:, rows, columns].astype(np.float32)
    for _ in range(_ROUNDS):
        if group.sum() < fewest or group.mean() > _SHARE:
            return None
        held, free = pixels[group], pixels[~group]
        spot = _Spot(
            rows, columns, held.mean(axis=0), held.var(axis=0) + _SPREAD,
            free.mean(axis=0), free.var(axis=0) + _SPREAD, 0.5,
        )  # fmt: skip
        ratio = spot.ratio(pictures)
        group = ratio > 0
    if group.sum() < fewest or _returns(group) < returns:
        return None
    spot = spot._replace(usual=float(np.median(ratio[group])))
    if spot.usual < _TOLD:
        return None
    level = spot.level(pictures)
    between = ((level > 0.25) & (level < 0.75)).sum()
    return spot if between <= _BETWEEN * group.sum() else None
