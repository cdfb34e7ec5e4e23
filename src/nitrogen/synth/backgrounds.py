"""What lies behind the overlay: our own games, any video, or one colour.

A background is an endless stream of (H, W, 3) frames at its own rate.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nitrogen.actions import Actions, Frame
from nitrogen.errors import ConfigError, VideoError
from nitrogen.mini.env import make
from nitrogen.video.info import probe
from nitrogen.video.reading import read

GAMES = ("platformer", "racer", "arena")
"""Built-in games that serve as scenery, played by their experts."""

PLAIN = "plain"


def game_of(name: str, seed: int) -> str | None:
    """The game that is shown for a background and seed; None if it is no game."""
    name = GAMES[seed % len(GAMES)] if name == "game" else name
    return name if name in GAMES else None


def expert_actions(name: str, *, seed: int, rate_hz: float, count: int) -> Actions:
    """What the expert does in the game that `background` shows for the same arguments.

    Raises ConfigError if the background is no game.
    """
    game = game_of(name, seed)
    if game is None:
        raise ConfigError(f"only games have an expert, not {name!r}: game, {', '.join(GAMES)}")
    source_hz = make(game).rate_hz
    needed = int((count - 1) * source_hz / rate_hz + 1e-6) + 1
    steps = [action for _, action in itertools.islice(_played(game, seed, render=False), needed)]
    rows = (np.arange(count) * source_hz / rate_hz + 1e-6).astype(np.int64)
    actions = Actions.concatenate(steps)
    return Actions(actions.buttons[rows], actions.sticks[rows])


def background(name: str, *, seed: int, rate_hz: float) -> Iterator[Frame]:
    """Frames without end, at `rate_hz`: a game of GAMES, `game` for one by seed, `plain`, a video.

    The frames may be shared and must be copied before drawing on them. Raises ConfigError for a
    name that is none of these, VideoError if a video cannot be read.
    """
    game = game_of(name, seed)
    if game is not None:
        frames = (frame for frame, _ in _played(game, seed, render=True))
        return _at_rate(frames, make(game).rate_hz, rate_hz)
    if name == PLAIN:
        level = np.random.default_rng(seed).integers(20, 236, 3)
        return _still(np.full((720, 1280, 3), level, np.uint8))
    if not Path(name).is_file():
        raise ConfigError(f"no background {name!r}: name a video file, game, plain or {GAMES}")
    info = probe(Path(name))
    if info.rate_hz <= 0:
        raise VideoError(f"{name} has no frame rate; convert it to a constant rate first")
    return _at_rate(_looped(Path(name)), info.rate_hz, rate_hz)


def _played(game: str, seed: int, *, render: bool) -> Iterator[tuple[Frame, Actions]]:
    """A game played by its expert, one episode after the other: frames and what leads on."""
    env = make(game)
    frame: Frame = np.zeros((1, 1, 3), np.uint8)
    while True:
        env.reset(seed=seed)
        done = False
        while not done:
            if render:
                shown = env.render()
                assert isinstance(shown, np.ndarray)
                frame = shown
            action = env.expert()
            yield frame, action
            *_, terminated, truncated, _ = env.step(action.as_step())
            done = terminated or truncated
        seed += 1


def _looped(path: Path) -> Iterator[Frame]:
    while True:
        for picture in read(path):
            yield picture.pixels


def _still(frame: Frame) -> Iterator[Frame]:
    while True:
        yield frame


def _at_rate(frames: Iterator[Frame], source_hz: float, target_hz: float) -> Iterator[Frame]:
    """The frames repeated or left out to play at the same speed at another rate."""
    frame = next(frames)
    taken = count = 0
    while True:
        due = int(count * source_hz / target_hz + 1e-6)
        while taken < due:
            frame = next(frames)
            taken += 1
        yield frame
        count += 1
