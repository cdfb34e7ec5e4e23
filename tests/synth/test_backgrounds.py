import itertools

import numpy as np
import pytest

from nitrogen.errors import ConfigError, VideoError
from nitrogen.synth.backgrounds import GAMES, background
from nitrogen.video import VideoWriter


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
