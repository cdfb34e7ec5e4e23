"""How fast training pictures for the network reader are drawn.

    python bench/crop_rate.py [--scenes 100]

Pictures per second of CPU time, beside a straightforward loop: the skin's renderer blends every
state onto a frame, which is then cropped, scaled and compressed. Run it with OMP_NUM_THREADS=1.
"""

import argparse
import json
import time

import cv2
import numpy as np

from nitrogen.overlay.crops import Backgrounds, scene, states, textures
from nitrogen.overlay.render import Renderer, place
from nitrogen.overlay.sketch import sketch_of
from nitrogen.overlay.skin import find_skin

SIZE, PAIRS = (128, 96), 12


def straightforward(count: int, backgrounds: Backgrounds) -> float:
    """Pictures per second without any of what makes `scene` fast."""
    skin = find_skin("nitrogen")
    rows = states(np.random.default_rng(0), count // 2)
    renderer = Renderer(skin, place(skin, (1280, 720)))
    x, y, width, height = renderer.box
    frame = cv2.resize(backgrounds.pictures[0], (1280, 720))
    start = time.process_time()
    for row in range(count):
        picture = frame.copy()
        renderer.blend(picture, rows[row : row + 1])
        crop = cv2.resize(picture[y : y + height, x : x + width], SIZE)
        cv2.imdecode(cv2.imencode(".jpg", crop)[1], cv2.IMREAD_COLOR)
    return count / (time.process_time() - start)


def main() -> None:
    """Measure and print JSON."""
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=100)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    backgrounds = Backgrounds(textures(rng, 50))
    sketch = sketch_of(find_skin("nitrogen"), SIZE)
    rates = {}
    for name, given in (("made up", None), ("given skin", sketch)):
        start = time.process_time()
        for _ in range(options.scenes):
            scene(rng, backgrounds, pairs=PAIRS, size=SIZE, sketch=given)
        rates[name] = options.scenes * PAIRS * 2 / (time.process_time() - start)
    simple = straightforward(200, backgrounds)
    print(json.dumps({
        "pictures_per_s": {name: round(rate) for name, rate in rates.items()},
        "straightforward": round(simple),
        "times_faster": {name: round(rate / simple, 1) for name, rate in rates.items()},
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
