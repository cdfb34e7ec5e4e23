"""Themes of Open Joystick Display: `theme.json`, HTML, CSS and SVG or PNG.

Facts of the format: elements with `ojd-button` get the class `active` while pressed; those with
`ojd-directional` 0 and 1 are moved by `left` and `top` in percent of their wrapper;
`ojd-trigger-scale` sets a height; `ojd-svg` names a drawing that is put inside. A folder with only
a drawing and a style sheet is taken as a theme with the usual two wrappers.
"""

import json
import re
from pathlib import Path
from typing import Any

from nitrogen.errors import SkinError
from nitrogen.overlay.importers import browser
from nitrogen.overlay.importers.draft import Draft
from nitrogen.overlay.importers.webskin import Side, WebSkin, WebStick, WebTrigger, each

_BUTTONS = {
    "A": "?A", "B": "?B", "X": "?X", "Y": "?Y",
    "CROSS": "south", "CIRCLE": "east", "SQUARE": "west", "TRIANGLE": "north",
    "L": "lb", "R": "rb", "L2": "lt", "R2": "rt", "L3": "l3", "R3": "r3",
    "SELECT": "back", "MINUS": "back", "SHARE": "back", "START": "start", "PLUS": "start",
    "OPTION": "start", "OPTIONS": "start", "HOME": "guide", "PS": "guide", "XBOX": "guide",
    "UP": "up", "DOWN": "down", "LEFT": "left", "RIGHT": "right",
}  # fmt: skip
_USUAL_STICKS = (("theme-analog-wrapper", 0), ("theme-analog-right-wrapper", 1))
_ROOT = ".theme"


def recognise(source: Path) -> Path | None:
    """The folder of a theme, if it is one of this kind."""
    folder = source.parent if source.is_file() else source
    if (folder / "theme.json").is_file() or any(
        "ojd-" in file.read_text(encoding="utf-8", errors="replace")
        for pattern in ("*.html", "*.svg")
        for file in folder.glob(pattern)
    ):
        return folder
    return None


def read(source: Path, *, style: str | None = None) -> Draft:
    """A theme as a draft.

    style: id or name of the style where a theme has several. Raises SkinError, naming the file and
    what is missing in it, and MissingDependencyError without a browser.
    """
    folder = recognise(source)
    if folder is None:
        raise SkinError(f"{source} has no theme.json and nothing with ojd- attributes in it")
    facts = _facts(folder)
    markup, sheets, label = _style(folder, facts, style)
    body = _with_drawings(markup, folder)
    head = "".join(f'<link rel="stylesheet" href="{sheet.resolve().as_uri()}">' for sheet in sheets)
    page = (
        f'<!doctype html><base href="{folder.resolve().as_uri()}/"><head>{head}'
        f"<style>html,body{{margin:0}}</style></head><body>{body}</body>"
    )
    root = _ROOT if 'class="theme"' in body or "class='theme'" in body else "body > *"
    size = browser.measure(page, root, where=str(folder))
    draft = Draft(
        name=re.sub(r"\W+", "_", f"{facts.get('id') or folder.name}_{label}").strip("_"),
        canvas=size, source=f"{folder.name}, {label}", author=str(facts.get("author", "")),
        licence=str(facts.get("license") or facts.get("licence") or ""),
    )  # fmt: skip
    skin = WebSkin(page=page, size=size, buttons=_buttons(body, draft), sticks=_sticks(body),
                   triggers=_triggers(body))  # fmt: skip
    skin.add_to(draft)
    return draft


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / "theme.json"
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SkinError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(facts, dict):
        raise SkinError(f"{path}: expected an object with 'styles'")
    return facts


def _style(folder: Path, facts: dict[str, Any], style: str | None) -> tuple[str, list[Path], str]:
    """Markup, style sheets and name of the chosen style."""
    styles = facts.get("styles") or []
    if not styles:
        return _bare(folder, style)
    known = [str(one.get("id")) for one in styles]
    found = [one for one in styles if style in (None, one.get("id"), one.get("name"))]
    if not found:
        raise SkinError(f"{folder} has no style {style!r}; styles: {', '.join(known)}")
    chosen = found[0]
    markup = folder / str(chosen.get("file") or "theme.html")
    if not markup.is_file():
        raise SkinError(f"{folder / 'theme.json'}: style {chosen.get('id')!r} needs {markup}")
    names = [chosen.get("mastercss"), f"theme-{chosen.get('id')}.css", "theme.css"]
    sheets = list(dict.fromkeys(folder / name for name in names if name))
    if not sheets[0].is_file() and chosen.get("mastercss"):
        raise SkinError(f"{folder / 'theme.json'}: style {chosen.get('id')!r} needs {sheets[0]}")
    chosen_sheets = [sheet for sheet in sheets if sheet.is_file()]
    return markup.read_text(encoding="utf-8"), chosen_sheets, str(chosen.get("id"))


def _bare(folder: Path, style: str | None) -> tuple[str, list[Path], str]:
    """A theme from a drawing and a style sheet alone, or from the only HTML file."""
    sheets = sorted(folder.glob("*.css"))
    markups = sorted(folder.glob("*.html"))
    if markups:
        return markups[0].read_text(encoding="utf-8"), sheets, style or markups[0].stem
    drawings = sorted(folder.glob("*.svg"))
    if style is not None:
        drawings = [file for file in drawings if file.stem == style]
    if not drawings or not sheets:
        raise SkinError(
            f"{folder}: a theme needs an HTML file, or a drawing (SVG) and a style sheet (CSS)"
        )
    rules = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    wrappers = "".join(
        f'<div class="{name}"><div ojd-directional="{number}" class="theme-analog"></div></div>'
        for name, number in _USUAL_STICKS
        if f".{name}" in rules
    )
    markup = f'<div class="theme"><div ojd-svg="{drawings[0].name}"></div>{wrappers}</div>'
    return markup, sheets, drawings[0].stem


def _with_drawings(markup: str, folder: Path) -> str:
    """The markup with each drawing inside the element that names it."""

    def put(match: re.Match[str]) -> str:
        file = folder / match[2].replace("%DIRECTORY%/", "")
        if not file.is_file():
            raise SkinError(f"{folder}: the theme needs the drawing {file}, which is missing")
        drawing = re.sub(r"(?s)^.*?(?=<svg)", "", file.read_text(encoding="utf-8"))
        return match[0] + drawing.replace("ojd:", "ojd-")

    markup = re.sub(r"""(?s)<\w+[^>]*\bojd-svg=(['"])(.*?)\1[^>]*>""", put, markup)
    return browser.without_scripts(markup.replace("%DIRECTORY%/", ""))


def _values(body: str, attribute: str) -> list[str]:
    return list(dict.fromkeys(re.findall(rf"""\b{attribute}=['"]([^'"]*)['"]""", body)))


def _buttons(body: str, draft: Draft) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in _values(body, "ojd-button"):
        name = _BUTTONS.get(value)
        if name is None:
            draft.skipped.append(f"{draft.source}: ojd-button {value!r} is no button of ours")
            continue
        press = each(f'[ojd-button="{value}"]', "e.classList.add('active')")
        found[name] = found.get(name, "") + press
    if _values(body, "ojd-trigger-scale") or _values(body, "ojd-trigger-scale-inverted"):
        return {name: press for name, press in found.items() if name not in ("lt", "rt")}
    return found


def _sticks(body: str) -> dict[Side, WebStick]:
    sides: dict[str, Side] = {"0": "left", "1": "right"}

    def stick(value: str) -> WebStick:
        selector = f'[ojd-directional="{value}"]'
        return WebStick(
            selector=selector,
            move=lambda x, y: each(
                selector, f"e.style.left='{50 + 50 * x}%';e.style.top='{50 + 50 * y}%'"
            ),
        )

    return {sides[v]: stick(v) for v in _values(body, "ojd-directional") if v in sides}


def _triggers(body: str) -> dict[str, WebTrigger]:
    triggers = {}
    for attribute, reverse in (("ojd-trigger-scale", False), ("ojd-trigger-scale-inverted", True)):
        for value in _values(body, attribute):
            if value in ("0", "1"):
                selector = f'[{attribute}="{value}"]'
                triggers["lt" if value == "0" else "rt"] = WebTrigger(
                    selector=selector, mode="fill", reverse=reverse,
                    full=each(selector, "e.style.height='100%'"),
                    half=each(selector, "e.style.height='50%'"),
                )  # fmt: skip
    return triggers
