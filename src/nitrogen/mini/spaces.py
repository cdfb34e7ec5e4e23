"""The Gymnasium spaces that every game shares."""

import numpy as np
from gymnasium import spaces

from nitrogen.actions import BUTTONS, FRAME_SIZE, STICKS, Frame, Step


def observation() -> spaces.Space[Frame]:
    """(256, 256, 3) uint8 RGB."""
    return spaces.Box(0, 255, (FRAME_SIZE, FRAME_SIZE, 3), np.uint8)


def action() -> spaces.Space[Step]:
    """`buttons` (17,) in 0..1 and `sticks` (4,) in -1..1, float32."""
    controls: dict[str, spaces.Space[object]] = {
        "buttons": spaces.Box(0, 1, (len(BUTTONS),), np.float32),
        "sticks": spaces.Box(-1, 1, (len(STICKS),), np.float32),
    }
    return spaces.Dict(controls)  # type: ignore[return-value]  # Dict samples plain dicts
