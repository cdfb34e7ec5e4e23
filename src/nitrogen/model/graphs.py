"""Plans replayed as one CUDA graph: no Python and no launches between a frame and its plan.

For GPUs, where a plan is thousands of small kernels and starting them takes longer than running
them. A graph is for one batch size; inputs are copied into its own tensors.
"""

import torch
from torch import Tensor

from nitrogen.errors import CheckpointError
from nitrogen.model.layout import ACTION_VALUES
from nitrogen.model.sampler import Sampler

WARM_UPS = 3


class GraphedSampler:
    """Encodes and plans a fixed number of frames by replaying a recorded graph."""

    def __init__(self, sampler: Sampler, batch: int) -> None:
        """Record `sampler` for `batch` frames at the network's own picture size.

        Raises CheckpointError unless the sampler is on a CUDA device.
        """
        if sampler.device.type != "cuda":
            raise CheckpointError(
                f"graphs need a CUDA device, and the network is on {sampler.device}"
            )
        config, device = sampler.config, sampler.device
        size = config.vision.image_size
        shape = (batch, config.frames, size, size, 3)
        self._frames = torch.zeros(shape, dtype=torch.uint8, device=device)
        self._noise = torch.zeros(batch, config.horizon, ACTION_VALUES, device=device)
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it so
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                sampler.plan(sampler.encode(self._frames), self._noise)
        torch.cuda.current_stream(device).wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.graph(self._graph):
            self._plan = sampler.plan(sampler.encode(self._frames), self._noise)

    def plan(self, frames: Tensor, noise: Tensor) -> Tensor:
        """Plans (B, T, A) from uint8 frames (B, F, S, S, 3) and noise (B, T, A).

        The tensor returned is overwritten by the next call.
        """
        self._frames.copy_(frames)
        self._noise.copy_(noise)
        self._graph.replay()
        return self._plan
