"""Files that are damaged, odd or not what they seem: read rightly, or refused by name."""

import os
import shutil
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from nitrogen.data.truth import read_truth
from nitrogen.errors import DataError, ExtractionError, SkinError, VideoError
from nitrogen.extract.batch import extract_all, find_videos
from nitrogen.extract.evaluate import compare
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.overlay.skin import SHIPPED, find_skin, load_skin
from nitrogen.video.reading import read

CONFIG = ExtractConfig(chunk_s=2.0, min_density=0.0)
COUNT = 150


@pytest.fixture(scope="module")
def library():
    return Library([find_skin("nitrogen")])


@pytest.fixture(scope="module")
def frames(recording):
    return [picture.pixels for picture in read(recording.video, stop=COUNT)]


def encode(path, frames, *, codec="libx264", pix_fmt="yuv420p", times=None, kind=None, rate=30):
    """A video of `frames`, shown at `times` (in frames)."""
    times = range(len(frames)) if times is None else times
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2] if frames else (48, 64)
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size = 15
        stream.options = {"crf": "18", "preset": "veryfast"} if codec == "libx264" else {}
        container.start_encoding()
        for frame, time in zip(frames, times, strict=True):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts, picture.time_base = round(1000 * time / rate), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def scores(done, recording):
    """Scores of all rows that were read."""
    part = done.parts[0]
    truth = read_truth(recording.truth).actions
    rows = min(len(part.reading.actions), len(truth))
    return compare(truth[:rows], part.reading.actions[:rows]).read


def assert_read(done, recording):
    result = scores(done, recording)
    assert result.f1 > 0.97
    assert result.stick_r2 > 0.98


def test_a_variable_frame_rate_does_not_drift(recording, frames, library, tmp_path):
    rng = np.random.default_rng(1)
    kept = [i for i in range(COUNT) if i < 2 or i == COUNT - 1 or rng.random() > 0.3]
    jitter = rng.uniform(-0.2, 0.2, len(kept))
    jitter[0] = 0
    times = np.array(kept) + jitter
    path = encode(tmp_path / "vfr.mkv", [frames[i] for i in kept], times=times)

    done = extract(path, tmp_path, skins=library, config=CONFIG)

    assert done.info.rate_hz == 30
    assert len(done.parts[0].reading.actions) == COUNT
    last = scores(done, recording)
    assert last.stick_r2 > 0.9  # frames that were dropped show what was before them
    assert abs(done.parts[0].repeated.mean() - (1 - len(kept) / COUNT)) < 0.03


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [("libx264", "yuv420p10le", "mp4"), ("libx264", "yuv444p", "mkv"), ("ffv1", "yuv420p", "mkv"),
     ("mpeg4", "yuv420p", "avi"), ("libvpx-vp9", "yuv420p", "webm")],
)  # fmt: skip
def test_formats(recording, frames, library, tmp_path, codec, pix_fmt, suffix):
    if codec not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no encoder {codec}")
    path = encode(tmp_path / f"clip.{suffix}", frames[:90], codec=codec, pix_fmt=pix_fmt)

    done = extract(path, tmp_path, skins=library, config=CONFIG)

    assert scores(done, recording).f1 > 0.9
    assert scores(done, recording).stick_r2 > 0.9


def test_odd_sizes(recording, frames, library, tmp_path):
    odd = [frame[1:, : frame.shape[1] - 1] for frame in frames]
    path = encode(tmp_path / "odd.mkv", odd, codec="ffv1")

    done = extract(path, tmp_path, skins=library, config=CONFIG)

    assert (done.info.width, done.info.height) == (639, 359)
    assert_read(done, recording)


def test_rotation_is_undone(recording, frames, library, tmp_path):
    path = encode(tmp_path / "turned.mp4", [np.rot90(frame) for frame in frames])
    turn = np.array([0, 1, 0, -1, 0, 0, 0, 0, 0], ">i4") * 65536
    turn[8] = 1 << 30
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = turn.tobytes()
    path.write_bytes(data)

    done = extract(path, tmp_path, skins=library, config=CONFIG)

    assert (done.info.width, done.info.height) == (640, 360)
    assert_read(done, recording)


def audio_only(path):
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 8000, "NONE", ""))
        sound.writeframes(bytes(16000))


def unknown_codec(path, frames):
    encode(path, frames[:10])
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))


def test_broken_files_are_refused_by_name(frames, tmp_path):
    """One batch with everything that can be wrong; each gets its cause, none stops the others."""
    videos = tmp_path / "videos"
    videos.mkdir()
    encode(videos / "empty.mkv", [])
    encode(videos / "short.mp4", frames[:3])
    audio_only(videos / "sound.mp4")
    unknown_codec(videos / "codec.mp4", frames)
    whole = encode(tmp_path / "whole.mp4", frames[:60]).read_bytes()
    (videos / "half.mp4").write_bytes(whole[: len(whole) // 2])
    whole = encode(tmp_path / "whole.mkv", frames).read_bytes()
    (videos / "half.mkv.mkv").write_bytes(whole[: len(whole) // 2])
    (videos / "text.mp4").write_text("hello " * 1000)
    encode(videos / "jump.mkv", frames[:40], times=[*range(20), *range(9000, 9020)])
    encode(videos / "plain.mp4", [frame[:150] for frame in frames[:40]])

    entries = extract_all(
        find_videos(videos), tmp_path / "out", skins=[SHIPPED / "nitrogen"], config=CONFIG
    )

    causes = {entry.video_id: entry.cause for entry in entries}
    expected = {
        "empty": "holds no frame|cannot be opened",
        "short": "too few",
        "sound": "no video stream",
        "codec": "cannot decode",
        "half": "cannot be opened",
        "half_mkv": "cut off",
        "text": "cannot be opened",
        "jump": "time stamps jump",
        "plain": "no known overlay",
    }
    for name, words in expected.items():
        assert any(word in causes[name] for word in words.split("|")), (name, causes[name])
    assert set(causes) == set(expected)


def test_a_skin_without_its_sprite_is_named(tmp_path):
    shutil.copytree(SHIPPED / "nitrogen", tmp_path / "skin")
    sprite = next((tmp_path / "skin").rglob("*.png"))
    sprite.unlink()

    with pytest.raises(SkinError, match=sprite.name):
        load_skin(tmp_path / "skin")


@pytest.mark.parametrize("box", [(10, 10, 4, 4), (5000, 10, 100, 100), (-300, 10, 200, 100)])
def test_a_box_outside_the_frame(recording, library, tmp_path, box):
    with pytest.raises(ExtractionError, match="no part of a 640x360 frame"):
        extract(recording.video, tmp_path, skins=library, config=ExtractConfig(box=box))


FORBIDDEN = """
import os, sys
from pathlib import Path
from nitrogen.errors import NitrogenError
from nitrogen.extract.batch import extract_all, find_videos
os.setuid(65534)
try:
    extract_all(find_videos(Path(sys.argv[1])), Path(sys.argv[2]), skins=[Path(sys.argv[3])])
except NitrogenError as error:
    print(type(error).__name__, error)
"""


def as_nobody(*words):
    if os.getuid() != 0:
        pytest.skip("only root can become a user without permission")
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def open_folder(tmp_path):
    """A folder that everybody may pass through."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
        if folder == Path("/tmp"):
            break
    return tmp_path


def test_folders_without_permission(recording, open_folder):
    (open_folder / "videos").mkdir()
    shutil.copy(recording.video, open_folder / "videos/clip.mp4")
    (open_folder / "out").mkdir(mode=0o755)
    done = as_nobody(open_folder / "videos", open_folder / "out", SHIPPED / "nitrogen")
    assert "DataError" in done
    assert "cannot be written" in done

    (open_folder / "videos/secret").mkdir(mode=0o700)
    done = as_nobody(open_folder / "videos", open_folder / "out", SHIPPED / "nitrogen")
    assert "secret cannot be read" in done


def test_a_full_disk_stops_with_its_name_and_a_rerun_finishes(recording, library, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.getuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=False,
        capture_output=True,
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("only root can make a disk that is full")
    try:
        with pytest.raises(DataError, match=r"cannot be written.*No space left"):
            extract(recording.video, disk, skins=library, config=CONFIG)
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        done = extract(recording.video, disk, skins=library, config=CONFIG)
        assert len(done.chunks) == 8
        assert not [path for path in disk.rglob("*") if "partial" in path.name]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_missing_video_is_named(library, tmp_path):
    with pytest.raises(VideoError, match=r"no video .*gone\.mp4"):
        extract(tmp_path / "gone.mp4", tmp_path, skins=library)
