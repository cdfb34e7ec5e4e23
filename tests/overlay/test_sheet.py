import numpy as np

from nitrogen.actions import Actions
from nitrogen.overlay.sheet import contact_sheet, encode_png, invisible, states
from nitrogen.overlay.skin import ButtonLayer, Skin, find_skin, shipped_skins


def test_a_sheet_has_every_state_of_what_the_skin_shows():
    names = [name for name, _ in states(find_skin("nitrogen"))]

    assert names[0] == "neutral"
    assert len(names) == 1 + 17 + 2 + 1 + 16
    assert not any("stick" in name for name, _ in states(find_skin("retro_grey")))


def test_a_sheet_is_a_picture():
    sheet = contact_sheet(find_skin("retro_grey"), columns=4, width=100)

    assert sheet.shape[1:] == (400, 3)
    assert sheet.std() > 20
    assert encode_png(sheet)[:4] == b"\x89PNG"


def test_every_state_of_our_skins_can_be_seen():
    assert {skin.name: invisible(skin) for skin in shipped_skins()} == {
        skin.name: [] for skin in shipped_skins()
    }


def test_controls_that_look_the_same_are_named():
    good = find_skin("nitrogen")
    clear = np.zeros((8, 8, 4), np.uint8)
    layers = (*good.layers[:1], ButtonLayer("south", (5, 5), None, clear))
    skin = Skin("odd", good.canvas, layers, "", "", good.folder)

    assert invisible(skin) == ["south"]
    assert [name for name, _ in states(skin)] == ["neutral", "south"]
    assert len(next(iter(states(skin)))[1]) == len(Actions.released(1))
