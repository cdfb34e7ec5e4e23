"""Games of other packages, played for real; those that are not installed are skipped by name."""

import dataclasses
import sys

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.benchmark import extras
from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.making import replay
from nitrogen.benchmark.run import EXPERT
from nitrogen.benchmark.trace import TracedEnv
from nitrogen.errors import GameError
from nitrogen.mini.adapters import car_racing
from nitrogen.mini.adapters.base import AdapterEnv, direction, is_held
from nitrogen.mini.adapters.catalog import GAMES
from nitrogen.play import rollout
from nitrogen.policy import ReleasedPolicy

each_task = pytest.mark.parametrize("task", extras.TASKS, ids=lambda task: task.name)


def playable(task):
    reason = task.missing()
    if reason is not None:
        pytest.skip(f"{task.name}: {reason}")
    return task


def shortened(task):
    """The same, short enough for a test: a twelfth of the track."""
    if task.game != "car_racing":
        return task
    game = next(game for game in GAMES if game.name == task.name)
    short = dataclasses.replace(game, make=lambda: car_racing.Track(1 / 12))
    return dataclasses.replace(task, make=lambda: AdapterEnv(short))


@each_task
@pytest.mark.filterwarnings("ignore")  # of those packages
def test_good_play_succeeds_and_the_same_seed_repeats(task):
    task = shortened(playable(task))
    env = TracedEnv(task.make)
    try:
        if task.has_expert:
            played = [
                (rollout(env, EXPERT.policy(env, None), seed=1, frames=400), env.traces[1])
                for _ in range(2)
            ]
        else:
            made = Demonstration.load(task.demonstration)
            played = [replay(env, task, made.actions, made.facts.seed) for _ in range(2)]
    finally:
        env.close()

    (first, trace), (second, again) = played
    assert first.success
    assert first.progress == 1.0
    assert (first.frames, trace) == (second.frames, again)


@each_task
@pytest.mark.filterwarnings("ignore")  # of those packages
def test_touching_nothing_fails_and_seeds_differ(task):
    task = playable(task)
    env = task.make()
    try:
        starts = [env.reset(seed=seed)[0] for seed in (1, 1, 3)]
        episode = rollout(env, ReleasedPolicy(), seed=2, frames=60)
        picture = env.render()
    finally:
        env.close()

    assert starts[0].shape == (256, 256, 3)
    assert np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[1], starts[2])
    assert not episode.success
    assert episode.progress < 0.5
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3


def test_what_is_not_installed_is_named(monkeypatch):
    for name in {game.module for game in GAMES}:
        monkeypatch.setitem(sys.modules, name, None)
    for game in GAMES:
        with pytest.raises(Exception, match=rf"nitrogen\[{game.extra}\]"):
            AdapterEnv(game)


def test_stick_and_pad_push_in_eight_directions():
    assert direction(Actions.of(left_x=0.6, left_y=-0.4)) == (1, 0)
    assert direction(Actions.of("dpad_down", left_x=-1.0)) == (-1, 1)
    assert is_held(Actions.of(right_trigger=0.6), "south", "right_trigger")
    assert not is_held(Actions.of("east"), "south", "right_trigger")


def test_an_episode_must_have_begun():
    task = next(task for task in extras.TASKS if task.game == "car_racing")
    env = playable(task).make()
    with pytest.raises(GameError, match="call reset first"):
        env.render()
    env.close()


@pytest.mark.filterwarnings("ignore")
def test_closed_miniworld_rooms_are_used_again_as_new():
    task = playable(next(task for task in extras.TASKS if task.game == "miniworld"))
    made, frames = [], []
    for _ in range(3):
        env = task.make()
        frames.append(env.reset(seed=4)[0])
        made.append(env._original._env)
        env.step(Actions.of(left_y=-1.0).as_step())
        env.close()
    assert made[0] is made[1] is made[2]
    assert np.array_equal(frames[0], frames[1])
    assert np.array_equal(frames[0], frames[2])
    with pytest.raises(GameError, match="closed: make a new environment"):
        env.reset(seed=4)
