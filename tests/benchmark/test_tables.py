import dataclasses

from players import SteadyGas

from nitrogen.benchmark.clips import choose, record_clips
from nitrogen.benchmark.config import RunConfig
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import ALL_TASKS, task
from nitrogen.benchmark.tables import html_report, tables
from nitrogen.video.info import probe

KNOWN = {task.name: task for task in ALL_TASKS}


def test_tables_group_by_task_kind_view_and_game(tmp_path):
    tasks = [task("racer/finish_a_lap"), task("platformer/reach_the_flag")]
    tasks = [dataclasses.replace(t, frames=20) for t in tasks]
    config = RunConfig(episodes=2, workers=1)
    results = run(tasks, BASELINE_PLAYERS[:2], config, out=tmp_path / "r.jsonl")

    by_task, by_kind, by_view, by_game, skipped = tables(
        results, KNOWN, {"etr/x": "not installed: apt-get install etr"}
    )

    assert [row[0] for row in by_task.rows] == ["platformer/reach_the_flag"] * 2 + [
        "racer/finish_a_lap"
    ] * 2
    assert [(row[0], row[1], row[4]) for row in by_kind.rows] == [
        ("navigation", "random", "0/4"),
        ("navigation", "no input", "0/4"),
    ]
    assert {row[0] for row in by_view.rows} == {"2D side-scrolling", "2D top-down"}
    assert {row[0] for row in by_game.rows} == {"racer", "platformer"}
    assert skipped.rows == (("etr/x", "not installed: apt-get install etr"),)


def test_the_report_has_clips_of_a_success_and_a_failure(tmp_path):
    chosen = task("racer/finish_a_lap")
    players = [Player(name="policy", batch_policy=SteadyGas), EXPERT]
    results = run([chosen], players, RunConfig(episodes=1, workers=1), out=tmp_path / "r.jsonl")

    what = choose(results, chosen.name)
    assert what["success"].player == "expert"
    assert what["failure"].player == "policy"
    paths = record_clips([chosen], players, results, tmp_path / "clips")
    html_report(tmp_path / "r.html", results, KNOWN, skipped={}, clips=paths)

    assert [probe(path).width for path in paths] == [640, 640]
    text = (tmp_path / "r.html").read_text()
    assert text.count("<video") == 2
    assert "zero-shot" in text
    assert "By view" in text
