import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nitrogen.model import flow
from nitrogen.model.flow import FlowConfig


@pytest.mark.parametrize("solver", ["euler", "midpoint"])
def test_integrate_is_exact_on_straight_paths(solver):
    target, noise = torch.randn(3, 16, 25), torch.randn(3, 16, 25)

    def toward_target(x, t):
        return (target - x) / (1 - t[:, None, None])

    reached = flow.integrate(toward_target, noise, steps=16, solver=solver)

    torch.testing.assert_close(reached, target, atol=1e-5, rtol=1e-5)


def test_midpoint_is_more_exact_than_euler():
    noise = torch.zeros(1, 1, 1)
    exact = torch.tensor(1.0).exp() - 1  # of dx/dt = x + 1 from 0
    errors = [
        (flow.integrate(lambda x, t: x + 1, noise, steps=8, solver=solver) - exact).abs().item()
        for solver in ("euler", "midpoint")
    ]
    assert errors[1] < errors[0] / 10


@given(steps=st.integers(1, 40))
def test_times_are_those_at_which_integrate_asks(steps):
    for solver in ("euler", "midpoint"):
        asked = []

        def note(x, t, asked=asked):
            asked.append(t.item())
            return torch.zeros_like(x)

        flow.integrate(note, torch.zeros(1, 2, 3), steps, solver=solver)
        assert asked == pytest.approx(flow.times(steps, solver), abs=1e-6)


def test_published_buckets():
    times = torch.tensor(flow.times(16))
    expected = [int(i / 16 * 1000) for i in range(16)]  # 0, 62, 125, ..., 937
    assert flow.bucket(times, FlowConfig()).tolist() == expected


def test_prefix_is_kept_and_steers_only_through_the_velocity():
    noise, prefix = torch.randn(2, 6, 3), torch.randn(2, 2, 3)

    def velocity(x, t):
        return x.mean(dim=1, keepdim=True).expand_as(x)

    plan = flow.integrate(velocity, noise, 8, prefix=prefix)
    torch.testing.assert_close(plan[:, :2], prefix)
    free = flow.integrate(velocity, noise, 8)
    assert not torch.allclose(plan[:, 2:], free[:, 2:])


def test_drawn_times_follow_the_beta_distribution():
    config = FlowConfig()
    times = flow.draw_times(40_000, config, torch.Generator().manual_seed(0))
    s = torch.distributions.Beta(config.alpha, config.beta)
    assert times.mean().item() == pytest.approx(config.scale * (1 - s.mean.item()), abs=0.005)
    assert times.std().item() == pytest.approx(config.scale * s.stddev.item(), abs=0.005)
    assert times.min() >= 0
    assert times.max() <= config.scale
    again = flow.draw_times(40_000, config, torch.Generator().manual_seed(0))
    assert torch.equal(times, again)


def test_interpolate_ends():
    actions, noise = torch.randn(2, 4, 3), torch.randn(2, 4, 3)
    for t, end in ((0.0, noise), (1.0, actions)):
        x, velocity = flow.interpolate(actions, noise, torch.full((2,), t))
        torch.testing.assert_close(x, end)
        torch.testing.assert_close(velocity, actions - noise)
