"""The visualiser: gamepads, plans and labels drawn onto pictures.

Knows frames and actions; draws them in sRGB at any size. Knows nothing of policies, files or games.
"""

import functools
from collections.abc import Sequence

import cv2
import numpy as np

from nitrogen.actions import BUTTON_INDEX, Actions, Frame

BACKGROUND = (18, 20, 26)
PANEL = (30, 33, 42)
LINE = (74, 80, 98)
TEXT = (222, 226, 236)
MUTED = (136, 144, 164)
ACCENT = (118, 185, 0)
WARM = (255, 166, 61)

_FACE = {
    "south": (0, 1, (96, 187, 70)),
    "east": (1, 0, (226, 76, 75)),
    "west": (-1, 0, (66, 133, 244)),
    "north": (0, -1, (244, 190, 55)),
}
_DPAD = {
    "dpad_up": (0, -1),
    "dpad_down": (0, 1),
    "dpad_left": (-1, 0),
    "dpad_right": (1, 0),
}
_FRACTION = 4  # sub-pixel bits of the drawing primitives

PLAN_ROWS = (
    "left_x", "left_y", "right_x", "right_y", "south", "east", "west", "north",
    "left_shoulder", "right_shoulder", "left_trigger", "right_trigger",
)  # fmt: skip


def label(
    picture: Frame,
    text: str,
    at: tuple[float, float],
    *,
    size: float = 0.5,
    colour: tuple[int, int, int] = TEXT,
) -> None:
    """Write `text` with its lower left corner at `at` (x, y), in place; `size` 1 is 22 px high."""
    point = (round(at[0]), round(at[1]))
    cv2.putText(picture, text, point, cv2.FONT_HERSHEY_DUPLEX, size, colour, 1, cv2.LINE_AA)


def pad(picture: Frame, box: tuple[int, int, int, int], actions: Actions) -> None:
    """Draw the gamepad state of the first frame of `actions` into `box` (x, y, w, h), in place."""
    x, y, w, h = box
    unit = min(w / 16, h / 10.4)
    cx, cy = x + w / 2.0, y + h / 2.0
    buttons = {name: float(actions.buttons[0, index]) for name, index in BUTTON_INDEX.items()}

    _rounded(picture, (cx - 7.4 * unit, cy - 2.9 * unit), (14.8 * unit, 6.6 * unit), 2.6 * unit)
    for side, sign in (("left", -1), ("right", 1)):
        _trigger(
            picture, (cx + sign * 4.6 * unit, cy - 4.5 * unit), unit, buttons[f"{side}_trigger"]
        )
        bumper = ACCENT if buttons[f"{side}_shoulder"] > 0.5 else LINE
        _bar(picture, (cx + sign * 4.6 * unit, cy - 3.4 * unit), (3.6 * unit, 0.7 * unit), bumper)
    left_at, right_at = (cx - 4.6 * unit, cy - 0.9 * unit), (cx + 2.3 * unit, cy + 1.7 * unit)
    _stick(picture, left_at, unit, actions.sticks[0, :2], clicked=buttons["left_thumb"] > 0.5)
    _stick(picture, right_at, unit, actions.sticks[0, 2:], clicked=buttons["right_thumb"] > 0.5)
    for name, (dx, dy, colour) in _FACE.items():
        at = (cx + (4.6 + 1.15 * dx) * unit, cy + (-0.9 + 1.15 * dy) * unit)
        _disc(picture, at, 0.62 * unit, colour if buttons[name] > 0.5 else LINE)
    for name, (across, down) in _DPAD.items():
        at = (cx + (-2.3 + 0.85 * across) * unit, cy + (1.7 + 0.85 * down) * unit)
        _bar(picture, at, (0.8 * unit, 0.8 * unit), ACCENT if buttons[name] > 0.5 else LINE)
    for name, offset in (("back", -1.2), ("guide", 0.0), ("start", 1.2)):
        at = (cx + offset * unit, cy - 1.4 * unit)
        _disc(picture, at, 0.32 * unit, ACCENT if buttons[name] > 0.5 else LINE)


def plan(picture: Frame, box: tuple[int, int, int, int], actions: Actions, *, execute: int) -> None:
    """Draw the plan as one row per control over time into `box` (x, y, w, h), in place.

    The first `execute` columns, which are played before the next plan, are framed. Sticks are
    curves round a middle line, buttons are filled where pressed.
    """
    x, y, w, h = box
    name_width = min(130, w // 3)
    row, column = h / len(PLAN_ROWS), (w - name_width) / max(1, len(actions))
    for number, name in enumerate(PLAN_ROWS):
        top = y + number * row
        label(picture, name, (x, top + row * 0.68), size=min(0.42, row / 34), colour=MUTED)
        left = x + name_width
        cv2.rectangle(
            picture,
            (round(left), round(top + 1)),
            (round(x + w), round(top + row - 2)),
            PANEL,
            cv2.FILLED,
        )
        if name in BUTTON_INDEX:
            for index, value in enumerate(actions.button(name)):
                if value > 0.02:
                    start = (round(left + index * column), round(top + row - 2 - (row - 3) * value))
                    end = (round(left + (index + 1) * column - 1), round(top + row - 2))
                    colour = ACCENT if value > 0.5 else LINE
                    cv2.rectangle(picture, start, end, colour, cv2.FILLED)
        else:
            middle = top + row / 2
            cv2.line(picture, (round(left), round(middle)), (round(x + w), round(middle)), LINE)
            curve = [
                (left + (index + 0.5) * column, middle + value * (row / 2 - 2))
                for index, value in enumerate(actions.stick(name))
            ]
            _polyline(picture, curve, WARM)
    right = round(x + name_width + min(execute, len(actions)) * column)
    cv2.rectangle(picture, (x + name_width, y), (right, round(y + h - 2)), TEXT, 1)


def scene(
    view: Frame,
    seen: Frame,
    actions: Actions,
    *,
    execute: int,
    title: str,
    lines: Sequence[str] = (),
    caption: str = "plan (framed: played before the next)",
) -> Frame:
    """One frame of the visualiser, (720, 1280, 3): game, policy's frame, its pad and its plan.

    view: the game as a person sees it; seen: the policy's frame; actions: the plan, whose first
    frame is being played; caption: above the plan.
    """
    picture = _background().copy()
    height, width = view.shape[:2]
    scale = min(900 / width, 640 / height)
    size = (round(width * scale), round(height * scale))
    shown = cv2.resize(view, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = 56 + (640 - size[1]) // 2, 12 + (900 - size[0]) // 2
    picture[top : top + size[1], left : left + size[0]] = shown
    label(picture, title, (16, 38), size=0.8)
    small = cv2.resize(seen, (150, 150), interpolation=cv2.INTER_AREA)
    picture[56:206, 930:1080] = small
    label(picture, "seen by the policy", (930, 222), size=0.4, colour=MUTED)
    for number, line in enumerate(lines):
        label(picture, line, (1094, 76 + 24 * number), size=0.45)
    pad(picture, (930, 234, 338, 186), actions)
    label(picture, caption, (930, 442), size=0.4, colour=MUTED)
    plan(picture, (930, 452, 338, 256), actions, execute=execute)
    return picture


def fit(frame: Frame, size: tuple[int, int]) -> Frame:
    """A copy of `frame` scaled into (width, height) with black bars where shapes differ."""
    height, width = frame.shape[:2]
    if (width, height) == size:
        return frame.copy()
    scale = min(size[0] / width, size[1] / height)
    inner = (round(width * scale), round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    result[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        frame, inner, interpolation=method
    )
    return result


@functools.cache
def _background() -> Frame:
    return np.full((720, 1280, 3), BACKGROUND, np.uint8)


def _fixed(values: Sequence[float]) -> tuple[int, ...]:
    return tuple(round(value * (1 << _FRACTION)) for value in values)


def _disc(
    picture: Frame, at: tuple[float, float], radius: float, colour: tuple[int, int, int]
) -> None:
    (fixed_radius,) = _fixed([radius])
    cv2.circle(picture, _fixed(at), fixed_radius, colour, cv2.FILLED, cv2.LINE_AA, shift=_FRACTION)


def _bar(
    picture: Frame,
    centre: tuple[float, float],
    size: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    start = (round(centre[0] - size[0] / 2), round(centre[1] - size[1] / 2))
    end = (round(centre[0] + size[0] / 2), round(centre[1] + size[1] / 2))
    cv2.rectangle(picture, start, end, colour, cv2.FILLED)


def _rounded(
    picture: Frame, corner: tuple[float, float], size: tuple[float, float], radius: float
) -> None:
    (x, y), (w, h) = corner, size
    for ax in (x + radius, x + w - radius):
        for ay in (y + radius, y + h - radius):
            _disc(picture, (ax, ay), radius, PANEL)
    centre = (x + w / 2, y + h / 2)
    _bar(picture, centre, (w - 2 * radius, h), PANEL)
    _bar(picture, centre, (w, h - 2 * radius), PANEL)


def _stick(
    picture: Frame,
    at: tuple[float, float],
    unit: float,
    position: np.ndarray[tuple[int], np.dtype[np.float32]],
    *,
    clicked: bool,
) -> None:
    _disc(picture, at, 1.5 * unit, LINE)
    _disc(picture, at, 1.35 * unit, BACKGROUND)
    knob = (at[0] + float(position[0]) * 0.8 * unit, at[1] + float(position[1]) * 0.8 * unit)
    moved = float(np.abs(position).max()) > 0.1
    _disc(picture, knob, 0.75 * unit, ACCENT if clicked else WARM if moved else MUTED)


def _trigger(picture: Frame, at: tuple[float, float], unit: float, travel: float) -> None:
    width, height = 2.6 * unit, 1.1 * unit
    _bar(picture, at, (width, height), PANEL)
    if travel > 0.02:
        filled = height * travel
        _bar(picture, (at[0], at[1] + (height - filled) / 2), (width, filled), ACCENT)


def _polyline(
    picture: Frame, points: Sequence[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    fixed = np.array([_fixed(point) for point in points], np.int32)
    cv2.polylines(picture, [fixed], False, colour, 2, cv2.LINE_AA, _FRACTION)  # noqa: FBT003
