import pytest
import torch
from networks import build, frames

from nitrogen.errors import CheckpointError
from nitrogen.model.graphs import GraphedSampler
from nitrogen.model.sampler import Sampler


def test_graphs_need_a_gpu():
    with pytest.raises(CheckpointError, match="CUDA"):
        GraphedSampler(Sampler(build()), 1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_replayed_plan_equals_an_eager_one():
    sampler = Sampler(build().cuda())
    graph = GraphedSampler(sampler, 2)
    for seed in (0, 1):
        shown, noise = frames(2, seed=seed).cuda(), torch.randn(2, 4, 25).cuda()
        eager = sampler.plan(sampler.encode(shown), noise)
        torch.testing.assert_close(graph.plan(shown[:, None], noise), eager)
