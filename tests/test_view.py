import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from nitrogen.data.schema import ChunkMetadata, SourceVideo, chunk_uuid
from nitrogen.data.store import list_chunks, write_chunk
from nitrogen.data.truth import read_truth
from nitrogen.errors import DataError
from nitrogen.extract.chunks import DETAILS_FILE, EXTRACTION_FILE
from nitrogen.overlay.skin import find_skin
from nitrogen.synth.backgrounds import background
from nitrogen.synth.clips import played, synthesize
from nitrogen.synth.settings import SynthConfig
from nitrogen.video.info import probe
from nitrogen.video.reading import read
from nitrogen.view import film, read_notes, shown_actions, thumbnails, view

ROWS, RATE_HZ = 45, 30
CONFIG = SynthConfig(seconds=4, size=(320, 180), rate_hz=RATE_HZ, overlay_rate_hz=RATE_HZ,
                     bitrate=400_000)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "clip.mp4"
    skin = find_skin("nitrogen")
    synthesize(
        path, skin=skin, config=CONFIG, frames=background("plain", seed=1, rate_hz=RATE_HZ),
        actions=played(skin, CONFIG, np.random.default_rng(1)),
    )  # fmt: skip
    return path


def write(root, clip, *, notes=True, starts=(0, 60), resolution=(180, 320)):
    """Chunks of 45 rows that hold the truth, with and without the notes of an extraction."""
    truth = read_truth(clip.with_suffix(".pad.parquet"))
    for number, start in enumerate(starts):
        metadata = ChunkMetadata(
            uuid=chunk_uuid("clip", f"{number:04d}"), chunk_id=f"{number:04d}", chunk_size=ROWS,
            game="other", controller_type="other",
            bbox_controller_overlay=tuple(truth.facts["box"]),
            original_video=SourceVideo(
                video_id="clip", source="local", url="clip.mp4", resolution=resolution,
                start_time=start / RATE_HZ, end_time=(start + ROWS) / RATE_HZ,
                duration=ROWS / RATE_HZ, start_frame=start, end_frame=start + ROWS,
            ),
        )  # fmt: skip
        latency = {"seconds": 0.05, "low_s": 0.03, "high_s": 0.08}
        facts = {"reader": "matched", "skin": "nitrogen", "score": 0.97, "latency": latency}
        table = pa.table(
            {"confidence": np.linspace(0.5, 1, ROWS), "left_trigger": np.full(ROWS, 0.4)}
        )
        details = {EXTRACTION_FILE: json.dumps(facts), DETAILS_FILE: table} if notes else None
        write_chunk(root, metadata, truth.actions[start : start + ROWS], details=details)
    return list_chunks(root)


def test_film_and_page(tmp_path, clip):
    chunks = write(tmp_path / "chunks", clip)
    movie, page = view(chunks, clip, tmp_path / "out", seconds=2)
    text = page.read_text()

    assert probe(movie).frame_count == 60  # 45 rows of the first chunk, 15 of the second
    assert probe(movie).width == 1280
    assert "50 [30, 80] ms" in text
    assert "matched" in text
    assert "Missing: visible, repeated." in text
    assert "data:image/jpeg;base64," in text
    assert "data:video/mp4;base64," in text
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["view.html", "view.mp4"]


def test_published_labels_are_shown_as_far_as_they_go(tmp_path, clip):
    chunks = write(tmp_path / "chunks", clip, notes=False)
    _, page = view(chunks, clip, tmp_path / "out", seconds=0.5)
    text = page.read_text()

    assert "missing: these labels came without notes" in text
    assert "Density" in text
    assert read_notes(chunks[0]).facts == {}


def test_the_policys_frame_hides_the_overlay(tmp_path, clip):
    chunks = write(tmp_path / "chunks", clip)
    film(chunks, clip, tmp_path / "film.mp4", seconds=0.2)
    frame = next(read(tmp_path / "film.mp4")).pixels
    x, y, width, height = chunks[0].overlay_box
    seen = frame[56:206, 930:1080]
    middle = seen[round((y + height / 2) / 180 * 150), round((x + width / 2) / 320 * 150)]

    assert np.abs(middle.astype(int) - 127).max() < 8


def test_trigger_travel_is_shown_where_it_was_written(tmp_path, clip):
    (chunk, _) = write(tmp_path / "chunks", clip)

    assert shown_actions(chunk, read_notes(chunk)).button("left_trigger") == pytest.approx(0.4)


def test_thumbnails_are_limited(tmp_path, clip):
    chunks = write(tmp_path / "chunks", clip, starts=range(0, 75, 1))

    assert len(chunks) == 75
    assert thumbnails(chunks, clip).shape[0] <= 12 * 200


def test_other_videos_are_refused(tmp_path, clip):
    chunks = write(tmp_path / "chunks", clip, resolution=(320, 320))
    with pytest.raises(DataError, match="is it the right one"):
        view(chunks, clip, tmp_path / "out")
    late = write(tmp_path / "late", clip)
    late[1].metadata.original_video.__dict__["start_frame"] = 900
    with pytest.raises(DataError, match="end at frame 945"):
        view(late, clip, tmp_path / "out")


def test_damaged_notes_are_named(tmp_path, clip):
    (chunk, _) = write(tmp_path / "chunks", clip)
    (chunk.folder / EXTRACTION_FILE).write_text("{")
    with pytest.raises(DataError, match="its notes cannot be read"):
        read_notes(chunk)


def test_command(tmp_path, clip):
    write(tmp_path / "chunks", clip)
    done = subprocess.run(
        [sys.executable, "-m", "nitrogen", "view", tmp_path / "chunks", clip, tmp_path / "out",
         "--seconds", "0.3"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "out" / n) for n in ("view.mp4", "view.html")]
