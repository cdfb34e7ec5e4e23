"""Presses out of a network's logits: what is high for this button in this video.

Over a busy game a network sees every button a little, at one level or another, all the time; a real
press stands out from that because it is the same picture every time. So how high a press is, is
taken from the video itself, and a stretch counts only if it gets there (hysteresis, as edges are
traced in Canny 1986).
"""

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]

_ABOVE = 2.0
"""Logits above its median over the video that a button must have."""
_HIGH, _LOW = 0.8, 0.5
"""Shares of the way from that median to the highest: some row of a press is above the first, all
rows above the second. From 0.75 to 0.9 and 0.5 to 0.6 they read about as well."""
_HIGHEST, _FEWEST = 0.1, 3
"""Share of the candidate rows, and least number of rows, whose mean is the highest."""


def presses(logits: Gray) -> NDArray[np.bool_]:
    """Which buttons are pressed, (T, B), by logits (T, B) of rows that show the overlay."""
    usual = np.median(logits, axis=0)
    floor = np.maximum(0, usual + _ABOVE)
    found = np.zeros(logits.shape, np.bool_)
    for button, column in enumerate(logits.T):
        ranked = np.sort(column)
        count = max(_FEWEST, round(_HIGHEST * float((ranked > floor[button]).sum())))
        way = float(ranked[-count:].mean()) - usual[button]
        low, high = (max(floor[button], usual[button] + share * way) for share in (_LOW, _HIGH))
        found[:, button] = _reaching(column > low, column > high)
    return found


def _reaching(inside: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The runs of `inside` in which some row is `high`, (T,) each."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    found = np.zeros_like(inside)
    for start, stop in edges.reshape(-1, 2):
        found[start:stop] = high[start:stop].any()
    return found
