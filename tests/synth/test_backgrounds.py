import itertools

import numpy as np
import pytest

from nitrogen.errors import ConfigError, VideoError
from nitrogen.mini.env import make
from nitrogen.synth.backgrounds import GAMES, background, expert_actions
from nitrogen.video.writing import VideoWriter


@pytest.mark.parametrize("name", [*GAMES, "game", "plain"])
def test_backgrounds_are_pictures(name):
    frames = list(itertools.islice(background(name, seed=4, rate_hz=30), 3))

    assert all(frame.dtype == np.uint8 and frame.ndim == 3 for frame in frames)
    again = next(background(name, seed=4, rate_hz=30))
    np.testing.assert_array_equal(frames[0], again)


def test_a_video_is_played_at_its_own_speed_and_over_again(tmp_path):
    path = tmp_path / "steps.mp4"
    with VideoWriter(path, (64, 64), rate_hz=30, crf=10) as writer:
        for level in (0, 60, 120, 180, 240):
            writer.write(np.full((64, 64, 3), level, np.uint8))
    frames = itertools.islice(background(str(path), seed=0, rate_hz=60), 12)
    levels = [round(float(frame.mean()) / 60) for frame in frames]

    assert levels == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0]


def test_unknown_backgrounds(tmp_path):
    with pytest.raises(ConfigError, match="name a video file, game, plain or"):
        background("beach", seed=0, rate_hz=30)
    (tmp_path / "b.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"b\.mp4"):
        background(str(tmp_path / "b.mp4"), seed=0, rate_hz=30)


def test_the_experts_actions_lead_through_the_pictures():
    actions = expert_actions("racer", seed=3, rate_hz=60, count=40)
    env = make("racer")
    env.reset(seed=3)
    shown = env.render()
    frames = background("racer", seed=3, rate_hz=60)

    for row in range(0, 40, round(60 / env.rate_hz)):
        frame = next(itertools.islice(frames, 0 if row == 0 else round(60 / env.rate_hz) - 1, None))
        np.testing.assert_array_equal(frame, shown)
        env.step(actions[row : row + 1].as_step())
        shown = env.render()


def test_only_games_have_experts():
    with pytest.raises(ConfigError, match="only games have an expert"):
        expert_actions("plain", seed=0, rate_hz=30, count=3)
