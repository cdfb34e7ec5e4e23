"""The policy that ships with the package, and how worker processes load a policy."""

import functools
from collections.abc import Callable
from pathlib import Path

from nitrogen.errors import CheckpointError, MissingDependencyError
from nitrogen.policy import BatchPolicy

WEIGHTS = Path(__file__).parent / "weights"
"""The checkpoint, with its `recipe.json` beside it (scripts/make_weights.py)."""

EXECUTE = 4
"""Actions played of each plan of 16: reactive games need short ones (docs/concepts/learning.md)."""

STEPS = 4
"""Euler steps of a plan when small policies play; more cost time and brought nothing."""


MODULES = ("nitrogen.model.inference",)
"""What loading a policy imports; it takes seconds."""


def load_policy(checkpoint: Path, steps: int | None = STEPS) -> Callable[[], BatchPolicy]:
    """A function that loads the policy, for worker processes; checked to work here first."""
    try:
        from nitrogen.model.inference import ModelPolicy
    except ImportError as error:
        raise MissingDependencyError(
            f"a policy needs torch ({error}); install it with pip install 'nitrogen[train]'"
        ) from error
    if not (checkpoint / "config.json").exists():
        raise CheckpointError(
            f"no checkpoint in {checkpoint}; make one with python scripts/make_weights.py"
        )
    make = functools.partial(one_thread_policy, checkpoint, steps)
    ModelPolicy.from_pretrained(checkpoint)
    return make


def one_thread_policy(checkpoint: Path, steps: int | None = STEPS) -> BatchPolicy:
    """The policy, on one thread: worker processes share the machine's cores.

    A worker loads it once for all of its shards, unless the file has changed since.
    """
    files = sorted(checkpoint.iterdir()) if checkpoint.is_dir() else [checkpoint]
    changed = tuple(file.stat().st_mtime_ns for file in files)
    return _loaded(checkpoint, steps, changed)


@functools.lru_cache(maxsize=1)
def _loaded(checkpoint: Path, steps: int | None, changed: tuple[int, ...]) -> BatchPolicy:
    import torch

    from nitrogen.model.inference import ModelPolicy

    torch.set_num_threads(1)
    return ModelPolicy.from_pretrained(checkpoint, steps=steps)
