"""`nitrogen extract`, as users call it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.skin import find_skin
from nitrogen.overlay.synth import motion
from nitrogen.video.writing import VideoWriter


def nitrogen(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, words)],
        capture_output=True, text=True, cwd=cwd, check=False, timeout=200,
    )  # fmt: skip


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A folder with a clip of 6 s and a file that is no video."""
    folder = tmp_path_factory.mktemp("videos")
    skin = find_skin("nitrogen")
    renderer = Renderer(skin, place(skin, (480, 272), corner="top_left", width=0.5))
    actions = motion(np.random.default_rng(2), 120, rate_hz=20)
    ground = np.random.default_rng(3).integers(60, 200, (17, 60, 3), np.uint8)
    ground = np.kron(ground, np.ones((16, 16, 1), np.uint8))
    with VideoWriter(folder / "clip.mp4", (480, 272), rate_hz=20, crf=20) as writer:
        for row in range(120):
            frame = ground[:, 4 * row : 4 * row + 480].copy()
            renderer.blend(frame, actions[row : row + 1])
            writer.write(frame)
    (folder / "text.mp4").write_text("no video")
    return folder, renderer.box


def test_one_video_with_skin_and_box_by_hand(videos, tmp_path):
    folder, box = videos
    text = ",".join(str(value) for value in box)

    done = nitrogen(
        "extract", folder / "clip.mp4", "out", "--skin", "nitrogen", "--box", text,
        "--chunk-s", "2", "--min-density", "0", cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [f"out/clip/clip_chunk_000{i}" for i in range(3)]
    assert "matched reader" in done.stderr
    assert "hours of video per hour" in done.stderr
    facts = json.loads((tmp_path / "out/clip/clip_chunk_0001/extraction.json").read_text())
    assert (facts["reader"], facts["skin"], facts["visible"]) == ("matched", "nitrogen", 1.0)


def test_a_folder_with_two_workers_gets_ledger_and_report(videos, tmp_path):
    words = ("extract", videos[0], "out", "--skin", "nitrogen", "--chunk-s", "2", "--workers", "2")

    done = nitrogen(*words, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["out/ledger.jsonl", "out/quality.html"]
    assert "text.mp4 cannot be opened" in done.stderr
    quality = json.loads((tmp_path / "out/quality.json").read_text())
    assert (quality["videos"], quality["read"]) == (2, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--box", "1,2,3"], "give four whole numbers"),
        (["--skin", "nitrogn"], "no skin 'nitrogn'"),
        (["--skins", "nowhere"], "no skins in nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(videos, tmp_path, words, message):
    done = nitrogen("extract", videos[0] / "clip.mp4", "out", *words, cwd=tmp_path)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
