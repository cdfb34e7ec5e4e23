import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from nitrogen.errors import TrainingError
from nitrogen.extract import parser
from nitrogen.extract.fit import FitConfig, fit, learning_rate, losses
from nitrogen.extract.pictures import PictureConfig, Pictures
from nitrogen.extract.segformer import (
    Reader,
    Readout,
    SegformerConfig,
    deflection,
    hill,
    soft_target,
)
from nitrogen.model.mit import MitConfig

TINY = SegformerConfig(
    height=32, width=64, head_width=16,
    encoder=MitConfig(widths=(8, 8, 16, 16), depths=(0, 1, 1, 1), heads=(1, 1, 2, 2),
                      reductions=(8, 4, 2, 1), expansion=2, batch_norm=True),
)  # fmt: skip
CONFIG = FitConfig(
    network=TINY,
    pictures=PictureConfig(batch=4, block=2, scene_pairs=3, scenery=3),
    steps=4,
    learning_rate=1e-3,
    warmup_steps=2,
    save_every=2,
    log_every=2,
)


class StoppedError(Exception):
    pass


def test_resumed_equals_uninterrupted(tmp_path):
    def stop(progress):
        if progress.step == 4:
            raise StoppedError

    config = replace(CONFIG, save_every=3, log_every=1)
    whole = fit(config, [], tmp_path / "whole")
    with pytest.raises(StoppedError):
        fit(config, [], tmp_path / "parts", on_progress=stop)
    parts = fit(config, [], tmp_path / "parts", resume=True)
    one, other = (parser.load_network(folder).state_dict() for folder in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    rows = (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2, 3, 4]


def test_other_run_is_refused(tmp_path):
    fit(replace(CONFIG, steps=1), [], tmp_path)
    with pytest.raises(TrainingError, match="already holds"):
        fit(replace(CONFIG, steps=1), [], tmp_path)
    with pytest.raises(TrainingError, match="another configuration"):
        fit(replace(CONFIG, steps=2), [], tmp_path, resume=True)
    (tmp_path / "trainer.pt").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="delete it"):
        fit(replace(CONFIG, steps=1), [], tmp_path, resume=True)


def test_batches_depend_on_seed_and_step_only():
    first, second = (Pictures(CONFIG.pictures, [], (64, 32)) for _ in range(2))
    first.batch(0)
    assert np.array_equal(first.batch(3).pictures, second.batch(3).pictures)
    assert not np.array_equal(first.batch(1).pictures, first.batch(3).pictures)


def test_perfect_readout_has_the_smallest_loss():
    crops = Pictures(CONFIG.pictures, [], (64, 32)).batch(0)
    buttons = torch.from_numpy(crops.actions.buttons).view(4, 2, 17)
    sticks = torch.from_numpy(crops.actions.sticks).view(4, 2, 2, 2)
    shown = torch.from_numpy(crops.shown).float().view(4, 2, 19)
    maps = (soft_target(sticks) + 1e-6).log()
    right = Readout((buttons - 0.5).sign() * 20, buttons, maps, (shown - 0.5) * 40)
    wrong = Readout(-right.buttons, 1 - buttons, maps.flip(-1), -right.shown)
    assert losses(right, crops) < losses(wrong, crops) / 4


def test_maps_hold_deflections():
    sticks = torch.tensor([[0.0, 0.0], [1.0, -1.0], [0.3, 0.77], [-0.55, 0.1]])
    assert torch.allclose(deflection((soft_target(sticks) + 1e-9).log()), sticks, atol=1e-4)
    assert torch.allclose(deflection(hill(sticks[[0, 3]])), sticks[[0, 3]], atol=0.05)


def test_learning_rate_rises_holds_and_falls():
    config = replace(CONFIG, steps=100, warmup_steps=10, decay_share=0.5)
    rates = [learning_rate(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4)
    assert rates[10] == rates[49] == 1e-3
    assert rates[99] == pytest.approx(2e-5)


def test_network_reads_what_it_was_shown():
    torch.manual_seed(0)
    network = Reader(replace(TINY, reference=False)).eval()
    made = network(torch.zeros(3, 3, 32, 128))
    assert made.buttons.shape == (3, 2, 17)
    assert made.sticks.shape == (3, 2, 2, 121)
    assert made.shown.shape == (3, 2, 19)
