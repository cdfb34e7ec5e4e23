"""Named pad states: what a plan means in the words printed on a controller.

Buttons are told apart by place (south, east, ...); each controller family prints its own names
there. Knows names only; scale and order of the values are in `layout`.
"""

import difflib

from torch import Tensor

from nitrogen.actions import BUTTONS, STICKS, Actions
from nitrogen.errors import ActionsError
from nitrogen.model import layout

PadState = dict[str, bool | float]
"""One frame: every button by name, pressed or not, and every stick axis in [-1, 1], y down."""

_FAMILIES: dict[str, tuple[str, ...]] = {
    # in the order of BUTTONS
    "generic": BUTTONS,
    "xbox": (
        "view", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "b", "xbox",
        "lb", "ls", "lt", "y", "rb", "rs", "rt", "a", "menu", "x",
    ),
    "playstation": (
        "share", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "circle", "ps",
        "l1", "l3", "l2", "triangle", "r1", "r3", "r2", "cross", "options", "square",
    ),
    "switch": (
        "minus", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "a", "home",
        "l", "left_stick_press", "zl", "x", "r", "right_stick_press", "zr", "b", "plus", "y",
    ),
}  # fmt: skip

FAMILIES = tuple(_FAMILIES)
"""The controller families: generic, xbox, playstation, switch."""


def button_names(family: str) -> dict[str, str]:
    """Our name of each button to the family's; ActionsError on an unknown family."""
    if family not in _FAMILIES:
        near = difflib.get_close_matches(family, FAMILIES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ActionsError(f"no family {family!r}; families: {', '.join(FAMILIES)}{hint}")
    return dict(zip(BUTTONS, _FAMILIES[family], strict=True))


def decode(plan: Tensor | Actions, family: str = "generic") -> list[PadState]:
    """Pad states of a plan, one per action: (T, 25) values of the network, or Actions."""
    actions = plan if isinstance(plan, Actions) else layout.from_tensor(plan)
    names = button_names(family).values()
    pressed = actions.pressed()
    return [
        {
            **dict(zip(names, map(bool, pressed[row]), strict=True)),
            **dict(zip(STICKS, map(float, actions.sticks[row]), strict=True)),
        }
        for row in range(len(actions))
    ]
