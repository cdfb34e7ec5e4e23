import contextlib
import json

import numpy as np
import pytest
import torch
from networks import build
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from nitrogen.model import latency
from nitrogen.model.network import NitroGen
from nitrogen.model.presets import preset


def test_measures_every_part_and_changes_vanish_with_all_steps():
    found = latency.measure(build(), batches=(1, 2), steps=(1, 4), runs=2)
    assert [(row.steps, row.batch) for row in found.rows] == [(1, 1), (1, 2), (4, 1), (4, 2)]
    for row in found.rows:
        assert set(row.p50_ms) == set(latency.PARTS)
        assert row.roofline_ms > 0
    assert [change.steps for change in found.changes] == [1, 4]
    assert found.changes[1].stick == found.changes[1].buttons == 0
    assert found.changes[0].stick > 0
    json.dumps(found.to_values())
    text = latency.table(found)
    assert "end to end" in text
    assert "GFLOP/s" in text


@contextlib.contextmanager
def counted():
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        yield counter


@pytest.mark.parametrize("variant", [{}, {"actions_per_token": 1, "positions": 16}, {"pads": 3}])
def test_work_is_what_torch_counts(variant):
    config = preset("tiny", vision_layers=1, **variant)
    torch.manual_seed(0)
    network = NitroGen(config).eval()
    frames = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    with torch.no_grad(), counted() as counter:
        context = network.encode(frames)
    encode, _ = latency.flops(config, 1)
    assert counter.get_total_flops() == pytest.approx(encode, rel=0.02)
    one, three = (latency.flops(config, steps)[1] for steps in (1, 3))
    x, t = torch.zeros(1, 16, 25), torch.zeros(1)
    with torch.no_grad(), counted() as counter:
        network.velocity(x, t, context)
    # the plain network also computes keys, time and the unfolded linear pairs
    assert one < counter.get_total_flops() < 1.4 * one
    assert one < three < 3 * one


def test_published_work_per_plan():
    encode, denoise = latency.flops(preset("nitrogen-500m"), 16)
    assert (encode + denoise) / 1e9 == pytest.approx(248, rel=0.03)


def test_pictures_are_frames():
    frames = latency.pictures(2, np.random.default_rng(0))
    assert frames.shape == (2, 256, 256, 3)
    assert frames.dtype == np.uint8
    assert frames.std() > 20
