import json
from pathlib import Path

import numpy as np
import pytest

from nitrogen.errors import GameError
from nitrogen.simulator import fidelity_report, linux
from nitrogen.simulator.fidelity import (
    FREE,
    FREE_PAUSED,
    PAUSED,
    STEPPED,
    Fidelity,
    Replay,
    measure,
    varied_actions,
)
from nitrogen.simulator.games import starfighter


def made(mode: str, shades: str) -> Replay:
    """A replay whose frames have one shade each; a blank was not seen."""
    result = Replay(mode)
    for index, shade in enumerate(shades):
        if shade != " ":
            result.see(index, np.full((256, 256, 3), ord(shade), np.uint8), index / 10)
    return result


def test_a_divergence_is_found_where_it_begins():
    first = made(STEPPED, "abc")
    replays = (first, first, made(PAUSED, "axc"), made(STEPPED, "a"), made(FREE, "a"))
    fidelity = Fidelity("x", 3, (*replays, made(FREE_PAUSED, "a c d")))
    same, other, shorter, free, missed = fidelity.divergences()
    assert (same.frame, same.virtual_s, same.equal_share) == (None, None, 1.0)
    assert (other.frame, other.virtual_s) == (1, 0.1)
    assert other.equal_share == pytest.approx(2 / 3)
    assert (shorter.frame, shorter.virtual_s) == (1, 0.1)  # it ended
    assert free.frame is None  # it was not looked at any longer
    assert (missed.frame, missed.virtual_s) == (4, 0.4)  # frame 1 ran past unseen
    assert not fidelity.is_exact()
    assert Fidelity("x", 3, (first, first, made(FREE, "xyz"))).is_exact()
    near, far = (fidelity.distances()[index] for index in (0, 1))
    assert near.tolist() == [0, 0, 0]
    assert far.tolist() == [0, ord("x") - ord("b"), 0]


def test_senseless_modes_are_refused():
    actions = varied_actions(1, np.random.default_rng(0))
    for modes in (("often", STEPPED), (STEPPED,), (PAUSED, STEPPED)):
        with pytest.raises(GameError, match="modes"):
            measure(starfighter.GAME, actions, modes=modes)


@pytest.mark.game
def test_stepped_replays_agree_and_free_running_ones_need_not(tmp_path: Path):
    if not linux.is_installed(starfighter.GAME):
        pytest.skip("needs Starfighter: apt-get install starfighter")
    actions = varied_actions(150, np.random.default_rng(0))
    modes = (STEPPED, STEPPED, PAUSED, FREE, FREE_PAUSED)
    fidelity = measure(starfighter.GAME, actions, modes=modes)
    assert fidelity.is_exact()
    *exact, free, paused = fidelity.divergences()
    assert [one.equal_share for one in exact] == [1.0, 1.0]
    # On an idle machine these may agree as well for so short a time, on a busy one they do not.
    assert (free.mode, paused.mode) == (FREE, FREE_PAUSED)

    files = fidelity_report.write(fidelity, tmp_path / "report")
    assert [path.suffix for path in files] == [".json", ".png", ".html"]
    values = json.loads(files[0].read_text())
    assert values["format"] == fidelity_report.FORMAT
    assert values["exact"] is True
    assert [one["mode"] for one in values["replays"]] == list(modes[1:])
    assert values["replays"][0]["frame"] is None
    page = files[2].read_text()
    assert "first difference" in page
    assert "none" in page
