"""What a reader of a located overlay is, and what every reader returns."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions
from nitrogen.video.pixels import Box

Planes = NDArray[np.uint8]
"""(3h/2, w), as `video.read_planes` gives it."""

Trace = NDArray[np.float32]
"""(T, width): what a reader notes of each frame before it decides."""

ReaderName = Literal["matched", "network"]


@dataclass(frozen=True, eq=False)
class Reading:
    """Actions read from T frames, and how far to trust them."""

    actions: Actions
    visible: NDArray[np.bool_]
    """(T,): whether the overlay could be seen at all."""
    confidence: NDArray[np.float32]
    """(T,) in 0..1."""
    readable: frozenset[str]
    """Buttons, and sticks `left` and `right`, that this overlay can show."""
    travel_known: bool = True
    """Whether full deflection of the sticks is 1 already."""


class Reader(Protocol):
    """Reads one overlay at one place, in two passes.

    A trace is small, so it is stored stretch by stretch; the decision is made when the video is
    through. Crops are given in the same batches in every run.
    """

    name: ReaderName
    box: Box
    """The crop that `scan` wants, with even place and size."""
    opacity: float | None
    """Of the overlay, as estimated; None where it is not known."""

    @property
    def width(self) -> int:
        """Numbers per frame in a trace."""

    def scan(self, crops: list[Planes]) -> Trace:
        """The trace of some consecutive frames' packed crops, (N, width)."""

    def read(self, trace: Trace) -> Reading:
        """Decide on the trace of a whole video, (T, width)."""
