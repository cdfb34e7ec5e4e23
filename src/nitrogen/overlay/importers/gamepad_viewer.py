"""Skins of gamepad viewers: a style sheet for the well-known page with `.controller` in it.

Facts of the format: elements with `data-button` 0 to 16 (the browser's standard order) get
`data-pressed="true"` (older pages: the class `pressed`); sticks move by 25 pixels of margin and
lean by 30 degrees; triggers fade in, or fill upwards in meter mode.
"""

import re
from pathlib import Path

from nitrogen.errors import SkinError
from nitrogen.overlay.importers import browser
from nitrogen.overlay.importers.draft import Draft
from nitrogen.overlay.importers.webskin import WebSkin, WebStick, WebTrigger, each

_STANDARD = (
    "south", "east", "west", "north", "lb", "rb", "lt", "rt", "back", "start", "l3", "r3",
    "up", "down", "left", "right", "guide",
)  # fmt: skip
"""Names by the number that browsers give a button."""

_METER = "meter"
_TRAVEL, _TILT = 25.0, 30.0

_PAGE = (
    '<div class="triggers"><span class="trigger left" data-button="6"></span>'
    '<span class="trigger right" data-button="7"></span><span class="clear"></span></div>'
    '<div class="bumpers"><span class="bumper left" data-button="4"></span>'
    '<span class="bumper right" data-button="5"></span><span class="clear"></span></div>'
    '<div class="touchpad" data-button="17"></div><div class="meta" data-button="16"></div>'
    '<div class="arrows"><span class="back select" data-button="8"></span>'
    '<span class="start" data-button="9"></span><span class="clear"></span></div>'
    '<div class="abxy buttons"><span class="button a" data-button="0"></span>'
    '<span class="button b" data-button="1"></span><span class="button x" data-button="2"></span>'
    '<span class="button y" data-button="3"></span></div>'
    '<div class="sticks"><span class="stick left" data-button="10" data-axis-x="0"></span>'
    '<span class="stick right" data-button="11" data-axis-x="2"></span></div>'
    '<div class="dpad"><span class="face up" data-button="12"></span>'
    '<span class="face down" data-button="13"></span>'
    '<span class="face left" data-button="14"></span>'
    '<span class="face right" data-button="15"></span></div>'
)
"""The elements that style sheets dress, where a skin brings no template of its own."""

_DEFAULTS = (
    "html,body{margin:0}.controller{position:relative;background-repeat:no-repeat}"
    ".clear{clear:both}"
)


def recognise(source: Path) -> Path | None:
    """The style sheet in a folder (or the file itself), if it dresses a `.controller`."""
    files = [source] if source.is_file() else sorted(source.glob("*.css"))
    return next(
        (
            file
            for file in files
            if file.suffix == ".css"
            and re.search(r"\.(controller|stick|abxy|bumper)\b", _text(file))
        ),
        None,
    )


def read(source: Path, *, style: str | None = None) -> Draft:
    """A skin for a gamepad viewer as a draft.

    style: a colour of those the style sheet has, and `meter` (also `COLOUR+meter`) for triggers
    that fill instead of fading in. Raises SkinError, naming the file and what is missing in it, and
    MissingDependencyError without a browser.
    """
    sheet = recognise(source)
    if sheet is None:
        raise SkinError(f"{source} has no style sheet (CSS) that dresses a .controller")
    rules = _text(sheet)
    _check_pictures(sheet, rules)
    wanted = set((style or "").split("+")) - {""}
    colours = list(dict.fromkeys(re.findall(r"""data-color=["']?([\w-]+)""", rules)))
    unknown = wanted - set(colours) - {_METER}
    if unknown:
        known = ", ".join((*colours, _METER))
        raise SkinError(f"{sheet} has no style {sorted(unknown)}; styles: {known}")
    colour = next((name for name in colours if name in wanted), (colours or [""])[0])
    page = _page(sheet, colour)
    size = browser.measure(page, ".controller", where=str(sheet))
    draft = Draft(
        name=re.sub(r"\W+", "_", f"{sheet.parent.name}_{colour}").strip("_"), canvas=size,
        source=f"{sheet.parent.name}/{sheet.name}",
    )  # fmt: skip
    buttons = {
        name: each(
            f'[data-button="{number}"]',
            "e.dataset.pressed='true';e.dataset.value='1';e.classList.add('pressed')",
        )
        for number, name in enumerate(_STANDARD)
        if name not in ("lt", "rt", "l3", "r3")
    }
    meter = _METER in wanted
    script = _text(sheet.with_suffix(".js"))
    skin = WebSkin(
        page=page, size=size, buttons=buttons,
        sticks={"left": _stick("left", 10, script), "right": _stick("right", 11, script)},
        triggers={"lt": _trigger(6, meter=meter), "rt": _trigger(7, meter=meter)},
    )  # fmt: skip
    skin.add_to(draft)
    return draft


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _check_pictures(sheet: Path, rules: str) -> None:
    for name in re.findall(r"""url\(\s*['"]?([^'")]+)""", rules):
        beside = sheet.parent / name
        elsewhere = re.match(r"(data|https?):|/", name) or "disconnected" in name
        if not elsewhere and not beside.is_file():
            raise SkinError(f"{sheet} needs the picture {beside}, which is missing")


def _page(sheet: Path, colour: str) -> str:
    template = sheet.with_suffix(".html")
    body = browser.without_scripts(_text(template) or _PAGE)
    body = re.sub(r"<link\b[^>]*>", "", body)
    if not re.search(r"""class=["'][^"']*\bcontroller\b""", body):
        body = f'<div class="controller active {colour}">{body}</div>'
    rest = each("[data-button]", "e.dataset.pressed='false';e.dataset.value='0'")
    return (
        f'<!doctype html><base href="{sheet.parent.resolve().as_uri()}/"><head>'
        f'<style>{_DEFAULTS}</style><link rel="stylesheet" href="{sheet.resolve().as_uri()}">'
        f'</head><body><div id="gamepad" data-color="{colour}">{body}</div>'
        f"<script>{rest}</script></body>"
    )


def _stick(side: str, number: int, script: str) -> WebStick:
    travel = re.search(r"(?:axis\w*\s*\*\s*|TRAVEL_PX\s*=\s*)(\d+(?:\.\d+)?)(?=\}?px|\s*;)", script)
    pixels = float(travel[1]) if travel else _TRAVEL
    leans = not script or "rotate" in script
    selector = f".stick.{side}"
    return WebStick(
        selector=selector,
        move=lambda x, y: each(
            selector, f"e.style.marginLeft='{x * pixels}px';e.style.marginTop='{y * pixels}px'"
        ),
        click=each(
            f'{selector}, [data-button="{number}"]',
            "e.dataset.pressed='true';e.classList.add('pressed')",
        ),
        tilt=_TILT if leans else 0.0,
    )


def _trigger(number: int, *, meter: bool) -> WebTrigger:
    selector = f'[data-button="{number}"]'
    show = "e.dataset.pressed='true';e.dataset.value='1';e.classList.add('pressed');"
    show += "e.style.opacity=1;"
    return WebTrigger(
        selector=selector, mode="fill" if meter else "fade",
        full=each(selector, show + "e.style.clipPath='none'"),
        half=each(selector, show + "e.style.clipPath='inset(50% 0 0 0)'"),
    )  # fmt: skip
