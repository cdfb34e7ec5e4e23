"""Names of keys and mouse buttons, for games that read no pad.

The numbers of keys are SDL's scancodes (the USB ones).
"""

from dataclasses import dataclass

from nitrogen.errors import GameError
from nitrogen.simulator import protocol

SCANCODES: dict[str, int] = {
    **{chr(ord("a") + index): 4 + index for index in range(26)},
    **{str((index + 1) % 10): 30 + index for index in range(10)},
    **{f"f{index + 1}": 58 + index for index in range(12)},
    "return": 40,
    "escape": 41,
    "backspace": 42,
    "tab": 43,
    "space": 44,
    "insert": 73,
    "home": 74,
    "page_up": 75,
    "delete": 76,
    "end": 77,
    "page_down": 78,
    "right": 79,
    "left": 80,
    "down": 81,
    "up": 82,
    "left_ctrl": 224,
    "left_shift": 225,
    "left_alt": 226,
    "right_ctrl": 228,
    "right_shift": 229,
    "right_alt": 230,
}
"""Key name -> scancode."""

MOUSE_BUTTONS = ("mouse_left", "mouse_middle", "mouse_right", "wheel_up", "wheel_down")
CODES: dict[str, int] = {
    **SCANCODES,
    **{name: protocol.KEY_MOUSE + index + 1 for index, name in enumerate(MOUSE_BUTTONS)},
}
"""Name of a key or mouse button -> its number in the board."""

MOUSE_KINDS = {"relative": protocol.MOUSE_RELATIVE, "absolute": protocol.MOUSE_ABSOLUTE}
MOUSE_STICKS = ("left", "right")


@dataclass(frozen=True, kw_only=True)
class Mouse:
    """A stick that moves the mouse. Raises GameError if a value makes no sense."""

    kind: str = "relative"
    """`relative`: the stick sets the speed; `absolute`: it sets the place in the window."""
    stick: str = "right"
    """`left` or `right`."""
    reach: float = 600.0
    """Relative: pixels per virtual second at full tilt. Absolute: the share (0..1) of the half
    window that the pointer is away from its centre at full tilt."""

    def __post_init__(self) -> None:
        """Check."""
        if self.kind not in MOUSE_KINDS:
            raise GameError(f"mouse kind {self.kind!r}: say one of {sorted(MOUSE_KINDS)}")
        if self.stick not in MOUSE_STICKS:
            raise GameError(f"mouse stick {self.stick!r}: say one of {MOUSE_STICKS}")
        limit = 1.0 if self.kind == "absolute" else 100_000.0
        if not 0.0 < self.reach <= limit:
            raise GameError(f"mouse reach {self.reach:g}: {self.kind} takes 0..{limit:g}")
