import pytest
import torch

from nitrogen.errors import CheckpointError
from nitrogen.model.checkpoint import read_tensors
from nitrogen.model.mit import Encoder, load_published, mit

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    config = transformers.SegformerConfig()  # MiT-b0
    return transformers.SegformerForImageClassification(config).eval()


@pytest.fixture(scope="module")
def published(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    network.save_pretrained(folder)
    return read_tensors(folder / "model.safetensors")


def test_checkpoint_of_transformers_gives_the_same_features(network, published):
    encoder = Encoder(mit("mit-b0"), 3).eval()
    load_published(encoder, published)
    pictures = torch.randn(2, 3, 64, 128)
    with torch.no_grad():
        ours = encoder(pictures)
        theirs = network(pictures, output_hidden_states=True).hidden_states
    assert len(ours) == len(theirs) == 4
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_checkpoint_initialises_an_encoder_with_more_channels(published):
    encoder = Encoder(mit("mit-b0"), 6, extra=4)
    load_published(encoder, published)
    filters = encoder.state_dict()["patch_embeddings.0.proj.weight"]
    assert torch.equal(filters[:, 3:], filters[:, :3] / 2)


def test_checkpoint_of_another_size_is_refused(published):
    with pytest.raises(CheckpointError, match="preset"):
        load_published(Encoder(mit("mit-b1"), 3), published)
