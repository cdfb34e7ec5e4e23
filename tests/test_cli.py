"""The commands, as users call them: in processes of their own."""

import json
import subprocess
import sys

import pytest

from nitrogen.cli.main import COMMANDS


def nitrogen(*words, timeout=120):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_help_names_every_command_without_loading_torch():
    code = (
        "import sys\nsys.argv = ['nitrogen', '--help']\nfrom nitrogen.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'torch', 'vizdoom', 'matplotlib', 'jinja2'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert name in done.stdout


def test_a_reader_that_has_enough_is_no_error():
    code = (
        "from nitrogen.cli import main as cli\n"
        "def talk() -> None:\n    print('x' * 2**20)\n"
        "cli.COMMANDS.clear()\ncli.COMMANDS.update(one=talk, two=talk)\n"
        "import sys\nsys.argv = ['nitrogen', 'one']\ncli.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.read(1) == b"x"
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()


def test_tasks_are_listed_for_machines():
    done = nitrogen("benchmark", "--list", "--json")

    rows = json.loads(done.stdout)
    wanted = {"name", "suite", "game", "view", "kind", "judge", "goal", "missing"}
    assert wanted <= set(rows[0])
    assert "platformer/reach_the_flag" in {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["play", "platformer/reach_flag"], "did you mean platformer/reach_the_flag"),
        (["train", "quikstart", "--data", "d", "--videos", "v", "--out", "o"], "did you mean"),
        (["extract", "no_such_video.mp4", "out"], "no_such_video.mp4"),
        (["record", "racer/finish_a_lap", "v.mp4", "--skin", "nitrogn"], "nitrogn"),
        (["play", "racer/finish_a_lap", "--policy", "nowhere"], "nowhere"),
        (["fidelity", "supertax"], "did you mean supertux"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words, message, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "nitrogen", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("nitrogen: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("ModuleNotFoundError('No module named torch', name='torch')", "nitrogen[train]"),
        ("OSError(28, 'No space left on device')", "run the same command again"),
        ("KeyboardInterrupt()", "run the same command again"),
    ],
)
def test_what_the_machine_lacks_is_said_in_one_line(raised, message):
    code = (
        "import sys\nfrom nitrogen.cli import main as cli\n"
        f"def fail() -> None:\n    raise {raised}\n"
        "cli.COMMANDS.clear()\ncli.COMMANDS.update(one=fail, two=fail)\n"
        "sys.argv = ['nitrogen', 'one']\ncli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode in (1, 130)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_video_is_recorded_read_and_compared(tmp_path):
    video = tmp_path / "videos" / "drive.mp4"
    recorded = nitrogen("record", "racer/finish_a_lap", video, "--episodes", 2)
    assert recorded.returncode == 0, recorded.stderr
    read = nitrogen("extract", video, tmp_path / "chunks", "--game", "racer")
    assert read.returncode == 0, read.stderr
    folders = read.stdout.split()
    assert folders
    compared = nitrogen("extract-eval", tmp_path / "chunks" / "drive", *recorded.stdout.split()[1:])
    assert compared.returncode == 0, compared.stderr
    video.with_name("broken.mp4").write_bytes(b"no video")
    both = nitrogen("extract", video.parent, tmp_path / "both")
    assert both.returncode == 0, both.stderr
    assert "broken" in both.stderr
    assert len((tmp_path / "both" / "ledger.jsonl").read_text().splitlines()) == 2
    video.with_name("broken.mp4").unlink()
    scores = json.loads(compared.stdout)["all"]
    assert scores["read"]["accuracy"] > 0.99
    assert scores["read"]["f1"] > 0.97
    assert scores["read"]["f1"] > scores["copy_last"]["f1"]
    trained = nitrogen(
        "train", "debug", "--data", tmp_path / "chunks", "--videos", video.parent,
        "--out", tmp_path / "run", "--steps", 4,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip() == str(tmp_path / "run" / "policy")


def test_a_video_without_an_overlay_is_refused_with_advice(tmp_path):
    import numpy as np

    from nitrogen.video.writing import VideoWriter

    rng = np.random.default_rng(0)
    still = rng.integers(0, 255, (360, 640, 3), dtype=np.uint8)
    with VideoWriter(tmp_path / "plain.mp4", (640, 360), rate_hz=30) as writer:
        for shift in range(90):
            writer.write(np.roll(still, 3 * shift, axis=1))

    done = nitrogen("extract", tmp_path / "plain.mp4", tmp_path / "out")

    assert done.returncode == 1
    assert "overlay" in done.stderr
    assert "Traceback" not in done.stderr
