import importlib.util
import json
from dataclasses import replace

import pytest

from nitrogen.errors import ConfigError, GameMissingError
from nitrogen.experiments.transfer import transfer
from nitrogen.experiments.transfer_config import SMALL, TransferConfig
from nitrogen.experiments.transfer_jobs import Pretrain


def test_the_held_out_game_is_not_trained_on():
    config = TransferConfig()
    for held_out in config.held_out:
        sources = config.sources(held_out)
        assert len({name.partition("/")[0] for name in sources}) >= 3
        game = held_out.task.partition("/")[0]
        assert not any(name.startswith(f"{game}/") for name in sources)


def test_held_out_games_can_share_a_network(tmp_path):
    config = TransferConfig()
    names = [Pretrain(tmp_path, config, each).folder.name for each in config.held_out]
    assert names == ["without-platformer-racer", "without-doom-flyer", "without-platformer-racer"]
    racer, _, box = config.held_out
    assert config.sources(box) == config.sources(racer)


def test_a_missing_game_is_named_before_any_work(tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "miniworld" else find_spec(name)
    )
    with pytest.raises(GameMissingError, match=r"miniworld/reach_the_box.*nitrogen\[miniworld\]"):
        transfer(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tasks": ("racer/finish_a_lap",)}, "another game"),
        ({"parts": ("1/8",)}, "the smallest part of 4 levels is none"),
        ({"first_seed": 98}, "reserved for play"),
        ({"parts": ("1/4", "2")}, r"parts must lie in \(0, 1\]"),
        ({"seeds": 1}, "at least two seeds"),
    ],
)
def test_experiments_that_compare_nothing_are_refused(changes, says):
    with pytest.raises(ConfigError, match=says):
        replace(SMALL, **changes)


@pytest.mark.slow
def test_the_small_form_runs_and_goes_on(tmp_path):
    started = []
    found = transfer(tmp_path, SMALL, on_start=lambda name, total: started.append((name, total)))
    assert started[2:4] == [
        ("training and playing, 1/4 of the data", 4),
        ("training and playing, 1 of the data", 4),
    ]
    assert [(row.part, row.levels) for row in found.rows] == [("1/4", 1), ("1", 4)]
    assert found.rows[0].scratch.episodes == found.rows[0].tuned.episodes == 8
    assert 0 < found.rows[0].tuned_error < 1
    assert found.baselines["racer/finish_a_lap"]["expert"].rate > 0.5
    assert "Transfer to a held-out game" in found.report.read_text()
    values = json.loads(found.as_json())
    assert values["rows"][0]["from scratch"]["episodes"] == 8

    done = []
    again = transfer(tmp_path, SMALL, on_done=done.append)
    assert again.rows == found.rows
    assert done == []  # everything lay on disk
    with pytest.raises(ConfigError, match="other settings"):
        transfer(tmp_path, replace(SMALL, batch=31))
