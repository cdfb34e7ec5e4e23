import dataclasses
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from players import SteadyGas

from nitrogen.actions import Actions
from nitrogen.benchmark.config import RunConfig
from nitrogen.benchmark.live import LivePolicy
from nitrogen.benchmark.results import (
    Score,
    as_json,
    clearly_better,
    merge,
    read_results,
    read_skipped,
    scores,
    write_results,
)
from nitrogen.benchmark.run import BASELINE_PLAYERS, EXPERT, Player, run
from nitrogen.benchmark.suite import ALL_TASKS, task
from nitrogen.errors import ConfigError, DataError, GameMissingError
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import starfighter
from nitrogen.simulator.linux import is_installed
from nitrogen.stats import Mean, Rate


def short(name="racer/finish_a_lap", frames=40):
    return dataclasses.replace(task(name), frames=frames)


def test_every_player_plays_every_seed(tmp_path):
    players = [Player(name="policy", batch_policy=SteadyGas), EXPERT, *BASELINE_PLAYERS]
    seen = []

    results = run(
        [short()],
        players,
        RunConfig(episodes=3, workers=1),
        out=tmp_path / "r.jsonl",
        on_result=seen.append,
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
        run(
            [short()],
            players,
            RunConfig(episodes=4, workers=workers),
            out=tmp_path / f"{workers}.jsonl",
        )
        for workers in (1, 2)
    )

    for one, two in zip(alone, together, strict=True):
        assert (one.task, one.player, one.episode.seed) == (two.task, two.player, two.episode.seed)
        assert one.episode.frames == two.episode.frames
        assert one.episode.progress == two.episode.progress


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    out = tmp_path / "r.jsonl"
    whole = run([short()], BASELINE_PLAYERS, RunConfig(episodes=4, workers=1), out=out)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:5]) + lines[5][:20])
    played = []

    again = run(
        [short()],
        BASELINE_PLAYERS,
        RunConfig(episodes=4, workers=1),
        out=out,
        on_result=played.append,
    )

    assert len(played) == 7
    assert len(again) == len(whole) == 12
    assert len(read_results(out)) == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [t.name for t in ALL_TASKS if t.suite == "mini" and t.game != "doom"]
)
def test_experts_win_and_those_who_do_not_look_lose(name, tmp_path):
    results = run(
        [task(name)],
        [EXPERT, *BASELINE_PLAYERS],
        RunConfig(episodes=3, workers=1),
        out=tmp_path / "r.jsonl",
    )

    for row in scores(results):
        assert (row.rate.rate >= 2 / 3) == (row.player == "expert"), row


def test_missing_games_are_named_before_anything_is_played(tmp_path):
    gone = dataclasses.replace(short(), missing=lambda: "not installed; get it with apt")

    with pytest.raises(GameMissingError, match=r"racer/finish_a_lap: not installed; get it"):
        run([gone], BASELINE_PLAYERS, RunConfig(episodes=1), out=tmp_path / "r.jsonl")


def test_tasks_are_found_by_name():
    assert task("racer/finish_a_lap").game == "racer"
    with pytest.raises(ConfigError, match="did you mean racer/finish_a_lap"):
        task("racer/finish_lap")
    assert len({t.name for t in ALL_TASKS}) == len(ALL_TASKS)


def test_clearly_better_needs_every_baseline():
    def row(player, wins):
        return Score("t", player, Rate(wins, 20), Mean.of([0.5]), 10, 1.0)

    low = [row(name, 1) for name in ("random", "no input", "mash")]
    assert clearly_better([row("policy", 19), *low], task="t") is True
    assert clearly_better([row("policy", 5), *low], task="t") is False
    assert clearly_better([row("policy", 19), *low[:2]], task="t") is None


def test_shards_are_parts_of_the_whole_and_merge(tmp_path):
    config = RunConfig(episodes=5, workers=1)
    whole = run([short()], BASELINE_PLAYERS, config, out=tmp_path / "whole.jsonl")
    files = []
    for part in (1, 2):
        files.append(tmp_path / f"{part}.jsonl")
        config = RunConfig(episodes=5, workers=1, shard=f"{part}/2")
        run([short()], BASELINE_PLAYERS, config, out=files[-1])

    merged = merge([*files, files[0]])

    def key(result):
        return result.player, result.episode.seed

    assert len(merged) == len(whole) == 15
    for one, two in zip(sorted(merged, key=key), sorted(whole, key=key), strict=True):
        assert key(one) == key(two)
        assert one.trace == two.trace
    write_results(tmp_path / "merged.jsonl", merged, {"etr/x": "not installed"})
    assert read_results(tmp_path / "merged.jsonl") == merged
    assert read_skipped(tmp_path / "merged.jsonl") == {"etr/x": "not installed"}


@pytest.mark.parametrize("shard", ["0/2", "3/2", "x", "1/"])
def test_a_shard_is_a_part_of_something(shard):
    with pytest.raises(ConfigError, match="shard"):
        RunConfig(shard=shard)


def test_files_that_disagree_are_not_merged(tmp_path):
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    run([short()], BASELINE_PLAYERS[:1], RunConfig(episodes=1, workers=1), out=one)
    two.write_text(one.read_text().replace('"frames": 40', '"frames": 39'))

    with pytest.raises(DataError, match="ended otherwise"):
        merge([one, two])


def test_the_same_seed_twice_gives_the_same_pictures(tmp_path):
    first, second, other = (
        run(
            [short()],
            BASELINE_PLAYERS[:1],
            RunConfig(episodes=2, workers=1, seed=seed),
            out=tmp_path / name,
        )
        for name, seed in (("a", 7), ("b", 7), ("c", 9))
    )

    assert [r.trace.frames_hash for r in first] == [r.trace.frames_hash for r in second]
    hashes = [r.trace.frames_hash for r in (*first, *other)]
    assert len(set(hashes)) == 4
    assert first[0].versions["nitrogen"]


def test_live_results_stand_apart(tmp_path):
    out = tmp_path / "r.jsonl"
    for live in (False, True):
        config = RunConfig(episodes=2, workers=1, live=live)
        run([short()], [Player(name="policy", batch_policy=SteadyGas)], config, out=out)

    assert [row.mode for row in scores(read_results(out))] == ["paused", "live"]


def test_live_play_goes_on_while_the_policy_plans():
    now = [0.0]
    plan = Actions.concatenate([Actions.of(left_x=x / 10) for x in range(8)])

    class Slow:
        def reset(self):
            pass

        def act(self, frame):
            now[0] += 0.1  # three frames at 30 Hz
            return plan

    live = LivePolicy(Slow(), rate_hz=30, execute=2, clock=lambda: now[0])
    live.reset()
    first, second = live.act(None), live.act(None)

    np.testing.assert_allclose(first.stick("left_x"), [0, 0, 0, 0.3, 0.4])
    np.testing.assert_allclose(second.stick("left_x"), [0.5, 0.6, 0.7, 0.3, 0.4])
    assert live.late_frames == 6


class Saboteur:
    """Sends a signal to the game's process after some frames."""

    def __init__(self, env, signal_number):
        self.env, self.signal, self.frames = env, signal_number, 0

    def reset(self):
        self.frames = 0

    def act(self, frame):
        self.frames += 1
        if self.frames == 20:
            os.kill(self.env.unwrapped._session.live.pid, self.signal)
        return Actions.released(1)


@pytest.mark.game
@pytest.mark.parametrize(("name", "fault"), [("SIGKILL", "crashed"), ("SIGSTOP", "hung")])
def test_a_game_that_fails_is_a_result(name, fault, tmp_path):
    game = dataclasses.replace(starfighter.GAME, step_limit_s=0.5)
    if not is_installed(game):
        pytest.skip("starfighter is not installed")
    broken = dataclasses.replace(
        short(), name="starfighter/break", make=lambda: GameEnv(game), suite="open-10"
    )
    players = [
        Player(name="vandal", policy=lambda env, rng: Saboteur(env, getattr(signal, name))),
        BASELINE_PLAYERS[1],
    ]

    results = run([broken], players, RunConfig(episodes=2, workers=1), out=tmp_path / "r.jsonl")

    assert [result.trace.fault for result in results] == [fault, fault, "", ""]
    assert "starfighter" in results[0].trace.reason
    assert [result.episode.frames for result in results] == [20, 20, 40, 40]
    assert [row.faults for row in scores(results)] == [2, 0]


@pytest.mark.slow
def test_ray_plays_the_same_episodes(tmp_path):
    pytest.importorskip("ray")
    here, there = (
        run(
            [short()],
            BASELINE_PLAYERS[:1],
            RunConfig(episodes=4, workers=1, engine=engine),
            out=tmp_path / f"{engine}.jsonl",
        )
        for engine in ("processes", "ray")
    )

    assert [r.trace for r in here] == [r.trace for r in there]


@pytest.mark.slow
def test_five_hundred_episodes_leave_nothing_behind(tmp_path):
    """No process, no file, no memory: in one process, as a long shard plays them."""

    def resident_kib():
        return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])

    def left():
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return len(children), len([*Path("/proc/self/fd").iterdir()])

    task_ = dataclasses.replace(short(), frames=3)
    run([task_], BASELINE_PLAYERS[:1], RunConfig(episodes=50, workers=1), out=tmp_path / "a.jsonl")
    before, resident = left(), resident_kib()

    config = RunConfig(episodes=500, workers=1)
    results = run([task_], BASELINE_PLAYERS[:1], config, out=tmp_path / "b.jsonl")

    assert len(results) == 500
    assert left() == before
    assert resident_kib() - resident < 60_000
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "b.jsonl"}
