import json
import shutil

import pytest

from nitrogen.errors import SkinError
from nitrogen.overlay.skin import SHIPPED, find_skin, load_skin, load_skins, shipped_skins

EVERY_BUTTON = 17


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(SHIPPED / "nitrogen", tmp_path / "copy")
    return tmp_path / "copy"


def change(folder, edit):
    values = json.loads((folder / "skin.json").read_text())
    edit(values)
    (folder / "skin.json").write_text(json.dumps(values))


@pytest.mark.parametrize("skin", shipped_skins(), ids=lambda skin: skin.name)
def test_shipped_skins_are_ours_and_free(skin):
    assert skin.licence == "CC0-1.0"
    assert skin.author
    assert skin.name == skin.folder.name


def test_the_default_skin_shows_everything():
    skin = find_skin("nitrogen")

    assert len(skin.buttons) == EVERY_BUTTON
    assert skin.sticks == {"left", "right"}


@pytest.mark.shared
def test_foreign_skins_load(shared):
    skins = load_skins(shared / "skins")

    assert len(skins) == 32
    assert all(skin.buttons for skin in skins)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v.update(format="padskin/9"), "format"),
        (lambda v: v.update(canvas=[0, 10]), "canvas"),
        (lambda v: v.update(canvas="big"), "canvas"),
        (lambda v: v.update(layers=[]), "layers"),
        (lambda v: v["layers"][0].update(kind="hologram"), "hologram"),
        (lambda v: v["layers"][0].update(colour="red"), "colour"),
        (lambda v: v["layers"][0].pop("pos"), "pos"),
        (lambda v: v["layers"][0].update(file="sprites/none.png"), "no sprite"),
        (lambda v: v["layers"][0].update(file="../../etc/passwd"), "outside"),
        (lambda v: v["layers"][1].update(pos=[1, float("nan")]), "finite"),
    ],
)
def test_faults_are_named(folder, edit, message):
    change(folder, edit)

    with pytest.raises(SkinError, match=message):
        load_skin(folder)


def test_damaged_sprite(folder):
    next((folder / "sprites").glob("*.png")).write_bytes(b"not a picture")

    with pytest.raises(SkinError, match="cannot be read as a picture"):
        load_skin(folder)


def test_missing_folder(tmp_path):
    with pytest.raises(SkinError, match=r"no skin\.json"):
        load_skin(tmp_path)
    with pytest.raises(SkinError, match="no folder"):
        load_skins(tmp_path / "none")
    with pytest.raises(SkinError, match="no skins in"):
        load_skins(tmp_path)


def test_unknown_names_list_the_known():
    with pytest.raises(SkinError, match=r"known skins: .*nitrogen"):
        find_skin("nitrogenn")
