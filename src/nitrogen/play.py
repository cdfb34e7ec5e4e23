"""The one loop that joins a policy and a game.

Knows Gymnasium environments and policies. Does not know which: simulator, built-in game or ViZDoom;
network, baseline, expert or a server far away. What only watches is an observer.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from gymnasium import Env

from nitrogen.actions import Actions, Frame, Step
from nitrogen.policy import BatchPolicy, Policy

GameEnv = Env[Frame, Step]
"""Observation (256, 256, 3) uint8, action `{"buttons": (17,), "sticks": (4,)}`."""

Outcome = Literal["terminated", "truncated", "limit"]


class Observer(Protocol):
    """Watches a rollout: records, draws or measures it."""

    def on_action(self, frame: Frame, plan: Actions) -> None:
        """The game shows `frame`; `plan[:1]` is about to be played, the rest is planned."""

    def on_step(self, frame: Frame, info: dict[str, Any]) -> None:
        """The game has moved on by one step and now shows `frame`."""


@dataclass(frozen=True)
class Episode:
    """What one play-through came to."""

    seed: int
    frames: int
    """Steps played."""
    outcome: Outcome
    """`terminated` by the game, `truncated` by its time limit, or `limit` of this rollout."""
    success: bool
    progress: float
    """In 0..1, as the game reports it; 1 on success."""
    plans: int
    seconds: float
    """Wall time, for speed reports only."""


def rollout(
    env: GameEnv,
    policy: Policy,
    *,
    seed: int,
    frames: int,
    execute: int | None = None,
    observers: Sequence[Observer] = (),
) -> Episode:
    """Let `policy` play one episode of at most `frames` game frames.

    Of each plan the first `execute` actions are played (all when None) before the policy is asked
    again.
    """
    policy.reset()
    play = _Play(env, seed=seed, frames=frames, execute=execute, observers=observers)
    while play.episode is None:
        play.play(policy.act(play.frame))
    return play.episode


def rollout_batch(
    envs: Sequence[GameEnv],
    policy: BatchPolicy,
    *,
    seeds: Iterable[int],
    frames: int,
    execute: int | None = None,
    on_episode: Callable[[Episode], None] = lambda episode: None,
) -> list[Episode]:
    """Play one episode per seed, several games at a time, with one plan call for all of them.

    Each episode draws its own noise from its seed, so what happens in it does not depend on how
    many play beside it. Returns the episodes in the order of `seeds`.
    """
    queue = iter(enumerate(seeds))
    done: dict[int, Episode] = {}
    slots: list[tuple[int, _Play, np.random.Generator]] = []
    free = list(envs)
    while True:
        for order, seed in _take(queue, len(free)):
            play = _Play(free.pop(), seed=seed, frames=frames, execute=execute, observers=())
            slots.append((order, play, np.random.default_rng(seed)))
        if not slots:
            return [done[order] for order in sorted(done)]
        plans = policy.act_batch([play.frame for _, play, _ in slots], [rng for _, _, rng in slots])
        for (order, play, _), plan in zip(slots, plans, strict=True):
            play.play(plan)
            if play.episode is not None:
                done[order] = play.episode
                free.append(play.env)
                on_episode(play.episode)
        slots = [slot for slot in slots if slot[1].episode is None]


def _take(queue: Iterator[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    return [item for _, item in zip(range(count), queue, strict=False)]


class _Play:
    """One episode in the making."""

    def __init__(
        self,
        env: GameEnv,
        *,
        seed: int,
        frames: int,
        execute: int | None,
        observers: Sequence[Observer],
    ) -> None:
        self.env = env
        self._seed, self._limit, self._execute = seed, frames, execute
        self._observers = observers
        self._played = self._plans = 0
        self._start = time.perf_counter()
        self.frame, _ = env.reset(seed=seed)
        self.episode: Episode | None = None

    def play(self, plan: Actions) -> None:
        """Play the first `execute` actions of `plan`, or fewer if the episode ends."""
        self._plans += 1
        for start in range(min(len(plan), self._execute or len(plan))):
            rest = plan[start:]
            for observer in self._observers:
                observer.on_action(self.frame, rest)
            self.frame, _, terminated, truncated, info = self.env.step(rest[:1].as_step())
            self._played += 1
            for observer in self._observers:
                observer.on_step(self.frame, info)
            if terminated or truncated or self._played >= self._limit:
                outcome: Outcome = (
                    "terminated" if terminated else "truncated" if truncated else "limit"
                )
                self.episode = Episode(
                    seed=self._seed,
                    frames=self._played,
                    outcome=outcome,
                    success=bool(info.get("success", False)),
                    progress=float(info.get("progress", 0.0)),
                    plans=self._plans,
                    seconds=time.perf_counter() - self._start,
                )
                return
