"""What a player sees and does: frames and gamepad actions.

Knows the names, order, sign and scale of a gamepad's controls. Knows nothing of networks, games,
files or pictures of pads; every other module speaks this type.

Sign convention: **y grows down**, on both sticks, everywhere. The one place that flips it is the
driver of an interface where up is positive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nitrogen.errors import ActionsError

BUTTONS = (
    "back", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "east", "guide",
    "left_shoulder", "left_thumb", "left_trigger", "north", "right_shoulder",
    "right_thumb", "right_trigger", "south", "start", "west",
)  # fmt: skip
"""The 17 buttons in the order of the published data set (alphabetical)."""

STICKS = ("left_x", "left_y", "right_x", "right_y")
"""The 4 stick axes; x grows right, y grows down."""

MENU_BUTTONS = ("back", "guide", "start")
"""Buttons that leave or pause a game; policies keep them released unless allowed."""

BUTTON_INDEX = {name: index for index, name in enumerate(BUTTONS)}
STICK_INDEX = {name: index for index, name in enumerate(STICKS)}

PRESSED = 0.5
"""A button or trigger counts as pressed above this travel."""

FRAME_SIZE = 256
"""Height and width of the frame that a policy sees, in pixels."""

Frame = NDArray[np.uint8]
"""(H, W, 3) RGB; (256, 256, 3) where a policy sees it."""

Step = dict[str, NDArray[np.float32]]
"""The Gymnasium action of one frame: `buttons` (17,) and `sticks` (4,)."""


@dataclass(frozen=True, eq=False)
class Actions:
    """Gamepad states of T consecutive frames.

    buttons: (T, 17) float32 in [0, 1], in the order of BUTTONS; a trigger is its travel.
    sticks:  (T, 4) float32 in [-1, 1], in the order of STICKS; x grows right, y grows down.

    Raises ActionsError if a shape, range or value (NaN) is wrong.
    """

    buttons: NDArray[np.float32]
    sticks: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Convert to float32 and check."""
        for name, width, low in (("buttons", len(BUTTONS), 0.0), ("sticks", len(STICKS), -1.0)):
            values = _float32(name, getattr(self, name))
            if values.ndim != 2 or values.shape[1] != width:
                raise ActionsError(f"{name} must have shape (T, {width}), not {values.shape}")
            if not np.isfinite(values).all():
                raise ActionsError(f"{name} holds NaN or infinity; every value must be a number")
            if values.size and (values.min() < low or values.max() > 1.0):
                raise ActionsError(
                    f"{name} must lie in [{low:g}, 1], not"
                    f" [{values.min():g}, {values.max():g}]; clip them first"
                )
            object.__setattr__(self, name, values)
        if len(self.buttons) != len(self.sticks):
            raise ActionsError(
                f"buttons and sticks must have the same length,"
                f" not {len(self.buttons)} and {len(self.sticks)}"
            )

    @classmethod
    def released(cls, length: int) -> Self:
        """`length` frames with nothing pressed and both sticks centred."""
        return cls(
            np.zeros((length, len(BUTTONS)), np.float32),
            np.zeros((length, len(STICKS)), np.float32),
        )

    @classmethod
    def of(cls, *pressed: str, length: int = 1, **controls: float) -> Self:
        """`length` equal frames: names of pressed buttons, and values of sticks or triggers.

        `Actions.of("south", left_x=1.0)` holds A and pushes the left stick to the right.
        """
        actions = cls.released(length)
        for name, value in {**dict.fromkeys(pressed, 1.0), **controls}.items():
            if name in BUTTON_INDEX:
                actions.buttons[:, BUTTON_INDEX[name]] = value
            elif name in STICK_INDEX:
                actions.sticks[:, STICK_INDEX[name]] = value
            else:
                raise ActionsError(f"no control {name!r}; controls: {', '.join(BUTTONS + STICKS)}")
        return cls(actions.buttons, actions.sticks)

    @classmethod
    def from_step(cls, step: Mapping[str, ArrayLike]) -> Self:
        """The single frame that a Gymnasium action `{"buttons": (17,), "sticks": (4,)}` holds."""
        if set(step) != {"buttons", "sticks"}:
            raise ActionsError(f"an action has the keys buttons and sticks, not {sorted(step)}")
        buttons, sticks = (_float32(name, step[name]) for name in ("buttons", "sticks"))
        return cls(buttons[None], sticks[None])

    @classmethod
    def concatenate(cls, parts: Iterable["Actions"]) -> Self:
        """The parts one after the other."""
        parts = [cls.released(0), *parts]
        return cls(
            np.concatenate([part.buttons for part in parts]),
            np.concatenate([part.sticks for part in parts]),
        )

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.buttons)

    def __getitem__(self, rows: slice) -> "Actions":
        """The given frames, as Actions."""
        if not isinstance(rows, slice):
            raise ActionsError("Actions are sliced, not indexed: write actions[i : i + 1]")
        return Actions(self.buttons[rows], self.sticks[rows])

    def as_step(self) -> Step:
        """The Gymnasium action of the only frame."""
        if len(self) != 1:
            raise ActionsError(f"as_step needs exactly one frame, not {len(self)}; slice first")
        return {"buttons": self.buttons[0], "sticks": self.sticks[0]}

    def button(self, name: str) -> NDArray[np.float32]:
        """Travel of one button over time, (T,)."""
        return self.buttons[:, BUTTON_INDEX[name]]

    def stick(self, name: str) -> NDArray[np.float32]:
        """Position of one stick axis over time, (T,)."""
        return self.sticks[:, STICK_INDEX[name]]

    def pressed(self) -> NDArray[np.bool_]:
        """Which buttons are pressed, (T, 17) bool."""
        return self.buttons > PRESSED

    def without_menu_buttons(self) -> "Actions":
        """The same with back, start and guide released."""
        buttons = self.buttons.copy()
        buttons[:, [BUTTON_INDEX[name] for name in MENU_BUTTONS]] = 0.0
        return Actions(buttons, self.sticks)


def _float32(name: str, values: ArrayLike) -> NDArray[np.float32]:
    try:
        return np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ActionsError(f"{name} must be numbers: {error}") from error
