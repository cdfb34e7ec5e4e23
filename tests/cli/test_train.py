"""`nitrogen train` as users call it, on a toy: the stick follows the bright half of the picture."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from numbered import metadata
from training import samples as toy

from nitrogen.cli import main as cli
from nitrogen.cli.train import expanded
from nitrogen.data import frames
from nitrogen.data.curate import split_of
from nitrogen.data.store import list_chunks, write_chunk
from nitrogen.logs import read_metrics
from nitrogen.shipped import WEIGHTS

ROWS = 120
SMALL = [
    *("--batch", "8", "--draws", "1", "--log-every", "1"),
    *("--network.vision.layers", "1", "--network.dit.layers", "2"),
]


def video_ids():
    """Two videos to learn from and one that is held out."""
    names = [f"video{number}" for number in range(200)]
    of_split = {
        split: [n for n in names if split_of(n) == split] for split in ("train", "validation")
    }
    return [*of_split["train"][:2], of_split["validation"][0]]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("chunks")
    for seed, name in enumerate(video_ids()):
        (run,) = toy(ROWS, seed)._runs
        write_chunk(root, metadata(name, 0, ROWS, rate_hz=60.0), run.actions)
        (chunk,) = list_chunks(root / name)
        large = np.asarray(run.frames).repeat(4, axis=1).repeat(4, axis=2)
        np.save(frames.frames_path(chunk, 64, "raw"), large)
    return root


@pytest.fixture
def nitrogen(monkeypatch, capsys):
    threads = torch.get_num_threads()

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["nitrogen", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    yield run
    torch.set_num_threads(threads)


def test_fields_are_options():
    words = "train demo --data d --set a=1 --optim.clip 2 --recompute --lora.alpha=-3 --no-resume"
    long = (
        "train demo --data d --set a=1 --set optim.clip=2 --set recompute --set lora.alpha=-3"
        " --no-resume"
    )
    assert " ".join(expanded(words.split(" "))) == long
    assert expanded(["play", "--x", "1"]) == ["play", "--x", "1"]


def test_train_then_fine_tune_in_one_line_each(nitrogen, data, tmp_path):
    code, out, err = nitrogen(
        *("train", "debug", "--data", data, "--out", tmp_path / "run"),
        *("--steps", 4, "--validate-every", 2, *SMALL),
    )
    assert (code, out) == (0, f"{tmp_path / 'run' / 'policy'}\n"), err
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [r["step"] for r in rows if r["kind"] == "validation"] == [2, 4]
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert (tmp_path / "run" / "plans" / "step-000004.png").exists()

    code, out, err = nitrogen(
        *("train", "finetune", "--start-from", tmp_path / "run" / "policy"),
        *("--data", data, "--out", tmp_path / "tuned", "--epochs", 1, "--batch", 32),
        *("--optim.learning-rate", "1e-5", "--optim.weight-decay", "0.01"),
        *("--optim.warmup-steps", 2, "--save-every", 2, "--groups.vision", 0),
    )
    assert code == 0, err
    resolved = json.loads((tmp_path / "tuned" / "train.json").read_text())
    assert resolved["steps"] == 6  # 180 samples in batches of 32
    assert resolved["optim"]["learning_rate"] == 1e-5
    assert resolved["network"]["vision"]["layers"] == 1
    assert nitrogen(
        *("train", "finetune", "--start-from", tmp_path / "run" / "policy"),
        *("--data", data, "--out", tmp_path / "tuned"),
    )[2].endswith("already holds a run; resume it or choose another folder\n")


def test_a_dry_run_tells_all_and_writes_nothing(nitrogen, data, tmp_path):
    code, out, err = nitrogen(
        "train",
        "debug",
        "--data",
        data,
        "--out",
        tmp_path / "run",
        "--dry-run",
        "--epochs",
        2,
        *SMALL,
    )

    assert code == 0, err
    told = json.loads(out)
    assert told["config"]["steps"] == 45
    assert told["data"]["train"]["samples"] == 180
    assert told["data"]["validation"]["samples"] == 90
    assert told["network"]["parameters"] == sum(told["network"]["trained_by_group"].values())
    assert told["memory_gb"]["total"] > 0
    assert told["step"]["loss"] > 0
    assert not (tmp_path / "run").exists()


def test_the_shipped_policy_can_be_fine_tuned(nitrogen, data, tmp_path):
    words = ("train", "finetune", "--start-from", "shipped", "--batch", 4, "--dry-run")
    code, out, err = nitrogen(*words, "--data", data, "--out", tmp_path / "run")

    assert code == 0, err
    told = json.loads(out)
    shipped = json.loads((WEIGHTS / "config.json").read_text())
    assert told["config"]["network"]["horizon"] == shipped["network"]["horizon"]
    assert told["step"]["loss"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["debug", "--learning-rate", "1"], "did you mean --optim.learning-rate?"),
        (["debug", "--optim.lerning-rate", "1"], "did you mean --optim.learning-rate?"),
        (["debug", "--batch-size", "1"], "did you mean --batch?"),
        (["debug", "--start-form", "x"], "did you mean --start-from?"),
        (["debug", "--batch", "many"], "--batch must be a whole number, not 'many'"),
        (["debug", "--batch", "0"], "batch must be at least 1"),
        (["debug", "--precision", "half"], "one of auto, bfloat16, float32"),
        (["debug", "--machine.device", "tpu"], "cpu, cuda or auto"),
        (["debug", "--machine.report", "wandbb"], "no tracker wandbb"),
        (["debug", "--network.horizon", "2000"], "horizon"),
        (["finetune"], "--start-from"),
    ],
)
def test_what_does_not_fit_is_refused(nitrogen, data, tmp_path, words, message):
    code, _, err = nitrogen("train", *words, "--data", data, "--out", tmp_path / "run")

    assert code == 1
    assert message in err
    assert not (tmp_path / "run" / "policy").exists()


def test_sigterm_saves_says_so_and_can_be_resumed(data, tmp_path):
    words = [sys.executable, "-m", "nitrogen", "train", "debug", "--data", data, "--out", tmp_path]
    words += ["--steps", "2000", "--save-every", "1000000", *SMALL]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    log = tmp_path / "metrics.jsonl"
    while process.poll() is None and not (log.exists() and len(read_metrics(log)) > 3):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 128 + signal.SIGTERM, err
    assert out == ""
    assert "stopped by SIGTERM after step" in err
    assert "--resume" in err
    assert (tmp_path / "trainer.safetensors").exists()
