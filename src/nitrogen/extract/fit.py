"""Train the network reader on made-up overlays.

Every batch is a function of the seed and the step, so that a resumed run continues exactly as if it
had never stopped (bit for bit on a CPU with the same number of threads). AdamW, 1e-4, weight decay
0.1 and a batch of 256 are the published settings (NitroGen, section on the data set).
"""

import logging
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nitrogen import config as configs
from nitrogen import files
from nitrogen.actions import BUTTON_INDEX, PRESSED
from nitrogen.errors import CheckpointError, TrainingError
from nitrogen.extract import parser, roles
from nitrogen.extract.pictures import PictureConfig, Pictures
from nitrogen.extract.segformer import (
    CROPS,
    Reader,
    Readout,
    SegformerConfig,
    deflection,
    soft_target,
)
from nitrogen.logs import MetricLog
from nitrogen.model import checkpoint
from nitrogen.model.mit import load_published
from nitrogen.model.precision import Precision, autocast, chosen
from nitrogen.overlay.crops import Crops
from nitrogen.overlay.skin import Skin

FORMAT = "nitrogen.fit/1"
log = logging.getLogger(__name__)

_TRIGGERS = [BUTTON_INDEX[name] for name in roles.TRIGGERS]


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Everything that decides how a reader comes out, besides the skins."""

    network: SegformerConfig
    steps: int = 20_000
    pictures: PictureConfig = field(default_factory=PictureConfig)
    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    warmup_steps: int = 500
    decay_share: float = 0.3
    """Share of all steps, at the end, over which the rate falls linearly to zero."""
    average: float = 0.999
    """Decay of the moving average of the weights."""
    clip: float = 5.0
    precision: Precision = "auto"
    """Of the products in forward and backward; auto: bfloat16 where the CPU multiplies it."""
    seed: int = 0
    """Of the first weights; pictures have a seed of their own."""
    log_every: int = 50
    save_every: int = 500
    """Steps between two saves; a crash loses at most as many."""


@dataclass(frozen=True)
class Progress:
    """What the loop reports every `log_every` steps."""

    step: int
    steps: int
    loss: float
    pictures_per_s: float
    data_share: float
    """Share of the time spent drawing pictures."""
    button_error: float
    """Share of the buttons read wrongly in the last batch."""
    stick_error: float
    """Root mean square of the sticks' errors in the last batch."""


def fit(
    config: FitConfig,
    skins: Sequence[Skin],
    out: Path,
    *,
    start_from: Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train and return the folder of the finished reader, `out/reader` (averaged weights).

    `out` receives `fit.json` (this configuration), `metrics.jsonl`, `trainer.pt` (to resume) and
    `reader/`. start_from: a reader's folder, or a safetensors file of a `transformers` SegFormer
    to initialise the encoder. Raises TrainingError if `out` holds another run or the loss is not a
    number.
    """
    state = _State(config, out, start_from=start_from, resume=resume)
    data = Pictures(config.pictures, skins, (config.network.width, config.network.height))
    with MetricLog(out / "metrics.jsonl") as metrics:
        drawing, start, done = 0.0, time.perf_counter(), 0
        for step in range(state.step, config.steps):
            before = time.perf_counter()
            crops = data.batch(step)
            drawing += time.perf_counter() - before
            loss, readout = state.update(step, crops)
            done += 1
            last = step + 1 == config.steps
            if (step + 1) % config.log_every == 0 or last:
                seconds = time.perf_counter() - start
                rate = done * config.pictures.batch * CROPS / seconds
                progress = Progress(
                    step + 1, config.steps, loss, rate, drawing / seconds, *errors(readout, crops)
                )
                metrics.write(**vars(progress))
                on_progress(progress)
                drawing, start, done = 0.0, time.perf_counter(), 0
            if (step + 1) % config.save_every == 0 or last:
                state.save()
    return parser.save_network(out / "reader", state.averaged())


def losses(readout: Readout, crops: Crops) -> Tensor:
    """The loss of one batch.

    Cross-entropy of buttons, of the sticks' maps and of what is shown; squared error of deflections
    and triggers' travel. A control that cannot be seen counts as released, at a quarter of the
    weight, and its deflection does not count.
    """
    truth = _tensors(crops)
    buttons, seen = readout.buttons.flatten(0, 1), truth.shown[:, : readout.buttons.shape[2]]
    pressed = F.binary_cross_entropy_with_logits(
        buttons, (truth.buttons > PRESSED).float(), weight=0.25 + 0.75 * seen
    )
    pulled = (readout.travel.flatten(0, 1) - truth.buttons)[:, _TRIGGERS].square()
    maps, moving = readout.sticks.flatten(0, 1), truth.shown[:, -2:]
    target = soft_target(truth.sticks)
    crossed = -(target * maps.log_softmax(-1)).sum(-1)
    apart = (deflection(maps) - truth.sticks).square().sum(-1)
    shown = F.binary_cross_entropy_with_logits(readout.shown.flatten(0, 1), truth.shown)
    count = moving.sum().clamp_min(1)
    return (
        20 * pressed
        + (pulled * seen[:, _TRIGGERS]).mean()
        + ((0.25 * crossed + 2 * apart) * moving).sum() / count
        + 0.5 * shown
    )


def errors(readout: Readout, crops: Crops) -> tuple[float, float]:
    """Share of wrong buttons, and root mean square error of visible sticks."""
    truth = _tensors(crops)
    readout = Readout(*(part.detach() for part in readout))
    wrong = (readout.buttons.flatten(0, 1) > 0) != (truth.buttons > PRESSED)
    apart = (deflection(readout.sticks.flatten(0, 1)) - truth.sticks).square().mean(-1)
    moving = truth.shown[:, -2:]
    spread = (apart * moving).sum() / moving.sum().clamp_min(1)
    return float(wrong.float().mean()), float(spread.sqrt())


@dataclass(frozen=True)
class _Truth:
    buttons: Tensor
    """(2B, 17) travel."""
    sticks: Tensor
    """(2B, 2, 2): left and right stick, x and y."""
    shown: Tensor
    """(2B, 19) in {0, 1}."""


def _tensors(crops: Crops) -> _Truth:
    return _Truth(
        torch.from_numpy(crops.actions.buttons),
        torch.from_numpy(crops.actions.sticks).view(-1, 2, 2),
        torch.from_numpy(crops.shown).float(),
    )


class _State:
    """Network, optimiser and average of a run, and their files."""

    def __init__(
        self, config: FitConfig, out: Path, *, start_from: Path | None, resume: bool
    ) -> None:
        config = replace(config, precision=chosen(config.precision))
        self.config, self.out, self.step = config, out, 0
        self._file = out / "trainer.pt"
        text = configs.to_json(config, format=FORMAT)
        if self._file.exists() and not resume:
            raise TrainingError(f"{out} already holds a run; resume it or choose another folder")
        if self._file.exists() and (out / "fit.json").read_text() != text:
            raise TrainingError(
                f"{out} holds a run with another configuration (fit.json differs);"
                " resume with that one, or choose another folder"
            )
        torch.manual_seed(config.seed)
        self.network = _started(config.network, start_from).train()
        self._optimiser = _optimiser(self.network, config)
        self._average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(config.average),  # type: ignore[no-untyped-call]
        )
        out.mkdir(parents=True, exist_ok=True)
        (out / "fit.json").write_text(text)
        if self._file.exists():
            self._load()

    def update(self, step: int, crops: Crops) -> tuple[float, Readout]:
        """One optimiser step; the loss and what was read."""
        config = self.config
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(step, config)
        rest = crops.rest.astype(np.int16) if config.network.reference else None
        with autocast(config.precision):
            readout = self.network(parser.as_input(crops.pictures, rest))
        loss = losses(readout, crops)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at step {step}; the state of at most {config.save_every}"
                f" steps ago is kept in {self._file}; lower the learning rate"
            )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        self._optimiser.step()
        self._average.update_parameters(self.network)
        self.step = step + 1
        return value, readout

    def averaged(self) -> Reader:
        """The network with averaged weights."""
        network = self._average.module
        assert isinstance(network, Reader)
        return network.eval()

    def save(self) -> None:
        """Write `trainer.pt`, whole or not at all."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        try:
            with files.replacing(self._file) as partial:
                torch.save(state, partial)
        except (OSError, RuntimeError) as error:
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
        self._average.load_state_dict(state["average"])
        log.info("resumed %s at step %d", self.out, self.step)


def learning_rate(step: int, config: FitConfig) -> float:
    """Warm-up, constant, linear decay."""
    warm = (step + 1) / config.warmup_steps if config.warmup_steps else 1.0
    fall = (config.steps - step) / max(1.0, config.steps * config.decay_share)
    return config.learning_rate * min(1.0, warm, fall)


def _optimiser(network: Reader, config: FitConfig) -> torch.optim.AdamW:
    """AdamW whose weight decay leaves biases, norms and other vectors alone."""
    trained = list(network.parameters())
    matrices = [value for value in trained if value.ndim >= 2]
    vectors = [value for value in trained if value.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _started(config: SegformerConfig, start_from: Path | None) -> Reader:
    """A network from a reader's folder, or with an encoder from elsewhere, or random."""
    network = Reader(config)
    if start_from is None:
        return network
    if start_from.is_dir():
        given = parser.load_network(start_from)
        if given.config != config:
            raise CheckpointError(f"{start_from} has another network: {given.config}, not {config}")
        return given.requires_grad_(requires_grad=True)
    load_published(network.encoder, checkpoint.read_tensors(start_from))
    return network
