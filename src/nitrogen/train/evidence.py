"""What is kept when the loss of a step is not a number: enough to compute that step again."""

import json
from pathlib import Path

import torch
from torch import Tensor

from nitrogen import files
from nitrogen.model import checkpoint
from nitrogen.train import parallel
from nitrogen.train.state import State

FOLDER = "evidence"


def keep(
    out: Path, state: State, batch: tuple[Tensor, Tensor], rng: Tensor, values: dict[str, float]
) -> Path:
    """Write weights, batch and random state of the step that failed; returns the file.

    batch: frames as the network got them, and plans. rng: state of the step's generator before
    noise and times were drawn. values: loss and gradient norm. A text file beside it names them.
    """
    path = out / FOLDER / f"step-{state.step:06d}-process-{state.world.rank}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    frames, plans = batch
    weights = {
        f"network.{n}": parallel.local(v).cpu() for n, v in state.network.state_dict().items()
    }
    checkpoint.write_tensors(path, {"frames": frames.cpu(), "plans": plans, "rng": rng, **weights})
    described = {
        "step": state.step,
        "seed": state.config.seed,
        "learning_rate": state.learning_rate(),
        **{name: str(value) for name, value in values.items()},
        "plans_finite": bool(torch.isfinite(plans).all()),
        "largest_weight": max(float(v.abs().max()) for v in weights.values()),
        "weights_not_finite": [n for n, v in weights.items() if not torch.isfinite(v).all()],
    }
    text = json.dumps({k: _plain(v) for k, v in described.items()}, indent=2)
    files.write_text(path.with_suffix(".json"), text + "\n")
    return path


def _plain(value: object) -> object:
    return str(value) if isinstance(value, float) and value - value != 0 else value
