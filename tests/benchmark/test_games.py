"""Judges of real games, in both directions: what reaches the goal, and what does not."""

import functools

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark.config import EVALUATION_SEEDS
from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.games.base import Levels, Reading, StateJudge, start_of
from nitrogen.benchmark.making import replay
from nitrogen.benchmark.suite import OPEN_TASKS
from nitrogen.benchmark.trace import TracedEnv
from nitrogen.errors import GameError
from nitrogen.simulator.game import ExitJudge, Game

pytestmark = pytest.mark.game

READY = [each for each in OPEN_TASKS if each.task.is_ready]
each_ready_task = pytest.mark.parametrize("each", READY, ids=lambda each: each.task.name)
CHUNK = 60


def playable(each):
    reason = each.task.missing()
    if reason is not None:
        pytest.skip(f"{each.task.name}: {reason}")
    return each.task


def play_quickly(task, seed, next_actions):
    """To the time limit, looking at every 60th frame only."""
    env = task.make()
    try:
        _, info = env.reset(seed=seed)
        played = 0
        while played < task.frames:
            frames = min(CHUNK, task.frames - played)
            env.send(next_actions().as_step(), frames=frames)
            _, _, terminated, _, info = env.receive()
            played += frames
            if terminated:
                break
    finally:
        env.close()
    return info


def replay_demonstration(task):
    """In a game of its own: the episode, its trace and how many actions were played."""
    made = Demonstration.load(task.demonstration)
    env = TracedEnv(task.make)
    try:
        return *replay(env, task, made.actions, made.facts.seed), len(made.actions)
    finally:
        env.close()


first_replay = functools.cache(replay_demonstration)


@pytest.mark.slow
@each_ready_task
def test_a_demonstration_is_judged_a_success(each):
    episode, _, length = first_replay(playable(each))

    assert episode.success
    assert episode.outcome == "terminated"
    assert episode.frames == length


def shortest_of_each_game():
    """The task of each game whose demonstration is the shortest."""
    found = {}
    for each in READY:
        length = len(Demonstration.load(each.task.demonstration).actions)
        found.setdefault(each.task.game, []).append((length, each.task.name, each))
    return [min(some)[2] for some in found.values()]


@pytest.mark.slow
@pytest.mark.parametrize("each", shortest_of_each_game(), ids=lambda each: each.task.name)
def test_the_same_seed_gives_the_same_verdict_and_pictures(each):
    task = playable(each)
    once, trace, _ = first_replay(task)
    again, same, _ = replay_demonstration(task)

    assert trace.frames_hash == same.frames_hash
    assert (once.success, once.frames) == (again.success, again.frames)


@pytest.mark.slow
@each_ready_task
def test_touching_nothing_is_judged_a_failure(each):
    info = play_quickly(playable(each), 0, lambda: Actions.released(1))

    assert not info["success"]
    assert 0 <= info["progress"] < 1


@pytest.mark.slow
@each_ready_task
def test_holding_the_wrong_way_is_judged_a_failure(each):
    wrong = Actions.of(left_x=-1.0, left_y=1.0)
    info = play_quickly(playable(each), 1, lambda: wrong)

    assert not info["success"]
    assert 0 <= info["progress"] < 1


class Countdown(StateJudge):
    """Reads a list."""

    def __init__(self, readings):
        super().__init__()
        self.readings = list(readings)

    def find(self, view):
        pass

    def read(self, view):
        return self.readings.pop(0)


def test_progress_never_goes_back_and_one_is_success():
    judge = Countdown([Reading(0.5), Reading(0.2), Reading(1.0)])
    verdicts = [judge.on_start(None), judge.on_frame(None), judge.on_frame(None)]

    assert [verdict.progress for verdict in verdicts] == [0.5, 0.5, 1.0]
    assert [verdict.success for verdict in verdicts] == [False, False, True]
    assert [verdict.terminated for verdict in verdicts] == [False, False, True]


def test_failing_wins_over_reaching():
    judge = Countdown([Reading(0.5), Reading(1.0, "died")])
    judge.on_start(None)
    verdict = judge.on_frame(None)

    assert verdict.terminated
    assert not verdict.success
    assert verdict.progress < 1
    assert verdict.events == ("died",)
    assert not judge.on_exit(0).success


def test_the_seed_decides_how_late_an_episode_begins():
    levels, vary = READY[0].task.make.args[0].args
    starts = {len(start_of(levels, vary, seed).startup) for seed in range(40)}

    assert min(starts) >= len(levels.training[0].startup)
    assert len(starts) > 15
    assert start_of(levels, vary, 3) is start_of(levels, vary, 3)


def test_held_out_seeds_see_levels_that_no_other_seed_sees():
    one, two, three = (Game(name=name, command=(name,)) for name in ("one", "two", "three"))
    levels = Levels(training=(one, two), held_out=(three,))

    assert {levels.of(seed).name for seed in range(6)} == {"one", "two"}
    assert {levels.of(EVALUATION_SEEDS + seed).name for seed in range(6)} == {"three"}
    assert levels.judged(ExitJudge).of(0).judge is ExitJudge


@pytest.mark.parametrize(
    "name", ["freedoom", "starfighter", "blobwars", "mrboom", "flare", "neverball", "neverputt"]
)
def test_judges_say_so_where_their_variables_are_not(name):
    """On the memory of another program, this one."""
    import os

    from nitrogen.simulator.memory import Memory

    each = next(each for each in OPEN_TASKS if each.task.game == name)
    judge = each.task.make.args[0].args[0].of(0).judge()

    class View:
        memory = Memory(os.getpid())
        time_s = 0.0

    with View.memory, pytest.raises(GameError):
        judge.on_start(View())


def test_open_tasks_have_names_goals_and_limits_of_their_own():
    names = [each.task.name for each in OPEN_TASKS]
    assert len(set(names)) == len(names)
    assert len({each.task.goal for each in OPEN_TASKS}) == len(names)
    for each in OPEN_TASKS:
        assert each.task.suite == "open-10"
        assert 10 <= each.task.frames / each.task.rate_hz <= 300
    assert len(np.unique([each.task.game for each in OPEN_TASKS])) >= 4
