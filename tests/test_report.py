import html.parser

import pytest

from nitrogen.report import Bar, Report
from nitrogen.stats import Rate


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(tmp_path):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"not really a video, only embedded")
    report = Report("A <title>", "What it shows.")
    report.table("Times", ["stage", "seconds"], [["record", "1.0"], ["<b>extract</b>", "2.0"]])
    report.rates("Rates", [Bar("policy", Rate(9, 10), 0.95), Bar("random", Rate(0, 10), 0.2)])
    report.curves(
        "Loss", {"a": ([1, 2], [2.0, 1.0]), "b": ([1, 2], [3.0, 1.5])}, x="step", y="loss"
    )
    report.clip("Clip", video)
    report.write(tmp_path / "out" / "report.html")
    tags = Tags()
    tags.feed((tmp_path / "out" / "report.html").read_text())
    return tags


def test_everything_is_shown(page):
    assert {"table", "svg", "video"} <= set(page.tags)
    assert "0.90 [0.60, 0.98]" in page.text
    assert "9 of 10" in page.text


def test_it_is_self_contained(page):
    outside = [link for link in page.links if not link.startswith(("data:", "#"))]
    assert not outside


def test_text_is_escaped(page):
    assert "<b>extract</b>" in page.text
    assert "b" not in page.tags


def test_no_half_written_file_is_left(tmp_path):
    report = Report("t", "l")
    report.write(tmp_path / "report.html")

    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
