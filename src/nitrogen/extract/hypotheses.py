"""Which of a control's states explains a crop best.

Each state predicts the patch round the control: what the skin draws there, over a background that
is not known but mostly smooth. Where a state is opaque it predicts exactly and is held to it; where
it is clear, the background's plane is fitted anew for every frame and what is left may be texture,
as much as usual, or as little as this frame shows round the control: a flat sky has to explain
itself.
States are compared by their likelihood under that model, in luma and chroma. The answer is
absolute: it needs no frame that is known to be released. Over an opaque skin the rule reduces to a
matched filter.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nitrogen.extract import colour
from nitrogen.extract.colour import View

Gray = NDArray[np.float32]

_MARGIN = 6
"""Pixels round the control's own that help to see the background."""
_NOISE = 7.0
"""Standard deviation that compression and misfit leave on an opaque pixel, in grey levels."""
_GROUND = 60.0
"""Standard deviation of the background's plane, in grey levels."""
_TEXTURES = (6.0, 12.0, 24.0, 48.0)
"""Standard deviations of what the background's plane leaves; each frame takes one of them."""
_FEW = 20
"""Pixels that are too few to measure texture."""
_TOGETHER = 0.25
"""Neighbouring pixels err together: blur and compression make four of them about one."""

_HELD = 30.0
"""By how much another state than the released one must explain the median picture better ..."""
_EXPLAINED = 0.5
"""... and which share of what the released one leaves unexplained, for it to be taken as held."""

_DISBELIEF = 0.08
"""Share of what the best state leaves unexplained by which any other state than the released one
must be better: over a busy background, chance explains a little."""


@dataclass(frozen=True, eq=False)
class _State:
    mean: Gray
    """(P,): prediction minus the median, over a background of middle grey."""
    weight: Gray
    """(P,): one over the variance of what this state leaves unexplained."""
    plane: Gray
    """(P, 5): weighted directions in which the background may differ; products are whitened."""
    constant: float
    """Cost of the state's freedom: the logarithm of its variances."""
    spread: Gray
    """(P, 5): what the whitened products with `plane` say about the background, in grey levels."""


@dataclass(frozen=True, eq=False)
class Patches:
    """What N pictures show round a control."""

    flat: Gray
    """(N, P): its pixels minus the median."""
    banks: NDArray[np.intp]
    """(N,): which bank of states judges each picture."""

    def __len__(self) -> int:
        return len(self.flat)


class Control:
    """One control and its states; the first state is the released one."""

    def __init__(
        self,
        views: list[View],
        samples: Gray,
        median: Gray,
        *,
        opacity: float,
        others: NDArray[np.bool_],
        inside: NDArray[np.bool_],
    ) -> None:
        """Learn from packed crops, (N, 3H/2, W), and their median.

        others: (3H/2, W), what other controls may change; inside: what the frame really shows.
        `evidence` is 0 if the states cannot be told apart.
        """
        change = np.max([changed(views[0], view) for view in views[1:]], axis=0)
        seen = (change > 1.5) & inside
        self.evidence = np.zeros(len(views), np.float32)
        if seen.sum() < 4:
            return
        self._pixels, self._basis = _patch(seen)
        trust = np.where(others, np.where(seen, 0.3, 0.03), 1.0) * inside
        self._trust = (_TOGETHER * trust).astype(np.float32).ravel()[self._pixels]
        self._median = median.ravel()[self._pixels]
        self._ground = colour.ground(median.shape).ravel()[self._pixels]
        ink = [self._ink(view, opacity) for view in views]
        clear = [1 - view.alpha.ravel()[self._pixels] * opacity for view in views]
        self._around, self._planes = self._surroundings(clear[0], change.ravel()[self._pixels])
        usual = int(np.median(self._textures(self._flat(samples))))
        self._banks = [
            [self._state(*pair, texture) for pair in zip(ink, clear, strict=True)]
            for texture in _TEXTURES[: usual + 1]
        ]
        self._calibrate(clear)
        self.evidence = self._weigh(clear)

    def patches(self, crops: Gray) -> Patches:
        """The control's part of packed crops, (N, 3H/2, W)."""
        flat = self._flat(crops)
        # Not busier than usual: an edge that passes by the control does not make its inside busy.
        return Patches(flat, np.minimum(self._textures(flat), len(self._banks) - 1))

    def energies(self, patches: Patches) -> Gray:
        """Minus twice the log likelihood of N pictures under every state: (N, K).

        States other than the released one bear a disbelief that grows with the picture's misfit.
        """
        energies = np.empty((len(patches), len(self._banks[0])), np.float32)
        constants = np.empty_like(energies)
        for index in np.unique(patches.banks):
            chosen, bank = patches.banks == index, self._banks[index]
            energies[chosen] = _energies(patches.flat[chosen], bank)
            constants[chosen] = [state.constant for state in bank]
        misfit = np.maximum((energies - constants).min(axis=1, keepdims=True), 0)
        energies[:, 1:] += _DISBELIEF * misfit
        return energies

    def level(
        self, patches: Patches, energies: Gray, off: NDArray[np.intp], on: NDArray[np.intp]
    ) -> Gray:
        """Per frame: 0 if it is like state `off`, 1 if like `on`, one half if who knows.

        What it is compared with is how far the two states would lie apart over the background that
        this frame shows: a white button over a white sky says little, over a forest much.
        """
        rows = np.arange(len(energies))
        gain = energies[rows, off] - energies[rows, on]
        likely, other = np.where(gain > 0, (on, off), (off, on))
        apart = np.empty(len(gain), np.float32)
        keys = np.stack([patches.banks, likely, other], axis=1)
        for key in np.unique(keys, axis=0):
            chosen = np.flatnonzero((keys == key).all(axis=1))
            bank = self._banks[key[0]]
            apart[chosen] = _apart(patches.flat[chosen], bank[key[1]], bank[key[2]])
        return np.clip(0.5 + 0.5 * gain / (apart + 20.0), -0.5, 1.5).astype(np.float32)

    def _flat(self, crops: Gray) -> Gray:
        flat = crops.reshape(len(crops), -1)[:, self._pixels]
        return np.asarray(flat - self._median, np.float32)

    def _ink(self, view: View, opacity: float) -> Gray:
        """What the state adds to what shines through: chroma is about 128 where nothing is."""
        ink = view.ink.ravel()[self._pixels] * opacity
        middle = np.where(self._basis[:, 0] > 0, 0.0, 128.0)
        return np.asarray(ink + middle * view.alpha.ravel()[self._pixels] * opacity, np.float32)

    def _surroundings(self, clear: Gray, change: Gray) -> tuple[NDArray[np.intp], Gray]:
        """Pixels of the released skin that show the game, and orthonormal planes on them."""
        shows = (clear > 0.9) & (self._basis[:, 0] > 0)
        still = shows & (change < 1.5)
        chosen = np.flatnonzero(still if still.sum() >= _FEW else shows)
        if len(chosen) < _FEW:
            return chosen[:0], np.zeros((0, 3), np.float32)
        return chosen, np.linalg.qr(self._basis[chosen, :3])[0].astype(np.float32)

    def _textures(self, flat: Gray) -> NDArray[np.intp]:
        """Which of the textures each picture shows round the control, (N,)."""
        if not len(self._around):
            return np.ones(len(flat), np.intp)
        seen = flat[:, self._around] + self._median[self._around]
        rest = (seen**2).sum(axis=1) - ((seen @ self._planes) ** 2).sum(axis=1)
        spread = np.sqrt(np.maximum(rest, 0) / len(self._around))
        limits = np.sqrt(np.multiply(_TEXTURES[1:], _TEXTURES[:-1]))
        return np.asarray(np.searchsorted(limits, spread), np.intp)

    def _state(self, ink: Gray, clear: Gray, texture: float) -> _State:
        variance = _NOISE**2 + (clear * texture) ** 2
        weight = self._trust / variance
        free = self._basis * (clear * weight)[:, None] * _GROUND
        inner = self._basis.T @ (self._basis * (clear * clear * weight)[:, None]) * _GROUND**2
        inner = inner + np.eye(inner.shape[0])
        root = np.linalg.cholesky(np.linalg.inv(inner))
        constant = float((self._trust * np.log(variance)).sum() + np.linalg.slogdet(inner)[1])
        mean = ink + clear * self._ground - self._median
        spread = self._basis * clear[:, None] * _GROUND @ root
        return _State(
            mean.astype(np.float32),
            weight.astype(np.float32),
            (free @ root).astype(np.float32),
            constant,
            spread.astype(np.float32),
        )

    def _calibrate(self, clear: list[Gray]) -> None:
        """Add to every state what the best one leaves unexplained of the median picture."""
        states = self._banks[-1]
        energies = _energies(np.zeros((1, len(self._median)), np.float32), states)[0]
        best = int(energies.argmin())
        gain, misfit = energies[0] - energies[best], energies[0] - states[0].constant
        if gain < max(_HELD, _EXPLAINED * misfit):
            best = 0
        free = self._basis * clear[best][:, None]
        weight, rest = states[best].weight, -states[best].mean
        inner = free.T @ (free * weight[:, None]) + np.eye(free.shape[1]) / _GROUND**2
        rest = rest - free @ np.linalg.solve(inner, free.T @ (weight * rest))
        for bank in self._banks:
            for index, state in enumerate(bank):
                share = np.clip((clear[index] + 0.02) / (clear[best] + 0.02), 0, 1)
                mean = (state.mean + share * rest).astype(np.float32)
                bank[index] = replace(state, mean=mean)

    def _weigh(self, clear: list[Gray]) -> Gray:
        """How much more likely each state than the released one is on its own picture."""
        result = np.zeros(len(clear), np.float32)
        states = self._banks[-1]
        for index, state in enumerate(states):
            energies = _energies((state.mean + clear[index] * 10)[None], states)[0]
            result[index] = max(float(energies[0] - energies[index]), 0.0)
        return result


def _energies(flat: Gray, states: list[_State]) -> Gray:
    square = flat * flat
    result = np.empty((len(flat), len(states)), np.float32)
    for index, state in enumerate(states):
        pull = state.weight * state.mean
        along = flat @ state.plane - state.mean @ state.plane
        whole = square @ state.weight - 2 * flat @ pull + float(pull @ state.mean)
        result[:, index] = whole - (along * along).sum(axis=1) + state.constant
    return result


def _apart(flat: Gray, state: _State, two: _State) -> Gray:
    """By how much state `two` is less likely on the pictures that `state` predicts."""
    along = flat @ state.plane - state.mean @ state.plane
    result = np.zeros(len(flat), np.float32)
    for sign, other in ((1.0, two), (-1.0, state)):
        rest = state.mean - other.mean
        seen, ahead = state.spread.T @ other.plane, rest @ other.plane
        pull = state.spread.T @ (other.weight * rest) - seen @ ahead
        bend = state.spread.T @ (state.spread * other.weight[:, None]) - seen @ seen.T
        fixed = float((other.weight * rest) @ rest - ahead @ ahead) + other.constant
        result += sign * (fixed + 2 * along @ pull + ((along @ bend) * along).sum(axis=1))
    return np.maximum(result, 0)


def changed(one: View, other: View) -> Gray:
    """How far two states differ, in grey levels, packed."""
    return np.asarray(
        np.maximum(np.abs(one.ink - other.ink), 100 * np.abs(one.alpha - other.alpha)), np.float32
    )


def _patch(seen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Gray]:
    """Flat indices of the pixels round those seen, in all planes, and the background's basis.

    The basis has a plane for luma (three columns) and a level for each chroma (two).
    """
    height, width = seen.shape[0] * 2 // 3, seen.shape[1]
    small = seen[height:, : width // 2] | seen[height:, width // 2 :]
    whole = seen[:height] | np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    top, left = max(int(rows[0]) - _MARGIN, 0) // 2, max(int(columns[0]) - _MARGIN, 0) // 2
    bottom = min(int(rows[-1]) + _MARGIN + 2, height) // 2
    right = min(int(columns[-1]) + _MARGIN + 2, width) // 2
    index = np.arange(seen.size).reshape(seen.shape)
    luma = index[2 * top : 2 * bottom, 2 * left : 2 * right]
    u = index[height + top : height + bottom, left:right]
    v = index[height + top : height + bottom, width // 2 + left : width // 2 + right]
    down, across = np.meshgrid(
        np.linspace(-1, 1, luma.shape[0]), np.linspace(-1, 1, luma.shape[1]), indexing="ij"
    )
    basis = np.zeros((luma.size + 2 * u.size, 5), np.float32)
    basis[: luma.size, :3] = np.stack([np.ones_like(down), down, across], axis=-1).reshape(-1, 3)
    basis[luma.size : luma.size + u.size, 3] = 0.5
    basis[luma.size + u.size :, 4] = 0.5
    return np.concatenate([luma.ravel(), u.ravel(), v.ravel()]), basis
