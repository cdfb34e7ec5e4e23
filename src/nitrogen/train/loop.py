"""The training loop: step, log, save, resume. Pre-training and fine-tuning are this one loop.

Every random choice is a function of the seed and the step, so that a resumed run continues exactly
as if it had never stopped (bit for bit on a CPU with the same number of threads).
"""

import logging
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from nitrogen import config as configs
from nitrogen.data.augment import AugmentConfig, augment
from nitrogen.data.samples import Samples, order
from nitrogen.errors import TrainingError
from nitrogen.logs import MetricLog
from nitrogen.model import checkpoint, layout
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.train.optim import Average, OptimConfig, learning_rate, optimiser
from nitrogen.train.validate import Scores, validate

FORMAT = "nitrogen.train/1"
SMALLEST_DEVIATION = 0.05
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides how a run comes out, besides its data."""

    network: NetworkConfig
    optim: OptimConfig = field(default_factory=OptimConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    steps: int = 10_000
    batch: int = 128
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the products in forward and backward; weights and optimiser stay float32."""
    draws: int = 4
    """Noise and time draws per encoded frame."""
    onset_weight: float = 0.0
    """Added importance of a button's value within two rows of where it changes."""
    seed: int = 0
    log_every: int = 50
    save_every: int = 500
    """Steps between two saves; a crash loses at most as many."""
    validate_every: int = 1_000
    validation_samples: int = 512


@dataclass(frozen=True)
class Progress:
    """What the loop reports every `log_every` steps."""

    step: int
    steps: int
    loss: float
    images_per_s: float
    data_share: float
    """Share of the wall time spent waiting for data and augmenting it."""


def train(
    config: TrainConfig,
    samples: Samples,
    out: Path,
    *,
    validation: Samples | None = None,
    start_from: Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train and return the folder of the finished policy, `out/policy` (averaged weights).

    `out` receives `train.json` (this configuration), `metrics.jsonl`, `trainer.pt` (to resume) and
    `policy/`. `start_from` is a checkpoint folder to fine-tune. Raises TrainingError if the labels
    cannot teach anything, `out` holds another run, or the loss is not a number.
    """
    check_labels(samples)
    network = config.network if start_from else measured(config.network, samples)
    state = _State(config, network, out, start_from=start_from, resume=resume)
    with MetricLog(out / "metrics.jsonl") as metrics:
        clock = _Clock()
        for step in range(state.step, config.steps):
            clock.start()
            frames, actions = samples.batch(
                order(len(samples), config.batch, step=step, seed=config.seed)
            )
            generator = torch.Generator().manual_seed(_seed_of(config.seed, step))
            frames = augment(frames, config.augment, generator)
            clock.data_ready()
            loss = state.update(step, frames, _plans(actions, samples.horizon), generator)
            clock.stop()
            last = step + 1 == config.steps
            if (step + 1) % config.log_every == 0 or last:
                progress = clock.progress(step + 1, config, loss)
                metrics.write(kind="train", **vars(progress))
                on_progress(progress)
            if validation is not None and ((step + 1) % config.validate_every == 0 or last):
                scores = state.validate(validation)
                metrics.write(kind="validation", step=step + 1, **scores.as_json())
            if (step + 1) % config.save_every == 0 or last:
                state.save()
    return state.save_policy()


def check_labels(samples: Samples) -> None:
    """Refuse labels that cannot teach anything: all idle, or a stick stuck off-centre."""
    indices = np.linspace(0, len(samples) - 1, min(2_000, len(samples))).astype(np.int64)
    _, actions = samples.batch(indices)
    moving = actions.sticks.std(axis=0) > 1e-3
    if not actions.pressed().any() and not moving.any():
        raise TrainingError(
            "the labels are idle throughout: no button is ever pressed and no stick ever moves;"
            " check the extraction before training on it"
        )
    stuck = ~moving & (np.abs(actions.sticks.mean(axis=0)) > 0.2)
    if stuck.any():
        raise TrainingError(
            f"stick axes {np.flatnonzero(stuck).tolist()} (of left x, left y, right x, right y)"
            " stand still away from the centre in all rows; check the extraction"
        )


def measured(network: NetworkConfig, samples: Samples) -> NetworkConfig:
    """The same network, told centre and deviation of each action value in these samples.

    Only for networks that are preconditioned (`FlowConfig.deviation`). Values that never change
    keep a small deviation, so that fine-tuning can still move them.
    """
    if network.flow.deviation is None:
        return network
    values = layout.to_tensor(samples.actions())
    centre, deviation = values.mean(dim=0), values.std(dim=0).clamp_min(SMALLEST_DEVIATION)
    flow = replace(
        network.flow,
        centre=tuple(round(value, 4) for value in centre.tolist()),
        deviation=tuple(round(value, 4) for value in deviation.tolist()),
    )
    return replace(network, flow=flow)


def _plans(actions: Any, horizon: int) -> Tensor:
    values = layout.to_tensor(actions)
    return values.view(-1, horizon, layout.ACTION_VALUES)  # (B, T, A)


def _seed_of(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


def onset_weights(plans: Tensor, weight: float) -> Tensor:
    """Importance of each value: 1, and 1 + `weight` within two rows of a change of that button.

    plans: (B, T, A). Rare decisive presses (a jump) otherwise drown in the many rows where nothing
    changes. Sticks keep 1.
    """
    change = torch.zeros_like(plans)
    change[:, 1:] = (plans[:, 1:] - plans[:, :-1]).abs().gt(0.5).to(plans.dtype)
    near = torch.nn.functional.max_pool1d(change.transpose(1, 2), 5, stride=1, padding=2)
    near = near.transpose(1, 2).clone()
    near[..., -4:] = 0
    return 1 + weight * near


def _sizes(network: NetworkConfig) -> NetworkConfig:
    """All but what is measured from data."""
    return replace(network, flow=replace(network.flow, centre=None, deviation=None))


class _State:
    """Network, optimiser and average of a run, and their files."""

    def __init__(
        self,
        config: TrainConfig,
        network: NetworkConfig,
        out: Path,
        *,
        start_from: Path | None,
        resume: bool,
    ) -> None:
        self.config, self.out, self.step = config, out, 0
        self._file = out / "trainer.pt"
        text = configs.to_json(config, format=FORMAT)
        if resume and self._file.exists():
            if (out / "train.json").read_text() != text:
                raise TrainingError(
                    f"{out} holds a run with another configuration (train.json differs);"
                    " resume with that one, or choose another folder"
                )
        elif self._file.exists():
            raise TrainingError(f"{out} already holds a run; resume it or choose another folder")
        torch.manual_seed(config.seed)
        self.network = checkpoint.load(start_from) if start_from else NitroGen(network)
        if _sizes(self.network.config) != _sizes(config.network):
            raise TrainingError(
                f"the checkpoint {start_from} has another network than the recipe:"
                f" {self.network.config} against {config.network}"
            )
        self.network.train()
        self._optimiser = optimiser(self.network, config.optim)
        self._average = Average(self.network.parameters(), config.optim.average)
        out.mkdir(parents=True, exist_ok=True)
        (out / "train.json").write_text(text)
        if resume and self._file.exists():
            self._load()

    def update(self, step: int, frames: Tensor, plans: Tensor, generator: torch.Generator) -> float:
        """One optimiser step; returns the loss."""
        config = self.config
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(step, config.steps, config.optim)
        weights = onset_weights(plans, config.onset_weight) if config.onset_weight else None
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            loss = self.network.loss(
                frames, plans, draws=config.draws, weights=weights, generator=generator
            )
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at step {step}; the state of step {self.step} at most"
                f" {config.save_every} steps ago is kept in {self._file}; lower the learning rate"
            )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.optim.clip)
        self._optimiser.step()
        self._average.update(step)
        self.step = step + 1
        return value

    def validate(self, samples: Samples) -> Scores:
        """Score the averaged weights on held-out data."""
        self._average.swap()
        self.network.eval()
        try:
            return validate(self.network, samples, count=self.config.validation_samples)
        finally:
            self.network.train()
            self._average.swap()

    def save(self) -> None:
        """Write `trainer.pt`, whole or not at all."""
        temporary = self._file.with_suffix(".tmp")
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self._average.values,
            "optimiser": self._optimiser.state_dict(),
        }
        try:
            torch.save(state, temporary)
            temporary.replace(self._file)
        except (OSError, RuntimeError) as error:
            temporary.unlink(missing_ok=True)
            raise TrainingError(
                f"cannot save {self._file}: {error}; the last complete save is kept there"
            ) from error

    def _load(self) -> None:
        damaged = f"{self._file} cannot be read; delete it to start over"
        if not zipfile.is_zipfile(self._file):
            raise TrainingError(damaged)
        try:
            state = torch.load(self._file, weights_only=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise TrainingError(f"{damaged} ({error})") from error
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        for value, saved in zip(self._average.values, state["average"], strict=True):
            value.copy_(saved)
        log.info("resumed %s at step %d", self.out, self.step)

    def save_policy(self) -> Path:
        """Write the averaged weights as a checkpoint folder."""
        folder = self.out / "policy"
        self._average.swap()
        try:
            checkpoint.save(folder, self.network)
        finally:
            self._average.swap()
        return folder


class _Clock:
    """Where the wall time of the last `log_every` steps went."""

    def __init__(self) -> None:
        self._data = self._total = 0.0
        self._steps = 0
        self._start = self._ready = 0.0

    def start(self) -> None:
        self._start = time.perf_counter()

    def data_ready(self) -> None:
        self._ready = time.perf_counter()

    def stop(self) -> None:
        self._data += self._ready - self._start
        self._total += time.perf_counter() - self._start
        self._steps += 1

    def progress(self, step: int, config: TrainConfig, loss: float) -> Progress:
        report = Progress(
            step=step,
            steps=config.steps,
            loss=loss,
            images_per_s=self._steps * config.batch / self._total,
            data_share=self._data / self._total,
        )
        self._data, self._total, self._steps = 0.0, 0.0, 0
        return report
