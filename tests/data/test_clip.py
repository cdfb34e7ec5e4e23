import json

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import number, picture

from nitrogen.data.clip import GOP_FRAMES, Clip, ClipWriter, decode
from nitrogen.errors import DataError


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "frames_64.h264"
    with ClipWriter(path, 64, rate_hz=60) as writer:
        for index in range(50):
            writer.write(picture(index, (64, 64)))
    return Clip(path)


@settings(deadline=None, max_examples=40)
@given(order=st.lists(st.integers(0, 49), max_size=12))
def test_any_frame_in_any_order(clip, order):
    frames = decode([clip.request(index) for index in order], 64)

    assert [number(frame) for frame in frames] == order


def test_it_looks_like_an_array(clip):
    assert clip.shape == (50, 64, 64, 3)
    assert len(clip) == 50
    whole = clip.read()
    assert [number(frame) for frame in whole] == list(range(50))
    np.testing.assert_array_equal(clip[17], whole[17])
    with pytest.raises(IndexError):
        clip[50]


def test_a_request_reads_no_further_back_than_a_keyframe(clip):
    assert max(len(clip.request(index).sizes) for index in range(50)) == GOP_FRAMES


def test_colours_survive(tmp_path):
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (4, 4, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    with ClipWriter(tmp_path / "c.h264", 64, rate_hz=30) as writer:
        writer.write(smooth)

    assert np.abs(Clip(tmp_path / "c.h264")[0].astype(int) - smooth).mean() < 3


def test_ordinary_players_open_it(clip):
    with av.open(str(clip.path)) as container:
        shown = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]

    assert [number(frame) for frame in shown] == list(range(50))


def test_nothing_is_left_of_a_failed_write(tmp_path):
    def interrupted():
        with ClipWriter(tmp_path / "c.h264", 64, rate_hz=30) as writer:
            writer.write(picture(0, (64, 64)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with (
        pytest.raises(DataError, match="not of shape"),
        ClipWriter(tmp_path / "c.h264", 64, rate_hz=30) as writer,
    ):
        writer.write(picture(0, (32, 32)))
    with (
        pytest.raises(DataError, match="no frame"),
        ClipWriter(tmp_path / "c.h264", 64, rate_hz=30),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_damage_is_named(tmp_path):
    path = tmp_path / "c.h264"
    with pytest.raises(DataError, match=r"c\.json cannot be read"):
        Clip(path)
    with ClipWriter(path, 64, rate_hz=30) as writer:
        for index in range(8):
            writer.write(picture(index, (64, 64)))
    good = path.read_bytes()
    clip = Clip(path)
    path.write_bytes(b"\0" * len(good))
    with pytest.raises(DataError, match="is damaged"):
        clip[5]
    path.write_bytes(good)
    assert number(clip[5]) == 5
    path.write_bytes(good[:-10])
    with pytest.raises(DataError, match="cut off"):
        Clip(path)
    index = path.with_suffix(".json")
    index.write_text(json.dumps(json.loads(index.read_text()) | {"format": "other"}))
    with pytest.raises(DataError, match="expected format"):
        Clip(path)
