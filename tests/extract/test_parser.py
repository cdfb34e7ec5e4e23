from itertools import islice

import numpy as np
import pytest
import torch

from nitrogen.actions import BUTTON_INDEX
from nitrogen.data.truth import read_truth
from nitrogen.errors import CheckpointError, ExtractionError
from nitrogen.extract import choice, parser
from nitrogen.extract.segformer import Reader, preset
from nitrogen.extract.sightings import Sighting
from nitrogen.video.info import probe
from nitrogen.video.pixels import even_box
from nitrogen.video.reading import read_planes
from nitrogen.video.writing import VideoWriter

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


def test_an_overlay_that_is_away_half_of_the_time_is_learned_from_when_it_shows(recording):
    box = even_box(tuple(read_truth(recording.truth).facts["box"]))
    away = (box[0] + 240, 20, *box[2:])
    shows = [picture.pixels for picture in islice(read_planes(recording.video, box), 0, 480, 12)]
    gone = [picture.pixels for picture in islice(read_planes(recording.video, away), 0, 480, 8)]
    network = parser.load_network()
    wanted = parser.NetworkReader(network, box, shows)
    learned = parser.NetworkReader(network, box, gone[:30] + shows + gone[30:])
    assert np.array_equal(learned.scan(shows[:4] + gone[:2]), wanted.scan(shows[:4] + gone[:2]))
    assert (
        learned.read(learned.scan(shows[:4] + gone[:4])).visible.tolist()
        == [True] * 4 + [False] * 4
    )


def test_long_videos_with_few_keyframes_give_as_many_samples_as_short_ones(tmp_path, monkeypatch):
    path, rate_hz, seconds = tmp_path / "long.mp4", 4, 100
    every_20 = {"x264-params": "keyint=20:min-keyint=20:scenecut=0"}
    with VideoWriter(path, (64, 48), rate_hz=rate_hz, crf=30, options=every_20) as writer:
        for row in range(rate_hz * seconds):
            writer.write(np.full((48, 64, 3), row // 2, np.uint8))
    sighting = Sighting((0, 0, 32, 32), None, 0.0, float(seconds))
    few = choice._samples(sighting, probe(path), limit=200)
    many = choice._samples(sighting, probe(path), limit=200, few=200)
    assert len(few) < 50
    assert 150 <= len(many) <= 250
    brightness = [int(sample[: sample.shape[0] * 2 // 3].mean()) for sample in many]
    assert brightness == sorted(brightness)
    monkeypatch.delattr(choice, "read_planes")
    enough = choice._samples(sighting, probe(path), limit=200, few=5)  # keyframes alone
    assert len(enough) == 20


def test_rows_without_the_overlay_decide_nothing(network):
    reader = parser.NetworkReader(network, BOX, crops(4))
    rng = np.random.default_rng(3)
    trace = rng.normal(0, 3, (60, reader.width)).astype(np.float32)
    shows = np.repeat([True, False, True, False], 15)
    trace[:, 38:57] = np.where(shows, 6, -6)[:, None]
    alone, whole = reader.read(trace[shows]), reader.read(trace)
    assert np.array_equal(whole.visible, shows)
    assert np.array_equal(whole.actions.buttons[shows], alone.actions.buttons)
    assert np.array_equal(whole.actions.sticks[shows], alone.actions.sticks)
    assert not whole.actions.buttons[~shows].any()
    assert not whole.actions.sticks[~shows].any()
    assert not whole.confidence[~shows].any()
    assert whole.readable == alone.readable
