"""A video of a play in real time: taken down while it runs, drawn when it is over.

Knows moments of a play, the visualiser and videos. Drawing and compressing video takes longer than
a frame lasts, so while the game runs only small pictures are kept.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from nitrogen import draw
from nitrogen.actions import Frame
from nitrogen.simulator.realtime import Moment
from nitrogen.video.writing import VideoWriter

FILM_HZ = 15.0


class RealtimeFilm:
    """An observer for `realtime.play`; `write` makes the video afterwards."""

    def __init__(self, *, title: str, size: tuple[int, int]) -> None:
        """`size`: width and height of the game's window, whose shape the picture is given."""
        self._title, self._size = title, size
        self._moments: list[Moment] = []

    def on_frame(self, moment: Moment) -> None:
        """Keep the moment, its picture compressed, if it is time for a picture."""
        if moment.time_s * FILM_HZ >= len(self._moments):
            quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
            _, data = cv2.imencode(".jpg", moment.frame[..., ::-1], quality)
            self._moments.append(replace(moment, frame=data))

    def write(self, path: Path) -> None:
        """A 720p video of everything kept, at `FILM_HZ`."""
        options = {"preset": "ultrafast"}
        with VideoWriter(path, (1280, 720), rate_hz=FILM_HZ, crf=31, options=options) as writer:
            for moment in self._moments:
                frame: Any = cv2.imdecode(moment.frame, cv2.IMREAD_COLOR)
                writer.write(self._draw(frame[..., ::-1], moment))

    def _draw(self, frame: Frame, moment: Moment) -> Frame:
        lines = [
            f"{moment.time_s:.2f} s, real time",
            f"planned from {moment.age_ms:.0f} ms ago",
            f"progress {100 * moment.verdict.progress:.0f} %",
        ]
        view: Any = cv2.resize(frame, self._size, interpolation=cv2.INTER_CUBIC)
        return draw.scene(
            view, frame, moment.plan, execute=0, title=self._title, lines=lines, caption="plan"
        )
