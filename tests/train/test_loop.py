import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from training import CONFIG, assert_equal_weights, samples

from nitrogen.actions import Actions
from nitrogen.data.samples import Run, Samples
from nitrogen.errors import TrainingError, TrainingStoppedError
from nitrogen.logs import read_metrics
from nitrogen.model import checkpoint
from nitrogen.model.inference import ModelPolicy
from nitrogen.model.network import NitroGen
from nitrogen.train.loop import train
from nitrogen.train.optim import OptimConfig


def test_it_learns_to_look_and_writes_a_policy_that_plays(tmp_path):
    config = dataclasses.replace(CONFIG, steps=300, validate_every=300, batch=32, draw_plans=4)
    reports = []

    folder = train(
        config, samples(600), tmp_path, validation=samples(120, seed=1), on_progress=reports.append
    )

    policy = ModelPolicy.from_pretrained(folder)
    for side, sign in ((slice(0, 128), -1), (slice(128, 256), 1)):
        frame = np.zeros((256, 256, 3), np.uint8)
        frame[:, side] = 250
        plan = policy.act(frame)
        assert len(plan) == 4
        assert plan.stick("left_x")[0] * sign > 0.5
        assert plan.pressed()[0, 14] == (sign == 1)
    metrics = read_metrics(tmp_path / "metrics.jsonl")
    held_out = [row for row in metrics if row["kind"] == "validation"]
    assert held_out[-1]["stick_r2"] > 0.5
    assert held_out[-1]["button_f1"] > 0.7
    assert held_out[-1]["average_precision"] > held_out[-1]["guess_average_precision"]
    assert reports[-1].step == 300
    assert reports[-1].loss < reports[0].loss / 2
    shares = [getattr(reports[-1], f"{p}_share") for p in ("data", "forward", "backward")]
    assert 0 < sum(shares) < 1
    assert (tmp_path / "plans" / "step-000300.png").stat().st_size > 1000


class StoppedError(Exception):
    pass


def stop_at(step):
    def on_progress(progress):
        if progress.step == step:
            raise StoppedError

    return on_progress


def test_resuming_equals_never_having_stopped(tmp_path):
    whole = train(CONFIG, samples(), tmp_path / "whole", validation=samples(seed=1))

    with pytest.raises(StoppedError):
        train(CONFIG, samples(), tmp_path / "cut", on_progress=stop_at(8))
    resumed = train(CONFIG, samples(), tmp_path / "cut", validation=samples(seed=1), resume=True)

    assert_equal_weights(whole, resumed)
    steps = [row["step"] for row in read_metrics(tmp_path / "cut" / "metrics.jsonl")]
    assert steps == sorted(steps)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_stops(tmp_path, number):
    whole = train(CONFIG, samples(), tmp_path / "whole")

    def send(progress):
        if progress.step == 4:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(TrainingStoppedError, match=r"after step 4 of 12.*--resume") as stopped:
        train(CONFIG, samples(), tmp_path / "cut", on_progress=send)

    assert stopped.value.signal == number
    assert signal.getsignal(number) is before
    assert_equal_weights(whole, train(CONFIG, samples(), tmp_path / "cut", resume=True))


def test_a_killed_process_loses_at_most_save_every(tmp_path):
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom training import *\n"
        "from nitrogen.train.loop import train\ntorch.set_num_threads(1)\n"
        "def die(p):\n    if p.step == 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(CONFIG, samples(), Path(sys.argv[1]), on_progress=die)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cut")],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
        timeout=120,
    )

    assert done.returncode == -signal.SIGKILL
    whole = train(CONFIG, samples(), tmp_path / "whole")
    assert_equal_weights(whole, train(CONFIG, samples(), tmp_path / "cut", resume=True))


def test_fine_tuning_starts_from_the_checkpoint(tmp_path):
    first = train(CONFIG, samples(), tmp_path / "first")
    still = dataclasses.replace(CONFIG, steps=1, optim=OptimConfig(learning_rate=0.0))

    second = train(still, samples(), tmp_path / "second", start_from=first)

    assert_equal_weights(first, second)


def test_fine_tuning_refuses_another_horizon_but_takes_another_rate(tmp_path):
    checkpoint.save(tmp_path / "policy", NitroGen(CONFIG.network))
    longer = dataclasses.replace(CONFIG.network, horizon=8, positions=8)
    with pytest.raises(TrainingError, match="horizon is 4, not 8; positions is 4, not 8"):
        train(
            dataclasses.replace(CONFIG, network=longer),
            samples(),
            tmp_path / "run",
            start_from=tmp_path / "policy",
        )

    other = dataclasses.replace(CONFIG.network, rate_hz=30.0, action_shift=1)
    tuned = train(
        dataclasses.replace(CONFIG, network=other, steps=1),
        samples(),
        tmp_path / "run",
        start_from=tmp_path / "policy",
    )
    assert checkpoint.load(tuned).config.rate_hz == 30.0


def test_another_run_is_never_overwritten(tmp_path):
    short = dataclasses.replace(CONFIG, steps=2)
    train(short, samples(), tmp_path)

    with pytest.raises(TrainingError, match="already holds a run"):
        train(short, samples(), tmp_path)
    with pytest.raises(TrainingError, match=r"another configuration .steps was 2, not 3"):
        train(dataclasses.replace(CONFIG, steps=3), samples(), tmp_path, resume=True)
    moved = dataclasses.replace(CONFIG.machine, device="auto")
    train(dataclasses.replace(short, machine=moved), samples(), tmp_path, resume=True)
    (tmp_path / "trainer.safetensors").write_bytes(b"torn")
    with pytest.raises(TrainingError, match="delete it to start over"):
        train(short, samples(), tmp_path, resume=True)


def test_a_full_disk_keeps_the_last_good_save(tmp_path):
    """The kernel refuses larger files from the second save on, as a full disk would."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_disk(progress):
        if progress.step == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))

    try:
        with pytest.raises(TrainingError, match="the last complete save is kept"):
            train(CONFIG, samples(), tmp_path / "run", on_progress=fill_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["metrics.jsonl", "train.json", "trainer.safetensors"]
    whole = train(CONFIG, samples(), tmp_path / "whole")
    assert_equal_weights(whole, train(CONFIG, samples(), tmp_path / "run", resume=True))


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_evidence(tmp_path):
    wild = dataclasses.replace(CONFIG, optim=OptimConfig(learning_rate=1e30, warmup_steps=0))

    with pytest.raises(TrainingError, match=r"the (loss|gradient) is .*evidence"):
        train(wild, samples(), tmp_path)

    (file,) = (tmp_path / "evidence").glob("*.safetensors")
    kept = checkpoint.read_tensors(file)
    network = NitroGen(CONFIG.network)
    network.load_state_dict(
        {n.removeprefix("network."): v for n, v in kept.items() if n.startswith("network.")}
    )
    generator = torch.Generator()
    generator.set_state(kept["rng"])
    with torch.autocast("cpu", torch.bfloat16):
        loss = network.loss(kept["frames"], kept["plans"], draws=2, generator=generator)
    described = json.loads(file.with_suffix(".json").read_text())
    assert described["loss"] == str(float(loss.detach()))


def test_odd_labels_are_refused_unless_allowed(tmp_path):
    idle = Samples(
        [Run("idle", np.zeros((60, 16, 16, 3), np.uint8), Actions.released(60))], horizon=4
    )
    with pytest.raises(TrainingError, match=r"idle throughout.*--allow-odd-labels"):
        train(CONFIG, idle, tmp_path)

    train(dataclasses.replace(CONFIG, steps=1, allow_odd_labels=True), idle, tmp_path)


def test_epochs_become_steps(tmp_path):
    reports = []
    train(
        dataclasses.replace(CONFIG, epochs=2, steps=999),
        samples(67),
        tmp_path,
        on_progress=reports.append,
    )
    assert reports[-1].step == reports[-1].steps == 8  # 2 x 64 samples in batches of 16
    assert json.loads((tmp_path / "train.json").read_text())["steps"] == 8
