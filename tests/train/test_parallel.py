"""Two processes that talk over gloo, on the CPU."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from parallel_worker import ADAPTED, EXACT, run
from training import weights

from nitrogen.logs import read_metrics

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run stopped after its save at step 3 in one process; then everything in two."""
    folder = tmp_path_factory.mktemp("parallel")
    run(EXACT, folder / "one-process", stop_at=4)
    run(EXACT, folder / "whole")
    run(ADAPTED, folder / "whole-lora")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"),
            *(str(Path(__file__).parents[1] / "parallel_worker.py"), str(folder)),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def losses(folder, name):
    rows = read_metrics(folder / name / "metrics.jsonl")
    return torch.tensor([row["loss"] for row in rows if row["kind"] == "train"])


@pytest.mark.parametrize(
    ("name", "whole"), [("ddp", "whole"), ("fsdp", "whole"), ("lora", "whole-lora")]
)
def test_two_processes_learn_as_one(folder, name, whole):
    expected = losses(folder, whole)
    assert len(expected) == 6

    torch.testing.assert_close(losses(folder, name), expected, rtol=1e-3, atol=1e-4)

    one, two = weights(folder / whole / "policy"), weights(folder / name / "policy")
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=5e-4, msg=key)
    rows = [row for row in read_metrics(folder / name / "metrics.jsonl") if row["kind"] != "train"]
    assert len(rows) == 1  # one process validates


def test_a_save_of_one_process_goes_on_in_two(folder):
    found = json.loads((folder / "losses.json").read_text())["resumed"]

    assert sorted(map(int, found)) == [4, 5, 6]
    torch.testing.assert_close(
        torch.tensor(list(found.values())), losses(folder, "whole")[3:], rtol=1e-3, atol=1e-4
    )


def test_a_save_of_two_processes_goes_on_in_one(folder, tmp_path):
    for name in ("trainer.safetensors", "train.json"):
        (tmp_path / "run").mkdir(exist_ok=True)
        shutil.copy(folder / "fsdp" / name, tmp_path / "run")

    assert run(EXACT, tmp_path / "run", resume=True) == {}  # it was complete
    for key, value in weights(folder / "fsdp" / "policy").items():
        assert torch.equal(weights(tmp_path / "run" / "policy")[key], value), key
