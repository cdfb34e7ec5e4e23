import dataclasses
import json

import gymnasium
import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark.demonstrate import FAILURES, DemonstrateConfig, demonstrate
from nitrogen.benchmark.demonstration import Demonstration, Facts, Replays, cost_table
from nitrogen.benchmark.making import Stumbling, replay
from nitrogen.benchmark.search import SearchConfig, moves, platform_moves, search
from nitrogen.benchmark.suite import search_for, task
from nitrogen.benchmark.trace import TracedEnv
from nitrogen.errors import ConfigError, DataError, GameError
from nitrogen.mini.env import MiniEnv
from nitrogen.policy import ReleasedPolicy


class SavingEnv(gymnasium.Wrapper):
    """A built-in game with the save-states of a real one."""

    def __init__(self, name):
        super().__init__(MiniEnv(name))

    def save(self):
        return self.env.world.clone(), self.env._frame_index

    def restore(self, state):
        self.env._frame_index = state[1]
        return self.env.restore(state[0].clone())

    def forget(self, state):
        pass

    def info(self):
        return self.env._info()

    def send(self, action, *, frames=None):
        self._sent = action, frames or 1

    def receive(self):
        action, frames = self._sent
        for _ in range(frames):
            result = self.step(action)
            if result[2] or result[3]:
                break
        return result


def searched_task():
    return dataclasses.replace(
        task("platformer/reach_the_flag"), make=lambda: SavingEnv("platformer"), has_expert=False
    )


HOW = SearchConfig(
    propose=moves(
        ((3, ("south",), {"left_x": 1.0}), (3, (), {"left_x": 1.0}), (1, (), {"left_x": -0.5})),
        lengths=(4, 8, 16),
    ),
    points=24,
)


def test_a_search_finds_what_then_repeats_and_varies(tmp_path):
    chosen = searched_task()
    config = DemonstrateConfig(count=4, max_frames=40_000, tries=30)
    made = []

    paths = demonstrate(chosen, config, out=tmp_path, how=HOW, on_demonstration=made.append)

    assert made[0].facts.origin == "search"
    assert (tmp_path / "search-0.npz") in paths
    env = TracedEnv(chosen.make)
    for path in paths:
        kept = Demonstration.load(path)
        episode, trace = replay(env, chosen, kept.actions, kept.facts.seed)
        assert episode.success
        assert trace.frames_hash == kept.facts.frames_hash
        assert episode.frames == len(kept.actions)
    rows = cost_table(made)
    assert rows[0][0] == "search"
    assert {made[index].facts.origin for index in (1, 2)} == {"variant", "branch"}
    assert len({each.facts.frames_hash for each in made}) == len(made)

    again = []
    demonstrate(chosen, config, out=tmp_path, how=HOW, on_demonstration=again.append)
    assert len(again) <= config.count - len(paths)  # only what failed is tried again


def test_an_expert_stumbles_and_still_wins(tmp_path):
    chosen = task("racer/finish_a_lap")

    paths = demonstrate(chosen, DemonstrateConfig(count=2), out=tmp_path)

    assert paths
    lengths = {len(Demonstration.load(path).actions) for path in paths}
    assert len(lengths) == len(paths)


def test_a_search_that_ends_without_success_says_how_far_it_came(tmp_path):
    chosen = searched_task()
    config = DemonstrateConfig(count=1, max_frames=100)

    with pytest.raises(GameError, match=r"furthest: \d+%"):
        demonstrate(chosen, config, out=tmp_path, how=HOW)
    assert not list(tmp_path.glob("*.npz"))
    tried = [json.loads(line) for line in (tmp_path / FAILURES).read_text().splitlines()]
    assert [each["file"] for each in tried] == ["search-0.npz", "search-1.npz", "search-2.npz"]
    assert all("furthest" in each["reason"] for each in tried)


def test_the_same_seed_searches_the_same_way():
    found = [
        search(
            SavingEnv("platformer"),
            seed=4,
            rng=np.random.default_rng(1),
            config=dataclasses.replace(HOW, max_frames=60_000),
        )
        for _ in range(2)
    ]

    assert found[0].frames_spent == found[1].frames_spent
    np.testing.assert_array_equal(found[0].actions.buttons, found[1].actions.buttons)


class KilledError(Exception):
    pass


def test_a_killed_search_goes_on_to_the_same_end(tmp_path, monkeypatch):
    monkeypatch.setattr("nitrogen.benchmark.search.JOURNAL_EVERY", 300)
    config = dataclasses.replace(HOW, max_frames=60_000)
    journal = tmp_path / "search.json"

    def kill(progress):
        if progress.frames > 700:
            raise KilledError

    def run(**options):
        rng = np.random.default_rng(1)
        return search(SavingEnv("platformer"), seed=4, rng=rng, config=config, **options)

    whole = run()
    assert whole.frames_spent > 1_200
    with pytest.raises(KilledError):
        run(journal=journal, on_progress=kill)
    assert journal.exists()
    with pytest.raises(DataError, match="another search"):
        search(
            SavingEnv("platformer"), seed=5, rng=np.random.default_rng(1), config=config,
            journal=journal,
        )  # fmt: skip

    resumed = run(journal=journal)

    assert resumed.frames_spent == whole.frames_spent
    np.testing.assert_array_equal(resumed.actions.buttons, whole.actions.buttons)
    np.testing.assert_array_equal(resumed.actions.sticks, whole.actions.sticks)
    assert not journal.exists()


@pytest.mark.game
@pytest.mark.slow
def test_workers_make_what_one_process_makes(tmp_path):
    chosen = task("starfighter/seven_in_fifteen")
    if (reason := chosen.missing()) is not None:
        pytest.skip(reason)
    base = Demonstration.load(chosen.demonstration)
    hashes = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        base.save(out / "search-0.npz")
        config = DemonstrateConfig(count=3, workers=workers, tries=3, branch_frames=3_000)
        paths = demonstrate(chosen, config, out=out, how=search_for(chosen.name))
        hashes.append({path.name: Demonstration.load(path).facts.frames_hash for path in paths})

    assert hashes[0] == hashes[1]
    assert len(hashes[0]) > 1


def test_held_out_seeds_are_not_demonstrated():
    with pytest.raises(ConfigError, match="held out"):
        DemonstrateConfig(seed=1_000_000)


def test_what_is_no_demonstration_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="no demonstration"):
        Demonstration.load(path)
    np.savez(path, buttons=np.zeros((1, 17)), sticks=np.zeros((1, 4)), facts="{}")
    with pytest.raises(DataError, match="expected format"):
        Demonstration.load(path)


def test_stumbling_interrupts_but_does_not_delay():
    policy = Stumbling(ReleasedPolicy(), np.random.default_rng(0), platform_moves, chance=0.1)
    policy.reset()
    rows = Actions.concatenate([policy.act(None) for _ in range(500)])
    pushed = rows.stick("left_x") != 0

    assert len(rows) == 500
    assert 0.1 < pushed.mean() < 0.6


def test_replays_take_the_next_one_with_each_episode(tmp_path):
    chosen = task("racer/finish_a_lap")
    for seed in (3, 5):
        facts = Facts(
            task=chosen.name, seed=seed, origin="expert", frames_spent=1, seconds=0.0,
            frames_hash="", versions={},
        )  # fmt: skip
        actions = Actions.of(left_x=seed / 10, length=2)
        Demonstration(actions, facts).save(tmp_path / f"expert-{seed}.npz")

    replays = Replays.of(chosen.name, tmp_path)

    assert replays.seeds == [3, 5]
    for seed in (3, 5):
        replays.reset()
        assert replays.act(None).stick("left_x")[0] == pytest.approx(seed / 10)
    with pytest.raises(DataError, match="nitrogen demonstrate arena/clear_the_waves"):
        Replays.of("arena/clear_the_waves", tmp_path)
