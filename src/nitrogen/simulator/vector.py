"""Several games at once behind one Gymnasium vector environment, in one process.

Knows that a step has two halves: all games are let go first, then all frames are collected, so the
games run side by side on as many cores as there are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from nitrogen.actions import FRAME_SIZE
from nitrogen.errors import GameError
from nitrogen.simulator.env import GameEnv

Frames = NDArray[np.uint8]
"""(N, 256, 256, 3)."""
BatchStep = dict[str, NDArray[np.float32]]
"""`buttons` (N, 17) and `sticks` (N, 4)."""
_Results = tuple[Frames, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]


class GameVectorEnv(VectorEnv[Frames, BatchStep, NDArray[Any]]):
    """N games that step together. A game that has ended is reset by the next step."""

    def __init__(self, makers: Sequence[Callable[[], GameEnv]]) -> None:
        """`makers`: one call per game; they must not be wrapped."""
        if not makers:
            raise GameError("a vector environment needs at least one game")
        self.envs: list[GameEnv] = []
        try:
            for maker in makers:
                self.envs.append(maker())
        except BaseException:
            self.close()
            raise
        first = self.envs[0]
        self.num_envs = len(self.envs)
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, self.num_envs)
        self.action_space = batch_space(first.action_space, self.num_envs)
        self._is_over = np.zeros(self.num_envs, bool)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Frames, dict[str, Any]]:
        """Begin all episodes; an int seeds game i with `seed + i`."""
        if seed is None or isinstance(seed, int):
            seeds = [None if seed is None else seed + index for index in range(self.num_envs)]
        else:
            seeds = list(seed)
        frames = np.empty((self.num_envs, FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
        infos: dict[str, Any] = {}
        for index, (env, one) in enumerate(zip(self.envs, seeds, strict=True)):
            frames[index], info = env.reset(seed=one, options=options)
            infos = self._add_info(infos, info, index)
        self._is_over[:] = False
        return frames, infos

    def step(self, actions: BatchStep) -> _Results:
        """One frame of every game; rewards are 0."""
        for index, env in enumerate(self.envs):
            if not self._is_over[index]:
                env.send({name: values[index] for name, values in actions.items()})
        frames = np.empty((self.num_envs, FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
        terminated, truncated = np.zeros((2, self.num_envs), bool)
        infos: dict[str, Any] = {}
        for index, env in enumerate(self.envs):
            if self._is_over[index]:
                frames[index], info = env.reset()
            else:
                frames[index], _, terminated[index], truncated[index], info = env.receive()
            infos = self._add_info(infos, info, index)
        self._is_over = terminated | truncated
        return frames, np.zeros(self.num_envs), terminated, truncated, infos

    def render(self) -> tuple[Any, ...] | None:
        """Each game's frame at window size."""
        if self.render_mode is None:
            return None
        return tuple(env.render() for env in self.envs)

    def close_extras(self, **kwargs: Any) -> None:
        """End all games."""
        for env in self.envs:
            env.close()
