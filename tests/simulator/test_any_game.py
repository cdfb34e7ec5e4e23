"""Games by their command alone, without a profile; and what kills leave behind: nothing."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nitrogen.actions import Actions
from nitrogen.errors import GameError, GameExitedError
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.game import Game

pytestmark = pytest.mark.game


def any_game(command: str, **options) -> Game:
    for program, package in ((command.split()[0], command.split()[0]), ("Xvfb", "xvfb")):
        game = Game(name=program, command=(program,), packages=(package,))
        if not linux.is_installed(game):
            pytest.skip(f"needs {program}: apt-get install {package}")
    return Game(name="any", command=tuple(command.split()), size=(1280, 800), **options)


def processes_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (entry / "environ").read_bytes():
                found.append((entry / "comm").read_text().strip())
    return sorted(found)


def step(env: GameEnv, count: int) -> None:
    for _ in range(count):
        env.step(Actions.released(1).as_step())


def wait_until(claim: Callable[[], bool], limit_s: float = 10.0) -> bool:
    end = time.monotonic() + limit_s
    while not claim() and time.monotonic() < end:
        time.sleep(0.02)
    return claim()


@pytest.mark.parametrize("command", ["starfighter", "mrboom"])
def test_a_command_is_enough(command: str):
    with contextlib.closing(GameEnv(any_game(command))) as env:
        env.reset(seed=0)
        frames = {env.step(Actions.released(1).as_step())[0].tobytes() for _ in range(60)}
        assert env.info()["virtual_time_s"] == pytest.approx(1.0, abs=1 / 60)
    assert len(frames) > 5


def test_a_game_that_opens_no_pad_is_named():
    game = any_game("chromium-bsu", pad_limit_s=0.5)
    with contextlib.closing(GameEnv(game)) as env:
        env.reset(seed=0)
        with pytest.raises(GameError, match=r"opened no pad in 3[01] frames"):
            step(env, 40)


@pytest.mark.parametrize("display", ["none", "x11"])
def test_python_killed_leaves_nothing(display: str):
    any_game("starfighter")
    script = (
        "import time, dataclasses\n"
        "from nitrogen.simulator.env import GameEnv\n"
        "from nitrogen.simulator.games import starfighter\n"
        f"game = dataclasses.replace(starfighter.GAME, display={display!r})\n"
        f"env = GameEnv(game); env.reset(seed=0)\n"
        "print(env._session.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    python = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert python.stdout is not None
    folder = Path(python.stdout.readline().strip())
    assert ("Xvfb" in processes_in(folder)) == (display == "x11")
    assert "starfighter" in processes_in(folder)
    assert (folder / "home").is_dir()
    os.kill(python.pid, signal.SIGKILL)
    python.wait()
    python.stdout.close()
    assert wait_until(lambda: not processes_in(folder))
    linux.remove_stale_folders()  # every new run does
    assert not folder.exists()


def test_game_killed_leaves_nothing():
    env = GameEnv(any_game("starfighter"))
    env.reset(seed=0)
    assert env._session is not None
    folder = env._session.folder
    assert "Xvfb" in processes_in(folder)
    os.kill(env._session.channel.pid, signal.SIGKILL)
    with pytest.raises(GameExitedError, match="SIGKILL"):
        step(env, 3)
    env.close()
    assert wait_until(lambda: not processes_in(folder))
    assert not folder.exists()


def test_the_display_killed_is_an_error_and_leaves_nothing():
    env = GameEnv(any_game("starfighter", step_limit_s=5.0))
    env.reset(seed=0)
    assert env._session is not None
    folder = env._session.folder
    display = env._session._run._display
    assert display is not None
    display._process.kill()
    display._process.wait()
    with pytest.raises(GameError):
        step(env, 200)
    env.close()
    assert wait_until(lambda: not processes_in(folder))
    assert not folder.exists()
