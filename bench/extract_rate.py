"""How fast extraction is, and where the time goes.

    python bench/extract_rate.py VIDEO [--skins FOLDER] [--reader matched] [--frames 600]

Reports CPU seconds per stage and frames per second end to end for one reader, beside a
straightforward loop: OpenCV's VideoCapture, whole RGB frames, SIFT against one skin in every frame.
Run it with OMP_NUM_THREADS=1 on a quiet machine.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from nitrogen.extract.choice import prepare
from nitrogen.extract.drawn import gray_of
from nitrogen.extract.locate import Library
from nitrogen.extract.pipeline import ExtractConfig, extract
from nitrogen.extract.sightings import find_sightings, windows
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin, load_skins, shipped_skins
from nitrogen.video.info import probe
from nitrogen.video.reading import read, read_planes

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def straightforward(video: Path, skin: Skin, frames: int) -> float:
    """Frames per second of the loop that comes to mind first."""
    drawn = gray_of(Renderer(skin, Placement(0, 0, 0.5, 0.5)))
    sift, matcher = cv2.SIFT_create(), cv2.BFMatcher()
    _, wanted = sift.detectAndCompute(np.clip(drawn, 0, 255).astype(np.uint8), None)
    capture = cv2.VideoCapture(str(video))
    start, count = time.process_time(), 0
    while count < frames:
        ok, frame = capture.read()
        if not ok:
            break
        gray = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), cv2.COLOR_RGB2GRAY)
        _, found = sift.detectAndCompute(gray, None)
        if found is not None:
            matcher.knnMatch(wanted, found, k=2)
        count += 1
    return count / (time.process_time() - start)


def main() -> None:
    """Measure and print JSON."""
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--skins", type=Path)
    parser.add_argument("--reader", default="matched", choices=("matched", "network"))
    parser.add_argument("--frames", type=int, default=600)
    options = parser.parse_args()
    video, count = options.video, options.frames
    info = probe(video)
    skins = shipped_skins() + (load_skins(options.skins) if options.skins else [])
    library_s, library = timed(lambda: Library(skins))
    keyframe_s, looked = timed(lambda: windows(info))
    locate_s, sightings = timed(lambda: find_sightings(looked, library))
    learn_s, (reader, sighting, _) = timed(lambda: prepare(sightings[0], options.reader, info))
    rgb_s, _ = timed(lambda: sum(1 for _ in islice(read(video), count)))
    planes = read_planes(video, reader.box, glance=True)
    decode_s, crops = timed(lambda: [p.pixels for p in islice(planes, count)])
    reader.scan(crops[:256])
    scan_s, _ = timed(
        lambda: [reader.scan(crops[at : at + 256]) for at in range(0, len(crops), 256)]
    )
    config = ExtractConfig(min_density=0.0, reader=options.reader)
    with tempfile.TemporaryDirectory() as out:
        whole_s, _ = timed(lambda: extract(video, Path(out), skins=library, config=config))
    assert sighting.found is not None
    simple = straightforward(video, sighting.found.skin, min(count, 60))
    rate = info.frame_count / whole_s
    decode_share = decode_s / len(crops) * info.frame_count / whole_s
    parse_share = scan_s / len(crops) * info.frame_count / whole_s
    locate_share = (keyframe_s + locate_s + learn_s) / whole_s
    print(
        json.dumps(
            {
                "video": {"size": [info.width, info.height], "rate_hz": info.rate_hz,
                          "frames": info.frame_count, "codec": info.codec},
                "skins": len(skins),
                "once_s": {"library": round(library_s, 2)},
                "per_video_s": {"keyframes": round(keyframe_s, 2), "locate": round(locate_s, 2),
                                "learn": round(learn_s, 2)},
                "frames_per_s": {
                    "decode_to_rgb": round(count / rgb_s, 1),
                    "decode_and_crop": round(len(crops) / decode_s, 1),
                    "scan": round(len(crops) / scan_s, 1),
                    "end_to_end": round(rate, 1),
                    "straightforward": round(simple, 1),
                },
                "share": {
                    "decode": round(decode_share, 3), "locate_and_learn": round(locate_share, 3),
                    "parse": round(parse_share, 3),
                    "rest": round(1 - decode_share - locate_share - parse_share, 3),
                },
                "reader": reader.name,
                "times_faster": round(rate / simple, 1),
                "times_real_time": round(rate / info.rate_hz, 2),
            },
            indent=2,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
