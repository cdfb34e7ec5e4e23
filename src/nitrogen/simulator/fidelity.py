"""Replay recorded actions several times: when do the replays diverge?

The published check replayed a recording with and without pauses and saw the pictures drift apart
after one to three minutes. Here the same actions are replayed stepped, and with real pauses between
the steps; a game that is exact under the virtual clock never diverges.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nitrogen.actions import Actions
from nitrogen.errors import GameError
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.game import Game
from nitrogen.simulator.session import Session

Mode = str
STEPPED, PAUSED, CONTROL = "stepped", "paused", "realtime"
"""One after the other; with real pauses in between; on the real clock, for comparison."""


@dataclass(frozen=True)
class Replay:
    """One replay: the hash of each frame."""

    mode: Mode
    hashes: tuple[bytes, ...]
    times_s: tuple[float, ...]
    """Virtual time of each frame."""


@dataclass(frozen=True)
class Divergence:
    """Where a replay first differs from the first one; None: nowhere."""

    mode: Mode
    frame: int | None
    virtual_s: float | None


@dataclass(frozen=True)
class Fidelity:
    """What the replays of one game came to."""

    game: str
    frames: int
    replays: tuple[Replay, ...]

    def divergences(self) -> list[Divergence]:
        """Each replay after the first one, against it."""
        first = self.replays[0]
        return [_compare(first, replay) for replay in self.replays[1:]]

    def is_exact(self) -> bool:
        """Do all stepped and paused replays agree?"""
        return all(
            divergence.frame is None
            for divergence in self.divergences()
            if divergence.mode != CONTROL
        )

    def equal_share(self) -> list[np.ndarray]:
        """For each later replay, per frame, whether it equals the first one; for plots."""
        first = self.replays[0].hashes
        return [
            np.array([a == b for a, b in zip(first, replay.hashes, strict=False)])
            for replay in self.replays[1:]
        ]


def _compare(first: Replay, other: Replay) -> Divergence:
    for frame, (one, two) in enumerate(zip(first.hashes, other.hashes, strict=False)):
        if one != two:
            return Divergence(other.mode, frame, first.times_s[frame])
    if len(first.hashes) != len(other.hashes):  # one of them ended earlier
        frame = min(len(first.hashes), len(other.hashes))
        longer = max(first.times_s, other.times_s, key=len)
        return Divergence(other.mode, frame, longer[frame])
    return Divergence(other.mode, None, None)


def replay(game: Game, actions: Actions, *, mode: Mode = STEPPED, seed: int = 0) -> Replay:
    """Start the game anew and play all `actions`. Raises GameError if it cannot be driven."""
    realtime = mode == CONTROL
    hashes: list[bytes] = []
    times: list[float] = []
    with Session(game, seed=seed, realtime=realtime) as session:
        session.play(game.startup)
        start_ns = session.channel.last.time_ns
        for index in range(len(actions)):
            if mode == PAUSED and index % 60 == 30:
                time.sleep(0.05)  # whatever leaks real time into the game shows itself
            try:
                session.step(actions[index : index + 1])
            except GameEnded:
                break
            hashes.append(hashlib.blake2b(session.observation().tobytes(), digest_size=8).digest())
            times.append((session.channel.last.time_ns - start_ns) / 1e9)
    return Replay(mode, tuple(hashes), tuple(times))


def measure(
    game: Game,
    actions: Actions,
    *,
    modes: Sequence[Mode] = (STEPPED, STEPPED, PAUSED),
    on_replay: Callable[[Replay], None] = lambda replay: None,
) -> Fidelity:
    """Replay `actions` once per mode, the first being what the others are compared with."""
    unknown = sorted(set(modes) - {STEPPED, PAUSED, CONTROL})
    if unknown or len(modes) < 2:
        raise GameError(
            f"modes must be two or more of {STEPPED}, {PAUSED}, {CONTROL}, not {list(modes)}"
        )
    replays = []
    for mode in modes:
        replays.append(replay(game, actions, mode=mode))
        on_replay(replays[-1])
    return Fidelity(game.name, len(actions), tuple(replays))


def varied_actions(frames: int, rng: np.random.Generator) -> Actions:
    """Presses and stick positions, each held for a while: a recording where there is none."""
    parts: list[Actions] = []
    left = frames
    while left > 0:
        length = min(int(rng.integers(6, 30)), left)
        names = [name for name in ("south", "west", "east") if rng.random() < 0.3]
        x, y = (float(rng.choice([-1.0, 0.0, 0.5, 1.0])) for _ in range(2))
        parts.append(Actions.of(*names, length=length, left_x=x, left_y=y))
        left -= length
    return Actions.concatenate(parts)
