"""Network, optimiser and weight average of a run: one step, and the files to go on from.

The state of a run is one safetensors file of whole tensors, named after the parameters, so it is
read without unpickling anything and on any number of processes.
"""

import json
import logging
import math
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nitrogen import config as configs
from nitrogen.errors import TrainingError
from nitrogen.model import checkpoint, flow, layout
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.precision import autocast
from nitrogen.train import lora, optim, parallel
from nitrogen.train.clock import Clock
from nitrogen.train.importance import importance
from nitrogen.train.parallel import World
from nitrogen.train.settings import TrainConfig, parts

STATE_FORMAT = "nitrogen.trainer/1"
MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq"}
log = logging.getLogger(__name__)


class Step(nn.Module):
    """The loss as a module's forward pass, which is what DDP, FSDP and compilers work on."""

    def __init__(self, network: NitroGen) -> None:
        """Wrap `network`."""
        super().__init__()
        self.network = network

    def forward(
        self,
        frames: Tensor,
        plans: Tensor,
        weights: Tensor,
        noise: Tensor,
        t: Tensor,
        committed: Tensor | None,
    ) -> Tensor:
        """Flow-matching loss, a scalar; the number of draws follows from `t`."""
        context = self.network.encode(frames)
        draws = len(t) // len(plans)
        return self.network.flow_loss(
            context, plans, draws=draws, weights=weights, noise=noise, t=t, committed=committed
        )


class State:
    """A run in memory."""

    def __init__(self, config: TrainConfig, network: NitroGen, world: World) -> None:
        """Take over `network`: adapt, freeze, move and spread it as `config` says."""
        self.config, self.world, self.step = config, world, 0
        self.part = parts(config, world.size)
        self.network_config = network.config
        lora.add(network, config.lora)
        optim.freeze(network, config.groups)
        self.network = network.to(world.device).train()
        blocks = [*network.vision.blocks, *network.mixing, *network.dit.blocks]
        if config.recompute:
            for block in blocks:
                _recompute(block)
        step: nn.Module = Step(network)
        if config.machine.compile:
            step.compile()
        self._step = parallel.spread(step, blocks, world, config.machine.parallel)
        self._trained = optim.trained(network)
        sharded = world.size > 1 and config.machine.parallel == "fsdp"
        self._optimiser = optim.optimiser(
            self._trained, config.optim, config.groups, fused=not sharded
        )
        self._average = optim.Average(self._trained.values(), config.optim.average)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor | None]:
        """Noise (count draws, T, A), times and committed actions (count draws,) of a whole batch.

        On the CPU; None without committed actions (`TrainConfig.prefix`).
        """
        rows, prefix = count * self.config.draws, self.config.prefix
        shape = (rows, self.network_config.horizon, layout.ACTION_VALUES)
        noise = torch.randn(shape, generator=generator)
        t = flow.draw_times(rows, self.network_config.flow, generator)
        committed = torch.randint(prefix + 1, (rows,), generator=generator) if prefix else None
        return noise, t, committed

    def update(
        self, frames: Tensor, plans: Tensor, generator: torch.Generator, clock: Clock
    ) -> tuple[float, float]:
        """One optimiser step on this process's share of a batch; returns loss and gradient norm.

        frames (B, S, S, 3) uint8, plans (B, T, A). The loss is that of the whole batch: a weighted
        mean over all processes and parts. If it is not a number, no weight has been changed.
        """
        config, world = self.config, self.world
        optim.set_rate(self._optimiser, self.learning_rate())
        draws, first = config.draws, world.rank * len(frames)
        noise, t, committed = self.draw(config.batch, generator)
        weights = importance(
            plans,
            onset=config.onset_weight,
            active=config.active_weight,
            controls=config.importance,
        )
        own = slice(first * draws, (first + len(frames)) * draws)
        noise, t, committed = noise[own], t[own], None if committed is None else committed[own]
        mass = _mass(weights, committed)  # (B,)
        everything = world.sum(mass.sum().to(world.device, torch.float64))
        total = torch.zeros((), device=world.device)
        clock.mark("data")
        for start in range(0, len(frames), self.part):
            part = slice(start, start + self.part)
            drawn = slice(start * draws, (start + self.part) * draws)
            inputs = (frames[part], plans[part], weights[part], noise[drawn], t[drawn])
            given = None if committed is None else committed[drawn].to(world.device)
            share = float(mass[part].sum() / everything)
            last = start + self.part == len(frames)
            with parallel.gathering(self._step, now=last):
                with autocast(config.precision, world.device):
                    loss = self._step(*(x.to(world.device) for x in inputs), given) * share
                clock.mark("forward")
                (loss * world.size).backward()
                clock.mark("backward")
            total += loss.detach()
        value = float(world.sum(total))
        norm = self._advance() if math.isfinite(value) else value
        clock.mark("optimiser")
        return value, norm

    def learning_rate(self) -> float:
        """The schedule's rate in the next step."""
        return optim.learning_rate(self.step, self.config.steps, self.config.optim)

    def _advance(self) -> float:
        """Clip, step and average; does nothing if the gradient is not finite."""
        parameters = list(self._trained.values())
        length = torch.nn.utils.clip_grad_norm_(parameters, self.config.optim.clip)
        norm = float(parallel.whole(length))
        if math.isfinite(norm):
            self._optimiser.step()
            self._average.update(self.step)
            self.step += 1
        self._optimiser.zero_grad(set_to_none=True)
        return norm

    def policy(self) -> NitroGen | None:
        """A network with the averaged weights, adaptations merged in; None but on process 0."""
        values = {name: parallel.whole(v) for name, v in self.network.state_dict().items()}
        for (name, live), average in zip(self._trained.items(), self._average.values, strict=True):
            values[name] = parallel.whole(average, like=live)
        if not self.world.is_first:
            return None
        weights = lora.merged(self.network, values)
        built = checkpoint.build(self.network_config, weights, where="the weight average")
        return built.to(self.world.device)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a run needs to go on, whole and on the CPU; empty but on process 0."""
        found: dict[str, Tensor] = {}

        def keep(name: str, value: Tensor) -> None:
            if self.world.is_first:
                found[name] = value.cpu()

        for name, value in self.network.state_dict().items():
            keep(f"network.{name}", parallel.whole(value))
        for (name, live), average in zip(self._trained.items(), self._average.values, strict=True):
            keep(f"average.{name}", parallel.whole(average, like=live))
            for short, key in MOMENTS.items():
                if live in self._optimiser.state:
                    keep(f"{short}.{name}", parallel.whole(self._optimiser.state[live][key]))
        keep("step", torch.tensor(self.step))
        return found

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all. Raises TrainingError if the disk refuses."""
        tensors = self.tensors()
        if self.world.is_first:
            network = configs.to_json(self.network_config, format=STATE_FORMAT)
            try:
                checkpoint.write_tensors(path, tensors, {"network": network})
            except (OSError, SafetensorError) as error:
                raise TrainingError(
                    f"cannot save {path}: {error}; the last complete save is kept there"
                ) from error
        self.world.wait()

    def load(self, path: Path) -> None:
        """Go on from a saved state. Raises TrainingError if it is of another network."""
        saved = checkpoint.read_tensors(path)
        live = self.network.state_dict()
        names = {f"network.{name}" for name in live} | {f"average.{n}" for n in self._trained}
        if not names <= set(saved):
            raise TrainingError(f"{path} is the state of another network; delete it to start over")
        self.step = int(saved["step"])
        for name, value in live.items():
            parallel.fill(value, saved[f"network.{name}"])
        for (name, parameter), average in zip(
            self._trained.items(), self._average.values, strict=True
        ):
            whole = torch.empty_like(parameter)
            parallel.fill(whole, saved[f"average.{name}"])
            average.copy_(parallel.local(whole))
            if f"first.{name}" in saved:
                moments = {key: torch.empty_like(parameter) for key in MOMENTS.values()}
                for short, key in MOMENTS.items():
                    parallel.fill(moments[key], saved[f"{short}.{name}"])
                count = torch.tensor(float(self.step), device=self.world.device)
                self._optimiser.state[parameter] = {"step": count, **moments}
        log.info("resumed %s at step %d", path, self.step)


def saved_network(path: Path) -> NetworkConfig:
    """The network of a saved state. Raises TrainingError if the file is damaged."""
    damaged = f"{path} cannot be read; delete it to start over"
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
        values: dict[str, Any] = json.loads(metadata["network"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(f"{damaged} ({error})") from error
    if values.pop("format", None) != STATE_FORMAT:
        raise TrainingError(damaged)
    return configs.from_dict(NetworkConfig, values, where=str(path))


def _mass(weights: Tensor, committed: Tensor | None) -> Tensor:
    """What each sample (B,) weighs in the mean: its weights (B, T, A) where they count."""
    by_row = weights.sum(dim=-1, dtype=torch.float64)  # (B, T)
    if committed is None:
        return by_row.sum(dim=-1)
    free = torch.arange(by_row.shape[1]) >= committed.view(len(weights), -1, 1)  # (B, R, T)
    return (by_row[:, None] * free).sum(dim=(1, 2))


def _recompute(block: nn.Module) -> None:
    from torch.utils.checkpoint import checkpoint as recomputed

    inside = block.forward

    def forward(*inputs: Any) -> Any:
        return recomputed(inside, *inputs, use_reentrant=False)

    block.forward = forward
