"""Real time: the game does not wait; the policy plans on from what is committed."""

import time
from pathlib import Path

import numpy as np
import pytest

from nitrogen.actions import Actions, Frame
from nitrogen.errors import GameError
from nitrogen.policy import ReplayPolicy
from nitrogen.simulator import linux, realtime
from nitrogen.simulator.film import FILM_HZ, RealtimeFilm
from nitrogen.simulator.game import Game
from nitrogen.simulator.games import starfighter, supertux
from nitrogen.video.info import probe

pytestmark = pytest.mark.game
HORIZON = 30


def needs(game: Game) -> Game:
    if not linux.is_installed(game):
        pytest.skip(f"needs {game.title}: apt-get install {' '.join(game.packages)}")
    return game


class SlowPolicy:
    """Takes its time, counts what it plans in the left stick, and remembers what it was told."""

    horizon = HORIZON

    def __init__(self, seconds: float) -> None:
        self.seconds, self.plans = seconds, 0
        self.committed: list[int] = []

    def reset(self) -> None:
        self.plans, self.committed = 0, []

    def act(self, frame: Frame) -> Actions:
        return self.continue_plan(frame, Actions.released(0))

    def continue_plan(self, frame: Frame, committed: Actions) -> Actions:
        assert frame.shape == (256, 256, 3)
        time.sleep(self.seconds)
        self.plans += 1
        self.committed.append(len(committed))
        fresh = Actions.of(length=HORIZON - len(committed), left_x=min(self.plans / 1000, 1.0))
        return Actions.concatenate([committed, fresh])


def test_the_policy_plans_ahead_and_the_game_does_not_wait():
    policy = SlowPolicy(0.08)
    assert isinstance(policy, realtime.PlansOn)
    moments: list[realtime.Moment] = []
    report = realtime.play(
        needs(starfighter.GAME), policy, seconds=2.5, execute=2, on_frame=moments.append
    )
    assert report.virtual_s == pytest.approx(report.real_s, abs=0.5)
    assert len(moments) == report.frames - report.missed_frames
    assert report.plans == pytest.approx(policy.plans, abs=1)
    assert report.plan_ms[0] >= 80
    assert report.frame_age_ms[0] >= 80
    assert 0 < report.unplanned_frames < report.frames  # only until the first plan
    assert max(policy.committed) >= 0.08 * 60  # what is played while it plans
    held = [float(moment.plan.sticks[0, 0]) for moment in moments]
    assert held == sorted(held)  # each plan joins on to the one before
    assert moments[-1].frame.any()
    assert '"late_plans"' in report.to_json()


def test_a_policy_without_continuation_plays_too_and_the_judge_decides():
    game = needs(supertux.GAME)
    right = ReplayPolicy(Actions.of(length=2000, left_x=1.0))
    report = realtime.play(game, right, seconds=20.0, execute=1)  # into the first enemy
    assert report.virtual_s < 19
    assert not report.success
    assert 0 < report.progress < 1


def test_an_error_of_the_policy_comes_through():
    class Broken(ReplayPolicy):
        def __init__(self) -> None:
            super().__init__(Actions.released(1))
            self._calls = 0

        def act(self, frame: Frame) -> Actions:
            self._calls += 1
            if self._calls > 3:
                raise FloatingPointError("no number")
            return super().act(frame)

    with pytest.raises(FloatingPointError, match="no number"):
        realtime.play(needs(starfighter.GAME), Broken(), seconds=5.0)
    with pytest.raises(GameError, match="seconds"):
        realtime.play(starfighter.GAME, Broken(), seconds=0)


def test_the_film_lasts_as_long_as_the_play(tmp_path: Path):
    game = needs(starfighter.GAME)
    film = RealtimeFilm(title="Starfighter", size=game.size)
    policy = ReplayPolicy(Actions.of(length=100, left_x=1.0))
    report = realtime.play(game, policy, seconds=1.0, on_frame=film.on_frame)
    film.write(tmp_path / "film.mp4")
    info = probe(tmp_path / "film.mp4")
    assert (info.width, info.height) == (1280, 720)
    assert info.frame_count / FILM_HZ == pytest.approx(report.virtual_s, abs=0.3)
    assert not np.isnan(report.frame_age_ms[0])
