"""How many training frames a second one core gets out of a data set.

Beside it, what a user would pick instead: seeking in ordinary videos with PyAV, OpenCV or
torchcodec. All read random frames of the same recording. "720p" are seeks in the video as it was
streamed, each frame squashed to the policy's size; "scaled" are seeks in an ordinary H.264 file (a
keyframe every 2 s) that already has that size. CPU time of one process, so load matters less.

    python bench/loader_rate.py [--sizes 64 128 256] [--rows 1200] [--seeks 60]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np

from nitrogen.actions import Actions
from nitrogen.data import frames, schema, store
from nitrogen.data.loader import stream
from nitrogen.data.prepare import prepare
from nitrogen.data.samples import Run, Samples
from nitrogen.mini.env import MiniEnv
from nitrogen.video.writing import VideoWriter

RATE_HZ = 30.0
BATCH = 64


def record(path: Path, rows: int) -> None:
    """A 720p video of the built-in racer, driven by its expert."""
    env = MiniEnv("racer")
    env.reset(seed=0)
    with VideoWriter(path, (1280, 720), rate_hz=RATE_HZ, bitrate=6_000_000) as writer:
        for _ in range(rows):
            writer.write(np.asarray(env.render()))
            _, _, terminated, truncated, _ = env.step(env.expert().as_step())
            if terminated or truncated:
                env.reset()


def chunk_of(root: Path, rows: int) -> store.Chunk:
    """Labels for the whole video as one chunk; the overlay that is masked lies in a corner."""
    source = schema.SourceVideo(
        video_id="video",
        source="local",
        url="video.mp4",
        resolution=(720, 1280),
        start_time=0.0,
        end_time=rows / RATE_HZ,
        duration=rows / RATE_HZ,
        start_frame=0,
        end_frame=rows,
    )
    metadata = schema.ChunkMetadata(
        uuid="0",
        chunk_id="0000",
        chunk_size=rows,
        game="racer",
        controller_type="xboxone",
        bbox_controller_overlay=(980, 560, 280, 140),
        original_video=source,
    )
    return store.read_chunk(store.write_chunk(root, metadata, Actions.of("south", length=rows)))


def rate(read: Callable[[int], object], count: int) -> float:
    """Frames per CPU second of `read`, which reads so many."""
    read(min(count, BATCH))
    start = time.process_time()
    read(count)
    return count / (time.process_time() - start)


def loader(chunk: store.Chunk, size: int) -> Callable[[int], object]:
    """The loader alone, in this process: frames and plans in batches."""
    samples = Samples([Run("run", frames.load(chunk, size), chunk.actions())], horizon=16)
    return lambda count: [
        None for _ in stream(samples, batch=BATCH, seed=0, steps=range(-(-count // BATCH)))
    ]


def places(count: int, rows: int) -> list[int]:
    """Random rows, the same for all."""
    return np.random.default_rng(0).integers(0, rows, count).tolist()


def with_pyav(path: Path, rows: int, size: int) -> Callable[[int], object]:
    """Seek to the keyframe before, decode up to the frame."""
    container = av.open(str(path))
    video = container.streams.video[0]

    def one(row: int) -> np.ndarray:
        assert video.time_base is not None
        wanted = round(row / RATE_HZ / video.time_base)
        container.seek(wanted, stream=video)
        for frame in container.decode(video):
            if frame.pts >= wanted:
                return squashed(frame.to_ndarray(format="rgb24"), size)
        raise AssertionError("no such frame")

    return lambda count: [one(row) for row in places(count, rows)]


def with_opencv(path: Path, rows: int, size: int) -> Callable[[int], object]:
    """`VideoCapture` set to the frame's number."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])

    def one(row: int) -> np.ndarray:
        capture.set(cv2.CAP_PROP_POS_FRAMES, row)
        return squashed(cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB), size)

    return lambda count: [one(row) for row in places(count, rows)]


def with_torchcodec(path: Path, rows: int, size: int) -> Callable[[int], object]:
    """One call for all frames, which sorts them itself."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, dimension_order="NHWC")
    return lambda count: [
        squashed(frame.numpy(), size) for frame in decoder.get_frames_at(places(count, rows)).data
    ]


def squashed(frame: np.ndarray, size: int) -> np.ndarray:
    """To the policy's size by an area filter."""
    if frame.shape[:2] == (size, size):
        return frame
    return np.asarray(cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA))


def measure(root: Path, rows: int, size: int, seeks: int) -> dict[str, float]:
    """Rates at one size."""
    video, scaled = root / "video.mp4", root / f"scaled_{size}.mp4"
    found: dict[str, float] = {}
    for kept in ("h264", "raw"):
        chunk = chunk_of(root / f"{kept}_{size}", rows)
        start = time.process_time()
        prepare([chunk], lambda name: video, size=size, store=kept)
        found[f"prepare {kept}"] = rows / (time.process_time() - start)
        found[f"loader {kept}"] = rate(loader(chunk, size), 40 * BATCH)
        found[f"bytes per frame {kept}"] = (
            frames.frames_path(chunk, size, kept).stat().st_size / rows
        )
    with VideoWriter(scaled, (size, size), rate_hz=RATE_HZ) as writer:
        for row in np.asarray(frames.load(chunk, size)):
            writer.write(row)
    ways = {"PyAV": with_pyav, "OpenCV": with_opencv}
    if find_spec("torchcodec"):
        ways["torchcodec"] = with_torchcodec
    for name, way in ways.items():
        found[f"{name} 720p"] = rate(way(video, rows, size), seeks)
        found[f"{name} scaled"] = rate(way(scaled, rows, size), 4 * seeks)
    return found


def main() -> None:
    """Print one JSON object per size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--seeks", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder) / "video.mp4", options.rows)
        for size in options.sizes:
            rates = measure(Path(folder), options.rows, size, options.seeks)
            print(json.dumps({"size": size} | {name: round(v, 1) for name, v in rates.items()}))


if __name__ == "__main__":
    main()
