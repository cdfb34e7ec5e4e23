"""What the agent cannot be loaded into is named before it starts, or when nothing is presented."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nitrogen.errors import GameError, GameExitedError, GameTimeoutError
from nitrogen.simulator import protocol
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.game import Game
from nitrogen.simulator.program import check_program, why_no_frame

SHELL = Path(shutil.which("sh") or "/bin/sh").resolve()


def changed(tmp_path: Path, place: int, value: int) -> Path:
    """A copy of a real program with one byte of its header changed."""
    data = bytearray(SHELL.read_bytes())
    data[place] = value
    path = tmp_path / "game"
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def compiled(tmp_path: Path, source: str, *options: str) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler: apt-get install build-essential")
    (tmp_path / "game.c").write_text(source)
    path = tmp_path / "game"
    subprocess.run(["cc", *options, "-o", path, tmp_path / "game.c"], check=True)
    return path


def test_usual_programs_and_scripts_pass(tmp_path: Path):
    check_program(SHELL)
    script = tmp_path / "game"
    script.write_text("#!/bin/sh\nexec true\n")
    check_program(script)


def test_a_static_program_is_named(tmp_path: Path):
    path = compiled(tmp_path, "int main(void) { return 0; }", "-static")
    with pytest.raises(GameError, match="linked statically"):
        GameEnv(Game(name="x", command=(str(path),))).reset()


def test_other_kinds_of_programs_are_named(tmp_path: Path):
    with pytest.raises(GameError, match="32-bit"):
        check_program(changed(tmp_path, 4, 1))
    with pytest.raises(GameError, match="another processor"):
        check_program(changed(tmp_path, 18, 8))
    with pytest.raises(GameError, match="no program for Linux"):
        check_program(changed(tmp_path, 0, 0))
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    with pytest.raises(GameError, match="no/such/interpreter, which is not installed"):
        check_program(script)


def test_a_set_uid_program_is_named(tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a program away")
    path = tmp_path / "game"
    shutil.copy(SHELL, path)
    os.chown(path, 12345, 0)
    path.chmod(0o4755)
    with pytest.raises(GameError, match="set-uid"):
        check_program(path)


def test_a_static_game_behind_a_launcher_is_named(tmp_path: Path):
    path = compiled(tmp_path, "#include <unistd.h>\nint main(void) { pause(); }", "-static")
    game = Game(name="x", command=("sh", "-c", f"{path}; true"), start_limit_s=1.0)
    with pytest.raises(GameTimeoutError, match=r"without the agent run: \S+/game"):
        GameEnv(game).reset()


def test_a_program_that_drops_the_agent_is_named(tmp_path: Path):
    game = Game(name="x", command=("sh", "-c", "LD_PRELOAD= sleep 100; true"), start_limit_s=1.0)
    with pytest.raises(GameTimeoutError, match=r"without the agent run: \S+ \("):
        GameEnv(game).reset()


def test_what_it_said_is_told_when_it_ends_at_once():
    game = Game(name="x", command=("sh", "-c", "echo no display, sorry >&2; exit 4"))
    with pytest.raises(GameExitedError, match=r"status 4 before it presented.*\n.*\n.*no display"):
        GameEnv(game).reset()


def test_reasons_name_the_hook_that_never_fired():
    nothing = dict.fromkeys(protocol.SEEN, 0)

    def why(display: str = "x11", **seen: int) -> str:
        return why_no_frame({**nothing, **seen}, display=display, strangers=[])

    assert "not loaded" in why()
    assert "SDL was not initialised" in why(load=1)
    assert "no present was ever called" in why(load=1, sdl2_init=1)
    assert "try display='x11'" in why("none", load=1, sdl2_init=1)
    assert "none could be taken" in why(load=1, present_glx=3)
