"""`nitrogen benchmark` and `nitrogen results`, as users call them."""

import json
import subprocess
import sys

from serving import Toy, serve

from nitrogen.benchmark.results import read_results


def nitrogen(*words):
    return subprocess.run(
        [sys.executable, "-m", "nitrogen", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_played_in_shards_then_shown_as_one(tmp_path):
    task = "arena/clear_the_waves"
    for part in (1, 2):
        done = nitrogen(
            "benchmark", task, "--episodes", 2, "--workers", 1, "--shard", f"{part}/2", "--out",
            tmp_path / str(part),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    files = [tmp_path / str(part) / "results.jsonl" for part in (1, 2)]

    done = nitrogen("results", *files, "--json", "--html", tmp_path / "r.html")

    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout[: done.stdout.rindex("}") + 1])
    players = {row["player"]: row for row in shown["tasks"][task]["players"]}
    assert players["expert"]["successes"] == players["expert"]["episodes"] == 2
    assert (tmp_path / "r.html").stat().st_size > 1000

    done = nitrogen("results", *files)
    assert "By kind" in done.stdout
    assert "for orientation" in done.stdout


def test_a_served_policy_plays_games_side_by_side_as_it_does_alone(tmp_path):
    toy, played = Toy(), {}
    with serve(toy, max_wait_ms=50) as server:
        warm = len(toy.batches)
        for episodes in (1, 3):
            folder = tmp_path / str(episodes)
            done = nitrogen(
                "benchmark", "arena/clear_the_waves", "--episodes", episodes, "--workers", 1,
                "--policy", server.url, "--out", folder,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            results = read_results(folder / "results.jsonl")
            played[episodes] = [each for each in results if each.player == "policy"]

    assert max(toy.batches[warm:]) == 3
    assert [len(results) for results in played.values()] == [1, 3]
    alone, beside = played[1][0], played[3][0]
    assert alone.trace.frames_hash == beside.trace.frames_hash


def test_results_need_files_that_exist():
    done = nitrogen("results", "nowhere.jsonl")

    assert done.returncode == 1
    assert "no results in nowhere.jsonl" in done.stderr
