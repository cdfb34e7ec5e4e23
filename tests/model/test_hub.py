import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hub_server import HubServer
from networks import build, frames, load_bench

from nitrogen.errors import CheckpointError, MissingDependencyError
from nitrogen.model import hub
from nitrogen.model.checkpoint import CONFIG_NAME, WEIGHTS_NAME
from nitrogen.model.inference import ModelPolicy
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.siglip import VisionConfig, normalise


def test_save_pretrained_writes_what_people_expect(tmp_path):
    policy = ModelPolicy(build())
    folder = policy.save_pretrained(tmp_path / "out", storage="float16")
    names = {CONFIG_NAME, WEIGHTS_NAME, "preprocessor_config.json", "README.md"}
    assert {path.name for path in folder.iterdir()} == names
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
    described = json.loads((folder / "preprocessor_config.json").read_text())
    assert described["image_size"] == 32
    assert "library_name: nitrogen" in (folder / "README.md").read_text()
    loaded = ModelPolicy.from_pretrained(folder, steps=4)
    frame = np.zeros((256, 256, 3), np.uint8)
    assert len(loaded.act(frame)) == policy.horizon


def test_load_reads_a_published_file(tmp_path):
    made = load_bench("random_published")
    shape = made.Shape(width=1024, heads=16, layers=1, mixing_layers=1, vision_layers=1)
    torch.save(made.random_published(shape), tmp_path / "ng.pt")
    network = hub.load(tmp_path / "ng.pt")
    assert network.config.vision.heads == 16


@pytest.mark.parametrize(
    ("source", "is_id"),
    [
        ("nvidia/NitroGen", True),
        ("./runs/tiny", False),
        ("/tmp/tiny", False),
        ("runs/a/b", False),
        ("tiny", False),
        ("runs/", False),
    ],
)
def test_hub_ids(source, is_id):
    assert hub.is_hub_id(source) == is_id


def test_without_the_hub_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"no folder some/thing.* pip install hugg"):
        hub.load("some/thing")


def test_a_policy_travels_over_a_hub(tmp_path):
    policy = ModelPolicy(build())
    made = policy.save_pretrained(tmp_path / "made")
    code = (
        "import sys\n"
        "from nitrogen.model.inference import ModelPolicy\n"
        "policy = ModelPolicy.from_pretrained(sys.argv[1])\n"
        "print(policy.push_to_hub('some/thing', sys.argv[2], private=False))\n"
        "ModelPolicy.from_pretrained('some/thing').save_pretrained(sys.argv[3])\n"
    )
    folders = [tmp_path / name for name in ("made", "sent", "fetched")]
    with HubServer("secret") as server:
        home = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "secret"}
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, folders)],
            env={**os.environ, **home}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{server.url}/some/thing/commit/{'0' * 39}1"
    assert server.private == {"some/thing": False}
    names = {CONFIG_NAME, WEIGHTS_NAME, "preprocessor_config.json", "README.md"}
    assert {name for _, name in server.files} == names
    assert (tmp_path / "fetched" / WEIGHTS_NAME).read_bytes() == (made / WEIGHTS_NAME).read_bytes()


@pytest.fixture
def siglip(tmp_path):
    """A SigLIP 2 folder as transformers writes it, and the model itself."""
    transformers = pytest.importorskip("transformers")
    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    torch.manual_seed(0)
    model = transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**sizes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path / "siglip")
    return tmp_path / "siglip", model


def siglip_network(**changes):
    sizes = {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "heads": 4}
    vision = VisionConfig(**{**sizes, "mlp_width": 64, **changes})
    config = build().config
    return NitroGen(
        NetworkConfig(vision=vision, mixing=config.mixing, dit=config.dit, horizon=4, positions=4)
    )


def test_vision_weights_give_the_same_tokens(siglip):
    folder, model = siglip
    network = siglip_network()
    hub.load_vision(network, folder)
    pictures = normalise(frames(2), 32)
    with torch.no_grad():
        expected = model(pictures).last_hidden_state
        found = network.vision(pictures)
    assert (found - expected).abs().max() <= 2e-5


def test_vision_weights_of_another_size_are_refused(siglip):
    with pytest.raises(CheckpointError, match="the tower"):
        hub.load_vision(siglip_network(layers=1), siglip[0])


def test_vision_weights_that_are_missing_are_named(siglip, tmp_path):
    folder, _ = siglip
    with pytest.raises(CheckpointError, match=r"config\.json"):
        hub.load_vision(siglip_network(), tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        hub.load_vision(siglip_network(), folder)
