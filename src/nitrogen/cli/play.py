"""`nitrogen play`: one episode, filmed; of a task, a built-in game, or any other game."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional

from nitrogen.errors import GameError
from nitrogen.simulator.game import Display

if TYPE_CHECKING:
    from nitrogen.play import GameEnv
    from nitrogen.policy import Policy
    from nitrogen.simulator.game import Game


@dataclass(frozen=True, kw_only=True)
class AnyGame:
    """A game without a profile."""

    command: str = ""
    """The program with its options, in one word of the shell, instead of a task."""
    size: tuple[int, int] = (1280, 800)
    """Width and height of the virtual screen; the window may not be larger."""
    rate_hz: float = 60.0
    """The game's own frame rate."""
    display: Display = "x11"
    """`x11` suits every program; `none` (SDL 2 without OpenGL) and `offscreen` (SDL 2 with OpenGL)
    are faster."""
    keys: dict[str, str] = field(default_factory=dict)
    """For games that read no pad: controls and keys, as in `left_x- left left_x+ right south
    space`."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """Who plays."""

    policy: Path | str = "shipped"
    """A checkpoint folder; `shipped` is the policy of the package, `random`, `mash` and `released`
    do not look."""
    execute: int = 4
    """Actions played of each plan."""
    steps: int = 4
    """Euler steps of a plan."""
    temperature: float = 1.0
    """Of the initial noise; 0 always takes the central plan."""


_NO_GAME, _USUAL = AnyGame(), Player()


def play(
    task: Positional[str] = "", /, *, game: Annotated[AnyGame, OmitArgPrefixes] = _NO_GAME,
    player: Annotated[Player, OmitArgPrefixes] = _USUAL,
    out: Path = Path("runs/play.mp4"), seed: int = 1_000_000, seconds: float = 30.0,
    realtime: bool = False,
) -> None:  # fmt: skip
    """Let a policy play one episode and film it with its pad and its plan.

    Args:
        task: For example doom/defend_the_center, or a game of `nitrogen games`.
        game: Any game by its command.
        player: The policy.
        out: The video.
        seed: Decides level and start.
        seconds: Length of an episode of a game, on its own clock; tasks have their own limits.
        realtime: The game does not wait: the policy plans ahead while it runs. Prints how old the
            frames were from which the actions were planned, and how many plans came late.
    """
    from nitrogen.simulator.catalog import NAMES, game_named

    if bool(task) == bool(game.command):
        raise GameError("name a task or a game, or give --command 'game --its options'")
    if game.command:
        _play_game(_any_game(game), player, out, seed=seed, seconds=seconds, realtime=realtime)
    elif task in NAMES:
        _play_game(game_named(task), player, out, seed=seed, seconds=seconds, realtime=realtime)
    elif realtime:
        raise GameError(f"--realtime plays a game of 'nitrogen games' or a --command, not {task!r}")
    else:
        _play_task(task, player, out, seed)
    print(out)


def _any_game(chosen: AnyGame) -> "Game":
    from nitrogen.simulator.game import Game

    words = tuple(shlex.split(chosen.command))
    if not words:
        raise GameError("--command is empty; name the program to start")
    return Game(
        name=Path(words[0]).name,
        command=words,
        size=chosen.size,
        rate_hz=chosen.rate_hz,
        display=chosen.display,
        keys=chosen.keys,
    )


def _play_game(
    game: "Game", player: Player, out: Path, *, seed: int, seconds: float, realtime: bool
) -> None:
    from functools import partial

    from nitrogen.simulator import linux
    from nitrogen.simulator.env import GameEnv

    linux.find_program(game)
    policy = _policy(player, seed)
    title = game.title or game.name
    if realtime:
        from nitrogen.simulator import realtime as live
        from nitrogen.simulator.film import RealtimeFilm

        film = RealtimeFilm(title=title, size=game.size)
        report = live.play(
            game, policy, seconds=seconds, seed=seed, execute=player.execute, on_frame=film.on_frame
        )
        film.write(out)
        print(report.to_json(), file=sys.stderr)
        return
    make = partial(GameEnv, game, render_mode="rgb_array")
    _film(make, policy, out, title=title, seed=seed, frames=round(seconds * game.rate_hz),
          execute=player.execute)  # fmt: skip


def _play_task(name: str, player: Player, out: Path, seed: int) -> None:
    from nitrogen.benchmark.suite import task as find_task

    task = find_task(name)
    task.must_run()
    policy = _policy(player, seed)
    _film(task.render, policy, out, title=name, seed=seed, frames=task.frames,
          execute=player.execute)  # fmt: skip


def _film(
    make: Callable[[], "GameEnv"], policy: "Policy", out: Path, *, title: str, seed: int,
    frames: int, execute: int,
) -> None:  # fmt: skip
    from nitrogen.watch import film

    episode = film(make, policy, out, title=title, seed=seed, frames=frames, execute=execute)
    print(f"{'success' if episode.success else 'no success'} after {episode.frames} frames,"
          f" progress {episode.progress:.2f}", file=sys.stderr)  # fmt: skip


def _policy(player: Player, seed: int) -> "Policy":
    import numpy as np

    from nitrogen import policy

    rng = np.random.default_rng(seed)
    match str(player.policy):
        case "random":
            return policy.RandomPolicy(rng)
        case "mash":
            return policy.MashPolicy(rng)
        case "released":
            return policy.ReleasedPolicy()
    from nitrogen.model.inference import ModelPolicy
    from nitrogen.shipped import WEIGHTS

    folder = WEIGHTS if player.policy == "shipped" else Path(player.policy)
    return ModelPolicy.from_pretrained(folder, steps=player.steps, temperature=player.temperature)
