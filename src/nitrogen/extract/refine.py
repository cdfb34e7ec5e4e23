"""From what was read to what was played: rest offset, travel, flicker.

Pure functions on whole videos; the result does not depend on the overlay's scale or place.
"""

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions

_RESTING = 0.25
"""Sticks nearer to the centre than this may be resting."""


def refine(
    actions: Actions,
    *,
    confidence: NDArray[np.float32] | None = None,
    travel_known: bool = True,
) -> Actions:
    """Sticks centred and scaled, doubtful single-frame flicker of buttons removed.

    confidence: (T,); a single frame that differs from both neighbours is believed where it exceeds
    one half, and never if not given. travel_known: the skin's own travel was used, so that scale 1
    is right; otherwise each axis is scaled by the 99th percentile of its size, as published, which
    is too large for a player who never reaches full deflection.
    """
    sticks = np.stack([_axis(axis, travel_known) for axis in actions.sticks.T], axis=1)
    doubtful = np.ones(len(actions), np.bool_) if confidence is None else confidence < 0.5
    return Actions(_steady(actions.buttons, doubtful), np.clip(sticks, -1, 1))


def held(actions: Actions, visible: NDArray[np.bool_]) -> Actions:
    """Rows in which the overlay is not visible, (T,), repeat the last one in which it was.

    Rows before the first visible one take that; without any, all are released.
    """
    if visible.all():
        return actions
    if not visible.any():
        return Actions.released(len(actions))
    rows = np.maximum.accumulate(np.where(visible, np.arange(len(visible)), -1))
    rows = np.where(rows < 0, int(visible.argmax()), rows)
    return Actions(actions.buttons[rows], actions.sticks[rows])


def rest_offset(axis: NDArray[np.float32]) -> float:
    """Where an axis rests: the median of where it lies still near the centre; 0 if it hardly does.

    Still is: at least eight rows within two hundredths.
    """
    if len(axis) < 8:
        return 0.0
    rows = np.lib.stride_tricks.sliding_window_view(axis, 8)
    still = (rows.max(axis=1) - rows.min(axis=1) < 0.02) & (np.abs(rows[:, 0]) < _RESTING)
    return float(np.median(rows[still, 0])) if still.sum() >= max(20, 0.05 * len(axis)) else 0.0


def _axis(axis: NDArray[np.float32], travel_known: bool) -> NDArray[np.float32]:  # noqa: FBT001
    offset = rest_offset(axis)
    if travel_known:
        return axis - np.float32(np.clip(offset, -0.08, 0.08))
    reach = float(np.percentile(np.abs(axis - offset), 99)) if len(axis) else 1.0
    return (axis - np.float32(offset)) / np.float32(max(reach, 0.1))


def _steady(buttons: NDArray[np.float32], doubtful: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Values of one frame between two equal ones become like them; two-frame taps stay."""
    if len(buttons) < 3:
        return buttons
    pressed = buttons > 0.5
    odd = (pressed[1:-1] != pressed[:-2]) & (pressed[:-2] == pressed[2:])
    alone = odd & doubtful[1:-1, None]
    alone[1:] &= ~odd[:-1]
    alone[:-1] &= ~odd[1:]
    result = buttons.copy()
    result[1:-1][alone] = buttons[:-2][alone]
    return result
