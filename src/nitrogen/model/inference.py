"""`ModelPolicy`: a trained network that plays.

Knows frames in, pad states out: checks frames, keeps the history of context frames, draws noise,
runs the fast sampler and reads its values as `Actions`.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nitrogen.actions import FRAME_SIZE, Actions, Frame
from nitrogen.errors import ActionsError, CheckpointError
from nitrogen.model import hub, layout
from nitrogen.model.checkpoint import Storage
from nitrogen.model.flow import Solver
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.sampler import Sampler


class ModelPolicy:
    """Plans actions with a network; follows `Policy`, `BatchPolicy` and `ContinuingPolicy`."""

    def __init__(  # noqa: PLR0913 - each is a documented option of sampling
        self,
        network: NitroGen,
        *,
        steps: int | None = None,
        solver: Solver = "euler",
        seed: int = 0,
        temperature: float = 1.0,
        menu_buttons: bool = False,
        game: str | None = None,
        guidance: float = 1.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """A policy on the device where `network` is; a snapshot of its weights.

        steps: solver steps of a plan; None takes what the checkpoint says.
        seed: of the noise of `act`; each `reset` starts it anew.
        temperature: deviation of the initial noise; 0 always takes the same, central plan.
        menu_buttons: let the network press back, start and guide; released otherwise.
        game: a name in `config.games` to condition on.
        guidance: velocity = v_u + guidance (v_c - v_u), where v_c knows the game and v_u does not:
            0 ignores the game, 1 is plain conditioning, more exaggerates it.
        dtype: number format of the weights; bfloat16 is several times faster for large networks.
        """
        self.network = network
        self.config = network.config
        self._sampler = Sampler(network, steps=steps, solver=solver, dtype=dtype)
        self._device = network.dit.out.weight.device
        self._seed, self._temperature, self._menu = seed, temperature, menu_buttons
        self._game, self._guidance = _game_index(self.config, game), guidance
        self._history: deque[Frame] = deque(maxlen=self.config.frames)
        self.reset()

    @classmethod
    def from_pretrained(cls, source: Path | str, *, device: str = "cpu", **options: Any) -> Self:
        """The policy of a checkpoint folder, a published `ng.pt`, or a hub id `owner/name`.

        `options` are those of the constructor.
        """
        return cls(hub.load(source, device=device), **options)

    def save_pretrained(self, folder: Path | str, *, storage: Storage = "float32") -> Path:
        """Write a checkpoint folder with preprocessor description and model card."""
        return hub.save_pretrained(folder, self.network, storage=storage)

    def push_to_hub(self, repo_id: str, folder: Path | str, *, private: bool = True) -> str:
        """Write `folder` and upload it; returns the address. See `hub.push_to_hub`."""
        return hub.push_to_hub(self.network, repo_id, folder, private=private)

    @property
    def horizon(self) -> int:
        """Actions in a plan."""
        return self.config.horizon

    @property
    def preprocessing(self) -> dict[str, object]:
        """What happens to a frame before the tower, as plain values."""
        return hub.preprocessing(self.network)

    def reset(self) -> None:
        """Forget the frames of the previous episode and start the noise anew."""
        self._history.clear()
        self._rng = np.random.default_rng(self._seed)

    def act(self, frame: Frame) -> Actions:
        """The plan after seeing `frame`, (256, 256, 3) uint8 RGB.

        A network that sees several frames is shown those of the calls before, the first repeated.
        """
        return self.continue_plan(frame, Actions.released(0))

    def continue_plan(self, frame: Frame, committed: Actions) -> Actions:
        """The plan after seeing `frame` whose first `len(committed)` actions are fixed.

        For asynchronous play: while this plan is computed, `committed` is still being played, and
        the rest joins on to it without a jump. The returned plan begins with `committed`.
        """
        check_frame(frame)
        self._history.append(frame)
        missing = self.config.frames - len(self._history)
        seen = np.stack([self._history[0]] * missing + list(self._history))  # (F, H, W, 3)
        seen = seen[0] if self.config.frames == 1 else seen
        (plan,) = self.continue_batch([seen], [self._rng], [committed])
        return plan

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """One plan per frame, each with noise from its own generator; keeps no state.

        A network that sees several frames at a time is given (F, 256, 256, 3) for each, oldest
        first.
        """
        return self.continue_batch(frames, rngs, [Actions.released(0)] * len(frames))

    def continue_batch(
        self,
        frames: Sequence[Frame],
        rngs: Sequence[np.random.Generator],
        committed: Sequence[Actions],
    ) -> list[Actions]:
        """As `act_batch`, but each plan begins with its committed actions; see `continue_plan`.

        Plans with equally many committed actions are sampled together. Raises ActionsError if
        there are as many committed actions as a plan has.
        """
        if not len(frames) == len(rngs) == len(committed):
            raise ActionsError(
                f"{len(frames)} frames need as many generators, not {len(rngs)}, and as many"
                f" committed actions, not {len(committed)}"
            )
        for frame in frames:
            check_frame(frame, self.config.frames)
        lengths = [len(actions) for actions in committed]
        if any(length >= self.horizon for length in lengths):
            raise ActionsError(
                f"{max(lengths)} committed actions leave nothing to plan; a plan has {self.horizon}"
            )
        small = [shrink(frame, self.config.vision.image_size) for frame in frames]
        context = self.encode_frames(np.stack(small))  # (B, N, D), or two of them when guided
        plans: dict[int, Actions] = {}
        for length in sorted(set(lengths)):
            rows = [row for row, found in enumerate(lengths) if found == length]
            prefix = None
            if length:
                fixed = [layout.to_tensor(committed[row]) for row in rows]
                prefix = torch.stack(fixed).to(self._device)
            part = context if len(rows) == len(frames) else context[..., rows, :, :]
            values = self.generate_actions(part, [rngs[row] for row in rows], prefix=prefix)
            for row, plan in zip(rows, self._read(values), strict=True):
                plans[row] = Actions.concatenate([committed[row], plan[length:]])
        return [plans[row] for row in range(len(frames))]

    def encode_frames(self, frames: NDArray[np.uint8]) -> Tensor:
        """Image embeddings of frames, to plan from more than once: (B, N, D).

        frames: uint8 (B, H, W, 3), or (B, F, H, W, 3) for a network that sees F frames.
        """
        small = shrink(frames, self.config.vision.image_size)
        context = self._sampler.encode(
            torch.from_numpy(small).to(self._device), self._games(frames)
        )
        if not self._is_guided:
            return context
        free = self._sampler.encode(torch.from_numpy(small).to(self._device))
        return torch.stack([context, free])  # (2, B, N, D): with and without the game

    def generate_actions(
        self,
        context: Tensor,
        rngs: Sequence[np.random.Generator],
        *,
        prefix: Tensor | None = None,
    ) -> Tensor:
        """Plans (B, T, 25) in the network's scale, from what `encode_frames` returned.

        rngs: one noise generator per plan. prefix: (B, k, 25), committed actions.
        """
        shape = (self.config.horizon, layout.ACTION_VALUES)
        draws = np.stack([rng.standard_normal(shape, np.float32) for rng in rngs])
        noise = torch.from_numpy(draws).mul_(self._temperature).to(self._device)
        if self._is_guided:
            conditional, free = context
            return self._sampler.plan(
                conditional, noise, prefix=prefix, unconditional=free, guidance=self._guidance
            )
        return self._sampler.plan(context, noise, prefix=prefix)

    @property
    def _is_guided(self) -> bool:
        return self._game is not None and self._guidance != 1.0

    def _games(self, frames: NDArray[np.uint8]) -> Tensor | None:
        if self._game is None:
            return None
        return torch.full((len(frames),), self._game, device=self._device)

    def _read(self, values: Tensor) -> list[Actions]:
        plans = [layout.from_tensor(plan) for plan in values.cpu()]
        return plans if self._menu else [plan.without_menu_buttons() for plan in plans]


def _game_index(config: NetworkConfig, game: str | None) -> int | None:
    if game is None:
        return None
    if game not in config.games:
        known = ", ".join(config.games) or "none"
        raise CheckpointError(f"the network does not know the game {game!r}; games: {known}")
    return config.games.index(game) + 1


def check_frame(frame: Frame, count: int = 1) -> None:
    """Raise ActionsError unless `frame` is (256, 256, 3) uint8, or (count, 256, 256, 3)."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        kind = getattr(frame, "dtype", type(frame).__name__)
        raise ActionsError(f"a frame must be a uint8 array, not {kind}")
    one = (FRAME_SIZE, FRAME_SIZE, 3)
    expected = one if count == 1 else (count, *one)
    if frame.shape != expected:
        raise ActionsError(
            f"a frame must have shape {expected}, not {frame.shape};"
            " squash the whole picture by area averaging"
        )


def shrink(frames: Frame, size: int) -> Frame:
    """Area-average frames (..., H, W, 3) uint8 to (..., size, size, 3), as the network would."""
    if frames.shape[-2] == size:
        return frames
    flat = frames.reshape(-1, *frames.shape[-3:])
    small = [cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in flat]
    return np.stack(small).reshape(*frames.shape[:-3], size, size, 3).astype(np.uint8, copy=False)
