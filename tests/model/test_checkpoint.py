import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import build, frames
from safetensors.torch import load_file, save_file

from nitrogen.errors import CheckpointError
from nitrogen.model import checkpoint
from nitrogen.model.checkpoint import CONFIG_NAME, WEIGHTS_NAME


@pytest.fixture
def folder(tmp_path):
    return checkpoint.save(tmp_path / "saved", build(games=("one",)))


def test_round_trip_is_exact(folder):
    network, loaded = build(games=("one",)), checkpoint.load(folder)
    assert loaded.config == network.config
    for name, value in network.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])
    noise = torch.randn(1, 4, 25)
    assert torch.equal(network.sample(frames(1), noise), loaded.sample(frames(1), noise))
    assert not loaded.training


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
def test_half_storage_halves_the_file_and_is_loaded_as_float32(tmp_path, storage):
    network = build()
    full = checkpoint.save(tmp_path / "full", network)
    half = checkpoint.save(tmp_path / "half", network, storage=storage)
    sizes = [(path / WEIGHTS_NAME).stat().st_size for path in (full, half)]
    assert sizes[1] < 0.65 * sizes[0]
    for name, value in checkpoint.load(half).state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, network.state_dict()[name], atol=0.02, rtol=0.02)


def test_a_loaded_network_can_be_trained_on(folder):
    network = checkpoint.load(folder)
    network.loss(frames(2), torch.rand(2, 4, 25)).backward()
    assert network.action_decoder.out.weight.grad is not None


def test_saving_again_replaces_and_leaves_nothing_behind(folder):
    checkpoint.save(folder, build())
    assert checkpoint.load(folder).config.games == ()
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG_NAME, WEIGHTS_NAME]


@pytest.mark.parametrize("name", [CONFIG_NAME, WEIGHTS_NAME])
def test_missing_files(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        checkpoint.load(folder)


def test_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match="nitrogen convert"):
        checkpoint.load(tmp_path / "nothing")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1), mask=st.integers(1, 255))
def test_a_changed_byte_is_noticed(folder, position, mask):
    path = folder / WEIGHTS_NAME
    content = bytearray(path.read_bytes())
    index = min(int(position * len(content)), len(content) - 1)
    content[index] ^= mask
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(folder)
    content[index] ^= mask
    path.write_bytes(content)


def test_a_truncated_file_is_noticed(folder):
    path = folder / WEIGHTS_NAME
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(surprise=1), "surprise"),
        (lambda c: c.pop("storage"), "storage"),
        (lambda c: c.update(format="other/9"), "other/9"),
        (lambda c: c["network"].update(horizon="four"), "horizon"),
        (lambda c: c["network"]["dit"].update(heads=5), "multiple of dit.heads"),
    ],
)
def test_foreign_configs_are_refused(folder, change, message):
    path = folder / CONFIG_NAME
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("positions"), "missing positions"),
        (lambda w: w.update(extra=torch.zeros(1)), "unknown extra"),
        (lambda w: w.update(positions=torch.zeros(3, 32)), r"\(3, 32\), not \(4, 32\)"),
        (lambda w: w.update(positions=torch.full((4, 32), torch.nan)), "NaN"),
        (lambda w: w.update(positions=torch.zeros(4, 32, dtype=torch.int8)), "int8"),
    ],
)
def test_weights_that_do_not_fit_are_listed(tmp_path, change, message):
    network = build()
    path = tmp_path / "weights.safetensors"
    checkpoint.write_tensors(path, network.state_dict())
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.build(network.config, checkpoint.read_tensors(path), where="here")


def test_a_disk_that_does_not_take_it_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot write"):
        checkpoint.save(blocker / "folder", build())
