"""One run on many processes: started by torchrun, weights copied (DDP) or sharded (FSDP2).

Knows processes and tensors. Knows nothing of losses or files. Everything here does the obvious
thing with one process, so the loop has no second path.
"""

import atexit
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from nitrogen.errors import TrainingError


@dataclass(frozen=True)
class World:
    """The processes of a run, as one of them sees them."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """`values` added up over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.size > 1:
            dist.barrier()


def join(device: str) -> World:
    """Join the processes that torchrun started; alone without torchrun.

    device: `cpu`, `cuda` (one GPU per process) or `auto`. Processes stay joined until they end,
    because joining twice is not safe. Raises TrainingError without a GPU.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    place = _device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    return World(rank=rank, size=size, device=place)


def _device(name: str, local_rank: int) -> torch.device:
    if name not in ("cpu", "cuda", "auto"):
        raise TrainingError(f"machine.device must be cpu, cuda or auto, not {name!r}")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise TrainingError("machine.device is cuda, but torch sees no GPU here; take cpu or auto")
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def spread(
    module: nn.Module, blocks: list[nn.Module], world: World, how: Literal["ddp", "fsdp"]
) -> nn.Module:
    """The module to call instead of `module`, so that gradients agree between processes.

    blocks: parts that FSDP gathers one after the other; what is in none of them is one more part.
    Every process must hold the same weights.
    """
    if world.size == 1:
        return module
    if how == "ddp":
        from torch.nn.parallel import DistributedDataParallel

        places = [world.device.index] if world.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=places)
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(world.device.type, (world.size,))
    for block in blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    return module


@contextlib.contextmanager
def gathering(module: nn.Module, *, now: bool) -> Iterator[None]:
    """Exchange gradients in the backward passes inside only if `now`; else keep adding them up."""
    wrapped: Any = module
    if not now and hasattr(module, "no_sync"):
        with wrapped.no_sync():
            yield
    elif not now and hasattr(module, "set_requires_gradient_sync"):
        wrapped.set_requires_gradient_sync(False)
        yield
        wrapped.set_requires_gradient_sync(True)
    else:
        yield


def local(value: Tensor) -> Tensor:
    """What this process holds of a tensor: its shard if it is sharded, else all of it."""
    found: Any = value.detach()
    own: Tensor = found.to_local() if _is_sharded(value) else found
    return own


def whole(value: Tensor, like: Tensor | None = None) -> Tensor:
    """A sharded tensor put together, on every process; others as they are.

    like: a sharded tensor whose local shard `value` is, where `value` itself is a plain tensor.
    """
    found: Any = value.detach()
    shape: Any = like
    if like is not None and _is_sharded(like):
        from torch.distributed.tensor import DTensor

        found = DTensor.from_local(
            found, shape.device_mesh, shape.placements, shape=shape.shape, stride=shape.stride()
        )
    together: Tensor = found.full_tensor() if _is_sharded(found) else found
    return together


@torch.no_grad()
def fill(target: Tensor, value: Tensor) -> None:
    """Copy a whole tensor into `target`, which may be sharded."""
    if _is_sharded(target):
        from torch.distributed.tensor import distribute_tensor

        shards: Any = target
        value = distribute_tensor(value.to(target.device), shards.device_mesh, shards.placements)
    target.detach().copy_(value)


def _is_sharded(value: Tensor) -> bool:
    return hasattr(value, "full_tensor")
