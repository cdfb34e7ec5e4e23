import dataclasses

import pytest
from players import SteadyGas

from nitrogen.benchmark.results import Score, as_json, clearly_better, read_results, scores
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import ALL_TASKS, task
from nitrogen.errors import ConfigError, GameMissingError
from nitrogen.stats import Rate


def short(name="racer/finish_a_lap", frames=40):
    return dataclasses.replace(task(name), frames=frames)


def test_every_player_plays_every_seed(tmp_path):
    players = [Player(name="policy", batch_policy=SteadyGas), EXPERT, *BASELINE_PLAYERS]
    seen = []

    results = run(
        [short()], players, episodes=3, out=tmp_path / "r.jsonl", workers=1, on_result=seen.append
    )

    assert len(results) == len(seen) == 15
    for row in scores(results):
        assert row.rate.episodes == 3
        assert row.rate.successes == 0
        assert row.frames <= 40
    assert {result.episode.seed for result in results} == {1_000_000, 1_000_001, 1_000_002}
    assert '"clearly_better": false' in as_json(scores(results))


def test_worker_processes_play_the_same_episodes(tmp_path):
    players = [Player(name="policy", batch_policy=SteadyGas), BASELINE_PLAYERS[0]]

    alone, together = (
        run([short()], players, episodes=4, out=tmp_path / f"{workers}.jsonl", workers=workers)
        for workers in (1, 2)
    )

    for one, two in zip(alone, together, strict=True):
        assert (one.task, one.player, one.episode.seed) == (two.task, two.player, two.episode.seed)
        assert one.episode.frames == two.episode.frames
        assert one.episode.progress == two.episode.progress


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    out = tmp_path / "r.jsonl"
    whole = run([short()], BASELINE_PLAYERS, episodes=4, out=out, workers=1)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:5]) + lines[5][:20])
    played = []

    again = run(
        [short()], BASELINE_PLAYERS, episodes=4, out=out, workers=1, on_result=played.append
    )

    assert len(played) == 7
    assert len(again) == len(whole) == 12
    assert len(read_results(out)) == 12


def test_experts_win_and_those_who_do_not_look_lose(tmp_path):
    tasks = [t for t in ALL_TASKS if t.suite == "mini" and t.missing() is None and t.game != "doom"]

    results = run(
        tasks, [EXPERT, *BASELINE_PLAYERS], episodes=3, out=tmp_path / "r.jsonl", workers=1
    )

    for row in scores(results):
        assert (row.rate.rate >= 2 / 3) == (row.player == "expert"), row


def test_missing_games_are_named_before_anything_is_played(tmp_path):
    gone = dataclasses.replace(short(), missing=lambda: "not installed; get it with apt")

    with pytest.raises(GameMissingError, match=r"racer/finish_a_lap: not installed; get it"):
        run([gone], BASELINE_PLAYERS, episodes=1, out=tmp_path / "r.jsonl")


def test_tasks_are_found_by_name():
    assert task("racer/finish_a_lap").game == "racer"
    with pytest.raises(ConfigError, match="did you mean racer/finish_a_lap"):
        task("racer/finish_lap")
    assert len({t.name for t in ALL_TASKS}) == len(ALL_TASKS)


def test_clearly_better_needs_every_baseline():
    def row(player, wins):
        return Score("t", player, Rate(wins, 20), 0.5, 10, 1.0)

    low = [row(name, 1) for name in ("random", "no input", "mash")]
    assert clearly_better([row("policy", 19), *low], task="t") is True
    assert clearly_better([row("policy", 5), *low], task="t") is False
    assert clearly_better([row("policy", 19), *low[:2]], task="t") is None
