import gymnasium
import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.data.truth import read_truth
from nitrogen.draw import fit
from nitrogen.errors import GameError
from nitrogen.overlay.skin import find_skin
from nitrogen.policy import CallPolicy
from nitrogen.record import RecordConfig, StickNoise, record
from nitrogen.video.info import probe
from nitrogen.video.reading import read


class Blank(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(self, picture=None):
        self.picture = picture
        self.played = []

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros((256, 256, 3), np.uint8), {}

    def step(self, action):
        self.played.append(Actions.from_step(action))
        self.count += 1
        return np.zeros((256, 256, 3), np.uint8), 0.0, self.count == 4, False, {"success": True}

    def render(self):
        return self.picture


CONFIG = RecordConfig(size=(320, 180), width=0.5)


def test_episodes_go_back_to_back_with_their_truth(tmp_path):
    env = Blank(np.full((180, 320, 3), 80, np.uint8))
    policy = StickNoise(CallPolicy(lambda: Actions.of("south")), np.random.default_rng(0))
    recording = record(
        env, policy, tmp_path / "v.mp4", skin=find_skin("nitrogen"), seeds=[5, 6], frames=9,
        config=CONFIG,
    )  # fmt: skip
    truth = read_truth(recording.truth)

    assert recording.frames == len(truth.actions) == probe(recording.video).frame_count == 8
    assert truth.episode is not None
    assert truth.episode.tolist() == [0] * 4 + [1] * 4
    played = Actions.concatenate(env.played)
    np.testing.assert_array_equal(played.sticks, truth.actions.sticks)
    assert np.abs(played.sticks).max() > 0.01
    assert truth.facts["skin"] == "nitrogen"
    assert all(episode.success for episode in recording.episodes)


def test_the_overlay_is_drawn(tmp_path):
    env = Blank(np.full((180, 320, 3), 80, np.uint8))
    policy = CallPolicy(lambda: Actions.of("south"))
    recording = record(
        env, policy, tmp_path / "v.mp4", skin=find_skin("nitrogen"), seeds=[0], frames=2,
        config=CONFIG,
    )  # fmt: skip
    picture = next(read(recording.video)).pixels
    x, y, width, height = read_truth(recording.truth).facts["box"]

    assert np.abs(picture[y : y + height, x : x + width].astype(int) - 80).mean() > 10
    assert np.abs(picture[: y - 10].astype(int) - 80).mean() < 3


def test_a_game_without_pictures(tmp_path):
    with pytest.raises(GameError, match="render_mode"):
        record(
            Blank(), CallPolicy(lambda: Actions.of()), tmp_path / "v.mp4",
            skin=find_skin("nitrogen"), seeds=[0], frames=2, config=CONFIG,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_shape_get_bars():
    picture = fit(np.full((100, 100, 3), 200, np.uint8), (320, 180))

    assert picture.shape == (180, 320, 3)
    assert (picture[:, :70] == 0).all()
    assert (picture[:, 75:245] == 200).all()


def test_noise_is_forgotten_on_reset_and_bounded():
    noisy = StickNoise(CallPolicy(lambda: Actions.of(left_x=1.0)), np.random.default_rng(1), std=2)
    sticks = np.concatenate(
        [noisy.act(np.zeros((256, 256, 3), np.uint8)).sticks for _ in range(99)]
    )

    assert np.abs(sticks).max() <= 1
    assert sticks[:, 1].std() > 0.3
