"""Find out which kind of skin a folder holds, and make a `padskin/1` folder of it."""

from pathlib import Path
from types import ModuleType

from nitrogen.errors import SkinError
from nitrogen.overlay.importers import (
    gamepad_viewer,
    input_overlay,
    joystick_display,
    retrospy,
)
from nitrogen.overlay.skin import Skin

KINDS: dict[str, ModuleType] = {
    "input-overlay": input_overlay,
    "retrospy": retrospy,
    "open-joystick-display": joystick_display,
    "gamepad-viewer": gamepad_viewer,
}
"""Formats by name, in the order in which a folder is tried."""


def import_skin(
    source: Path,
    out: Path,
    *,
    kind: str | None = None,
    style: str | None = None,
    author: str | None = None,
    licence: str | None = None,
) -> tuple[Skin, list[str]]:
    """Turn a skin of another program into a `padskin/1` folder, and read that back.

    kind: one of KINDS; found out when None. style: the one to take where a skin has several.
    author, licence: recorded in place of what the source says. Also returns what was left out.
    Raises SkinError, naming the file and what is missing in it, and MissingDependencyError if a
    skin made of HTML or CSS needs a browser.
    """
    source = Path(source)
    if not source.exists():
        raise SkinError(f"no file or folder {source}")
    if kind is not None and kind not in KINDS:
        raise SkinError(f"no kind {kind!r} of skin; kinds: {', '.join(KINDS)}")
    chosen = kind or next(
        (name for name, module in KINDS.items() if module.recognise(source)), None
    )
    if chosen is None:
        raise SkinError(
            f"{source} is none of these: an input-overlay preset (layout JSON with 'elements'), a"
            " RetroSpy skin (skin.xml), an Open Joystick Display theme (theme.json, or SVG with"
            " ojd-button), a gamepad viewer's style sheet (.controller)"
        )
    draft = KINDS[chosen].read(source, style=style)
    draft.name = Path(out).name
    draft.source = f"{chosen}: {draft.source}"
    draft.author = author or draft.author
    draft.licence = licence or draft.licence or _licence_beside(source)
    return draft.write(Path(out)), draft.skipped


def _licence_beside(source: Path) -> str:
    """The first line of a licence file beside the skin."""
    folder = source.parent if source.is_file() else source
    for file in sorted(folder.glob("LICEN[CS]E*")):
        lines = [line.strip() for line in file.read_text(errors="replace").splitlines()]
        return f"{next((line for line in lines if line), 'see')} ({file.name})"
    return ""
