"""Bad surroundings are named; nothing leaks; frames repeat with address randomisation on."""

import contextlib
import dataclasses
import hashlib
import os
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.errors import GameError
from nitrogen.simulator import linux
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.fidelity import varied_actions
from nitrogen.simulator.game import ExitJudge, Game
from nitrogen.simulator.games import (
    blobwars,
    freedoom,
    mrboom,
    neverball,
    openarena,
    starfighter,
    supertux,
)
from nitrogen.simulator.memory import Memory
from nitrogen.simulator.vector import GameVectorEnv

pytestmark = pytest.mark.game


def needs(game: Game) -> Game:
    if not linux.is_installed(game):
        pytest.skip(f"needs {game.title}: apt-get install {' '.join(game.packages)}")
    return game


@pytest.mark.parametrize(
    ("profile", "level"),
    [
        (supertux, ("world1/welcome_antartica",)),
        (blobwars, ("grassland1",)),
        (mrboom, (8,)),
        (neverball, ("map-easy/esy",)),
        (openarena, ("oa_dm11",)),
        (freedoom, (1, 10)),
    ],
)
def test_wrong_levels_are_named(profile, level):
    needs(profile.GAME)
    with pytest.raises(GameError, match="no level"):
        profile.game(*level)


def test_home_folders_cannot_be_shared():
    with pytest.raises(GameError, match="HOME itself, so that no two environments share"):
        Game(name="x", command=("x",), environment={"HOME": "/tmp"})


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk of 256 kB for temporary files."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_a_full_disk_is_named_and_leaves_nothing(small_disk: Path):
    game = dataclasses.replace(needs(starfighter.GAME), files={"big": "x" * 300_000})
    with pytest.raises(GameError, match="no space left for the game's home folder"):
        GameEnv(game).reset()
    assert not list(small_disk.iterdir())

    game = dataclasses.replace(starfighter.GAME, files={"big": "x" * 150_000})
    with contextlib.closing(GameEnv(game)) as env, pytest.raises(GameError, match="no space left"):
        env.reset()  # fits once, but its start is saved
    assert not list(small_disk.iterdir())


def test_a_run_that_fails_to_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(GameError):
            GameEnv(Game(name="x", command=("false",))).reset()
    assert not list(tmp_path.iterdir())
    assert len(list(Path("/proc/self/fd").iterdir())) == files


def hashes(game: Game, actions: Actions) -> tuple[list[bytes], int]:
    """Hashes of all frames, and where the program was loaded."""
    found = []
    with contextlib.closing(GameEnv(dataclasses.replace(game, judge=ExitJudge))) as env:
        env.reset(seed=0)
        assert env._session is not None
        with Memory(env._session.channel.pid) as memory:
            base = memory.base(Path(linux.find_program(game)).name)
        for index in range(len(actions)):
            frame, *_ = env.step(actions[index : index + 1].as_step())
            found.append(hashlib.blake2b(frame.tobytes(), digest_size=8).digest())
    return found, base


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("profile", [supertux, starfighter, mrboom], ids=lambda p: p.GAME.name)
def test_3000_frames_repeat_wherever_the_program_is_loaded(profile):
    if Path("/proc/sys/kernel/randomize_va_space").read_text().strip() == "0":
        pytest.skip("address randomisation is off on this machine")
    actions = varied_actions(3000, np.random.default_rng(1))
    first, one = hashes(needs(profile.GAME), actions)
    second, two = hashes(profile.GAME, actions)
    assert first == second
    assert len(set(first)) > 300
    assert one != two


def children() -> list[int]:
    """Processes of games that this process plays, display servers and parked copies included."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                f"{tempfile.gettempdir()}/nitrogen-run-".encode()
                in (entry / "environ").read_bytes()
            ):
                found.append(int(entry.name))
    return found


def resident_mb(pid: int | str) -> float:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_eight_games_at_once_leak_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = len(list(Path("/proc/self/fd").iterdir()))
    envs = GameVectorEnv([partial(GameEnv, needs(starfighter.GAME))] * 8)
    envs.reset(seed=0)
    rows = varied_actions(5000, np.random.default_rng(0))
    levels = []
    for index in range(5000):
        buttons = np.repeat(rows.buttons[index : index + 1], 8, axis=0)
        envs.step(
            {"buttons": buttons, "sticks": np.repeat(rows.sticks[index : index + 1], 8, axis=0)}
        )
        if index % 500 == 499:
            envs.reset(seed=0)  # each a new copy of the parked start
            open_files = len(list(Path("/proc/self/fd").iterdir()))
            playing = children()
            used = resident_mb("self"), sum(map(resident_mb, playing))
            levels.append((len(playing), open_files, *used))
    processes, descriptors, own, games = zip(*levels, strict=True)
    assert set(processes) == {16}  # one plays, one is parked
    assert len(set(descriptors)) == 1
    assert own[-1] - own[1] < 10
    assert games[-1] - games[1] < 40
    envs.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert not children()
    assert not list(tmp_path.iterdir())
