import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import load_bench

from nitrogen.errors import CheckpointError
from nitrogen.model import checkpoint, published
from nitrogen.model.sampler import Sampler

baseline = load_bench("baseline")
made = load_bench("random_published")

VARIANTS = {
    "plain": {},
    "padded": {"pads": 6},
    "two frames": {"frames": 2},
    "two frames, padded": {"frames": 2, "pads": 3},
    "not interleaved": {"interleave": False},
    "sinusoidal": {"sinusoidal": True},
    "all": {"sinusoidal": True, "pads": 4, "frames": 2, "interleave": False},
}
PARITY = Path(__file__).parents[2] / "scripts" / "parity.py"


def write(path, **sizes):
    content = made.random_published(made.Shape(**sizes))
    torch.save(content, path)
    return content


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_reference(tmp_path, variant):
    content = write(tmp_path / "ng.pt", **VARIANTS[variant])
    network = published.read(tmp_path / "ng.pt", vision_heads=4)
    generator = torch.Generator().manual_seed(1)
    pictures = torch.randn(2, network.config.frames, 3, 64, 64, generator=generator)
    noise = torch.randn(2, 18, 25, generator=generator)
    reference = baseline.Baseline(content["model"], content["ckpt_config"], vision_heads=4)
    mirrored = pictures.flip(-1)
    expected = reference.sample(pictures, noise)
    guided = reference.sample(pictures, noise, (mirrored, 2.0))

    context = network.encode_pictures(pictures)
    plain = network.sample_context(context, noise)
    sampler = Sampler(network)
    context, free = sampler.encode_pictures(pictures), sampler.encode_pictures(mirrored)
    fast = sampler.plan(context, noise)
    fast_guided = sampler.plan(context, noise, unconditional=free, guidance=3.0)

    assert (plain - expected).abs().max() <= 2e-5
    assert (fast - expected).abs().max() <= 2e-5
    assert (fast_guided - guided).abs().max() <= 2e-5
    assert expected.std() > 0.5


@pytest.mark.shared
def test_recorded_case(shared):
    case = [str(shared / "parity" / f"small.{kind}") for kind in ("pt", "npz")]
    run = subprocess.run(
        [sys.executable, str(PARITY), *case, "--json"], capture_output=True, text=True
    )
    found = json.loads(run.stdout)
    recorded = set(np.load(case[1]))
    inputs = {"images", "noise", "vl_token_ids", "vision_config", "train_actions", "train_t"}
    assert set(found) == recorded - inputs
    assert max(found.values()) <= 2e-5
    assert run.returncode == 0


@pytest.mark.shared
def test_the_reference_itself_equals_the_recorded_case(shared):
    content = torch.load(shared / "parity" / "small.pt", weights_only=True)
    case = np.load(shared / "parity" / "small.npz")
    reference = baseline.Baseline(content["model"], content["ckpt_config"], vision_heads=4)
    plan = reference.sample(torch.from_numpy(case["images"]), torch.from_numpy(case["noise"]))
    assert np.abs(plan.numpy() - case["action_tensor"]).max() <= 2e-5


def test_full_size_names_and_shapes_fit():
    """The whole published layout on the meta device: every tensor is used once, none is left."""
    with torch.device("meta"):
        content = made.random_published(made.FULL)
    assert len(content["model"]) == 595
    assert sum(tensor.numel() for tensor in content["model"].values()) == 493_631_513
    config, plan = published.describe(content["model"], content["ckpt_config"], where="ng.pt")
    used = [name for names in plan.values() for name in names]
    assert len(used) + len(published.POOLING_HEAD) == 595
    assert published.published_parameters(config) == 493_631_513
    assert (config.horizon, config.action_shift, config.vision.heads) == (18, 3, 16)
    assert (config.flow.alpha, config.flow.beta, config.flow.scale) == (1.6, 0.8, 0.999)


def test_convert_keeps_every_value(tmp_path):
    content = write(tmp_path / "ng.pt")
    folder = published.convert(tmp_path / "ng.pt", tmp_path / "ours", vision_heads=4)
    network = checkpoint.load(folder)
    total = sum(parameter.numel() for parameter in network.parameters())
    dropped = sum(
        content["model"][f"vision_encoder.head.{name}"].numel() for name in published.POOLING_HEAD
    )
    assert total + dropped == sum(tensor.numel() for tensor in content["model"].values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, c: m.pop("model.proj_out_2.weight"), "missing model.proj_out_2.weight"),
        (lambda m, c: m.update(stray=torch.zeros(1)), "unknown stray"),
        (lambda m, c: m.update({"model.proj_out_2.bias": torch.zeros(3)}), "shape"),
        (lambda m, c: m.update({"action_encoder.W1.W": torch.zeros(2, 25, 64)}), r"not \(1, …\)"),
        (lambda m, c: m.update({"model.proj_out_2.bias": torch.full((64,), torch.inf)}), "NaN"),
        (lambda m, c: c["model_cfg"].update(action_dim=24), "action_dim is 24"),
        (lambda m, c: c["model_cfg"].pop("noise_s"), "noise_s is missing"),
        (lambda m, c: c["model_cfg"].update(action_horizon=True), "action_horizon is True"),
        (lambda m, c: c["model_cfg"]["diffusion_model_cfg"].update(activation_fn="geglu"), "geglu"),
        (lambda m, c: c["tokenizer_cfg"].update(max_sequence_length=3), "less than the 16 tokens"),
        (lambda m, c: c["model_cfg"].update(max_num_embodiments=2), "max_num_embodiments"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, change, message):
    content = made.random_published(made.Shape())
    change(content["model"], content["ckpt_config"])
    torch.save(content, tmp_path / "ng.pt")
    with pytest.raises(CheckpointError, match=message):
        published.read(tmp_path / "ng.pt", vision_heads=4)


def test_all_problems_are_listed_together(tmp_path):
    content = made.random_published(made.Shape())
    content["ckpt_config"]["model_cfg"].update(action_dim=24, add_view_embed=True)
    torch.save(content, tmp_path / "ng.pt")
    with pytest.raises(CheckpointError, match=r"action_dim.*add_view_embed.*number of heads"):
        published.read(tmp_path / "ng.pt")


def test_sine_tables_are_checked(tmp_path):
    content = made.random_published(made.Shape(sinusoidal=True))
    content["model"]["model.transformer_blocks.0.pos_embed.pe"] += 0.1
    torch.save(content, tmp_path / "ng.pt")
    with pytest.raises(CheckpointError, match="sine positions"):
        published.read(tmp_path / "ng.pt", vision_heads=4)


class Trap:
    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    trap = Trap()
    trap.path = str(tmp_path / "sprung")
    torch.save({"model": {}, "ckpt_config": trap}, tmp_path / "ng.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(trap))
    for name in ("ng.pt", "bare.pt"):
        with pytest.raises(CheckpointError, match="plain weights"):
            published.read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("keep", [0, 10, 1000, -1000])
def test_a_truncated_file_is_refused(tmp_path, keep):
    write(tmp_path / "ng.pt")
    content = (tmp_path / "ng.pt").read_bytes()
    (tmp_path / "ng.pt").write_bytes(content[:keep])
    with pytest.raises(CheckpointError):
        published.read(tmp_path / "ng.pt", vision_heads=4)


@pytest.mark.parametrize("content", [[1], {"model": {}}, {"model": {"a": 1}, "ckpt_config": {}}])
def test_other_files_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "ng.pt")
    with pytest.raises(CheckpointError, match="not a published checkpoint"):
        published.read(tmp_path / "ng.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"ng\.pt"):
        published.read(tmp_path / "other.pt")
