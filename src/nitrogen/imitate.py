"""Learning from a scripted expert that can be asked about any state (DAgger, Ross et al. 2011).

Recordings of flawless play hold no recoveries: a policy trained on them alone meets states that no
expert ever visited, and is lost there. So the game is played by a mixture of the expert, bursts of
random input and the policy as it is so far, while every visited state is labelled with what the
expert would do in it. The labels of the rows after a frame make up its plan.

Needs environments with `expert()`; what is learned sees frames only.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions, Frame
from nitrogen.data.samples import Run
from nitrogen.errors import DataError
from nitrogen.play import GameEnv
from nitrogen.policy import BatchPolicy, RandomPolicy


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Who plays while the expert labels; shares of stretches, the rest is the expert's."""

    policy: float = 0.0
    random: float = 0.1
    stretch: tuple[int, int] = (8, 48)
    """Shortest and longest stretch of the policy and the expert, in frames."""
    burst: tuple[int, int] = (3, 12)
    """Shortest and longest stretch of random input, in frames."""
    execute: tuple[int, int] = (2, 6)
    """Fewest and most actions played of a plan of the policy."""


class _Slot:
    """One game in the making, and who is playing it now."""

    def __init__(self, env: GameEnv, seed: int, limit: int, mixture: Mixture) -> None:
        self.env, self.seed, self._limit, self._mixture = env, seed, limit, mixture
        self.rng = np.random.default_rng([seed, 1])
        self._random = RandomPolicy(self.rng, hold=1)
        self._expert: Callable[[], Actions] = env.unwrapped.expert  # type: ignore[attr-defined]
        self.frame, _ = env.reset(seed=seed)
        self.frames: list[NDArray[np.uint8]] = []
        self.labels: list[Actions] = []
        self.done, self.success = False, False
        self._player, self._left, self._burst = "expert", 0, Actions.released(1)
        self._choose_player()

    @property
    def wants_plan(self) -> bool:
        return not self.done and self._player == "policy"

    def _choose_player(self) -> None:
        mixture, draw = self._mixture, self.rng.random()
        if draw < mixture.random:
            self._player, limits = "random", mixture.burst
            self._burst = self._random.act(self.frame).without_menu_buttons()
        elif draw < mixture.random + mixture.policy:
            self._player, limits = "policy", mixture.stretch
        else:
            self._player, limits = "expert", mixture.stretch
        self._left = int(self.rng.integers(limits[0], limits[1] + 1))

    def play(self, plan: Actions | None, size: int) -> None:
        """Go on until the next decision: a few frames of the plan, or the whole stretch."""
        low, high = self._mixture.execute
        steps = self._left if plan is None else int(self.rng.integers(low, high + 1))
        for index in range(min(steps, self._left)):
            label = self._expert()
            self.frames.append(_small(self.frame, size))
            self.labels.append(label)
            action = plan[index : index + 1] if plan is not None else label
            action = self._burst if self._player == "random" else action
            self.frame, _, terminated, truncated, info = self.env.step(action.as_step())
            self._left -= 1
            if terminated or truncated or len(self.frames) >= self._limit:
                self.done, self.success = True, bool(info.get("success", False))
                return
        if self._left <= 0:
            self._choose_player()


def collect(
    make: Callable[[], GameEnv],
    seeds: Sequence[int],
    *,
    name: str,
    size: int,
    frames: int,
    mixture: Mixture,
    policy: BatchPolicy | None = None,
    side_by_side: int = 16,
) -> tuple[list[Run], int]:
    """Play one game per seed and label every frame with the expert's action.

    size: height and width at which frames are kept; frames: the most per episode. Returns a run per
    episode and how many episodes succeeded. Raises DataError if the mixture needs a policy and
    there is none.
    """
    if mixture.policy and policy is None:
        raise DataError("the mixture gives stretches to the policy, but no policy was given")
    envs = [make() for _ in range(min(side_by_side, len(seeds)))]
    runs, successes, queue, slots = [], 0, list(seeds), list[_Slot]()
    free = list(envs)
    try:
        while queue or slots:
            while queue and free:
                slots.append(_Slot(free.pop(), queue.pop(0), frames, mixture))
            waiting = [slot for slot in slots if slot.wants_plan]
            plans = (
                policy.act_batch([s.frame for s in waiting], [s.rng for s in waiting])
                if policy is not None and waiting
                else []
            )
            by_slot = dict(zip(map(id, waiting), plans, strict=True))
            for slot in slots:
                slot.play(by_slot.get(id(slot)), size)
                if slot.done:
                    runs.append(_run(slot, name))
                    successes += slot.success
                    free.append(slot.env)
            slots = [slot for slot in slots if not slot.done]
    finally:
        for env in envs:
            env.close()
    return runs, successes


def _run(slot: _Slot, name: str) -> Run:
    return Run(f"{name}/{slot.seed}", np.stack(slot.frames), Actions.concatenate(slot.labels))


def _small(frame: Frame, size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA))


def save_runs(runs: Sequence[Run], path: Path) -> None:
    """Keep runs in one `.npz` file (arrays only), written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")
    np.savez(
        temporary,
        names=np.array([run.name for run in runs]),
        lengths=np.array([len(run.frames) for run in runs]),
        frames=np.concatenate([run.frames for run in runs]),
        buttons=np.concatenate([run.actions.buttons for run in runs]).astype(np.float16),
        sticks=np.concatenate([run.actions.sticks for run in runs]),
    )
    temporary.replace(path)


def load_runs(path: Path) -> list[Run]:
    """What `save_runs` wrote. Raises DataError if the file is damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            names, lengths = file["names"], file["lengths"]
            frames = file["frames"]
            actions = Actions(file["buttons"].astype(np.float32), file["sticks"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}; delete it to collect again") from error
    ends = np.cumsum(lengths)
    return [
        Run(str(name), frames[end - length : end], actions[int(end - length) : int(end)])
        for name, length, end in zip(names, lengths, ends, strict=True)
    ]
