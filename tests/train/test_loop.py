import dataclasses

import numpy as np
import pytest
import torch

from nitrogen.actions import Actions
from nitrogen.data.augment import AugmentConfig
from nitrogen.data.samples import Run, Samples
from nitrogen.errors import TrainingError
from nitrogen.logs import read_metrics
from nitrogen.model import checkpoint
from nitrogen.model.dit import TransformerConfig
from nitrogen.model.flow import FlowConfig
from nitrogen.model.inference import ModelPolicy
from nitrogen.model.layout import CENTRE, DEVIATION
from nitrogen.model.network import NetworkConfig
from nitrogen.model.siglip import VisionConfig
from nitrogen.train.loop import TrainConfig, check_labels, onset_weights, train
from nitrogen.train.optim import Average, OptimConfig, learning_rate

NETWORK = NetworkConfig(
    vision=VisionConfig(image_size=16, patch_size=8, width=32, layers=1, heads=2, mlp_width=64),
    mixing=TransformerConfig(layers=1, width=32, heads=2, cross_width=32),
    dit=TransformerConfig(layers=2, width=32, heads=2, cross_width=32),
    flow=FlowConfig(centre=CENTRE, deviation=DEVIATION),
    horizon=4,
    positions=4,
)
CONFIG = TrainConfig(
    network=NETWORK,
    optim=OptimConfig(learning_rate=3e-3, warmup_steps=5, average=0.9),
    augment=AugmentConfig(rotation_degrees=2),
    steps=12,
    batch=16,
    draws=2,
    log_every=4,
    save_every=5,
    validate_every=6,
    validation_samples=32,
)


def samples(length=60, seed=0):
    """A bright half picture on the side to which the stick goes; a button with it."""
    rng = np.random.default_rng(seed)
    side = np.repeat(rng.integers(0, 2, length // 6 + 1), 6)[:length]
    frames = np.zeros((length, 16, 16, 3), np.uint8)
    frames[side == 0, :, :8] = 250
    frames[side == 1, :, 8:] = 250
    actions = Actions.released(length)
    actions.sticks[:, 0] = 2 * side - 1
    actions.buttons[:, 14] = side
    return Samples([Run("toy", frames, actions)], horizon=4)


def weights(folder):
    return checkpoint.load(folder).state_dict()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_it_learns_to_look_and_writes_a_policy_that_plays(tmp_path):
    config = dataclasses.replace(CONFIG, steps=300, validate_every=300, batch=32)
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
    assert reports[-1].step == 300
    assert reports[-1].loss < reports[0].loss / 2


class StoppedError(Exception):
    pass


def test_resuming_equals_never_having_stopped(tmp_path):
    whole = train(CONFIG, samples(), tmp_path / "whole")

    def stop_at_8(progress):
        if progress.step == 8:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(CONFIG, samples(), tmp_path / "cut", on_progress=stop_at_8)
    resumed = train(CONFIG, samples(), tmp_path / "cut", resume=True)

    for name, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[name]), name


def test_fine_tuning_starts_from_the_checkpoint(tmp_path):
    first = train(CONFIG, samples(), tmp_path / "first")
    still = dataclasses.replace(CONFIG, steps=1, optim=OptimConfig(learning_rate=0.0))

    second = train(still, samples(), tmp_path / "second", start_from=first)

    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name]), name


def test_another_run_is_never_overwritten(tmp_path):
    train(dataclasses.replace(CONFIG, steps=2), samples(), tmp_path)

    with pytest.raises(TrainingError, match="already holds a run"):
        train(dataclasses.replace(CONFIG, steps=2), samples(), tmp_path)
    with pytest.raises(TrainingError, match="another configuration"):
        train(dataclasses.replace(CONFIG, steps=3), samples(), tmp_path, resume=True)
    (tmp_path / "trainer.pt").write_bytes(b"torn")
    with pytest.raises(TrainingError, match="delete it to start over"):
        train(dataclasses.replace(CONFIG, steps=2), samples(), tmp_path, resume=True)


def test_a_failed_save_keeps_the_last_good_one(tmp_path, monkeypatch):
    original, calls = torch.save, []

    def disk_full_at_the_second(state, path):
        calls.append(path)
        if len(calls) == 1:
            return original(state, path)
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", disk_full_at_the_second)
        with pytest.raises(TrainingError, match="No space left"):
            train(CONFIG, samples(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "metrics.jsonl",
        "train.json",
        "trainer.pt",
    ]
    assert train(CONFIG, samples(), tmp_path, resume=True).is_dir()


def test_labels_that_teach_nothing_are_refused():
    frames = np.zeros((60, 16, 16, 3), np.uint8)
    with pytest.raises(TrainingError, match="idle throughout"):
        check_labels(Samples([Run("idle", frames, Actions.released(60))], horizon=4))
    stuck = Actions.of(right_y=0.7, length=60)
    stuck.buttons[::2, 0] = 1
    with pytest.raises(TrainingError, match=r"stick axes \[3\]"):
        check_labels(Samples([Run("stuck", frames, stuck)], horizon=4))


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path):
    wild = dataclasses.replace(CONFIG, optim=OptimConfig(learning_rate=1e30, warmup_steps=0))

    with pytest.raises(TrainingError, match="the loss is"):
        train(wild, samples(), tmp_path)


def test_schedule_is_continuous_and_constant_in_the_middle():
    config = OptimConfig(learning_rate=1.0, warmup_steps=100, decay_share=0.2)
    rates = np.array([learning_rate(step, 1000, config) for step in range(1000)])

    assert (rates[100:800] == 1).all()
    assert np.abs(np.diff(rates)).max() <= 0.0101
    assert rates[0] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.005)


def test_average_follows_and_swaps():
    live = torch.zeros(3)
    average = Average([live], decay=0.5)
    live.fill_(1.0)
    for step in range(100):
        average.update(step)
    torch.testing.assert_close(average.values[0], torch.ones(3))
    live.fill_(5.0)
    average.swap()
    assert live[0] == pytest.approx(1.0)
    average.swap()
    assert live[0] == 5.0


def test_onset_weights_are_near_changes_of_buttons_only():
    plans = torch.zeros(1, 10, 25)
    plans[0, 5:, 3] = 1
    plans[0, 2:, 22] = 1

    weights = onset_weights(plans, 4.0)

    assert weights[0, :, 3].tolist() == [1, 1, 1, 5, 5, 5, 5, 5, 1, 1]
    assert (weights[..., :3] == 1).all()
    assert (weights[..., 4:] == 1).all()
