"""How much each value of a plan counts in the loss.

Most rows of a recording repeat the row before, and many are idle. A network that learns to repeat
or to idle scores well on all of them and plays nothing; so changes, active rows and single controls
can be made to count more.
"""

import difflib

import torch
from torch import Tensor

from nitrogen.actions import BUTTONS, STICKS
from nitrogen.errors import TrainingError
from nitrogen.model.layout import ACTION_VALUES, TENSOR_BUTTONS

FIRST_STICK = len(TENSOR_BUTTONS)
REST = 0.05
"""A stored stick value this far from its centre (0.5) counts as moved: a tenth of its way."""


def importance(
    plans: Tensor, *, onset: float = 0.0, active: float = 0.0, controls: tuple[str, ...] = ()
) -> Tensor:
    """Weight of each value, (B, T, A), for plans (B, T, A) in the network's scale.

    onset: added near changes of a button (`onset_weights`); active: added to rows that are not
    idle; controls: `name=factor`, as `of_controls` reads them.
    """
    weights = onset_weights(plans, onset) if onset else torch.ones_like(plans)
    if active:
        weights = weights + active * active_rows(plans)[..., None].to(plans.dtype)
    return weights * of_controls(controls).to(plans) if controls else weights


def onset_weights(plans: Tensor, weight: float) -> Tensor:
    """Importance of each value: 1, and 1 + `weight` within two rows of a change of that button.

    plans: (B, T, A). Rare decisive presses (a jump) otherwise drown in the many rows where nothing
    changes. Sticks keep 1.
    """
    change = torch.zeros_like(plans)
    change[:, 1:] = (plans[:, 1:] - plans[:, :-1]).abs().gt(0.5).to(plans.dtype)
    near = torch.nn.functional.max_pool1d(change.transpose(1, 2), 5, stride=1, padding=2)
    near = near.transpose(1, 2).clone()
    near[..., FIRST_STICK:] = 0
    return 1 + weight * near


def active_rows(plans: Tensor) -> Tensor:
    """Rows of plans (B, T, A) in which a button is pressed or a stick is moved, (B, T) bool."""
    pressed = (plans[..., :FIRST_STICK] > 0.5).any(dim=-1)
    moved = ((plans[..., FIRST_STICK:] - 0.5).abs() > REST).any(dim=-1)
    return pressed | moved


def of_controls(entries: tuple[str, ...]) -> Tensor:
    """Factors of the action values, (A,), from entries such as `south=3`, `sticks=0.5`.

    Names are those of buttons and stick axes, `buttons` and `sticks` for all of a kind; factors of
    one control multiply. Raises TrainingError, with the nearest name, on anything else.
    """
    places = {name: [TENSOR_BUTTONS.index(name)] for name in BUTTONS}
    places |= {name: [FIRST_STICK + index] for index, name in enumerate(STICKS)}
    places["buttons"] = list(range(FIRST_STICK))
    places["sticks"] = list(range(FIRST_STICK, ACTION_VALUES))
    factors = torch.ones(ACTION_VALUES)
    for entry in entries:
        name, _, text = entry.partition("=")
        if name not in places:
            near = difflib.get_close_matches(name, places, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TrainingError(f"importance: no control {name!r}{hint}")
        try:
            factor = float(text)
        except ValueError:
            factor = -1.0
        if not 0 <= factor < float("inf"):
            raise TrainingError(f"importance: {entry!r} must read NAME=FACTOR, for example south=3")
        factors[places[name]] *= factor
    if not factors.any():
        raise TrainingError("importance: every control has factor 0; nothing would be learned")
    return factors
