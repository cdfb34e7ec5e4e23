"""A short recorded clip with a known overlay, made once per test run."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from nitrogen.extract.parser import shrink
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import find_skin
from nitrogen.overlay.synth import motion
from nitrogen.policy import ReplayPolicy
from nitrogen.record import RecordConfig, record
from nitrogen.video.reading import read_planes
from nitrogen.video.writing import VideoWriter

SIZE = (640, 360)
FRAMES = 480
RATE_HZ = 30


class Scenery(gymnasium.Env):
    """Scrolls over coloured blocks; ends after `FRAMES` frames."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": RATE_HZ}  # noqa: RUF012

    def __init__(self):
        self.render_mode = "rgb_array"
        self.observation_space = spaces.Box(0, 255, (256, 256, 3), np.uint8)
        self.action_space = spaces.Dict(
            buttons=spaces.Box(0, 1, (17,), np.float32), sticks=spaces.Box(-1, 1, (4,), np.float32)
        )
        self._at = 0

    def reset(self, *, seed=None, options=None):
        rng = np.random.default_rng(seed)
        blocks = rng.integers(30, 220, (9, 60, 3), np.uint8)
        self._land = np.kron(blocks, np.ones((40, 40, 1), np.uint8))
        self._at = 0
        return np.zeros((256, 256, 3), np.uint8), {}

    def step(self, action):
        self._at += 1
        return np.zeros((256, 256, 3), np.uint8), 0.0, False, self._at >= FRAMES, {}

    def render(self):
        left = 3 * self._at
        return self._land[:, left : left + SIZE[0]]


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    actions = motion(np.random.default_rng(5), FRAMES, rate_hz=RATE_HZ)
    return record(
        Scenery(),
        ReplayPolicy(actions),
        folder / "clip.mp4",
        skin=find_skin("nitrogen"),
        seeds=[3],
        frames=FRAMES,
        config=RecordConfig(
            size=SIZE, corner="bottom_left", width=0.4, opacity=0.9, bitrate=3_000_000
        ),
    )


@pytest.fixture(scope="session")
def lines_crops(tmp_path_factory):
    """200 packed crops of an encoded pad without a body over a game, and their truth."""
    path = tmp_path_factory.mktemp("lines") / "clip.mp4"
    skin = find_skin("generic_blocks")
    scale = 280 / skin.canvas[0]
    renderer = Renderer(skin, Placement(4.0, 4.0, scale, scale, 1.0))
    actions = motion(np.random.default_rng(5), 600, rate_hz=RATE_HZ)[::3]
    size = (288, 2 * round(skin.canvas[1] * scale / 2) + 8)
    scenery = Scenery()
    scenery.reset(seed=3)
    with VideoWriter(path, size, rate_hz=RATE_HZ, bitrate=2_000_000) as writer:
        for row in range(len(actions)):
            scenery.step(None)
            frame = np.ascontiguousarray(scenery.render()[: size[1], : size[0]])
            renderer.blend(frame, actions[row : row + 1])
            writer.write(frame)
    return [picture.pixels for picture in read_planes(path, (0, 0, *size))], actions


@pytest.fixture(scope="session")
def lines_clip(lines_crops):
    """The same as pictures (200, 96, 128, 3)."""
    crops, actions = lines_crops
    return np.stack([shrink(crop, (128, 96)) for crop in crops]), actions
