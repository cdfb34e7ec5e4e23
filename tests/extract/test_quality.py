import json

import pytest

from nitrogen.errors import DataError
from nitrogen.extract.batch import Progress
from nitrogen.extract.entry import Entry, failed
from nitrogen.extract.quality import summarize, write_quality

READ = Entry(
    video="v/good.mp4", video_id="good", size=9, library="x", seconds=1800.0, rate_hz=60.0,
    chunks=60, idle=20, hidden=10, sightings=1, reader="matched", why="", skin="nitrogen",
    score=0.9, opacity=0.8, box=[0, 0, 9, 9], others=["retro_grey"], confidence=0.9, visible=0.98,
    densities=[0.2, 0.8], latency_s=[0.05, 0.03, 0.07],
)  # fmt: skip
ENTRIES = [
    READ,
    failed("v/cut.mp4", "cut", 5, "x", "v/cut.mp4 is cut off: 3 of 9 frames; download it again"),
    failed("v/plain.mp4", "plain", 5, "x", "no known overlay in the video"),
]


def test_totals():
    summary = summarize(ENTRIES)

    assert (summary["videos"], summary["read"], summary["hours"]) == (3, 1, 0.5)
    assert (summary["chunks"], summary["idle"], summary["hidden"]) == (60, 20, 10)
    assert summary["density"] == 0.5
    assert summary["causes"] == {"cut off or damaged": 1, "no known overlay": 1}
    assert summary["readers"] == {"matched": 1}


def test_json_and_page(tmp_path):
    page = write_quality(tmp_path, ENTRIES, Progress(3, 3, 0.5, 12.0, 0.0))

    values = json.loads((tmp_path / "quality.json").read_text())
    assert values["format"] == "nitrogen.quality/1"
    assert len(values["entries"]) == 3
    text = page.read_text()
    for words in ("12.0 hours of video per hour", "50 [30, 70]", "beside retro_grey", "cut off"):
        assert words in text


def test_nothing_read_is_a_report_too(tmp_path):
    assert summarize(ENTRIES[1:])["confidence"] is None
    assert write_quality(tmp_path, ENTRIES[1:]).is_file()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_quality(tmp_path / "file", ENTRIES)
