"""Where the numbers of a run go: metrics.jsonl always; TensorBoard, wandb and trackio on request.

Packages of other trackers are imported only when asked for.
"""

import dataclasses
import importlib
import math
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import cv2

from nitrogen.actions import Frame
from nitrogen.errors import MissingDependencyError, TrainingError
from nitrogen.logs import MetricLog
from nitrogen.train.clock import Progress
from nitrogen.train.settings import TrainConfig
from nitrogen.train.validate import Scores

METRICS_NAME = "metrics.jsonl"


class Tracker(Protocol):
    """A place for numbers and pictures over steps."""

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """Values by name, of one kind: `train` or `validation`."""

    def picture(self, step: int, name: str, path: Path, picture: Frame) -> None:
        """A picture, which also lies at `path`."""

    def close(self) -> None:
        """Write what is left."""


class JsonLines:
    """`metrics.jsonl` in the run's folder."""

    def __init__(self, out: Path, config: TrainConfig) -> None:
        """Append to the file."""
        self._log = MetricLog(out / METRICS_NAME)

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One line."""
        self._log.write(kind=kind, step=step, **values)

    def picture(self, step: int, name: str, path: Path, picture: Frame) -> None:
        """One line that names the file."""
        self._log.write(kind="picture", step=step, name=name, path=str(path))

    def close(self) -> None:
        """Close the file."""
        self._log.close()


class TensorBoard:
    """Event files in `tensorboard/`, for `tensorboard --logdir`."""

    def __init__(self, out: Path, config: TrainConfig) -> None:
        """Begin an event file."""
        module = _module("torch.utils.tensorboard", "tensorboard")
        self._writer = module.SummaryWriter(str(out / "tensorboard"))

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One curve per value."""
        for name, value in _finite(values).items():
            self._writer.add_scalar(f"{kind}/{name}", value, step)

    def picture(self, step: int, name: str, path: Path, picture: Frame) -> None:
        """The picture itself."""
        self._writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()


class _Hosted:
    """wandb, and trackio, which has the same interface."""

    name = ""

    def __init__(self, out: Path, config: TrainConfig) -> None:
        """Begin a run called after its folder."""
        self._module = _module(self.name, self.name)
        values = dataclasses.asdict(config)
        self._module.init(project="nitrogen", name=out.name, config=values, **self.options(out))

    def options(self, out: Path) -> dict[str, Any]:
        """Further arguments of its `init`."""
        return {}

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One curve per value."""
        self._module.log({f"{kind}/{n}": v for n, v in _finite(values).items()}, step=step)

    def picture(self, step: int, name: str, path: Path, picture: Frame) -> None:
        """The picture's file."""
        self._module.log({name: self._module.Image(str(path))}, step=step)

    def close(self) -> None:
        """End the run."""
        self._module.finish()


class Wandb(_Hosted):
    """Weights & Biases; `WANDB_MODE=offline` keeps everything on this machine."""

    name = "wandb"

    def options(self, out: Path) -> dict[str, Any]:
        """Files belong into the run's folder."""
        return {"dir": str(out)}


class Trackio(_Hosted):
    """trackio, kept on this machine."""

    name = "trackio"


TRACKERS: dict[str, Callable[[Path, TrainConfig], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": Wandb,
    "trackio": Trackio,
}
"""Every tracker besides `metrics.jsonl`, by the name that `machine.report` uses."""


class Trackers:
    """All trackers of a run; none on processes other than the first."""

    def __init__(self, out: Path, config: TrainConfig, *, active: bool) -> None:
        """Raises TrainingError on an unknown name, MissingDependencyError if one is missing."""
        self._out, self._all = out, list[Tracker]()
        unknown = sorted(set(config.machine.report) - set(TRACKERS))
        if unknown:
            raise TrainingError(
                f"machine.report: no tracker {', '.join(unknown)}; trackers: {', '.join(TRACKERS)}"
            )
        if active:
            names = dict.fromkeys(config.machine.report)
            self._all = [*(TRACKERS[n](out, config) for n in names), JsonLines(out, config)]

    def progress(self, progress: Progress) -> None:
        """Numbers of the training itself."""
        values = {name: value for name, value in vars(progress).items() if name != "step"}
        self._numbers(progress.step, "train", values)

    def validation(self, step: int, scores: Scores) -> None:
        """Numbers on held-out data."""
        self._numbers(step, "validation", scores.as_json())

    def _numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        for tracker in self._all:
            tracker.numbers(step, kind, values)

    def picture(self, step: int, name: str, picture: Frame) -> None:
        """Write `<name>/step-NNNNNN.png` and pass it on. Raises TrainingError if it cannot."""
        path = self._out / name / f"step-{step:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.png")
        if not cv2.imwrite(str(partial), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise TrainingError(f"cannot write {partial}; is the disk full?")
        partial.replace(path)
        for tracker in self._all:
            tracker.picture(step, name, path, picture)

    def __enter__(self) -> Self:
        """The trackers themselves."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all."""
        for tracker in self._all:
            tracker.close()


def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"machine.report {package} needs a package that is not installed: pip install {package}"
        ) from error


def _finite(values: dict[str, Any]) -> dict[str, float]:
    return {n: v for n, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}
