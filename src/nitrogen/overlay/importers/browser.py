"""Pictures of web pages, for skins that are made of HTML, CSS and SVG.

A Chromium browser draws all states of a skin in one go. Pages are shown without scripts of the
skin's own and without a network.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.errors import MissingDependencyError, SkinError
from nitrogen.overlay.skin import Sprite, read_png

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
_LARGEST = 4096
"""Pixels of one screenshot, in each direction."""
_TILE = 256
"""Browsers draw in squares of this size; pages at its multiples are drawn the same everywhere."""
_TIMEOUT_S = 180.0


def find_browser() -> str:
    """The browser's program. Raises MissingDependencyError if none is installed."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise MissingDependencyError(
            "skins made of HTML, CSS or SVG are drawn by a browser, and none is installed:"
            " apt-get install chromium (or install Google Chrome)"
        )
    return found


def without_scripts(markup: str) -> str:
    """Markup without script elements and inline handlers."""
    markup = re.sub(r"(?is)<script\b.*?</script\s*>|<script\b[^>]*/?>", "", markup)
    return re.sub(r"(?is)\son\w+\s*=\s*(\"[^\"]*\"|'[^']*')", "", markup)


def measure(page: str, selector: str, *, where: str) -> tuple[int, int]:
    """Width and height of the element that `selector` finds in a page, in pixels.

    Raises SkinError, naming `where`, if there is no such element.
    """
    script = (
        f"<script>const e = document.querySelector({json.dumps(selector)});"
        "const b = e ? e.getBoundingClientRect() : {width: 0, height: 0};"
        "document.documentElement.setAttribute('data-size', `${b.width} ${b.height}`)</script>"
    )
    with tempfile.TemporaryDirectory(prefix="nitrogen-skin-") as folder:
        file = Path(folder) / "page.html"
        file.write_text(page + script, encoding="utf-8")
        dumped = _run(Path(folder), "--dump-dom", str(file)).decode("utf-8", "replace")
    found = re.search(r'data-size="([\d.]+) ([\d.]+)"', dumped)
    width, height = (round(float(found[i])) for i in (1, 2)) if found else (0, 0)
    if not width or not height:
        raise SkinError(f"{where}: the element {selector} is missing or has no size")
    return width, height


def photograph(pages: Sequence[str], size: tuple[int, int]) -> list[Sprite]:
    """A picture of (width, height) of each HTML page, transparent where nothing is drawn."""
    pitch = tuple(-(-side // _TILE) * _TILE for side in size)
    columns = max(1, _LARGEST // pitch[0])
    batch = columns * max(1, _LARGEST // pitch[1])
    shots: list[Sprite] = []
    for first in range(0, len(pages), batch):
        shots += _sheet(pages[first : first + batch], size, (pitch[0], pitch[1]), columns)
    return shots


def _sheet(
    pages: Sequence[str], size: tuple[int, int], pitch: tuple[int, int], columns: int
) -> list[Sprite]:
    (width, height), (across, down) = size, pitch
    rows = -(-len(pages) // columns)
    with tempfile.TemporaryDirectory(prefix="nitrogen-skin-") as temporary:
        folder = Path(temporary)
        frames = []
        for index, page in enumerate(pages):
            (folder / f"{index}.html").write_text(page, encoding="utf-8")
            place = f"left:{index % columns * across}px;top:{index // columns * down}px"
            frames.append(
                f'<iframe src="{index}.html" scrolling="no" style="position:absolute;border:0;'
                f'width:{width}px;height:{height}px;{place}"></iframe>'
            )
        sheet = folder / "sheet.html"
        sheet.write_text(
            "<!doctype html><style>html,body{margin:0;background:transparent}</style>"
            + "".join(frames)
        )
        shot = folder / "shot.png"
        window = f"--window-size={columns * across},{rows * down}"
        _run(folder, f"--screenshot={shot}", window, str(sheet))
        if not shot.is_file():
            raise SkinError("the browser took no picture; update it or try another one")
        whole = read_png(shot)
    if whole.shape[0] < rows * down or whole.shape[1] < columns * across:
        raise SkinError(
            f"the browser's picture of {whole.shape[1]}x{whole.shape[0]} pixels is too small"
        )
    return [
        np.ascontiguousarray(whole[i // columns * down :, i % columns * across :][:height, :width])
        for i in range(len(pages))
    ]


def _run(folder: Path, *arguments: str) -> bytes:
    command = [
        find_browser(), "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--force-device-scale-factor=1", "--default-background-color=00000000",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000",
        "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")
    try:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SkinError(f"the browser could not draw the skin: {error}") from error
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise SkinError(f"the browser failed with exit code {done.returncode}: {' '.join(last)}")
    return done.stdout


def differs(one: Sprite, other: Sprite, *, threshold: int = 10) -> NDArray[np.bool_]:
    """Where two pictures look different, over black as over white, (H, W) bool, grown by one.

    Differences that are nowhere two pixels thick are left out: the browser smooths edges a little
    differently from picture to picture.
    """
    a, b = one.astype(np.int32), other.astype(np.int32)
    ink = np.abs(a[..., :3] * a[..., 3:] - b[..., :3] * b[..., 3:]).max(axis=2) > 255 * threshold
    changed = (ink | (np.abs(a[..., 3] - b[..., 3]) > threshold)).astype(np.uint8)
    _, patches = cv2.connectedComponents(changed, connectivity=8)
    thick = np.unique(patches[cv2.erode(changed, np.ones((2, 2), np.uint8)) > 0])
    real = np.isin(patches, thick[thick > 0]).astype(np.uint8)
    return np.asarray(cv2.dilate(real, np.ones((3, 3), np.uint8)) > 0)
