"""Policies for tests that worker processes must be able to import."""

from nitrogen.actions import Actions


class SteadyGas:
    """Full gas with a little random steering."""

    def act_batch(self, frames, rngs):
        return [Actions.of("right_trigger", left_x=float(rng.normal() / 9)) for rng in rngs]
