"""The training loop: step, log, save, resume. Pre-training and fine-tuning are this one loop.

Every random choice is a function of the seed and the step, so that a resumed run continues exactly
as if it had never stopped (bit for bit on a CPU with the same number of threads), and so that many
processes see the same batches and noise as one.
"""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nitrogen import config as configs
from nitrogen import files
from nitrogen.data.augment import change, draw_changes
from nitrogen.data.samples import Samples
from nitrogen.errors import TrainingError, TrainingStoppedError
from nitrogen.logs import MetricLog, read_metrics
from nitrogen.model import checkpoint
from nitrogen.model.network import NitroGen
from nitrogen.train import batches, evidence, parallel, stop
from nitrogen.train.clock import Clock, Progress
from nitrogen.train.labels import check_labels
from nitrogen.train.parallel import World
from nitrogen.train.pictures import draw_plans
from nitrogen.train.settings import (
    FORMAT,
    Machine,
    TrainConfig,
    differences,
    resolved,
)
from nitrogen.train.start import starting_network
from nitrogen.train.state import State, saved_network
from nitrogen.train.trackers import METRICS_NAME, Trackers
from nitrogen.train.validate import validate

__all__ = ["Progress", "TrainConfig", "train"]

CONFIG_NAME = "train.json"
STATE_NAME = "trainer.safetensors"


def train(
    config: TrainConfig,
    samples: Samples,
    out: Path,
    *,
    validation: Samples | None = None,
    start_from: Path | str | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train and return the folder of the finished policy, `out/policy` (averaged weights).

    `out` receives `train.json` (this configuration), `metrics.jsonl`, `trainer.safetensors` (to
    resume), pictures of held-out plans and `policy/`. `start_from` is a checkpoint to fine-tune: a
    folder, a published `ng.pt` or a hub id. Under torchrun every process calls this.

    Raises TrainingError if the labels cannot teach anything, `out` holds another run, or the loss
    is not a number; TrainingStoppedError, after saving, if SIGINT or SIGTERM asks to stop.
    """
    if not config.allow_odd_labels:
        check_labels(samples)
    world = parallel.join(config.machine.device)
    config = resolved(config, len(samples), world.device)
    with stop.requests() as request:
        run = _Run(config, samples, out, world, start_from=start_from, resume=resume)
        with run.trackers:
            for progress in run.steps(samples):
                if progress is not None and world.is_first:
                    run.trackers.progress(progress)
                    on_progress(progress)
                run.after_step(validation, request)
        return run.save_policy()


class _Run:
    """One run: its state, its files, and what happens when."""

    def __init__(
        self,
        config: TrainConfig,
        samples: Samples,
        out: Path,
        world: World,
        *,
        start_from: Path | str | None,
        resume: bool,
    ) -> None:
        self.config, self.out, self.world = config, out, world
        self._file = out / STATE_NAME
        resumes = resume and self._file.exists()
        if self._file.exists() and not resume:
            raise TrainingError(f"{out} already holds a run; resume it or choose another folder")
        if resumes:
            _check_same(out / CONFIG_NAME, config)
        torch.manual_seed(config.seed)
        self.state = State(config, self._network(samples, start_from, resumes=resumes), world)
        if resumes:
            self.state.load(self._file)
        world.wait()  # all have looked at the folder before the first writes into it
        if world.is_first:
            out.mkdir(parents=True, exist_ok=True)
            files.write_text(out / CONFIG_NAME, configs.to_json(config, format=FORMAT))
            _rewind(out / METRICS_NAME, self.state.step)
        self.trackers = Trackers(out, config, active=world.is_first)

    def _network(
        self, samples: Samples, start_from: Path | str | None, *, resumes: bool
    ) -> NitroGen:
        if resumes:
            return NitroGen(saved_network(self._file))
        return starting_network(self.config, samples.actions(), start_from)

    def steps(self, samples: Samples) -> Iterator[Progress | None]:
        """Make the steps that are left; yields after each, with a report when one is due."""
        config, state, world = self.config, self.state, self.world
        clock = Clock(world.device)
        data = batches.stream(
            samples,
            config,
            steps=range(state.step, config.steps),
            rank=world.rank,
            size=world.size,
        )
        for frames, plans in data:
            generator = _generator(config.seed, state.step)
            frames = self._augmented(frames, generator)
            rng, rate = generator.get_state(), state.learning_rate()
            loss, norm = state.update(frames, plans, generator, clock)
            if not np.isfinite([loss, norm]).all():
                self._give_up(frames, plans, rng, loss, norm)
            clock.stop()
            due = state.step % config.log_every == 0 or state.step == config.steps
            yield (
                None
                if not due
                else Progress(
                    step=state.step,
                    steps=config.steps,
                    loss=loss,
                    learning_rate=rate,
                    gradient_norm=norm,
                    **clock.take(config.batch),
                )
            )
            clock.start()

    def _augmented(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        config = self.config
        torch.manual_seed(_seed_of(config.seed, self.state.step, self.world.rank))  # dropout
        frames = frames.to(self.world.device)
        if config.augment.is_identity:
            return frames
        first = self.world.rank * len(frames)
        changes = draw_changes(config.batch, config.augment, generator)
        return change(frames, changes[first : first + len(frames)].to(self.world.device))

    def _give_up(
        self, frames: Tensor, plans: Tensor, rng: Tensor, loss: float, norm: float
    ) -> None:
        values = {"loss": loss, "gradient_norm": norm}
        path = evidence.keep(self.out, self.state, (frames, plans), rng, values)
        what = f"loss is {loss}" if not np.isfinite(loss) else f"gradient is {norm}"
        raise TrainingError(
            f"the {what} at step {self.state.step}; weights, batch and random state are kept in"
            f" {path}, the last save (at most {self.config.save_every} steps ago) in {self._file};"
            " lower the learning rate"
        )

    def after_step(self, validation: Samples | None, request: stop.StopRequest) -> None:
        """Validate, save or stop, as is due."""
        config, step = self.config, self.state.step
        last = step == config.steps
        if validation is not None and (step % config.validate_every == 0 or last):
            self._validate(validation)
        asked = bool(self.world.sum(torch.tensor(float(request.signal), device=self.world.device)))
        if step % config.save_every == 0 or last or asked:
            self.state.save(self._file)
        if asked and not last:
            name = signal.Signals(request.signal or signal.SIGTERM).name
            raise TrainingStoppedError(
                f"stopped by {name} after step {step} of {config.steps}, which is saved in"
                f" {self._file}; go on with the same command and --resume",
                request.signal or signal.SIGTERM,
            )

    def _validate(self, validation: Samples) -> None:
        policy = self.state.policy()
        if policy is not None:
            scores = validate(policy, validation, count=self.config.validation_samples)
            self.trackers.validation(self.state.step, scores)
            if self.config.draw_plans:
                picture = draw_plans(policy, validation, count=self.config.draw_plans)
                self.trackers.picture(self.state.step, "plans", picture)
        self.world.wait()

    def save_policy(self) -> Path:
        """Write the averaged weights as a checkpoint folder."""
        folder = self.out / "policy"
        policy = self.state.policy()
        if policy is not None:
            checkpoint.save(folder, policy)
        self.world.wait()
        return folder


def _seed_of(seed: int, *place: int) -> int:
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])


def _generator(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(_seed_of(seed, step))


def _check_same(path: Path, config: TrainConfig) -> None:
    """Raise TrainingError unless a run of this configuration, on any machine, is in `path`."""
    saved = configs.read(path, TrainConfig, format=FORMAT)
    found = differences(replace(saved, machine=Machine()), replace(config, machine=Machine()))
    if found:
        listed = "; ".join(f"{name} was {a!r}, not {b!r}" for name, a, b in found)
        raise TrainingError(
            f"{path.parent} holds a run with another configuration ({listed});"
            " resume with that one, or choose another folder"
        )


def _rewind(path: Path, step: int) -> None:
    """Forget what was logged after `step`, which a resumed run will log again."""
    if not path.exists():
        return
    rows = [row for row in read_metrics(path) if row.get("step", 0) <= step]
    with files.replacing(path) as partial, MetricLog(partial) as metrics:
        for row in rows:
            metrics.write(**row)
