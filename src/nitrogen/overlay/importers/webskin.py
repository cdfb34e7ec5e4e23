"""A skin that is a web page: drawn in every state, and taken apart by what changes.

Common to the formats made of HTML and CSS. Each state is a piece of script that presses something.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nitrogen.overlay.importers import browser
from nitrogen.overlay.importers.draft import Draft, by_place
from nitrogen.overlay.skin import Sprite
from nitrogen.overlay.sprites import premultiply, straight

Side = Literal["left", "right"]

_NUDGE = 0.4
"""Deflection at which a stick's travel is measured; farther out the page's edge may cut it."""

_SWITCHED = ("lt", "rt")
"""Triggers drawn as buttons show from their first travel on."""

_FADED = 40
"""Steps of alpha by which a pressed button is clearer than a released one if it vanishes."""


@dataclass(frozen=True, kw_only=True)
class WebStick:
    """How a stick is found and moved."""

    selector: str
    move: Callable[[float, float], str]
    """Script that moves it to x, y in -1..1 without leaning."""
    click: str = ""
    tilt: float = 0.0


@dataclass(frozen=True, kw_only=True)
class WebTrigger:
    """How a trigger is found and what shows its travel."""

    selector: str
    mode: Literal["fill", "fade"]
    full: str
    """Script that shows all of it."""
    half: str
    """Script that shows half of it, which tells the direction of filling."""
    reverse: bool = False


@dataclass(frozen=True, kw_only=True)
class WebSkin:
    """One page and what can be pressed on it."""

    page: str
    """A whole HTML document without its closing script."""
    size: tuple[int, int]
    buttons: Mapping[str, str]
    """Script per short button name; buttons that change nothing are left out."""
    sticks: Mapping[Side, WebStick] = field(default_factory=dict)
    triggers: Mapping[str, WebTrigger] = field(default_factory=dict)

    def add_to(self, draft: Draft) -> None:
        """Draw all states and add the layers; controls without an effect are noted as skipped."""
        hidden = "".join(hide(part.selector) for part in self._moving())
        states = {"base": hidden}
        states |= {f"button {name}": hidden + press for name, press in self.buttons.items()}
        for name, trigger in self.triggers.items():
            states[f"trigger {name}"] = alone(trigger.selector) + trigger.full
            states[f"trigger {name} half"] = alone(trigger.selector) + trigger.half
        for side, stick in self.sticks.items():
            only = alone(stick.selector)
            for label, (x, y) in {"": (0, 0), " x": (_NUDGE, 0), " y": (0, _NUDGE)}.items():
                states[f"stick {side}{label}"] = only + stick.move(x, y)
            states[f"stick {side} down"] = only + stick.move(0, 0) + stick.click
        pages = [self.page + f"<script>{script}</script>" for script in states.values()]
        shots = dict(zip(states, browser.photograph(pages, self.size), strict=True))
        self._add_buttons(draft, shots)
        for name, trigger in self.triggers.items():
            full, half = shots[f"trigger {name}"], shots[f"trigger {name} half"]
            self._add_trigger(draft, name, trigger, full, half)
        for side, stick in self.sticks.items():
            self._add_stick(draft, side, stick, shots)

    def _moving(self) -> list[WebStick | WebTrigger]:
        return [*self.sticks.values(), *self.triggers.values()]

    def _add_buttons(self, draft: Draft, shots: dict[str, Sprite]) -> None:
        """The base, and what each button puts over it when pressed.

        A button that vanishes when pressed leaves a hole in the base, which its released picture
        fills.
        """
        base = shots["base"]
        areas = {name: browser.differs(shots[f"button {name}"], base) for name in self.buttons}
        names = by_place({name: _middle(area) for name, area in areas.items() if area.any()})
        downs = {name: _within(shots[f"button {name}"], area) for name, area in areas.items()}
        holed = {
            name: (downs[name][area, 3].astype(int) < base[area, 3].astype(int) - _FADED).any()
            for name, area in areas.items()
        }
        rest = base.copy()
        for name, area in areas.items():
            if holed[name]:
                rest[area] = 0
        draft.image(rest, (0, 0))
        for name, area in areas.items():
            if not area.any():
                draft.skipped.append(f"{draft.source}: nothing changes when {name} is pressed")
            elif holed[name]:
                draft.button(names[name], (0, 0), downs[name], _within(base, area))
            elif name in _SWITCHED:
                draft.trigger(name, (0, 0), laid_over(base, downs[name], area), mode="switch")
            else:
                draft.button(names[name], (0, 0), laid_over(base, downs[name], area))

    def _add_trigger(
        self, draft: Draft, name: str, trigger: WebTrigger, full: Sprite, half: Sprite
    ) -> None:
        if not full[..., 3].any():
            draft.skipped.append(f"{draft.source}: the trigger {name} is invisible")
            return
        box = _box(full)
        shift = np.subtract(_centre(half), _centre(full))
        direction = "up"
        if trigger.mode == "fill" and half[..., 3].any():
            sideways = abs(shift[0]) > abs(shift[1])
            names = ("left", "right") if sideways else ("up", "down")
            direction = names[int(shift[0 if sideways else 1] < 0)]
        draft.trigger(
            name, (box[1].start, box[0].start), np.ascontiguousarray(full[box]),
            mode=trigger.mode, direction=direction, reverse=trigger.reverse,
        )  # fmt: skip

    def _add_stick(
        self, draft: Draft, side: Side, stick: WebStick, shots: dict[str, Sprite]
    ) -> None:
        rest, down = shots[f"stick {side}"], shots[f"stick {side} down"]
        if not rest[..., 3].any():
            draft.skipped.append(f"{draft.source}: the {side} stick is invisible")
            return
        x0, y0 = _centre(rest)
        x1, y1 = _centre(shots[f"stick {side} x"])[0], _centre(shots[f"stick {side} y"])[1]
        both = rest.copy()
        both[..., 3] = np.maximum(rest[..., 3], down[..., 3])
        box = _box(both)
        clicked = browser.differs(rest, down).any()
        draft.stick(
            side, (box[1].start, box[0].start), np.ascontiguousarray(rest[box]),
            down=np.ascontiguousarray(down[box]) if clicked else None,
            travel=(round((x1 - x0) / _NUDGE, 1), round((y1 - y0) / _NUDGE, 1)), tilt=stick.tilt,
        )  # fmt: skip


def laid_over(base: Sprite, wanted: Sprite, area: NDArray[np.bool_]) -> Sprite:
    """What must lie over `base` so that it looks like `wanted` in `area`, with least alpha.

    Where both are opaque it is opaque. Colours that the base is too opaque for are met as nearly
    as can be.
    """
    below, goal = premultiply(base), premultiply(wanted)
    low, high = below[..., :3], goal[..., :3]
    brighter = np.divide(high - low, 255 - low, out=np.zeros_like(low), where=low < 254)
    darker = np.divide(low - high, low, out=np.zeros_like(low), where=low > 1)
    alpha = np.maximum(brighter, darker).max(axis=2)
    room = 1 - below[..., 3]
    fuller = np.divide(
        goal[..., 3] - below[..., 3], room, out=np.zeros_like(room), where=room > 0.01
    )
    alpha = np.clip(np.maximum(alpha, fuller), 0, 1)
    alpha[(np.minimum(below[..., 3], goal[..., 3]) > 0.99) & area] = 1.0
    alpha[~area] = 0.0
    over = np.zeros_like(goal)
    over[..., :3] = np.clip(high - low * (1 - alpha[..., None]), 0, 255 * alpha[..., None])
    over[..., 3] = alpha
    return straight(over)


def each(selector: str, action: str) -> str:
    """Script that does something with every element `e` that the selector finds."""
    return f"document.querySelectorAll({json.dumps(selector)}).forEach(e => {{{action}}});"


def hide(selector: str) -> str:
    """Script that hides elements and what is in them."""
    return _rule(f"{selector}, {selector} * {{visibility: hidden !important}}")


def alone(selector: str) -> str:
    """Script that hides everything but the elements and what is in them."""
    return _rule(
        f"* {{visibility: hidden !important}}"
        f" {selector}, {selector} * {{visibility: visible !important}}"
    )


def _rule(css: str) -> str:
    made = "document.head.appendChild(document.createElement('style'))"
    return f"{made}.textContent = {json.dumps(css)};"


def _middle(area: NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(area)
    return float(columns.mean()), float(rows.mean())


def _within(picture: Sprite, area: NDArray[np.bool_]) -> Sprite:
    result = picture.copy()
    result[~area] = 0
    return result


def _box(picture: Sprite) -> tuple[slice, slice]:
    rows = np.flatnonzero(picture[..., 3].any(axis=1))
    columns = np.flatnonzero(picture[..., 3].any(axis=0))
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def _centre(picture: Sprite) -> tuple[float, float]:
    """Centre of mass of what is drawn, x and y."""
    mass = picture[..., 3].astype(np.float64)
    total = max(mass.sum(), 1e-9)
    down, across = np.arange(mass.shape[0]), np.arange(mass.shape[1])
    return float(mass.sum(axis=0) @ across / total), float(mass.sum(axis=1) @ down / total)
