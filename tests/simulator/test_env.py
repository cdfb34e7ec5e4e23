import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.errors import (
    ActionsError,
    AgentMissingError,
    GameError,
    GameExitedError,
    GameMissingError,
)
from nitrogen.simulator import linux
from nitrogen.simulator.catalog import game_named
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.game import ExitJudge, Game
from nitrogen.simulator.games import starfighter, supertux
from nitrogen.simulator.wrappers import HoldAction

GAMES = [starfighter.GAME, supertux.GAME]
pytestmark = pytest.mark.game


def needs(game: Game) -> Game:
    """The game, or a skip that names what is missing."""
    try:
        linux.find_program(game)
    except GameMissingError as error:
        pytest.skip(str(error))
    return game


def varied_actions(length: int, seed: int = 0) -> list[Actions]:
    """Presses and stick positions, each held for a while."""
    rng = np.random.default_rng(seed)
    rows: list[Actions] = []
    while len(rows) < length:
        buttons = [str(name) for name in rng.choice(["south", "east", "west"], rng.integers(3))]
        row = Actions.of(*buttons, left_x=float(rng.choice([-1, 0, 1, 1])))
        rows.extend([row] * int(rng.integers(4, 20)))
    return rows[:length]


def play(env: GameEnv, rows: list[Actions]) -> list[str]:
    """Hashes of the frames that the rows lead to."""
    hashes = []
    for row in rows:
        frame, _, terminated, _, _ = env.step(row.as_step())
        hashes.append(hashlib.blake2b(frame.tobytes(), digest_size=8).hexdigest())
        if terminated:
            break
    return hashes


def processes_of(env: GameEnv) -> list[int]:
    """Processes that name the environment's run folder."""
    assert env._session is not None
    return processes_in(str(env._session.folder))


def processes_in(folder: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(claim, limit_s: float = 5.0) -> bool:
    end = time.monotonic() + limit_s
    while not claim():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_steps_are_exact_and_frames_repeat(game: Game):
    rows = varied_actions(300)
    hashes = []
    for _ in range(2):
        env = GameEnv(dataclasses.replace(needs(game), judge=ExitJudge))  # goes on when Tux dies
        frame, info = env.reset(seed=3)
        assert frame.shape == (256, 256, 3)
        assert frame.dtype == np.uint8
        assert info["frame_index"] == 0
        hashes.append(play(env, rows))
        info = env.info()
        assert info["frame_index"] == len(rows)
        assert info["virtual_time_s"] == pytest.approx(len(rows) / game.rate_hz, abs=1e-6)
        env.close()
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) > 100  # it moves


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_a_restored_state_continues_as_the_original(game: Game):
    rows = varied_actions(240)
    env = GameEnv(needs(game))
    env.reset(seed=0)
    before = play(env, rows[:60])
    state = env.save()
    after = play(env, rows[60:])
    env.restore(state)
    assert play(env, rows[60:]) == after
    env.restore(state)
    assert play(env, rows[60:]) == after
    env.reset(seed=0)
    assert play(env, rows) == before + after
    env.close()


@pytest.mark.parametrize(
    "name",
    [
        "supertux",
        "starfighter",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("blobwars", "mrboom")),
    ],
)
def test_unseen_frames_are_the_same_game(name: str):
    game = dataclasses.replace(needs(game_named(name)), judge=ExitJudge)
    assert game.skips_drawing
    env = GameEnv(game)
    held = HoldAction(GameEnv(game), frames=4)
    assert held.rate_hz == held.metadata["render_fps"] == held.env.rate_hz == game.rate_hz / 4
    rows = varied_actions(40)
    env.reset(seed=0)
    held.reset(seed=0)
    for row in rows:
        for _ in range(4):
            frame, *_, info = env.step(row.as_step())
        held_frame, *_, held_info = held.step(row.as_step())
        np.testing.assert_array_equal(frame, held_frame)
    assert held_info["virtual_time_s"] == info["virtual_time_s"]
    env.close()
    held.close()


def test_render_is_the_window():
    env = GameEnv(needs(supertux.GAME), render_mode="rgb_array")
    frame, _ = env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (480, 640, 3)
    assert abs(float(picture.mean()) - float(frame.mean())) < 1.0
    env.close()


def test_bad_actions_are_refused_and_change_nothing():
    env = GameEnv(needs(starfighter.GAME))
    env.reset(seed=0)
    good = Actions.released(1).as_step()
    for bad in (
        {"buttons": good["buttons"]},
        {"buttons": good["buttons"], "sticks": np.full(4, np.nan)},
        {"buttons": good["buttons"] + 2, "sticks": good["sticks"]},
        {"buttons": np.zeros(5), "sticks": good["sticks"]},
    ):
        with pytest.raises(ActionsError):
            env.step(bad)
    _, _, _, _, info = env.step(good)
    assert info["frame_index"] == 1
    env.close()


def leave_by_the_menu(env: GameEnv) -> tuple[bool, dict]:
    """Start opens SuperTux's menu; its last entry aborts the level, which ends the game."""
    info: dict = {}
    for name in ["start", "dpad_up", "south"] * 3:
        for row in (Actions.of(name, length=4), Actions.released(24)):
            for index in range(len(row)):
                _, _, terminated, _, info = env.step(row[index : index + 1].as_step())
                if terminated:
                    return True, info
    return False, info


def test_the_end_of_the_game_ends_the_episode():
    env = GameEnv(dataclasses.replace(needs(supertux.GAME), locked=()))
    env.reset(seed=0)
    terminated, info = leave_by_the_menu(env)
    assert terminated
    assert info["events"] == ["finished"]  # the status is the same: that is why it is locked
    with pytest.raises(GameError, match="reset"):
        env.step(Actions.released(1).as_step())
    _, info = env.reset(seed=0)
    assert info["frame_index"] == 0
    env.close()


def test_locked_buttons_stay_released():
    env = GameEnv(needs(supertux.GAME))
    env.reset(seed=0)
    terminated, info = leave_by_the_menu(env)
    assert not terminated
    assert not info["success"]
    env.close()


def test_close_leaves_nothing():
    env = GameEnv(needs(starfighter.GAME))
    env.reset(seed=0)
    env.save()
    env.step(Actions.released(1).as_step())
    assert env._session is not None
    folder = env._session.folder
    assert len(processes_in(str(folder))) == 3
    env.close()
    env.close()
    assert wait_until(lambda: not processes_in(str(folder)))
    assert not folder.exists()
    with pytest.raises(GameError, match="closed"):
        env.reset()


def test_the_game_dies_with_python_even_when_killed(tmp_path):
    needs(supertux.GAME)
    script = (
        "import time\n"
        "from nitrogen.simulator.env import GameEnv\n"
        "from nitrogen.simulator.games import supertux\n"
        "env = GameEnv(supertux.GAME)\n"
        "env.reset(seed=0); env.save()\n"
        "print(env._session.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    python = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert python.stdout is not None
    folder = python.stdout.readline().strip()
    assert len(processes_in(folder)) == 3
    os.kill(python.pid, signal.SIGKILL)
    python.wait()
    python.stdout.close()
    assert wait_until(lambda: not processes_in(folder))
    linux.remove_stale_folders()
    assert not Path(folder).exists()


def test_a_killed_game_is_an_error_that_says_so():
    env = GameEnv(needs(supertux.GAME))
    env.reset(seed=0)
    assert env._session is not None
    os.kill(env._session.channel.pid, signal.SIGKILL)
    with pytest.raises(GameExitedError, match="supertux"):
        env.step(Actions.released(1).as_step())
    env.reset(seed=0)  # the parked copy is still there
    env.step(Actions.released(1).as_step())
    env.close()


def test_missing_things_are_named(monkeypatch):
    with pytest.raises(GameMissingError, match="apt-get install no-such-game"):
        GameEnv(Game(name="x", command=("no-such-game",), packages=("no-such-game",))).reset()
    monkeypatch.setattr(linux, "AGENT", Path("/nowhere/agent.so"))
    with pytest.raises(AgentMissingError, match="make -C agent"):
        GameEnv(supertux.GAME).reset()


def test_programs_that_are_no_games_are_named():
    with pytest.raises(GameExitedError, match="status 3 before it presented"):
        GameEnv(Game(name="x", command=("sh", "-c", "echo some words; exit 3"))).reset()
    with pytest.raises(GameExitedError, match="some words"):
        GameEnv(Game(name="x", command=("sh", "-c", "echo some words; exit 3"))).reset()
    needs(supertux.GAME)
    with pytest.raises(GameError, match="no level"):
        supertux.game("world1/no_such_level")
