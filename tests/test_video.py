import wave

import numpy as np
import pytest

from nitrogen.errors import VideoError
from nitrogen.video.glimpses import glimpses
from nitrogen.video.info import probe
from nitrogen.video.pixels import even_box
from nitrogen.video.reading import read, read_luma, read_planes
from nitrogen.video.writing import VideoWriter


def frames(count=30, size=(64, 48)):
    for index in range(count):
        frame = np.full((size[1], size[0], 3), 40, np.uint8)
        frame[10:30, index : index + 20] = (200, 60, 30)
        yield frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with VideoWriter(path, (64, 48), rate_hz=30, crf=10) as writer:
        for frame in frames():
            writer.write(frame)
    return path


def test_probe(clip):
    info = probe(clip)

    assert (info.width, info.height, info.rate_hz, info.frame_count) == (64, 48, 30, 30)
    assert info.codec == "h264"
    assert info.rotation == 0


def test_round_trip(clip):
    for picture, frame in zip(read(clip), frames(), strict=True):
        assert np.abs(picture.pixels.astype(int) - frame).mean() < 6
        assert picture.time_s == pytest.approx(picture.index / 30, abs=1e-3)


def test_reading_a_part_squashed(clip):
    pictures = list(read(clip, size=(16, 16), start=10, stop=12))

    assert [picture.index for picture in pictures] == [10, 11]
    assert pictures[0].pixels.shape == (16, 16, 3)


def test_luma_is_full_range_and_repeats_edges(clip):
    crop = next(read_luma(clip, (-4, 0, 20, 8))).pixels

    assert crop.shape == (8, 20)
    assert abs(float(crop.mean()) - 40) < 2


def test_planes_hold_colour(clip):
    planes = next(read_planes(clip, (2, 12, 8, 8))).pixels

    assert planes.shape == (12, 8)
    assert planes[8:, :4].mean() < 120
    assert planes[8:, 4:].mean() > 160


def test_even_box_surrounds():
    assert even_box((3, 4, 5, 6)) == (2, 4, 6, 6)
    assert even_box((-3, 5, 4, 4)) == (-4, 4, 6, 6)


def test_glimpses_are_few_and_spread(clip):
    times = [picture.time_s for picture in glimpses(clip, limit=5)]

    assert np.allclose(np.diff(times), 0.2, atol=0.04)
    assert next(p.time_s for p in glimpses(clip, limit=5, span_s=(0.5, 0.7))) == 0.5


def test_nothing_appears_after_an_error(tmp_path):
    def write_and_fail():
        with VideoWriter(tmp_path / "x.mp4", (64, 48), rate_hz=30) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(63, 48), (64, 47)])
def test_odd_sizes_are_refused(tmp_path, size):
    with pytest.raises(VideoError, match="even"):
        VideoWriter(tmp_path / "x.mp4", size, rate_hz=30)


def test_wrong_frames_are_refused(tmp_path):
    with (
        pytest.raises(VideoError, match="frames are 64x48"),
        VideoWriter(tmp_path / "x.mp4", (64, 48), rate_hz=30) as writer,
    ):
        writer.write(np.zeros((10, 10, 3), np.uint8))


def test_no_frames_no_file(tmp_path):
    with (
        pytest.raises(VideoError, match="no frame"),
        VideoWriter(tmp_path / "x.mp4", (64, 48), rate_hz=30),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_missing_file(tmp_path):
    with pytest.raises(VideoError, match="no video"):
        probe(tmp_path / "none.mp4")


def test_not_a_video(tmp_path):
    (tmp_path / "text.mp4").write_text("hello " * 1000)
    with pytest.raises(VideoError, match="cannot be opened"):
        probe(tmp_path / "text.mp4")


def test_audio_only(tmp_path):
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    with pytest.raises(VideoError, match="no video stream"):
        list(read(path))


def test_truncated_file(clip, tmp_path):
    whole = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError):
        list(read_luma(tmp_path / "cut.mp4"))
