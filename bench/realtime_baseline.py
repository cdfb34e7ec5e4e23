"""What people use today against the simulator: SuperTux's first level, steps per second and core.

`python bench/realtime_baseline.py [SECONDS]`. The baseline is the game in real time under Xvfb, its
screen grabbed through X11 and its keys pressed through XTEST, as xdotool does, 60 times per second;
once drawn by SDL in software and once by OpenGL on the processor, which is the game's default.
Both sides hold right and jump, and hand over 256 x 256 frames. Counted is the processor time of the
game, the display server and Python. A grabbed frame is stale if it equals the one before.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nitrogen.actions import Actions
from nitrogen.simulator.channel import processor_seconds
from nitrogen.simulator.env import GameEnv
from nitrogen.simulator.games import supertux
from nitrogen.simulator.linux import find_program

RATE_HZ = 60.0
WIDTH, HEIGHT = supertux.GAME.size
KEYS = {"Right": lambda frame: True, "space": lambda frame: frame % 40 < 20}


class Image(ctypes.Structure):
    """The head of Xlib's `XImage`."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.c_void_p),
    )


class Screen:
    """A connection to an X display: grabs the screen, presses keys."""

    def __init__(self, name: str) -> None:
        """`name`: for example `:99`."""
        self._x, self._test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        for function in (self._x.XOpenDisplay, self._x.XGetImage):
            function.restype = ctypes.c_void_p
        self._x.XKeysymToKeycode.restype = ctypes.c_ubyte
        self._x.XDefaultRootWindow.restype = self._x.XStringToKeysym.restype = ctypes.c_ulong
        opened = self._x.XOpenDisplay(name.encode())
        if not opened:
            raise SystemExit(f"the display {name} cannot be opened")
        self._display = ctypes.c_void_p(opened)
        self._root = ctypes.c_ulong(self._x.XDefaultRootWindow(self._display))

    def grab(self) -> np.ndarray:
        """(256, 256, 3) uint8 RGB."""
        image = self._x.XGetImage(
            self._display, self._root, 0, 0, WIDTH, HEIGHT, ctypes.c_ulong(2**32 - 1), 2
        )
        data = Image.from_address(image).data
        pixels = np.ctypeslib.as_array(
            ctypes.cast(data, ctypes.POINTER(ctypes.c_uint8)), (HEIGHT, WIDTH, 4)
        )
        frame = cv2.resize(pixels[..., 2::-1], (256, 256), interpolation=cv2.INTER_AREA)
        self._x.XDestroyImage(ctypes.c_void_p(image))
        return frame

    def press(self, key: str, *, is_down: bool) -> None:
        """Press or release a key by its X name."""
        symbol = ctypes.c_ulong(self._x.XStringToKeysym(key.encode()))
        code = self._x.XKeysymToKeycode(self._display, symbol)
        self._test.XTestFakeKeyEvent(self._display, code, int(is_down), ctypes.c_ulong(0))
        self._x.XFlush(self._display)


@dataclass(frozen=True)
class Figures:
    """What one way of playing came to."""

    steps: int
    wall_s: float
    processor_s: float
    stale: int

    @property
    def per_core_second(self) -> float:
        """Steps that hand over a new frame, per second of one core."""
        return (self.steps - self.stale) / self.processor_s

    def row(self, name: str) -> str:
        """One line of the table."""
        return (
            f"{name:34}{self.steps / self.wall_s:9.1f}{100 * self.stale / self.steps:8.1f} %"
            f"{self.per_core_second:12.1f}"
        )


@contextlib.contextmanager
def started(command: list[str], environment: dict[str, str], **options) -> Iterator[int]:
    """A process, its number; killed in the end."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def baseline(seconds: float, driver: str) -> Figures:
    """The game in real time; `driver` is SDL's renderer."""
    readable, writable = os.pipe()
    environment = {"PATH": os.environ["PATH"], "SDL_AUDIODRIVER": "dummy"}
    screen = ["-displayfd", str(writable), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-ac"]
    with (
        tempfile.TemporaryDirectory() as home,
        started(["Xvfb", *screen], environment, pass_fds=(writable,)) as server,
    ):
        os.close(writable)
        with os.fdopen(readable) as told:
            name = f":{int(told.readline())}"
        environment |= {"DISPLAY": name, "HOME": home, "SDL_RENDER_DRIVER": driver}
        options = [word.replace("{home}", home) for word in supertux.GAME.command[1:]]
        command = [find_program(supertux.GAME), *options]
        with started(command, environment) as game:
            return play_baseline(Screen(name), (game, server), seconds)


def play_baseline(screen: Screen, processes: tuple[int, int], seconds: float) -> Figures:
    """Press, wait for the next frame's time, grab."""
    time.sleep(6.0)  # it loads
    for is_down in (True, False):  # away with the card that shows the level's name
        screen.press("space", is_down=is_down)
        time.sleep(1.0)
    used = sum(map(processor_seconds, processes)) + time.process_time()
    start, count, stale, last = time.perf_counter(), 0, 0, b""
    while (now := time.perf_counter() - start) < seconds:
        for key, is_held in KEYS.items():
            screen.press(key, is_down=is_held(count))
        time.sleep(max(0.0, (count + 1) / RATE_HZ - now))
        frame = screen.grab().tobytes()
        stale += frame == last
        last = frame
        count += 1
    wall_s = time.perf_counter() - start
    used = sum(map(processor_seconds, processes)) + time.process_time() - used
    if folder := os.environ.get("BENCH_PICTURES"):
        picture = np.frombuffer(last, np.uint8).reshape(256, 256, 3)
        cv2.imwrite(str(Path(folder) / "baseline.png"), picture[..., ::-1])
    return Figures(count, wall_s, used, stale)


def ours(seconds: float, hold: int) -> Figures:
    """As many game frames as the baseline shows in that time, stepped."""
    with contextlib.closing(GameEnv(supertux.GAME, hold=hold)) as env:
        env.reset(seed=0)
        pid = env._session.channel.pid
        used, start = processor_seconds(pid) + time.process_time(), time.perf_counter()
        count = round(seconds * RATE_HZ) // hold
        for index in range(count):
            names = ("south",) if index * hold % 40 < 20 else ()
            *_, terminated, _, _ = env.step(Actions.of(*names, left_x=1.0).as_step())
            if terminated:  # Tux has died: the same level again, from another process
                used -= processor_seconds(env._session.channel.pid) if env._session.live else 0.0
                env.reset(seed=0)
                used += processor_seconds(env._session.channel.pid)
        wall_s = time.perf_counter() - start
        used = processor_seconds(env._session.channel.pid) + time.process_time() - used
    return Figures(count, wall_s, used, 0)


def main() -> None:
    """Print one row per way of playing, and the ratios."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    print(f"{'':34}{'steps/s':>9}{'stale':>10}{'new frames per core-second':>28}")
    found = {}
    for name, measure in {
        "real time, software": lambda: baseline(seconds, "software"),
        "real time, OpenGL": lambda: baseline(seconds, "opengl"),
        "simulator": lambda: ours(seconds, 1),
        "simulator, hold 2": lambda: ours(seconds, 2),
    }.items():
        found[name] = measure()
        print(found[name].row(name), flush=True)
    one = found["simulator"].per_core_second
    for name in ("real time, software", "real time, OpenGL"):
        print(f"simulator : {name} = {one / found[name].per_core_second:.1f}")


if __name__ == "__main__":
    main()
