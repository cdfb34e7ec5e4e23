"""Every group of hooks, each with a small program that stands for a kind of game.

The agent runs under the address and undefined-behaviour sanitizers here: what it does wrong inside
a program ends that program.
"""

import ctypes.util
import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.simulator import linux
from nitrogen.simulator.display import Display
from nitrogen.simulator.game import Game
from nitrogen.simulator.keys import Mouse
from nitrogen.simulator.session import Session

AGENT = Path(__file__).parents[2] / "agent"
PLAIN = linux.AGENT
LAVAPIPE = Path("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json")
pytestmark = [
    pytest.mark.game,
    pytest.mark.skipif(
        shutil.which("cc") is None or shutil.which("make") is None,
        reason="needs a C compiler and make: apt-get install build-essential",
    ),
]


def make(target: str) -> Path:
    subprocess.run(["make", "-s", "-C", str(AGENT), target], check=True)
    return AGENT / target


def needs_library(name: str, package: str) -> None:
    if ctypes.util.find_library(name) is None:
        pytest.skip(f"needs lib{name}: apt-get install {package}")


def needs_program(name: str, package: str) -> None:
    if shutil.which(name, path="/usr/bin:/usr/games") is None:
        pytest.skip(f"needs {name}: apt-get install {package}")


@pytest.fixture(autouse=True)
def checked_agent(monkeypatch):
    monkeypatch.setattr(linux, "AGENT", make("build/libnitrogen_agent_checked.so"))
    monkeypatch.setattr(
        linux, "Display", lambda folder, *, agent, size: Display(folder, agent=PLAIN, size=size)
    )


class Probe:
    """What a program printed and showed in some frames."""

    def __init__(self, session: Session) -> None:
        self.lines = (session.folder / "game.log").read_text().splitlines()
        self.seen = {name: count for name, count in session.channel.board.seen().items() if count}
        self.observation = session.observation()
        self.picture = session.picture()

    def find(self, start: str) -> list[str]:
        return [line.removeprefix(start).strip() for line in self.lines if line.startswith(start)]


def game(*command: str, display="none", **fields) -> Game:
    return Game(
        name=Path(command[0]).name, command=command, display=display, start_limit_s=60, **fields
    )


def run(played: Game, actions: Actions, seed: int = 0) -> Probe:
    with Session(played, seed=seed) as session:
        for index in range(len(actions)):
            session.step(actions[index : index + 1])
        return Probe(session)


def pressed(frames: int = 4) -> Actions:
    return Actions.of("south", "right_trigger", "dpad_left", length=frames, left_x=-1.0)


def colour(probe: Probe) -> tuple[int, ...]:
    assert (probe.picture == probe.picture[0, 0]).all()
    assert (probe.observation == probe.picture[0, 0]).all()
    return tuple(int(value) for value in probe.picture[0, 0])


# --- clocks and randomness ---------------------------------------------------------------------


def test_clocks_and_timed_waits_are_virtual():
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    probe = run(game(str(make("build/probe_clocks"))), Actions.released(30))
    assert probe.find("calendar") == [f"{linux.EPOCH_NS // 10**9} {linux.EPOCH_NS // 10**9}"]
    for thread in ("frame", "other"):
        waits = [line.split() for line in probe.find(thread)]
        assert [int(way) for way, _ in waits] == list(range(12))
        assert [int(time_us) for _, time_us in waits] == [10_000] * 12
    assert probe.find("still") == ["0"]
    periods = [int(time_us) for time_us in probe.find("period")]
    assert periods[0] == 0  # the waits before it have used it up
    assert all(time_us in (16_666, 16_667) for time_us in periods[2:])
    assert {"clock", "sleep"} <= set(probe.seen)


def test_randomness_repeats_and_follows_the_seed():
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    played = game(str(make("build/probe_random_sources")))
    sources = ("getrandom", "getentropy", "urandom", "random", "stream", "random_device",
               "random_device_file")  # fmt: skip
    first, again, other = (run(played, Actions.released(1), seed) for seed in (5, 5, 6))
    for source in sources:
        assert len(first.find(f"{source} ")) == 1
        assert first.find(f"{source} ") == again.find(f"{source} ") != other.find(f"{source} ")
    assert len({first.find(f"{source} ")[0] for source in sources[:5]}) == 5
    assert first.find("calendar") == ["2023-11-14 22:13:25 UTC"]
    assert first.find("locale") == ["C.UTF-8"]
    assert first.find("home") != again.find("home")  # fresh
    assert first.seen["random"] > 0


# --- SDL, whichever way it comes into the program ------------------------------------------------


def bundled_sdl(tmp_path: Path) -> Path:
    """A copy of the program with its own SDL beside it, as shipped games have it."""
    source = Path("/usr/lib/x86_64-linux-gnu/libSDL2-2.0.so.0")
    if not source.exists():
        pytest.skip(f"needs {source}: apt-get install libsdl2-2.0-0")
    shutil.copy(source, tmp_path / "libSDL2-2.0.so.0")
    program = tmp_path / "probe_bundled"
    command = ["cc", "-o", program, AGENT / "tests/probes/sdl_window.c", "-L", tmp_path]
    subprocess.run([*command, "-l:libSDL2-2.0.so.0", f"-Wl,-rpath,{tmp_path}"], check=True)
    return program


@pytest.mark.parametrize("kind", ["linked", "bundled", "inside", "exported"])
def test_sdl2_pad_and_window_surface(kind: str, tmp_path: Path):
    if kind == "bundled":
        program = bundled_sdl(tmp_path)
    elif kind == "linked":
        needs_library("SDL2-2.0", "libsdl2-2.0-0")
        program = make("build/probe_sdl_window")
    else:
        done = subprocess.run(
            ["make", "-s", "-C", str(AGENT), f"build/probe_{kind}"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("needs SDL 2 to link statically: apt-get install libsdl2-dev")
        program = AGENT / f"build/probe_{kind}"
    probe = run(game(str(program)), pressed())
    assert "joysticks 1" in probe.lines[-6]
    assert "south 1 x -32768" in probe.lines[-1]
    assert colour(probe) == (255, 0, 4)
    assert probe.seen["present_sdl2_surface"] == 5
    assert probe.seen["pad_open"]
    assert probe.seen["pad_read"]
    assert probe.seen["sdl2_init"]
    assert ("pad_added" in probe.seen) == (kind in ("linked", "bundled"))


def test_sdl2_keys_and_mouse():
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    mouse = Mouse(kind="absolute", stick="left", reach=0.5)
    played = game(
        str(make("build/probe_sdl_window")), keys={"south": "space", "east": "mouse_left"},
        mouse=mouse,
    )  # fmt: skip
    actions = Actions.concatenate(
        [Actions.of("south", "east", length=3, left_x=-1.0), Actions.of(length=3, left_y=1.0)]
    )
    probe = run(played, actions)
    assert probe.lines[-4].endswith("space 1 mouse 1 16 24")
    assert probe.lines[-1].endswith("space 0 mouse 0 32 36")
    assert probe.seen["keys"] == 2
    assert probe.seen["mouse"] == 4


def test_a_stick_moves_the_mouse_by_speed():
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    mouse = Mouse(kind="relative", stick="right", reach=60.0)
    played = game(str(make("build/probe_sdl_window")), mouse=mouse)
    probe = run(played, Actions.of(length=20, right_x=1.0, right_y=0.5))
    assert probe.lines[-1].endswith("20 10")  # a pixel per frame at 60 Hz; half of that


SDL12_DRESS = Path("/usr/lib/x86_64-linux-gnu/sdl12-compat")


@pytest.mark.parametrize("flips", ["0", "1"])
@pytest.mark.parametrize("dress", [False, True], ids=["sdl12", "on-sdl2"])
def test_sdl12(flips: str, dress: bool, monkeypatch):
    """The real SDL 1.2, and the library of that name that is made of SDL 2."""
    if dress:  # it looks SDL 2 up before the sanitizers are ready
        monkeypatch.setattr(linux, "AGENT", PLAIN)
    needs_library("SDL-1.2", "libsdl1.2debian")
    if dress and not SDL12_DRESS.exists():
        pytest.skip(f"needs {SDL12_DRESS}: apt-get install libsdl1.2-compat")
    played = game(
        str(make("build/probe_sdl12")), flips, keys={"east": "space", "west": "mouse_left"},
        mouse=Mouse(kind="absolute", stick="right", reach=0.5),
        environment={"LD_LIBRARY_PATH": str(SDL12_DRESS)} if dress else {},
    )  # fmt: skip
    probe = run(played, Actions.of("south", "east", "west", length=3, left_x=-1.0, right_y=1.0))
    assert "joysticks 1 Microsoft X-Box 360 pad" in probe.lines
    pad = "south 1 x -32768 space 1 mouse 1 32 36"
    assert probe.lines[-1] == (f"2 {pad}" if dress else f"3 {pad}")  # it shows an empty screen
    assert probe.find("key event") == [""]
    assert tuple(probe.picture[0, 0]) == (255, 0, 0)  # 16 bits, and both parts in one frame
    assert tuple(probe.picture[47, 0]) == (0, 255, 0)
    assert probe.seen["present_sdl12"] == (3 if dress else 4)


@pytest.mark.parametrize(("name", "display"), [("vor", "none"), ("tumiki-fighters", "x11")])
def test_games_of_sdl12_repeat(name: str, display, monkeypatch):
    needs_program(name, name)
    monkeypatch.setattr(linux, "AGENT", PLAIN)
    played = Game(name=name, command=(name,), display=display, keys={"south": "return"})
    frames = []
    for _ in range(2):
        with Session(played) as session:
            hashes = []
            for index in range(30):
                session.step(Actions.of(*(("south",) if index % 10 < 5 else ())))
                hashes.append(hashlib.sha256(session.observation().tobytes()).hexdigest())
        frames.append(hashes)
    assert frames[0] == frames[1]
    assert len(set(frames[0])) > 10


def sdl3_library() -> str:
    """SDL 3 of the system, or the one that the package tcod brings."""
    found = ctypes.util.find_library("SDL3")
    if found:
        return found
    spec = importlib.util.find_spec("tcod")
    libraries = list(Path(spec.origin).parents[1].glob("tcod.libs/libSDL3*")) if spec else []
    if not libraries:
        pytest.skip("needs SDL 3: apt-get install libsdl3-0, or pip install tcod, which brings it")
    return str(libraries[0])


@pytest.mark.parametrize("draws", ["renderer", "surface", "gl"])
def test_sdl3(draws: str):
    played = game(
        str(make("build/probe_sdl3")), sdl3_library(), draws, keys={"east": "space"},
        display="offscreen" if draws == "gl" else "none",
    )  # fmt: skip
    probe = run(played, Actions.of("south", "east", length=3, left_x=-1.0))
    assert "gamepads 1 Microsoft X-Box 360 pad" in probe.lines
    assert probe.lines[-1] == "3 south 1 x -32768 space 1"
    assert colour(probe) == (255, 102 if draws == "gl" else 100, 51 if draws == "gl" else 50)
    assert probe.seen[f"present_sdl3_{draws}"] == 4


# --- the pad without SDL -------------------------------------------------------------------------


def test_evdev_and_js():
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    probe = run(game(str(make("build/probe_pad_files"))), pressed())
    assert sorted(probe.find("listed")) == ["event0", "js0"]
    assert "event0 0 js0 0 event1 -1 device 1" in probe.lines
    assert "no watch" not in probe.lines
    assert "evdev Microsoft X-Box 360 pad 045e:028e south 1 rz 0..255" in probe.lines
    assert "js Microsoft X-Box 360 pad axes 8 buttons 11" in probe.lines
    events = [line for line in probe.lines if line.startswith("1 event")]
    assert events == [f"1 event {event}" for event in
                      ("1 304 1", "3 0 -32768", "3 5 255", "3 16 -1", "0 0 0")]  # fmt: skip
    assert [line for line in probe.lines if line.startswith("1 js")] == [
        f"1 js {event}" for event in ("1 0 1", "2 0 -32767", "2 5 32767", "2 6 -32767")
    ]


def test_a_copy_has_its_own_device_files():
    """What one copy reads from the pad must not be missing in the next."""
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    played = game(str(make("build/probe_pad_files")), saves="fork")
    with Session(played) as session:
        session.step(Actions.released(1))
        state = session.save()
        counts = []
        for _ in range(2):
            before = len((session.folder / "game.log").read_text().splitlines())
            for row in (Actions.of("south"), Actions.released(1), Actions.released(1)):
                session.step(row)
            counts.append(len((session.folder / "game.log").read_text().splitlines()) - before)
            session.restore(state)
        assert counts == [6, 6]  # press and release: two events of evdev with their ends, two of js


def test_sfml_sees_the_pad_by_udev():
    needs_program("Xvfb", "xvfb")
    if not Path("/usr/include/SFML/Window.hpp").exists():
        pytest.skip("needs SFML's headers: apt-get install libsfml-dev")
    played = game(
        str(make("build/probe_sfml")), display="x11", keys={"start": "space", "back": "mouse_left"},
        mouse=Mouse(kind="absolute", stick="right", reach=0.5), size=(320, 240),
    )  # fmt: skip
    actions = Actions.of("south", "start", "back", length=11, left_x=-1.0, right_x=1.0)
    probe = run(played, actions)
    pad = "there 1 buttons 11 south 1 x -100 mouse 1 240 120 Microsoft X-Box 360 pad"
    assert probe.lines[-1] == f"10 {pad}"
    assert probe.find("key") == ["1"]  # by the display server's test extension
    assert probe.find("pressed") == ["0", "6", "7"]  # A, back, start
    assert colour(probe) == (255, 100, 50)
    assert probe.seen["udev"]
    assert probe.seen["present_glx"] == 12


# --- OpenGL and Vulkan ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "display", "counter"),
    [("glx", "x11", "present_glx"), ("egl", "x11", "present_egl"),
     ("surfaceless", "none", "present_egl")],
)  # fmt: skip
def test_opengl(kind: str, display, counter: str):
    for library, package in (("GL", "libgl1"), ("EGL", "libegl1"), ("X11", "libx11-6")):
        needs_library(library, package)
    if display == "x11":
        needs_program("Xvfb", "xvfb")
    probe = run(game(str(make("build/probe_gl")), kind, display=display), Actions.released(3))
    assert probe.picture.shape == (48, 64, 3)
    assert colour(probe) == (255, 255, 51)
    assert probe.seen[counter] == 4


def test_vulkan():
    needs_program("vkcube", "vulkan-tools")
    needs_program("Xvfb", "xvfb")
    if not LAVAPIPE.exists():
        pytest.skip("needs Vulkan on the processor: apt-get install mesa-vulkan-drivers")
    played = game(
        "vkcube", "--width", "96", "--height", "64", display="x11",
        environment={"VK_ICD_FILENAMES": str(LAVAPIPE)},
    )  # fmt: skip
    first, again = (run(played, Actions.released(20)) for _ in range(2))
    assert first.picture.shape == (64, 96, 3)
    assert first.seen["present_vulkan"] == 21
    np.testing.assert_array_equal(first.picture, again.picture)
    assert first.picture.std() > 10  # a cube on a plain ground


# --- what copies of a game must not share --------------------------------------------------------


def test_a_copy_reads_files_from_where_it_was(tmp_path: Path):
    needs_library("SDL2-2.0", "libsdl2-2.0-0")
    (tmp_path / "music").write_text("abcdefghijklmnopqrstuvwxyz")
    played = game(str(make("build/probe_reader")), str(tmp_path / "music"), saves="fork")
    with Session(played) as session:
        session.step(Actions.released(1))
        state = session.save()
        letters = []
        for _ in range(3):
            for _ in range(4):
                session.step(Actions.released(1))
            text = (session.folder / "game.log").read_text()
            assert "\0" not in text  # what it printed after the state is gone, without a hole
            lines = text.splitlines()
            letters.append("".join(line[-1] for line in lines[-4:]))
            session.restore(state)
    assert letters == ["cdef"] * 3
