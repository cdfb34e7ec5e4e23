import numpy as np
import pytest
import torch

from nitrogen.actions import BUTTON_INDEX
from nitrogen.errors import CheckpointError, ExtractionError
from nitrogen.extract import parser
from nitrogen.extract.segformer import Reader, preset

BOX = (10, 20, 100, 70)


def crops(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (105, 100), np.uint8) for _ in range(count)]


@pytest.fixture(scope="module")
def network() -> Reader:
    torch.manual_seed(0)
    return Reader(preset("small")).eval()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_trace_and_reading_have_one_row_per_frame(network, count):
    reader = parser.NetworkReader(network, BOX, crops(4))
    trace = reader.scan(crops(count))
    assert trace.shape == (count, reader.width)
    reading = reader.read(trace)
    assert len(reading.actions) == len(reading.visible) == len(reading.confidence) == count
    assert reading.confidence.min() >= 0
    assert reading.confidence.max() <= 1


def test_reader_needs_samples(network):
    with pytest.raises(ExtractionError, match="no samples"):
        parser.NetworkReader(network, BOX, [])


def test_saved_network_reads_the_same(network, tmp_path):
    parser.save_network(tmp_path, network, storage="float32")
    again = parser.load_network(tmp_path)
    reader, other = (parser.NetworkReader(n, BOX, crops(4)) for n in (network, again))
    assert np.allclose(reader.scan(crops(3)), other.scan(crops(3)), atol=0.05)  # bfloat16


def test_damaged_reader_is_refused(network, tmp_path):
    parser.save_network(tmp_path, network)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="damaged"):
        parser.load_network(tmp_path)
    with pytest.raises(CheckpointError, match="nitrogen fit"):
        parser.load_network(tmp_path / "nothing")


def test_a_button_that_is_never_surely_pressed_is_noise(network):
    reader = parser.NetworkReader(network, BOX, crops(4))
    trace = np.full((200, reader.width), -6, np.float32)
    trace[:, 34:38] = 0  # sticks rest
    trace[:, 38:55] = 6  # all buttons are shown
    south, east = BUTTON_INDEX["south"], BUTTON_INDEX["east"]
    trace[50:90, east] = 6
    trace[:, south] = np.random.default_rng(0).normal(-1, 1, 200)
    trace[:, 17:34] = 0.1
    trigger = BUTTON_INDEX["left_trigger"]
    trace[100:110, trigger], trace[100:110, 17 + trigger] = 1, 0.6
    reading = reader.read(trace)
    assert (trace[:, south] > 0).sum() > 20
    assert np.flatnonzero(reading.actions.button("east") > 0.5).tolist() == list(range(50, 90))
    assert not reading.actions.button("south").any()
    assert not reading.actions.button("left_trigger").any()
    assert {"south", "left_trigger"}.isdisjoint(reading.readable)
    assert "east" in reading.readable


@pytest.mark.parametrize(("opaque", "most"), [(True, 0.5), (False, 0.0)])
def test_a_trigger_that_is_not_seen_pressed_is_at_most_softly_pulled(network, opaque, most):
    reader = parser.NetworkReader(network, BOX, crops(4))
    reader._spots.opaque = opaque
    trace = np.full((200, reader.width), -6, np.float32)
    trace[:, 38:55] = 6  # all buttons are shown
    trigger = BUTTON_INDEX["right_trigger"]
    trace[:, 17 + trigger] = 0.0
    trace[20:40, trigger], trace[20:40, 17 + trigger] = 5, 0.9
    trace[100:120, 17 + trigger] = 0.8  # a game that looks like a pulled trigger
    pulled = reader.read(trace).actions.button("right_trigger")
    np.testing.assert_allclose(pulled[20:40], 0.9)
    np.testing.assert_allclose(pulled[100:120], most)
