"""Importers: on small skins drawn here, and on real ones where they are at hand."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nitrogen.actions import BUTTONS, Actions
from nitrogen.errors import MissingDependencyError, SkinError
from nitrogen.overlay.importers import browser
from nitrogen.overlay.importers.draft import by_place, png
from nitrogen.overlay.importers.kinds import import_skin
from nitrogen.overlay.importers.webskin import laid_over
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import DpadLayer, StickLayer, TriggerLayer, load_skin
from nitrogen.overlay.sprites import premultiply

needs_browser = pytest.mark.skipif(
    not any(shutil.which(name) for name in browser._NAMES), reason="no Chromium browser installed"
)

RED, GREEN, BLUE, GREY = (220, 40, 40, 255), (40, 220, 40, 255), (40, 40, 220, 255), (90,) * 3
WHITE = (255, 255, 255, 255)


def block(width, height, colour):
    return np.full((height, width, 4), colour, np.uint8)


def save(path, sprite):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(sprite))


def shown(skin, **state):
    """Pixels of the skin in a state, (H, W, 4) floats, at canvas scale."""
    renderer = Renderer(skin, Placement(0, 0, 1, 1), (0, 0, *skin.canvas))
    return renderer.draw(Actions.of(**state)).copy()


def changed(skin, **state):
    """Left, top, right and bottom of what a state changes."""
    rows, columns = np.nonzero(np.abs(shown(skin, **state) - shown(skin)).max(axis=2) > 20)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# input-overlay


def preset(folder, **changes):
    """A layout of one element per kind, 100x80, and its atlas."""
    atlas = np.zeros((200, 200, 4), np.uint8)
    atlas[0:80, 0:100] = (*GREY, 255)
    atlas[90:100, 0:10], atlas[103:113, 0:10] = BLUE, RED
    atlas[90:100, 20:30], atlas[103:113, 20:30] = BLUE, WHITE
    atlas[90:110, 40:50], atlas[113:133, 40:50] = BLUE, GREEN
    for index in range(9):
        atlas[150:160, 13 * index : 13 * index + 10] = (20 * index, 200, 60, 255)
    elements = [
        {"type": 0, "id": "body", "mapping": [0, 0, 100, 80], "pos": [0, 0]},
        {"type": 2, "id": "a", "code": 0, "mapping": [0, 90, 10, 10], "pos": [70, 40]},
        {"type": 5, "id": "ls", "side": 0, "stick_radius": 8, "mapping": [20, 90, 10, 10],
         "pos": [20, 30]},
        {"type": 6, "id": "rt", "side": 1, "trigger_mode": False, "direction": 1,
         "mapping": [40, 90, 10, 20], "pos": [80, 5]},
        {"type": 8, "id": "pad", "mapping": [0, 150, 10, 10], "pos": [40, 60]},
        {"type": 3, "id": "mouse", "mapping": [0, 90, 10, 10], "pos": [0, 0]},
    ]  # fmt: skip
    layout = {"overlay_width": 100, "overlay_height": 80, "elements": elements, **changes}
    save(folder / "pad.png", atlas)
    (folder / "pad.json").write_text(json.dumps(layout))
    return folder


def test_input_overlay_preset(tmp_path):
    skin, skipped = import_skin(
        preset(tmp_path / "in"), tmp_path / "mine", author="Ada", licence="CC0-1.0"
    )

    assert (skin.name, skin.author, skin.licence) == ("mine", "Ada", "CC0-1.0")
    assert skin.canvas == (100, 80)
    assert skin.buttons >= {"south", "right_trigger", "left_thumb", "dpad_up"}
    assert changed(skin, south=1) == (70, 40, 80, 50)
    assert changed(skin, right_trigger=0.5) == (80, 15, 90, 25)
    (stick,) = [layer for layer in skin.layers if isinstance(layer, StickLayer)]
    assert (stick.side, stick.travel) == ("left", (8, 8))
    (pad,) = [layer for layer in skin.layers if isinstance(layer, DpadLayer)]
    assert pad.states["dr"][0, 0, 0] == 160
    assert any("mouse" in note for note in skipped)


def test_old_button_codes(tmp_path):
    source = preset(tmp_path / "in")
    values = json.loads((source / "pad.json").read_text())
    values["elements"][1]["code"] = 0xEC00 + 7
    (source / "pad.json").write_text(json.dumps(values))

    assert "start" in import_skin(source, tmp_path / "mine")[0].buttons


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v.update(overlay_width=0), "overlay_width"),
        (lambda v: v["elements"][1].update(mapping=[0, 190, 10, 10]), "element 'a'.*missing"),
        (lambda v: v["elements"][1].update(mapping=[0, 1]), "mapping must be a list of 4"),
        (lambda v: v["elements"][2].pop("stick_radius"), "stick_radius"),
        (lambda v: v["elements"][3].update(direction=9), "direction 9"),
        (lambda v: v["elements"][0].update(type=77), "unknown type 77"),
        (lambda v: v.update(elements=v["elements"][:1]), "no control"),
    ],
)
def test_faulty_presets_are_refused_by_name(tmp_path, edit, message):
    source = preset(tmp_path / "in")
    values = json.loads((source / "pad.json").read_text())
    edit(values)
    (source / "pad.json").write_text(json.dumps(values))

    with pytest.raises(SkinError, match=message):
        import_skin(source, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_textures_are_chosen_by_style(tmp_path):
    source = preset(tmp_path / "in")
    shutil.copy(source / "pad.png", source / "white.png")
    shutil.move(source / "pad.png", source / "black.png")

    with pytest.raises(SkinError, match=r"which texture.*black, white"):
        import_skin(source, tmp_path / "mine")
    assert import_skin(source, tmp_path / "mine", style="white")[0].canvas == (100, 80)
    for file in source.glob("*.png"):
        file.unlink()
    with pytest.raises(SkinError, match="no PNG"):
        import_skin(source, tmp_path / "other")


@pytest.mark.shared
def test_real_presets_agree_with_the_skins_made_of_them(shared, tmp_path):
    for name in ("io_ds3", "io_nes", "io_gamecube"):
        skin, _ = import_skin(shared / "skins" / name / "original", tmp_path / name)
        known = load_skin(shared / "skins" / name)

        assert skin.buttons == known.buttons
        for state in ({}, *({button: 1} for button in BUTTONS), {"left_x": 1, "right_y": -0.5}):
            apart = np.abs(shown(skin, **state) - shown(known, **state)).max(axis=2)
            assert (apart > 40).sum() == 0, (name, state)


# RetroSpy


XML = """<?xml version="1.0"?>
<skin name="Pad" author="Grace" type="switch;pc360">
  <background name="Dark" image="dark.png" />
  <background name="Light" color="#FFEEDD" width="100" height="80" />
  <detail name="logo" image="dot.png" x="1" y="1" />
  <button name="up" image="dot.png" x="20" y="20" width="8" height="6" />
  <button name="b" image="dot.png" x="70" y="50" />
  <button name="capture" image="dot.png" x="5" y="5" />
  <analog name="l_trig" image="bar.png" x="10" y="2" direction="right" reverse="true" />
  <stick xname="lstick_x" yname="lstick_y" image="dot.png" x="40" y="40" xrange="9" yrange="7"/>
  <section type="switch"><button name="zr" image="dot.png" x="90" y="2" /></section>
  <section type="pc360"><button name="l3" image="dot.png" x="90" y="2" /></section>
</skin>
"""


def retrospy(folder):
    save(folder / "dark.png", block(100, 80, (*GREY, 255)))
    save(folder / "dot.png", block(10, 10, RED))
    save(folder / "bar.png", block(20, 4, GREEN))
    (folder / "skin.xml").write_text(XML)
    return folder


def test_retrospy_skin(tmp_path):
    skin, skipped = import_skin(retrospy(tmp_path / "in"), tmp_path / "mine")

    assert skin.author == "Grace"
    assert skin.buttons == {"dpad_up", "south", "left_trigger", "right_trigger"}
    assert changed(skin, dpad_up=1) == (20, 20, 28, 26)
    assert changed(skin, south=1) == (70, 50, 80, 60)
    assert changed(skin, right_trigger=1) == (90, 2, 100, 12)
    (stick,) = [layer for layer in skin.layers if isinstance(layer, StickLayer)]
    assert stick.travel == (9, 7)
    (trigger,) = [layer for layer in skin.layers if isinstance(layer, TriggerLayer)]
    assert trigger.reverse
    assert trigger.direction == "right"
    assert any("capture" in note for note in skipped)


def test_retrospy_sections_and_backgrounds(tmp_path):
    source = retrospy(tmp_path / "in")
    other, _ = import_skin(source, tmp_path / "pc", style="pc360")
    light, _ = import_skin(source, tmp_path / "light", style="Light")

    assert "left_thumb" in other.buttons
    assert "east" in other.buttons  # letters mean other places there
    assert shown(light)[79, 0, :3].round().tolist() == [255, 238, 221]
    with pytest.raises(SkinError, match="styles: switch, pc360, Dark, Light"):
        import_skin(source, tmp_path / "none", style="ps2")


def test_retrospy_names_by_place_and_number(tmp_path):
    source = retrospy(tmp_path / "in")
    faces = {"b0": (70, 60), "b1": (80, 50), "b2": (60, 50), "b3": (70, 40), "b5": (5, 5)}
    buttons = "".join(
        f'<button name="{name}" image="dot.png" x="{x}" y="{y}"/>' for name, (x, y) in faces.items()
    )
    (source / "skin.xml").write_text(
        f'<skin name="n" author="g" type="generic"><background name="d" image="dark.png"/>{buttons}'
        '<button name="select" image="dot.png" x="30" y="3"/>'
        '<button name="share" image="dot.png" x="30" y="3"/>'
        '<analog name="analog_l1" image="dot.png" x="1" y="60" direction="fade"/>'
        '<analog name="z" image="bar.png" x="1" y="1" direction="up"/>'
        '<analog name="z" image="bar.png" x="50" y="1" direction="up" usenegative="true"/></skin>'
    )
    skin, _ = import_skin(source, tmp_path / "mine")

    assert changed(skin, south=1) == (70, 60, 80, 70)
    assert changed(skin, west=1) == (60, 50, 70, 60)
    assert changed(skin, right_shoulder=1) == (5, 5, 15, 15)
    assert changed(skin, left_shoulder=1) == (1, 60, 11, 70)
    assert changed(skin, right_trigger=1)[0] == 50
    assert sum(getattr(layer, "button", "") == "back" for layer in skin.layers) == 1


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        ('image="bar.png"', 'image="none.png"', "l_trig.*none.png, which is missing"),
        ('<detail name="logo" image="dot.png"', '<detail name="logo"', "logo' has no image"),
        ('x="70" y="50"', 'y="50"', "x must be a number"),
        ('direction="right"', 'direction="round"', "direction must be one of"),
        ("</skin>", "", "cannot be read as XML"),
        ('<background name="Light" color="#FFEEDD"', '<background name="L" color="x"', ""),
    ],
)
def test_faulty_retrospy_skins_are_refused_by_name(tmp_path, find, put, message):
    source = retrospy(tmp_path / "in")
    (source / "skin.xml").write_text(XML.replace(find, put))
    if not message:
        import_skin(source, tmp_path / "mine")
        with pytest.raises(SkinError, match="written #RRGGBB"):
            import_skin(source, tmp_path / "mine", style="L")
        return
    with pytest.raises(SkinError, match=message):
        import_skin(source, tmp_path / "mine")


# Open Joystick Display


THEME = """<div class='theme'><div ojd-svg='%DIRECTORY%/images/pad.svg'></div>
<div class='well'><div ojd-directional='0' class='knob'></div></div>
<div class='bar'><div class='level' ojd-trigger-scale='1'></div></div></div>
<script>document.body.innerHTML = "stolen"</script>"""
CSS = """.theme{position:relative;width:120px;height:90px}
.theme-button.active{fill:white!important}
.well{position:absolute;left:20px;top:50px;width:20px;height:20px}
.knob{position:absolute;left:50%;top:50%;width:10px;height:10px;margin:-5px 0 0 -5px}
.knob{background:#d00}
.bar{position:absolute;left:100px;top:10px;width:10px;height:40px}
.level{position:absolute;bottom:0;width:100%;height:0;background:lime}"""


def theme(folder):
    (folder / "images").mkdir(parents=True)
    faces = {"B": (80, 70), "A": (92, 55), "Y": (68, 55), "X": (80, 40)}
    buttons = "".join(
        f'<rect class="theme-button" ojd-button="{name}" x="{x}" y="{y}" width="8" height="8"'
        ' fill="#222"/>'
        for name, (x, y) in faces.items()
    )
    (folder / "images" / "pad.svg").write_text(
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="120" height="90">'
        f'<rect width="120" height="90" rx="20" fill="#555"/>{buttons}</svg>'
    )
    (folder / "theme.json").write_text(
        json.dumps(
            {
                "id": "own",
                "author": "Mary",
                "license": "MIT",
                "styles": [{"id": "dark", "file": "theme.html", "mastercss": "theme.css"}],
            }
        )
    )
    (folder / "theme.html").write_text(THEME)
    (folder / "theme.css").write_text(CSS)
    return folder


@needs_browser
def test_open_joystick_display_theme(tmp_path):
    skin, _ = import_skin(theme(tmp_path / "in"), tmp_path / "mine")

    assert (skin.author, skin.licence, skin.canvas) == ("Mary", "MIT", (120, 90))
    assert skin.buttons == {"south", "east", "west", "north", "right_trigger"}
    left, top, right, bottom = changed(skin, south=1)
    assert left <= 80 < right
    assert top <= 70 < bottom <= 80
    (stick,) = [layer for layer in skin.layers if isinstance(layer, StickLayer)]
    assert stick.travel == (10, 10)
    assert changed(skin, right_trigger=0.5) == (100, 30, 110, 50)
    middle = shown(skin)[45, 60]
    assert middle[:3].tolist() == pytest.approx([0x55] * 3, abs=2)


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("images/pad.svg", "pad.svg, which is missing"),
        ("theme.html", "style 'dark' needs .*theme.html"),
        ("theme.css", "style 'dark' needs .*theme.css"),
    ],
)
def test_themes_with_missing_files_are_refused_by_name(tmp_path, remove, message):
    source = theme(tmp_path / "in")
    (source / remove).unlink()

    with pytest.raises(SkinError, match=message):
        import_skin(source, tmp_path / "mine")


@needs_browser
@pytest.mark.shared
def test_a_real_theme_agrees_with_the_skin_made_of_it(shared, tmp_path):
    source = shared / "skins" / "ojd_xbone_flat"
    skin, _ = import_skin(source / "original", tmp_path / "mine")
    known = load_skin(source)

    assert skin.buttons == known.buttons
    assert skin.canvas == known.canvas
    sticks = [[x.travel for x in s.layers if isinstance(x, StickLayer)] for s in (skin, known)]
    assert sticks[0] == sticks[1]
    for state in ({}, {"south": 1}, {"dpad_left": 1}, {"left_trigger": 1}, {"right_x": 1}):
        apart = np.abs(shown(skin, **state) - shown(known, **state)).max(axis=2)
        assert (apart > 60).mean() < 0.01, state


# gamepad viewers


SHEET = """.controller{width:160px;height:100px}
#gamepad[data-color="dark"] .controller{background-image:url(base.png)}
#gamepad[data-color="light"] .controller{background-image:url(light.png)}
.triggers{position:absolute;left:10px;top:0;width:140px}
.trigger{width:20px;height:12px;background:url(dot.png)}
.trigger.left{float:left}.trigger.right{float:right}
.trigger[data-value="0"]{opacity:0}
.buttons{position:absolute;left:100px;top:30px;width:50px;height:50px}
.button{position:absolute;width:10px;height:10px;background:#333}
.button[data-pressed="true"]{background:url(dot.png)}
.a{left:20px;top:40px}.b{left:40px;top:20px}.x{left:0;top:20px}.y{left:20px;top:0}
.stick{position:absolute;width:16px;height:16px;background:#07c;top:50px}
.stick.left{left:40px}.stick.right{left:70px}
.stick[data-pressed="true"]{background:#fff}"""


def viewer(folder):
    for name, colour in (("base", (*GREY, 255)), ("light", WHITE)):
        save(folder / f"{name}.png", block(160, 100, colour))
    save(folder / "dot.png", block(20, 20, RED))
    (folder / "template.css").write_text(SHEET)
    return folder


@needs_browser
def test_gamepad_viewer_skin(tmp_path):
    skin, _ = import_skin(viewer(tmp_path / "in"), tmp_path / "mine", licence="MIT")

    assert skin.canvas == (160, 100)
    assert skin.buttons == {
        "south", "east", "west", "north", "left_trigger", "right_trigger", "left_thumb",
        "right_thumb",
    }  # fmt: skip
    assert changed(skin, south=1) == (120, 70, 130, 80)
    sticks = [layer for layer in skin.layers if isinstance(layer, StickLayer)]
    assert [(stick.travel, stick.tilt) for stick in sticks] == [((25, 25), 30), ((25, 25), 30)]
    triggers = [layer for layer in skin.layers if isinstance(layer, TriggerLayer)]
    assert [trigger.mode for trigger in triggers] == ["fade", "fade"]
    assert shown(skin)[99, 5, :3].tolist() == [90, 90, 90]


@needs_browser
def test_gamepad_viewer_styles(tmp_path):
    source = viewer(tmp_path / "in")
    skin, _ = import_skin(source, tmp_path / "mine", style="light+meter")

    assert shown(skin)[99, 5, :3].tolist() == [255, 255, 255]
    (trigger, _) = [layer for layer in skin.layers if isinstance(layer, TriggerLayer)]
    assert (trigger.mode, trigger.direction) == ("fill", "up")
    with pytest.raises(SkinError, match="styles: dark, light, meter"):
        import_skin(source, tmp_path / "other", style="pink")
    (source / "light.png").unlink()
    with pytest.raises(SkinError, match=r"light\.png, which is missing"):
        import_skin(source, tmp_path / "other")


# all


def test_face_buttons_are_named_by_place():
    nintendo = {"?A": (3, 2), "?B": (2, 3), "?X": (2, 1), "?Y": (1, 2)}

    assert by_place(nintendo) == {"?A": "east", "?B": "south", "?X": "north", "?Y": "west"}
    assert by_place({"?B": (0, 0), "?A": (1, 0)}) == {"?B": "south", "?A": "east"}
    assert by_place({"lb": (0, 0), "?A": (1, 0)}) == {"lb": "lb", "?A": "south"}


def test_unknown_sources_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SkinError, match="is none of these"):
        import_skin(tmp_path / "empty", tmp_path / "mine")
    with pytest.raises(SkinError, match="no file or folder"):
        import_skin(tmp_path / "none", tmp_path / "mine")
    with pytest.raises(SkinError, match="kinds: input-overlay"):
        import_skin(tmp_path / "empty", tmp_path / "mine", kind="winamp")


def test_other_folders_are_not_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")

    with pytest.raises(SkinError, match="exists and is no skin"):
        import_skin(preset(tmp_path / "in"), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_licence_files_are_read(tmp_path):
    source = preset(tmp_path / "in")
    (source / "LICENSE").write_text("\nMIT License\n\nCopyright")

    assert import_skin(source, tmp_path / "mine")[0].licence == "MIT License (LICENSE)"


def test_without_a_browser(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingDependencyError, match="apt-get install chromium"):
        import_skin(viewer(tmp_path / "in"), tmp_path / "mine")


def test_markup_is_stripped_of_scripts():
    markup = browser.without_scripts('<b onclick="x()">1</b><script>y()</script><SCRIPT src="z"/>')

    assert markup == "<b>1</b>"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_laid_over_a_base_makes_it_look_as_wanted(seed):
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (6, 6, 4), np.uint8)
    wanted = rng.integers(0, 256, (6, 6, 4), np.uint8)
    wanted[..., 3] = np.maximum(wanted[..., 3], base[..., 3])
    wanted[:3] = base[:3]
    base[5], wanted[5] = 255, (10, 20, 30, 255)
    area = np.ones((6, 6), bool)
    area[4] = False
    over = premultiply(laid_over(base, wanted, area))
    seen = over + premultiply(base) * (1 - over[..., 3:])

    target = premultiply(wanted)
    np.testing.assert_allclose(seen[[0, 1, 2, 3, 5], :, :3], target[[0, 1, 2, 3, 5], :, :3], atol=3)
    assert (seen[..., 3] >= target[..., 3] - 0.02)[area].all()
    assert (over[4] == 0).all()
    assert (over[5, :, 3] == 1).all()
