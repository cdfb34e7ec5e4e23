"""`Actions` ⇄ the (T, 25) tensor that the network was published with.

Knows the order and scale of the 25 values: 21 buttons in alphabetical order, then left x, left y,
right x, right y, stored as (v + 1) / 2. Four of the buttons are legacy names of a digital right
stick with no control behind them; they live here and nowhere else.
"""

import numpy as np
import torch
from torch import Tensor

from nitrogen.actions import BUTTONS, PRESSED, STICKS, Actions
from nitrogen.errors import ActionsError

LEGACY_BUTTONS = ("right_bottom", "right_left", "right_right", "right_up")
"""Always 0 in training data, ignored in plans."""

TENSOR_BUTTONS = tuple(sorted(BUTTONS + LEGACY_BUTTONS))
"""The first 21 of the 25 values."""

ACTION_VALUES = len(TENSOR_BUTTONS) + len(STICKS)
"""Values per action, A: 25."""

CENTRE = (0.0,) * len(TENSOR_BUTTONS) + (0.5,) * len(STICKS)
"""A pad at rest."""

DEVIATION = (0.25,) * ACTION_VALUES
"""About how far values stray from a pad at rest, where no data has been measured."""

_COLUMNS = [TENSOR_BUTTONS.index(name) for name in BUTTONS]
_FIRST_STICK = len(TENSOR_BUTTONS)


def to_tensor(actions: Actions) -> Tensor:
    """The actions as the network is trained on them, (T, 25) float32 in [0, 1]."""
    values = np.zeros((len(actions), ACTION_VALUES), np.float32)
    values[:, _COLUMNS] = actions.buttons
    values[:, _FIRST_STICK:] = (actions.sticks + 1) / 2
    return torch.from_numpy(values)


def from_tensor(values: Tensor) -> Actions:
    """The pad states that the network means by (T, 25) values.

    A button, trigger or not, is pressed (1) above 0.5 and released (0) otherwise; sticks are
    2 v - 1, clamped. Raises ActionsError on another shape or on NaN.
    """
    if values.ndim != 2 or values.shape[1] != ACTION_VALUES:
        raise ActionsError(f"expected (T, {ACTION_VALUES}) values, not {tuple(values.shape)}")
    array = values.detach().float().cpu().numpy()
    if not np.isfinite(array).all():
        raise ActionsError("the network returned NaN or infinity; the checkpoint may be damaged")
    return Actions(
        (array[:, _COLUMNS] > PRESSED).astype(np.float32),
        np.clip(2 * array[:, _FIRST_STICK:] - 1, -1, 1),
    )
