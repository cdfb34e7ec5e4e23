"""`ModelPolicy`: a trained network that plays.

Knows frames in, pad states out: checks frames, keeps the history of context frames, draws noise,
runs the fast sampler and reads its values as `Actions`.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from torch import Tensor

from nitrogen.actions import FRAME_SIZE, Actions, Frame
from nitrogen.errors import ActionsError, CheckpointError
from nitrogen.model import checkpoint, layout
from nitrogen.model.flow import Solver
from nitrogen.model.network import NitroGen
from nitrogen.model.sampler import Sampler


class ModelPolicy:
    """Plans actions with a network; follows `Policy` and `BatchPolicy`."""

    def __init__(
        self,
        network: NitroGen,
        *,
        steps: int | None = None,
        solver: Solver = "euler",
        seed: int = 0,
        temperature: float = 1.0,
        menu_buttons: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """A policy on the device where `network` is.

        steps: solver steps of a plan; None takes what the checkpoint says.
        seed: of the noise of `act`; each `reset` starts it anew.
        temperature: deviation of the initial noise; 0 always takes the same, central plan.
        menu_buttons: let the network press back, start and guide; released otherwise.
        """
        self.network = network
        self.config = network.config
        self._sampler = Sampler(network, steps=steps, solver=solver, dtype=dtype)
        self._device = network.dit.out.weight.device
        self._seed, self._temperature, self._menu = seed, temperature, menu_buttons
        self._history: deque[Frame] = deque(maxlen=self.config.frames)
        self.reset()

    @classmethod
    def from_pretrained(
        cls,
        source: Path | str,
        *,
        device: str = "cpu",
        steps: int | None = None,
        seed: int = 0,
        temperature: float = 1.0,
        menu_buttons: bool = False,
    ) -> Self:
        """The policy of a checkpoint folder."""
        return cls(
            checkpoint.load(source, device=device),
            steps=steps,
            seed=seed,
            temperature=temperature,
            menu_buttons=menu_buttons,
        )

    @property
    def horizon(self) -> int:
        """Actions in a plan."""
        return self.config.horizon

    def reset(self) -> None:
        """Forget the frames of the previous episode and start the noise anew."""
        self._history.clear()
        self._rng = np.random.default_rng(self._seed)

    def act(self, frame: Frame) -> Actions:
        """The plan after seeing `frame`, (256, 256, 3) uint8 RGB."""
        check_frame(frame)
        self._history.append(frame)
        missing = self.config.frames - len(self._history)
        frames = np.stack([self._history[0]] * missing + list(self._history))  # (F, H, W, 3)
        return self._plan(self._tensor([frames]), [self._rng])[0]

    def act_batch(
        self, frames: Sequence[Frame], rngs: Sequence[np.random.Generator]
    ) -> list[Actions]:
        """One plan per frame, each with noise from its own generator; keeps no state."""
        if self.config.frames != 1:
            raise CheckpointError(
                f"this network sees {self.config.frames} frames at a time, and a batch of single"
                " frames has no history; use one ModelPolicy and `act` per game"
            )
        if len(frames) != len(rngs):
            raise ActionsError(f"{len(frames)} frames need as many generators, not {len(rngs)}")
        for frame in frames:
            check_frame(frame)
        return self._plan(self._tensor([frame[None] for frame in frames]), rngs)

    def _tensor(self, frames: list[Frame]) -> Tensor:
        size = self.config.vision.image_size
        return torch.from_numpy(np.stack([shrink(frame, size) for frame in frames]))

    def _plan(self, frames: Tensor, rngs: Sequence[np.random.Generator]) -> list[Actions]:
        shape = (self.config.horizon, layout.ACTION_VALUES)
        draws = [rng.standard_normal(shape, np.float32) for rng in rngs]
        noise = torch.from_numpy(self._temperature * np.stack(draws)).float().to(self._device)
        context = self._sampler.encode(frames.to(self._device))
        plans = [layout.from_tensor(plan) for plan in self._sampler.plan(context, noise).cpu()]
        return plans if self._menu else [plan.without_menu_buttons() for plan in plans]


def check_frame(frame: Frame) -> None:
    """Raise ActionsError unless `frame` is (256, 256, 3) uint8."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        kind = getattr(frame, "dtype", type(frame).__name__)
        raise ActionsError(f"a frame must be a uint8 array, not {kind}")
    if frame.shape != (FRAME_SIZE, FRAME_SIZE, 3):
        raise ActionsError(
            f"a frame must have shape ({FRAME_SIZE}, {FRAME_SIZE}, 3), not {frame.shape};"
            " squash the whole picture by area averaging"
        )


def shrink(frames: Frame, size: int) -> Frame:
    """Area-average frames (..., H, W, 3) uint8 to (..., size, size, 3), as the network would."""
    if frames.shape[-2] == size:
        return frames
    flat = frames.reshape(-1, *frames.shape[-3:])
    small = [cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in flat]
    return np.stack(small).reshape(*frames.shape[:-3], size, size, 3).astype(np.uint8, copy=False)
