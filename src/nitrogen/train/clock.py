"""Where the wall time of training goes: data, forward, backward, optimiser."""

import time
from dataclasses import dataclass

import torch

PHASES = ("data", "forward", "backward", "optimiser")


@dataclass(frozen=True)
class Progress:
    """What the loop reports every `log_every` steps."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    gradient_norm: float
    """Before clipping."""
    images_per_s: float
    """Samples per second, over all processes."""
    data_share: float
    """Share of the wall time spent waiting for data and augmenting it."""
    forward_share: float
    backward_share: float
    optimiser_share: float


class Clock:
    """Adds up the time between marks under their names.

    On a GPU a mark waits until all work before it is done, so that the split is true.
    """

    def __init__(self, device: torch.device) -> None:
        """Start now."""
        self._waits = device.type == "cuda"
        self._spent = dict.fromkeys(PHASES, 0.0)
        self._steps = 0
        self.start()

    def start(self) -> None:
        """Leave out what happened since the last mark."""
        self._last = time.perf_counter()

    def mark(self, phase: str) -> None:
        """Book the time since the last mark or start to `phase`."""
        if self._waits:
            torch.cuda.synchronize()
        now = time.perf_counter()
        self._spent[phase] += now - self._last
        self._last = now

    def stop(self) -> None:
        """End a step."""
        self._steps += 1

    def take(self, batch: int) -> dict[str, float]:
        """Rate and shares since the last call, as `Progress` names them."""
        total = sum(self._spent.values())
        rates = {"images_per_s": self._steps * batch / total}
        rates |= {f"{phase}_share": spent / total for phase, spent in self._spent.items()}
        self._spent, self._steps = dict.fromkeys(PHASES, 0.0), 0
        return rates
