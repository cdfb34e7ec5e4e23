import json
import subprocess
import sys

import pytest

from nitrogen.simulator import linux
from nitrogen.simulator.games import starfighter
from nitrogen.video.info import probe


def nitrogen(*words, folder):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", "play", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
    )


def needs_starfighter():
    if not linux.is_installed(starfighter.GAME):
        pytest.skip("needs Starfighter: apt-get install starfighter")


@pytest.mark.game
def test_any_command_is_played_and_filmed(tmp_path):
    needs_starfighter()
    done = nitrogen(
        "--command", "starfighter", "--display", "none", "--size", 800, 600, "--policy", "random",
        "--seconds", 1, "--out", "film.mp4", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "film.mp4\n"
    assert probe(tmp_path / "film.mp4").frame_count == 60


@pytest.mark.game
def test_realtime_reports_how_well_the_policy_kept_up(tmp_path):
    needs_starfighter()
    done = nitrogen("starfighter", "--realtime", "--seconds", 2, "--policy", "mash",
                    "--out", "film.mp4", folder=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stderr)
    assert report["plans"] > 0
    assert {"late_plans", "frame_age_ms", "missed_frames"} <= set(report)
    assert probe(tmp_path / "film.mp4").duration_s == pytest.approx(report["virtual_s"], abs=0.3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a task or a game"),
        (["supertux", "--command", "vor"], "name a task or a game"),
        (["--command", "no-such-game --fast"], "no program 'no-such-game'"),
        (["--command", "true", "--policy", "released"], "before it presented a frame"),
        (["racer/finish_a_lap", "--realtime"], "--realtime plays"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(words, message, tmp_path):
    done = nitrogen(*words, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("nitrogen: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.mp4"))
