"""The main job with the weights that ship: real games, real videos."""

import importlib.util
import json

import pytest

from nitrogen.benchmark.suite import task
from nitrogen.demo import DEMO_TASKS, demo
from nitrogen.errors import CheckpointError, GameMissingError
from nitrogen.shipped import WEIGHTS
from nitrogen.video.info import probe
from nitrogen.video.reading import read

DOOM = pytest.mark.skipif(
    importlib.util.find_spec("vizdoom") is None, reason="ViZDoom is not installed"
)


def test_the_weights_are_small_and_say_how_they_were_made():
    size = sum(path.stat().st_size for path in WEIGHTS.iterdir())
    recipe = json.loads((WEIGHTS / "recipe.json").read_text())

    assert size < 10_000_000
    assert {"command", "seed", "commit", "frames", "seconds", "train"} <= set(recipe)


@pytest.mark.game
@DOOM
def test_the_policy_beats_every_baseline_and_is_filmed(tmp_path):
    names = ("doom/defend_the_center", "platformer/reach_the_flag")
    seen, stages = [], []

    result = demo(
        tmp_path,
        names=names,
        episodes=10,
        on_result=seen.append,
        on_stage=lambda stage, total: stages.append(stage),
    )

    values = json.loads(result.as_json())
    for name in names:
        assert values["tasks"][name]["clearly_better"] is True
        players = {row["player"]: row for row in values["tasks"][name]["players"]}
        assert set(players) == {"policy", "expert", "random", "no input", "mash"}
        assert players["policy"]["episodes"] == 10
    assert len(seen) == 2 * 5 * 10
    assert stages[0] == "playing"
    for path, name in zip(result.videos, names, strict=True):
        info = probe(path)
        assert (info.width, info.height) == (1280, 720)
        first = next(iter(read(path))).pixels
        assert first.std() > 10, name
    text = result.report.read_text()
    assert text.count("<video") == 2
    assert "0.00 [0.00, 0.28]" in text


def test_what_cannot_run_is_left_out_by_name(tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec

    def without_vizdoom(name, *more):
        return None if name == "vizdoom" else find_spec(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without_vizdoom)

    with pytest.raises(GameMissingError, match=r"pip install 'nitrogen\[doom\]'"):
        demo(tmp_path, names=("doom/basic",))


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"make one with python scripts/make_weights\.py"):
        demo(tmp_path, checkpoint=tmp_path / "nothing")


def test_the_demo_plays_a_third_party_game():
    assert any(name.startswith("doom/") for name in DEMO_TASKS)
    assert all(task(name) for name in DEMO_TASKS)
