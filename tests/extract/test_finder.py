"""Overlays of unknown skins are found without a box, and nothing where there is none."""

import itertools

import cv2
import numpy as np
import pytest

from nitrogen.data.truth import read_truth, truth_path
from nitrogen.errors import CheckpointError, ExtractionError
from nitrogen.extract.evaluate import evaluate
from nitrogen.extract.finder import FinderNetwork, as_input, load_finder, save_finder
from nitrogen.extract.heat_maps import TrainConfig, finder_loss, train
from nitrogen.extract.locate import Library
from nitrogen.extract.pictures import scenery
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.sightings import SURE, find_unknown, windows
from nitrogen.extract.stills import Stills
from nitrogen.mini.env import make
from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.skin import find_skin
from nitrogen.overlay.synth import motion
from nitrogen.synth.backgrounds import background
from nitrogen.synth.clips import played, synthesize
from nitrogen.synth.settings import SynthConfig
from nitrogen.video.info import probe
from nitrogen.video.writing import VideoWriter

SIZE, RATE_HZ = (854, 480), 10


def film(path, seconds, shown, *, game="platformer"):
    """A game, with the skins and corners that `shown(second)` lists; returns what is pressed."""
    actions = motion(np.random.default_rng(3), seconds * RATE_HZ, rate_hz=RATE_HZ)
    renderers = {}
    frames = background(game, seed=5, rate_hz=RATE_HZ)
    with VideoWriter(path, SIZE, rate_hz=RATE_HZ, bitrate=3_000_000) as writer:
        for row, frame in enumerate(itertools.islice(frames, len(actions))):
            picture = cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA)
            for name, corner in shown(row / RATE_HZ):
                skin = find_skin(name)
                if (name, corner) not in renderers:
                    where = place(skin, SIZE, corner=corner, width=0.25)
                    renderers[name, corner] = Renderer(skin, where)
                renderers[name, corner].blend(picture, actions[row : row + 1])
            writer.write(picture)
    return {key: renderer.box for key, renderer in renderers.items()}


def overlap(a, b):
    width = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def test_an_overlay_of_an_unknown_skin_is_found_and_read(tmp_path):
    skin = find_skin("parallel_dark")
    config = SynthConfig(
        seconds=60, size=SIZE, rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ, corner="bottom_left",
        width=0.3, bitrate=4_000_000,
    )  # fmt: skip
    clip = tmp_path / "clip.mp4"
    synthesize(
        clip, skin=skin, config=config, actions=played(skin, config, np.random.default_rng(4)),
        frames=background("racer", seed=8, rate_hz=RATE_HZ),
    )  # fmt: skip
    known = Library([find_skin("retro_grey")])

    done = extract(clip, tmp_path, skins=known, config=ExtractConfig(chunk_s=5, min_density=0))

    (part,) = done.parts
    assert part.reader == "network"
    assert part.sighting.found is None
    assert part.sighting.score > SURE
    assert "not known" in part.why
    assert overlap(part.sighting.box, read_truth(truth_path(clip)).facts["box"]) > 0.8
    result = evaluate(tmp_path / done.video_id, truth_path(clip))
    assert result.read.accuracy > 0.97
    assert result.read.f1 > 0.8
    with pytest.raises(ExtractionError, match="no known overlay"):
        extract(clip, tmp_path, skins=known, config=ExtractConfig(unknown=False))


@pytest.mark.parametrize("game", ["platformer", "racer", "arena"])
def test_nothing_is_found_where_nothing_is(game, tmp_path):
    film(tmp_path / "clip.mp4", 20, lambda at: [], game=game)

    with pytest.raises(ExtractionError, match=r"no known overlay.* looks like a gamepad"):
        extract(tmp_path / "clip.mp4", tmp_path, skins=[find_skin("retro_grey")])


def test_an_unknown_overlay_that_moves_and_one_beside_it(tmp_path):
    first, second = ("parallel_dark", "bottom_left"), ("parallel_dark", "top_right")
    beside = ("offset_light", "top_left")
    boxes = film(tmp_path / "clip.mp4", 80, lambda at: [first] if at < 40 else [second, beside])

    found = find_unknown(windows(probe(tmp_path / "clip.mp4")), load_finder())

    assert len(found) == 2
    early, late = found
    assert overlap(early.box, boxes[first]) > 0.8
    assert early.start_s == 0
    assert 40 <= early.stop_s <= 60
    assert not early.others
    seen = [late.box, *(other.box for other in late.others)]
    for wanted in (second, beside):
        assert max(overlap(box, boxes[wanted]) for box in seen) > 0.8
    assert 20 <= late.start_s <= 40
    assert late.stop_s == pytest.approx(80, abs=0.1)


def test_a_damaged_finder_is_refused(tmp_path):
    folder = save_finder(tmp_path / "finder", FinderNetwork())
    load_finder(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(CheckpointError, match="damaged or was swapped"):
        load_finder(folder)
    with pytest.raises(CheckpointError, match="not a finder"):
        load_finder(tmp_path)


def test_a_finder_learns():
    rng = np.random.default_rng(0)
    game = scenery([lambda: make("racer")], 20, 3)
    stills = Stills(rng, [game], [find_skin("parallel_light")], (160, 128))

    def batches():
        while True:
            drawn = [stills.sample(rng) for _ in range(8)]
            boxes = np.array([sample.box or (0, 0, 0, 0) for sample in drawn], np.float32)
            yield np.stack([as_input(sample.still) for sample in drawn]), boxes

    losses = []
    config = TrainConfig(steps=80, warmup_steps=5)
    network = train(
        lambda: FinderNetwork((8, 8, 16, 16)), batches(), finder_loss, config,
        on_step=lambda step, loss: losses.append(loss),
    )  # fmt: skip

    assert len(losses) == 80
    assert np.mean(losses[-15:]) < 0.5 * np.mean(losses[:15])
    assert not network.training


def test_samples_are_a_function_of_the_generator_and_boxes_lie_within():
    game = scenery([lambda: make("arena")], 20, 3)
    stills = Stills(np.random.default_rng(0), [game], [find_skin("parallel_dark")], (192, 160))
    drawn = [stills.sample(np.random.default_rng(seed)) for seed in range(40)]
    boxes = [sample.box for sample in drawn if sample.box]

    assert 20 < len(boxes) < 40
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= 192
        assert 0 <= top < bottom <= 160
    again = stills.sample(np.random.default_rng(7))
    assert np.array_equal(again.still.mean, drawn[7].still.mean)
