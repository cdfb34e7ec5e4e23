"""Every id is there after `import nitrogen`, costs nothing, and makes a sound environment."""

import subprocess
import sys
import warnings

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from nitrogen.simulator import catalog, linux, registration

QUICK = ("supertux", "starfighter")


def run(*lines: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("order", [("gymnasium", "nitrogen"), ("nitrogen", "gymnasium")])
def test_the_ids_are_there_whatever_is_imported_first(order: tuple[str, str]):
    out = run(
        *(f"import {name}" for name in order),
        "import sys",
        "print(*(key for key in gymnasium.registry if key.startswith('nitrogen/')))",
        "assert not {'torch', 'cv2', 'nitrogen.simulator.env'} & set(sys.modules)",
    )
    assert out.split() == list(registration.IDS)


def test_the_form_without_an_import_works():
    out = run(
        "import gymnasium",
        "env = gymnasium.make('nitrogen:nitrogen/Starfighter-v0')",
        "print(env.unwrapped.game.title)",
    )
    assert out.strip() == "Project: Starfighter"


def test_games_that_do_not_repeat_are_registered_as_such():
    games = [catalog.game_named(name) for name in registration.IDS.values()]
    promised = {game.name for game in games if not game.deterministic}
    assert promised == registration.NONDETERMINISTIC
    assert gymnasium.spec("nitrogen/ExtremeTuxRacer-v0").nondeterministic
    assert not gymnasium.spec("nitrogen/SuperTux-v0").nondeterministic


@pytest.mark.game
@pytest.mark.parametrize(
    "game_id",
    [
        pytest.param(key, marks=() if name in QUICK else pytest.mark.slow)
        for key, name in registration.IDS.items()
    ],
)
def test_contract(game_id: str):
    game = catalog.game_named(registration.IDS[game_id])
    if not linux.is_installed(game):
        pytest.skip(f"needs {game.title}: apt-get install {' '.join(game.packages)}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with gymnasium.make(game_id, render_mode="rgb_array") as env:
            check_env(env.unwrapped)
            promised = env.metadata
    assert promised["exact_stepping"]
    assert promised["headless"]
    assert promised["saves"] in ("fork", "replay")
    assert promised["deterministic"] == game.deterministic
    assert promised["seeded"] == game.seeded
    assert promised["native_rate_hz"] == promised["render_fps"] == game.rate_hz
