"""`nitrogen demonstrate`, as users call it."""

import subprocess
import sys

import pytest

from nitrogen.benchmark.demonstration import Demonstration


def nitrogen(*words):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_an_expert_demonstrates(tmp_path):
    done = nitrogen("demonstrate", "arena/clear_the_waves", "--out", tmp_path, "--count", 1)

    assert done.returncode == 0, done.stderr
    assert "expert" in done.stdout
    (path,) = tmp_path.glob("*.npz")
    assert Demonstration.load(path).facts.task == "arena/clear_the_waves"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["racer/finish_a_lap", "--seed", "1000000"], "held out"),
        (["racer/finish_lap"], "did you mean racer/finish_a_lap"),
    ],
)
def test_what_is_wrong_is_said(words, message, tmp_path):
    done = nitrogen("demonstrate", *words, "--out", tmp_path)

    assert done.returncode == 1
    assert message in done.stderr
