"""`nitrogen skin`: import, look at and check the pictures of controllers."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, subcommand

from nitrogen.errors import SkinError
from nitrogen.files import replacing


@dataclass(frozen=True)
class Import:
    """Turn a skin of another program into a `padskin/1` folder."""

    source: Positional[Path]
    """Folder or file: an input-overlay preset, an Open Joystick Display theme, a RetroSpy skin or
    a gamepad viewer's style sheet."""
    out: Positional[Path]
    """The new folder; its name becomes the skin's name."""
    kind: str | None = None
    """Format, where it cannot be found out: input-overlay, retrospy, open-joystick-display or
    gamepad-viewer."""
    style: str | None = None
    """Which one, where a skin has several: a style, texture, colour, console or background."""
    author: str | None = None
    """Who made it, in place of what the skin says."""
    licence: str | None = None
    """Under which terms, in place of what the skin says."""

    def run(self) -> None:
        """Import and say what was left out."""
        from nitrogen.overlay.importers.kinds import import_skin

        skin, skipped = import_skin(
            self.source, self.out, kind=self.kind, style=self.style, author=self.author,
            licence=self.licence,
        )  # fmt: skip
        for note in skipped:
            print(f"left out: {note}", file=sys.stderr)
        print(
            f"{skin.name}: {len(skin.layers)} layers, {len(skin.buttons)} buttons,"
            f" {len(skin.sticks)} sticks, by {skin.author}, licence {skin.licence}",
            file=sys.stderr,
        )
        print(self.out)


@dataclass(frozen=True)
class Sheet:
    """Draw every state of a skin into one picture, to see whether it is right."""

    skin: Positional[str]
    """A skin folder, or the name of a skin that ships."""
    out: Positional[Path]
    """The PNG file."""
    columns: int = 6
    width: int = 240
    """Of one state, in pixels."""

    def run(self) -> None:
        """Write the picture."""
        from nitrogen.overlay.sheet import contact_sheet, encode_png
        from nitrogen.overlay.skin import find_skin

        picture = contact_sheet(find_skin(self.skin), columns=self.columns, width=self.width)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.out) as partial:
            partial.write_bytes(encode_png(picture))
        print(self.out)


@dataclass(frozen=True)
class Known:
    """List the skins that ship, or those in a folder."""

    folder: Positional[Path | None] = None

    def run(self) -> None:
        """Print one line per skin."""
        from nitrogen.overlay.skin import load_skins, shipped_skins

        for skin in load_skins(self.folder) if self.folder else shipped_skins():
            size = f"{skin.canvas[0]}x{skin.canvas[1]}"
            shown = f"{len(skin.buttons)} buttons, {len(skin.sticks)} sticks"
            print(f"{skin.name:24} {size:>10}  {shown:22}  {skin.licence}; {skin.author}")


@dataclass(frozen=True)
class Check:
    """Read skins as extraction would; faults are named, and the command fails if there is one."""

    folders: Positional[tuple[Path, ...]]
    """Skin folders, or folders of skins; those that ship when none is named."""

    def run(self) -> None:
        """Check all of them, then fail if one is wrong."""
        from nitrogen.overlay.sheet import invisible
        from nitrogen.overlay.skin import SHIPPED, load_skin

        wrong = 0
        for folder in _skin_folders(self.folders or (SHIPPED,)):
            try:
                skin = load_skin(folder)
                dark = invisible(skin)
            except SkinError as error:
                print(f"{folder}: {error}")
                wrong += 1
                continue
            note = f"; looks the same when pressed: {', '.join(dark)}" if dark else ""
            print(f"{folder}: good{note}")
        if wrong:
            raise SkinError(f"{wrong} of these skins cannot be used")


def skin(
    do: OmitArgPrefixes[
        Annotated[Import, subcommand("import", prefix_name=False)]
        | Annotated[Sheet, subcommand("sheet", prefix_name=False)]
        | Annotated[Known, subcommand("list", prefix_name=False)]
        | Annotated[Check, subcommand("check", prefix_name=False)]
    ],
) -> None:
    """Import, draw, list and check skins, the pictures of controllers that overlays show."""
    do.run()


def _skin_folders(folders: tuple[Path, ...]) -> list[Path]:
    found = []
    for folder in folders:
        inside = sorted(path.parent for path in folder.glob("*/skin.json"))
        found += inside if inside and not (folder / "skin.json").is_file() else [folder]
    return found
