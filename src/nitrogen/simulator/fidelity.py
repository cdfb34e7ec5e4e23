"""Replay recorded actions several times: when do the replays diverge?

The published check replayed a recording with and without pauses and saw the pictures drift apart
after one to three minutes. Here the same actions are replayed stepped, with and without real pauses
between steps, and, as the control, with the game running free on the machine's clock. A game that
is exact under the virtual clock never diverges when stepped.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError
from nitrogen.simulator.channel import GameEnded
from nitrogen.simulator.game import Game
from nitrogen.simulator.session import Session

STEPPED, PAUSED = "stepped", "stepped, with pauses"
FREE, FREE_PAUSED = "free-running", "free-running, with pauses"
MODES = (STEPPED, PAUSED, FREE, FREE_PAUSED)
CONTROLS = (FREE, FREE_PAUSED)
"""Replays in real time, which are expected to diverge."""
PAUSE_S = 0.05
PAUSE_EVERY = 60
_SMALL = 32


@dataclass
class Replay:
    """One replay: what was seen of each frame."""

    mode: str
    hashes: list[bytes | None] = field(default_factory=list)
    """Of each frame; None if it ran past unseen, which happens in free-running replays only."""
    times_s: list[float] = field(default_factory=list)
    """Virtual time of each frame; nan if it was not seen."""
    small: list[Frame] = field(default_factory=list)
    """Each frame, (32, 32, 3); zero if it was not seen."""

    def see(self, index: int, frame: Frame, time_s: float) -> None:
        """Frame `index` looks like this."""
        while len(self.hashes) < index:
            self.hashes.append(None)
            self.times_s.append(float("nan"))
            self.small.append(np.zeros((_SMALL, _SMALL, 3), np.uint8))
        self.hashes.append(hashlib.blake2b(frame.tobytes(), digest_size=8).digest())
        self.times_s.append(time_s)
        small = cv2.resize(frame, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
        self.small.append(small.astype(np.uint8, copy=False))


@dataclass(frozen=True)
class Divergence:
    """Where a replay first differs from the first one; None: nowhere."""

    mode: str
    frame: int | None
    virtual_s: float | None
    equal_share: float
    """Of the frames that both have shown, how many are equal."""


@dataclass(frozen=True)
class Fidelity:
    """What the replays of one game came to."""

    game: str
    frames: int
    replays: tuple[Replay, ...]
    """The first one is stepped; the others are compared with it."""

    def divergences(self) -> list[Divergence]:
        """Each replay after the first one, against it."""
        return [_compare(self.replays[0], replay) for replay in self.replays[1:]]

    def is_exact(self) -> bool:
        """Do all stepped replays agree, with pauses and without?"""
        return all(one.frame is None for one in self.divergences() if one.mode not in CONTROLS)

    def distances(self) -> list[NDArray[np.float64]]:
        """For each later replay, per frame, the mean difference of its pixels (0..255) from the
        first one's; nan where either has shown none."""
        first, *others = self.replays
        return [_distance(first, other) for other in others]


def _compare(first: Replay, other: Replay) -> Divergence:
    pairs = list(zip_longest(first.hashes, other.hashes, fillvalue=b""))
    if other.mode in CONTROLS:  # what ran past unseen at the end was not missing
        pairs = pairs[: len(other.hashes)]
    seen = [(index, a == b) for index, (a, b) in enumerate(pairs) if None not in (a, b)]
    share = sum(equal for _, equal in seen) / max(len(seen), 1)
    for index, equal in seen:
        if not equal:
            times = max(first.times_s, other.times_s, key=len)
            return Divergence(other.mode, index, times[index], share)
    return Divergence(other.mode, None, None, share)


def _distance(first: Replay, other: Replay) -> NDArray[np.float64]:
    found = []
    for one, two, a, b in zip(first.small, other.small, first.hashes, other.hashes, strict=False):
        both = a is not None and b is not None
        found.append(float(np.abs(one.astype(int) - two).mean()) if both else float("nan"))
    return np.array(found)


def replay(game: Game, actions: Actions, *, mode: str = STEPPED, seed: int = 0) -> Replay:
    """Start the game anew and play all `actions`. Raises GameError if it cannot be driven."""
    result = Replay(mode)
    with Session(game, seed=seed) as session:
        session.play(game.startup)
        try:
            if mode in CONTROLS:
                _replay_free(session, actions, result, paused=mode == FREE_PAUSED)
            else:
                _replay_stepped(session, actions, result, paused=mode == PAUSED)
        except GameEnded:
            pass  # that it ended, and when, is part of what is compared
    return result


def _replay_stepped(session: Session, actions: Actions, result: Replay, *, paused: bool) -> None:
    start_ns = session.time_ns
    for index in range(len(actions)):
        if paused and index % PAUSE_EVERY == PAUSE_EVERY // 2:
            time.sleep(PAUSE_S)  # whatever leaks real time into the game shows itself
        session.step(actions[index : index + 1])
        result.see(index, session.observation(), (session.time_ns - start_ns) / 1e9)


def _replay_free(session: Session, actions: Actions, result: Replay, *, paused: bool) -> None:
    start_ns, first = session.time_ns, int(session.channel.last.frame) + 1
    session.run_free(actions[:1])
    index, pause_at = -1, PAUSE_EVERY // 2
    while index + 1 < len(actions):
        published = session.wait_free(first + index, 1.0)
        if published is None:
            continue
        index = published.frame - first
        if index < len(actions):
            result.see(index, published.observation, (published.time_ns - start_ns) / 1e9)
        following = actions[min(index + 1, len(actions) - 1) :][:1]
        session.hold(following)
        if paused and index >= pause_at:
            pause_at += PAUSE_EVERY
            session.stop()
            time.sleep(PAUSE_S)
            session.run_free(following)


def measure(
    game: Game,
    actions: Actions,
    *,
    modes: Sequence[str] = (STEPPED, STEPPED, PAUSED),
    on_replay: Callable[[Replay], None] = lambda replay: None,
) -> Fidelity:
    """Replay `actions` once per mode; the first, stepped, is what the others are compared with."""
    if len(modes) < 2 or modes[0] != STEPPED or not set(modes) <= set(MODES):
        raise GameError(
            f"modes must be two or more of {MODES}, the first {STEPPED!r}, not {list(modes)}"
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
