import json
import subprocess
import sys

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark.demonstration import Demonstration, Facts
from nitrogen.data.truth import read_truth
from nitrogen.video.info import probe

SMALL = ("--seconds", "0.4", "--background", "plain")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_synth_makes_one_clip_with_its_truth(tmp_path):
    clip = tmp_path / "a" / "clip.mp4"
    done = run("synth", clip, *SMALL, "--skin", "retro_grey", "--size", 320, 180, "--rate-hz", 30,
               "--overlay-rate-hz", 30, "--opacity", 0.7, "--codec", "vp9",
               "--bitrate", 300_000)  # fmt: skip
    assert done.returncode == 0, done.stderr
    truth = read_truth(tmp_path / "a" / "clip.pad.parquet")

    assert done.stdout.split() == [str(clip)]
    assert "retro_grey in 320x180 at 30 Hz, vp9" in done.stderr
    assert probe(clip).frame_count == len(truth.actions) == 12
    assert truth.facts["settings"]["look"]["opacity"] == 0.7


def test_synth_makes_many_clips(tmp_path):
    done = run("synth", tmp_path / "clips", *SMALL, "--clips", 2, "--skin", "all")

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2
    skins = {read_truth(file).facts["skin"] for file in (tmp_path / "clips").glob("*.parquet")}
    assert skins


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--skin", "nonesuch"), "known skins: "),
        (("--background", "beach"), "no background 'beach'"),
        (("--duplicates", "2"), "duplicates must lie in"),
        (("--size", "321", "180"), "even width"),
    ],
)
def test_impossible_clips_are_refused_in_one_line(tmp_path, wrong, message):
    done = run("synth", tmp_path / "clip.mp4", "--seconds", "0.2", *wrong)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_extract_eval_of_a_folder(tmp_path):
    clip = tmp_path / "clips" / "one.mp4"
    made = run("synth", clip, "--seconds", 6, "--size", 854, 480, "--rate-hz", 30,
               "--overlay-rate-hz", 30, "--bitrate", 2_000_000, "--latency-frames", 3)  # fmt: skip
    assert made.returncode == 0, made.stderr
    read = run("extract", clip, tmp_path / "chunks", "--chunk-s", 3, "--min-density", 0)
    assert read.returncode == 0, read.stderr
    judged = run("extract-eval", tmp_path / "chunks", tmp_path / "clips",
                 "--html", tmp_path / "page.html", "--out", tmp_path / "page.json")  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    scores = json.loads((tmp_path / "page.json").read_text())["all"]

    assert scores["read"]["accuracy"] > 0.99
    assert scores["read"]["f1"] > 0.95
    assert scores["read"]["stick_r2"] > 0.95
    assert np.isfinite(scores["always_off"]["accuracy"])
    assert "By family of controllers" in (tmp_path / "page.html").read_text()


def test_record_plays_demonstrations_at_the_wanted_size(tmp_path):
    facts = Facts(
        task="racer/finish_a_lap", seed=3, origin="expert", frames_spent=1, seconds=0.0,
        frames_hash="", versions={},
    )  # fmt: skip
    for steer in (0.5, -0.5):
        actions = Actions.of("right_trigger", left_x=steer, length=20)
        Demonstration(actions, facts).save(tmp_path / "found" / f"expert-{steer}.npz")

    done = run("record", "racer/finish_a_lap", tmp_path / "r.mp4", "--size", 320, 180,
               "--corner", "top_left", "--demonstrations", tmp_path / "found")  # fmt: skip
    assert done.returncode == 0, done.stderr
    truth = read_truth(tmp_path / "r.pad.parquet")

    assert (probe(tmp_path / "r.mp4").width, truth.facts["size"]) == (320, [320, 180])
    assert set(truth.actions.stick("left_x")) >= {0.5, -0.5}
