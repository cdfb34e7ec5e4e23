import json
from dataclasses import replace

import pytest

from nitrogen.errors import ConfigError
from nitrogen.experiments.transfer import transfer
from nitrogen.experiments.transfer_jobs import SMALL, TransferConfig


def test_the_held_out_game_is_not_trained_on():
    config = TransferConfig()
    for held_out in config.held_out:
        game = held_out.partition("/")[0]
        sources = config.sources(held_out)
        assert len({name.partition("/")[0] for name in sources}) >= 3
        assert not any(name.startswith(f"{game}/") for name in sources)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tasks": ("racer/finish_a_lap",)}, "another game"),
        ({"parts": ("1/8", "2")}, r"parts must lie in \(0, 1\]"),
        ({"seeds": 0}, "at least one seed"),
    ],
)
def test_experiments_that_compare_nothing_are_refused(changes, says):
    with pytest.raises(ConfigError, match=says):
        replace(SMALL, **changes)


@pytest.mark.slow
def test_the_small_form_runs_and_goes_on(tmp_path):
    started = []
    found = transfer(tmp_path, SMALL, on_start=lambda name, total: started.append((name, total)))
    assert started[2] == ("training and playing", 8)
    assert [row.part for row in found.rows] == ["1/4", "1"]
    assert found.rows[0].scratch.episodes == found.rows[0].tuned.episodes == 8
    assert found.baselines["racer/finish_a_lap"]["expert"].rate > 0.5
    assert "Transfer to a held-out game" in found.report.read_text()
    values = json.loads(found.as_json())
    assert values["rows"][0]["from scratch"]["episodes"] == 8

    done = []
    again = transfer(tmp_path, SMALL, on_done=done.append)
    assert again.rows == found.rows
    assert done == []  # everything lay on disk
    with pytest.raises(ConfigError, match="other settings"):
        transfer(tmp_path, replace(SMALL, steps=31))
