import itertools
import warnings

import cv2
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import Actions
from nitrogen.errors import ActionsError, GameError
from nitrogen.mini.env import WORLDS, MiniEnv, find, make
from nitrogen.mini.world import Pad, generators
from nitrogen.play import rollout
from nitrogen.policy import CallPolicy, MashPolicy, Policy, RandomPolicy, ReleasedPolicy

NAMES = [info.name for info in WORLDS]
HELD_OUT = 1_000_000

each_world = pytest.mark.parametrize("name", NAMES)


def play_expert(name: str, seed: int) -> tuple[bool, int]:
    """Success and number of steps of the expert, without drawing."""
    info = find(name)
    world = info.start(generators(seed)[0])
    steps = round(info.time_limit_s * 30)
    for step in range(steps):
        world.step(info.expert(world))
        if world.is_over:
            return world.is_won, step
    return False, steps


@each_world
def test_follows_gymnasium(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(name), skip_render_check=True)


@each_world
def test_expert_wins_held_out_levels(name: str) -> None:
    played = [play_expert(name, HELD_OUT + seed) for seed in range(30)]

    assert all(won for won, _ in played)
    assert 150 < np.median([steps for _, steps in played]) < 600


@each_world
def test_every_seed_makes_a_level(name: str) -> None:
    for seed in range(300):
        find(name).start(generators(seed)[0])


@each_world
def test_expert_wins_through_the_environment(name: str) -> None:
    env = make(name)

    episode = rollout(env, CallPolicy(env.expert), seed=HELD_OUT, frames=env.frames)

    assert episode.success
    assert episode.progress == 1.0
    assert episode.outcome == "terminated"


@each_world
@pytest.mark.parametrize("baseline", ["released", "random", "mash"])
def test_baselines_fail(name: str, baseline: str) -> None:
    env = MiniEnv(name)
    won = 0
    for seed in range(HELD_OUT, HELD_OUT + 5):
        rng = np.random.default_rng(seed)
        policies: dict[str, Policy] = {
            "released": ReleasedPolicy(),
            "random": RandomPolicy(rng),
            "mash": MashPolicy(rng),
        }
        won += rollout(env, policies[baseline], seed=seed, frames=env.frames).success

    assert won == 0


@each_world
def test_same_seed_same_frames(name: str) -> None:
    first, second = make(name), make(name)
    a, _ = first.reset(seed=7)
    b, _ = second.reset(seed=7)
    np.testing.assert_array_equal(a, b)
    for _ in range(60):
        action = first.expert().as_step()
        a, *_, info_a = first.step(action)
        b, *_, info_b = second.step(action)
        np.testing.assert_array_equal(a, b)
        assert info_a == info_b


@each_world
def test_seeds_differ_in_level_and_look(name: str) -> None:
    env = make(name)
    frames = [env.reset(seed=seed)[0] for seed in range(4)]

    for one, other in itertools.pairwise(frames):
        assert np.abs(one.astype(int) - other).mean() > 10


@each_world
@settings(max_examples=10, deadline=None)
@given(start=st.integers(0, 150), seed=st.integers(0, 1000))
def test_a_clone_goes_on_as_the_original(name: str, start: int, seed: int) -> None:
    info = find(name)
    world = info.start(generators(seed)[0])
    rng = np.random.default_rng(seed)
    for _ in range(start):
        world.step(info.expert(world))
    copy = world.clone()
    before = info.expert(copy)
    pads = [
        Pad(*rng.uniform(-1, 1, 4).tolist(), right_trigger=1.0, south=bool(rng.random() < 0.3))
        for _ in range(40)
    ]
    for pad in pads:
        world.step(pad)

    # What the original did since has not touched the copy.
    assert info.expert(copy) == before
    for pad in pads:
        copy.step(pad)

    assert state(copy) == state(world)


def state(world: object) -> dict[str, object]:
    slots = [name for kind in type(world).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(world, name) for name in slots}


@each_world
def test_the_expert_changes_nothing(name: str) -> None:
    env = make(name)
    env.reset(seed=3)
    for _ in range(30):
        env.step(env.expert().as_step())
    before = state(env.world)

    assert env.expert().as_step().keys() == {"buttons", "sticks"}
    assert state(env.world) == before


@each_world
def test_restore_goes_back(name: str) -> None:
    env = make(name)
    env.reset(seed=3)
    saved, frame = env.world.clone(), env.render()
    for _ in range(20):
        env.step(env.expert().as_step())

    env.restore(saved)

    np.testing.assert_array_equal(env.render(), frame)


@each_world
def test_observation_is_the_rendered_picture_squashed(name: str) -> None:
    env = make(name)
    frame, _ = env.reset(seed=5)
    for _ in range(40):
        frame, *_ = env.step(env.expert().as_step())
    large = env.render()

    assert large.shape == (720, 1280, 3)
    squashed = cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(squashed.astype(int) - frame).mean() < 5  # edges


@each_world
def test_time_limit_truncates(name: str) -> None:
    env = MiniEnv(name, render_size=(90, 160), time_limit_s=0.5)
    env.reset(seed=1)
    ends = [env.step(Actions.released(1).as_step())[2:4] for _ in range(15)]

    assert ends == [(False, False)] * 14 + [(False, True)]
    with pytest.raises(GameError, match="call reset"):
        env.step(Actions.released(1).as_step())


def test_losing_terminates_without_success() -> None:
    env = make("platformer")
    env.reset(seed=1)
    terminated = truncated = False
    while not (terminated or truncated):
        _, reward, terminated, truncated, info = env.step(Actions.of(left_x=1.0).as_step())

    assert terminated
    assert not info["success"]
    assert 0 < info["progress"] < 1
    assert info["events"]
    assert reward == 0


@pytest.mark.parametrize(
    "step",
    [
        {"buttons": np.full(17, np.nan), "sticks": np.zeros(4)},
        {"buttons": np.zeros(17), "sticks": np.full(4, 1.5)},
        {"buttons": np.zeros(16), "sticks": np.zeros(4)},
        {"buttons": np.zeros(17)},
    ],
)
def test_bad_actions_are_refused(step: dict[str, np.ndarray]) -> None:
    env = make("arena")
    env.reset(seed=1)

    with pytest.raises(ActionsError):
        env.step(step)


def test_misuse_is_refused() -> None:
    with pytest.raises(GameError, match="did you mean 'racer'"):
        make("racr")
    with pytest.raises(GameError, match="render_size"):
        MiniEnv("racer", render_size=(0, 0))
    with pytest.raises(GameError, match="time_limit_s"):
        MiniEnv("racer", time_limit_s=0)
    env = make("racer")
    for use in (env.expert, env.render, lambda: env.step(Actions.released(1).as_step())):
        with pytest.raises(GameError, match="call reset"):
            use()
    with pytest.raises(GameError, match="no reset options"):
        env.reset(seed=1, options={"level": 2})
    env.reset(seed=1)
    env.close()
    env.close()
    with pytest.raises(GameError, match="call reset"):
        env.step(Actions.released(1).as_step())


def test_a_goal_ends_the_episode_where_it_is_reached() -> None:
    env = MiniEnv("maze", goal="gather_the_gems")
    own = make("maze")

    episode = rollout(env, CallPolicy(env.expert), seed=HELD_OUT, frames=env.frames)
    whole = rollout(own, CallPolicy(own.expert), seed=HELD_OUT, frames=own.frames)

    assert episode.success
    assert episode.progress == 1.0
    assert not env.world.is_over
    assert episode.frames < whole.frames


def test_a_goal_can_fail_where_the_world_goes_on() -> None:
    env = MiniEnv("racer", goal="clean_lap")
    env.reset(seed=1)
    terminated = False
    while not terminated:
        step = Actions.of(right_trigger=1.0).as_step()
        _, _, terminated, _, info = env.step(step)

    assert "left the road" in info["events"]
    assert not info["success"]
    assert not env.world.is_over
    with pytest.raises(GameError, match="call reset"):
        env.step(step)
    env.reset(seed=1)
    assert not env.step(step)[2]


def test_a_goal_has_a_time_limit_of_its_own() -> None:
    assert MiniEnv("arena", goal="ten_quickly").frames == 270
    assert MiniEnv("arena", goal="ten_quickly", time_limit_s=2.0).frames == 60
    assert make("arena").frames == 600


def test_unknown_goals_are_refused() -> None:
    with pytest.raises(GameError, match="further goals: \\['clean_lap'\\]"):
        MiniEnv("racer", goal="fly")
