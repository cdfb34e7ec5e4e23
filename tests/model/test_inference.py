import numpy as np
import pytest
import torch
from networks import build, small_config

from nitrogen.actions import Actions
from nitrogen.errors import ActionsError, CheckpointError
from nitrogen.model.inference import ModelPolicy, shrink
from nitrogen.model.network import NitroGen
from nitrogen.model.siglip import normalise
from nitrogen.policy import BatchPolicy, Policy


def frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (256, 256, 3), dtype=np.uint8)


def same(one, other):
    np.testing.assert_array_equal(one.buttons, other.buttons)
    np.testing.assert_allclose(one.sticks, other.sticks, atol=1e-5)


def test_follows_both_protocols():
    policy = ModelPolicy(build())
    assert isinstance(policy, Policy)
    assert isinstance(policy, BatchPolicy)
    plan = policy.act(frame())
    assert isinstance(plan, Actions)
    assert len(plan) == policy.horizon == 4


def test_reset_starts_the_noise_anew():
    policy = ModelPolicy(build())
    first = [policy.act(frame(i)) for i in range(2)]
    policy.reset()
    for i, plan in enumerate(first):
        same(plan, policy.act(frame(i)))


def test_seeds_differ_and_temperature_zero_does_not():
    network = build()
    sticks = [ModelPolicy(network, seed=seed).act(frame()).sticks for seed in (0, 1)]
    assert not np.allclose(*sticks)
    calm = [ModelPolicy(network, seed=s, temperature=0.0).act(frame()).sticks for s in (0, 1)]
    np.testing.assert_allclose(*calm)


def test_batch_rows_equal_single_plans():
    policy = ModelPolicy(build())
    frames = [frame(i) for i in range(3)]
    together = policy.act_batch(frames, [np.random.default_rng(i) for i in range(3)])
    for index in range(3):
        (alone,) = policy.act_batch(frames[index : index + 1], [np.random.default_rng(index)])
        same(together[index], alone)


def test_menu_buttons_are_released_unless_allowed():
    network = build()
    with torch.no_grad():
        network.action_decoder.out.bias += 50
    assert not ModelPolicy(network).act(frame()).button("start").any()
    assert ModelPolicy(network, menu_buttons=True).act(frame()).button("start").all()


def test_shrinking_gives_what_the_network_would():
    large = frame()
    small = shrink(large, 64)
    as_network = normalise(torch.from_numpy(large)[None], 64)
    assert torch.equal(normalise(torch.from_numpy(small)[None], 64), as_network)
    assert np.array_equal(shrink(np.stack([large, large]), 64)[1], small)
    assert shrink(large, 256) is large


def test_plans_continue_in_one_batch_as_they_do_alone():
    policy = ModelPolicy(build())
    committed = [Actions.of("south", length=2), Actions.released(0), Actions.of("east", length=2)]
    frames = [frame(level) for level in (10, 120, 240)]

    def rngs():
        return [np.random.default_rng(seed) for seed in range(3)]

    together = policy.continue_batch(frames, rngs(), committed)
    for row, plan in enumerate(together):
        (alone,) = policy.continue_batch([frames[row]], [rngs()[row]], [committed[row]])
        np.testing.assert_array_equal(plan.buttons, alone.buttons)
        np.testing.assert_allclose(plan.sticks, alone.sticks, atol=1e-5)
        same(plan[: len(committed[row])], committed[row])
    with pytest.raises(ActionsError, match="as many committed"):
        policy.continue_batch(frames, rngs(), committed[:1])


def test_a_continued_plan_begins_with_what_is_committed():
    policy = ModelPolicy(build())
    committed = Actions.of("south", left_x=0.5, length=2)
    plan = policy.continue_plan(frame(), committed)
    assert len(plan) == 4
    same(plan[:2], committed)
    with pytest.raises(ActionsError, match="nothing to plan"):
        policy.continue_plan(frame(), Actions.released(4))


def test_history_of_several_frames():
    policy = ModelPolicy(build(frames=2))
    start = policy.act(frame(1))
    policy.act(frame(0))
    later = policy.act(frame(1))
    assert not np.allclose(start.sticks, later.sticks)
    policy.reset()
    same(policy.act(frame(1)), start)
    seen = np.stack([frame(1), frame(1)])
    same(policy.act_batch([seen], [np.random.default_rng(0)])[0], start)
    with pytest.raises(ActionsError, match=r"\(2, 256, 256, 3\)"):
        policy.act_batch([frame()], [np.random.default_rng(0)])


def test_games_and_guidance():
    network = build(games=("one", "two"))
    plans = {}
    for game in (None, "one"):
        for guidance in (0.0, 1.0, 2.0):
            policy = ModelPolicy(network, game=game, guidance=guidance)
            context = policy.encode_frames(frame()[None])
            values = policy.generate_actions(context, [np.random.default_rng(0)])
            plans[game, guidance] = values.numpy()
    np.testing.assert_allclose(plans["one", 0.0], plans[None, 1.0], atol=1e-5)
    assert not np.allclose(plans["one", 1.0], plans[None, 1.0], atol=1e-3)
    assert not np.allclose(plans["one", 2.0], plans["one", 1.0], atol=1e-3)
    with pytest.raises(CheckpointError, match="one, two"):
        ModelPolicy(network, game="three")


def test_embeddings_can_be_planned_from_more_than_once():
    policy = ModelPolicy(build())
    context = policy.encode_frames(np.stack([frame(0), frame(1)]))
    rngs = [np.random.default_rng(i) for i in (5, 6)]
    values = policy.generate_actions(context, rngs)
    assert values.shape == (2, 4, 25)
    again = policy.generate_actions(context, [np.random.default_rng(i) for i in (5, 6)])
    assert torch.equal(values, again)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((256, 256, 3), np.float32),
        np.zeros((255, 256, 3), np.uint8),
        np.zeros((256, 256, 4), np.uint8),
        np.zeros((256, 256), np.uint8),
        [[0]],
        None,
    ],
)
def test_bad_frames_are_refused(bad):
    policy = ModelPolicy(NitroGen(small_config()))
    with pytest.raises(ActionsError, match="a frame must"):
        policy.act(bad)
    with pytest.raises(ActionsError, match="a frame must"):
        policy.act_batch([bad], [np.random.default_rng(0)])


def test_a_damaged_network_is_named():
    network = build()
    with torch.no_grad():
        network.action_decoder.out.bias[0] = torch.nan
    with pytest.raises(ActionsError, match="NaN"):
        ModelPolicy(network).act(frame())
