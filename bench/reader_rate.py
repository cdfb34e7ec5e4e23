"""How fast the network reader is, and where the time goes.

    python bench/reader_rate.py VIDEO X,Y,W,H [--reader FOLDER] [--frames 600]

CPU seconds per stage and frames per second from the file to the trace, beside a straightforward
loop: OpenCV's VideoCapture, whole RGB frames, the network on one pair at a time. Run it with
OMP_NUM_THREADS=1.
"""

import argparse
import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch

from nitrogen.extract import parser
from nitrogen.extract.cap_network import load_cap_network
from nitrogen.video.glimpses import glimpses
from nitrogen.video.info import probe
from nitrogen.video.pixels import Box, even_box
from nitrogen.video.reading import read_planes

T = TypeVar("T")
BATCH = 256


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def straightforward(network: parser.Reader, video: Path, box: Box, frames: int) -> None:
    """Read frames one by one, as comes to mind first."""
    x, y, width, height = box
    capture = cv2.VideoCapture(str(video))
    size = (network.config.width, network.config.height)
    rest = np.zeros((size[1], size[0], 3), np.int16)
    last = None
    for _ in range(frames):
        ok, frame = capture.read()
        if not ok:
            return
        crop = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)[y : y + height, x : x + width]
        small = cv2.resize(crop, size)
        pair = np.stack([small if last is None else last, small])
        with torch.no_grad():
            network(parser.as_input(pair, rest))
        last = small


def main() -> None:
    """Measure and print JSON."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("video", type=Path)
    cli.add_argument("box")
    cli.add_argument("--reader", type=Path, default=parser.SHIPPED)
    cli.add_argument("--frames", type=int, default=600)
    options = cli.parse_args()
    x, y, width, height = (int(value) for value in options.box.split(","))
    box = even_box((x, y, width, height))
    info, network = probe(options.video), parser.load_network(options.reader)
    follower = load_cap_network()
    samples_s, samples = timed(
        lambda: [p.pixels for p in glimpses(options.video, limit=200, box=box, planes=True)]
    )
    decode_s, crops = timed(
        lambda: [p.pixels for p in islice(read_planes(options.video, box), options.frames)]
    )
    learn_s, reader = timed(
        lambda: parser.NetworkReader(
            network, box, samples if len(samples) >= 200 else crops[::3], cap_network=follower
        )
    )
    reader.scan(crops[:BATCH])
    scan_s, trace = timed(
        lambda: np.concatenate(
            [reader.scan(crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)]
        )
    )
    decide_s, _ = timed(lambda: reader.read(trace))
    few = min(120, len(crops))
    simple_s, _ = timed(lambda: straightforward(network, options.video, box, few))
    rate = len(crops) / (decode_s + scan_s + decide_s)
    print(
        json.dumps(
            {
                "video": {"size": [info.width, info.height], "rate_hz": info.rate_hz},
                "frames": len(crops),
                "per_video_s": {"samples": round(samples_s, 2), "learn": round(learn_s, 2)},
                "frames_per_s": {
                    "decode_and_crop": round(len(crops) / decode_s),
                    "scan": round(len(crops) / scan_s),
                    "file_to_actions": round(rate),
                    "straightforward": round(few / simple_s),
                },
                "times_faster": round(rate / (few / simple_s), 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
