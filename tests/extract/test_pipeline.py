import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from nitrogen.data.store import list_chunks
from nitrogen.data.truth import read_truth
from nitrogen.errors import ExtractionError, VideoError
from nitrogen.extract import pipeline, trace
from nitrogen.extract.evaluate import evaluate
from nitrogen.extract.locate import Library, locate
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.still import still_of
from nitrogen.overlay.skin import find_skin, shipped_skins
from nitrogen.video.glimpses import glimpses
from nitrogen.video.writing import VideoWriter

CONFIG = ExtractConfig(game="toy", controller="xboxone", chunk_s=4.0, min_density=0.0)


@pytest.fixture(scope="module")
def library():
    return Library(shipped_skins())


@pytest.fixture(scope="module")
def extracted(recording, library, tmp_path_factory):
    out = tmp_path_factory.mktemp("chunks")
    return out, extract(recording.video, out, skins=library, config=CONFIG)


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_overlay_is_found_within_a_pixel(recording, extracted):
    truth = read_truth(recording.truth).facts["placement"]
    placement = extracted[1].found.placement

    assert abs(placement.x - truth["x"]) < 1
    assert abs(placement.y - truth["y"]) < 1
    assert abs(placement.scale_x / truth["scale_x"] - 1) < 0.01


def test_actions_are_read(recording, extracted):
    evaluation = evaluate(extracted[0] / "clip", recording.truth)

    assert evaluation.read.accuracy > 0.995
    assert evaluation.read.f1 > 0.97
    assert evaluation.read.stick_r2 > 0.98
    assert evaluation.always_off.f1 == 0
    assert evaluation.read.f1 > evaluation.copy_last.f1


def test_chunks_have_the_published_layout(extracted):
    out, result = extracted
    chunks = list_chunks(out)

    assert [chunk.folder.name for chunk in chunks] == [f"clip_chunk_{i:04d}" for i in range(4)]
    assert [chunk.folder for chunk in chunks] == result.chunks
    assert chunks[1].start_frame == chunks[1].metadata.chunk_size == 120
    assert chunks[1].rate_hz == 30
    assert chunks[1].metadata.game == "toy"
    assert chunks[1].is_processed
    assert not (out / ".work" / "clip").exists()


def test_an_interrupted_run_ends_in_the_same_chunks(
    recording, library, extracted, tmp_path, monkeypatch
):
    stretches = trace._stretches

    def interrupted(*args, **kwargs):
        for count, part in enumerate(stretches(*args, **kwargs)):
            if count == 2:
                raise KeyboardInterrupt
            yield part

    monkeypatch.setattr(trace, "_stretches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(recording.video, tmp_path, skins=library, config=CONFIG)
    kept = sorted((tmp_path / ".work" / "clip").glob("s00_*.npy"))
    assert len(kept) == 2
    other_version = np.load(kept[1])[:, 1:]
    np.save(kept[1], other_version)

    monkeypatch.setattr(trace, "_stretches", stretches)
    extract(recording.video, tmp_path, skins=library, config=CONFIG)
    assert digest(tmp_path / "clip") == digest(extracted[0] / "clip")


def test_idle_chunks_are_dropped(recording, library, tmp_path):
    result = extract(
        recording.video, tmp_path, skins=library, config=ExtractConfig(chunk_s=4, min_density=1.0)
    )

    assert len(result.chunks) + result.idle == 4
    assert result.idle > 0


def test_a_video_without_overlay_is_an_answer(library, tmp_path):
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / "plain.mp4", (640, 360), rate_hz=30, crf=30) as writer:
        for _ in range(60):
            writer.write(
                np.kron(rng.integers(0, 255, (9, 16, 3)), np.ones((40, 40, 1))).astype("u1")
            )

    with pytest.raises(ExtractionError, match="no known overlay"):
        extract(tmp_path / "plain.mp4", tmp_path / "out", skins=library)


def test_a_missing_video_is_named(library, tmp_path):
    with pytest.raises(VideoError, match=r"no video .*gone\.mp4"):
        extract(tmp_path / "gone.mp4", tmp_path, skins=library)


def test_no_skins_to_look_for():
    with pytest.raises(ExtractionError, match="no skins"):
        Library([])


def test_locating_does_not_depend_on_a_hidden_edge(recording, library):
    pictures = list(glimpses(recording.video))
    cut = [replace(picture, pixels=picture.pixels[:, 30:]) for picture in pictures]

    found, whole = locate(still_of(cut), library), locate(still_of(pictures), library)

    assert abs(found.placement.x - (whole.placement.x - 30)) < 1


def test_ids_are_safe_file_names(tmp_path):
    assert pipeline.id_of(tmp_path / "a b/ü (1).mp4") == "_1_"
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_an_unknown_skin_in_a_box_goes_to_the_network(recording, tmp_path):
    pytest.importorskip("torch")
    box = tuple(read_truth(recording.truth).facts["box"])
    skins = [find_skin("retro_grey"), find_skin("generic_blocks")]

    result = extract(recording.video, tmp_path, skins=skins, config=replace(CONFIG, box=box))

    (part,) = result.parts
    assert (part.reader, part.why) == ("network", "the skin is not known")
    assert result.found is None
    facts = json.loads((result.chunks[0] / "extraction.json").read_text())
    assert (facts["reader"], facts["skin"], facts["opacity"]) == ("network", "", None)
    evaluation = evaluate(tmp_path / "clip", recording.truth)
    assert evaluation.read.f1 > evaluation.always_off.f1


def test_the_matched_reader_needs_a_skin(recording, tmp_path):
    box = tuple(read_truth(recording.truth).facts["box"])
    config = replace(CONFIG, box=box, reader="matched")

    with pytest.raises(ExtractionError, match="needs a skin"):
        extract(
            recording.video, tmp_path, config=config,
            skins=[find_skin("retro_grey"), find_skin("generic_blocks")],
        )  # fmt: skip
