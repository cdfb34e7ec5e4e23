"""What every reader of a located overlay returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions


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
