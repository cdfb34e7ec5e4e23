"""What the agent itself costs: processor time of a trivial program per step, with and without it.

`python bench/agent_cost.py [STEPS]`: programs that draw next to nothing, through SDL 2 in memory,
OpenGL offscreen and Vulkan, stepped as fast as they go. The processor time is that of the program's
process, agent and capture included (to the microsecond, of all its threads); the line "without"
is the same program without the agent.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from nitrogen.actions import Actions
from nitrogen.simulator.game import Game
from nitrogen.simulator.session import Session

PROBES = Path(__file__).parents[1] / "agent" / "tests" / "probes"
LAVAPIPE = Path("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json")


def build(source: str, folder: Path, *libraries: str) -> str:
    """Compile a probe program; its path."""
    out = folder / source.removesuffix(".c")
    flags = ["cc", "-O2", "-o", str(out), str(PROBES / source)]
    subprocess.run([*flags, *(f"-l:{library}" for library in libraries), "-ldl"], check=True)
    return str(out)


def processor_ns(pid: int) -> int:
    """Processor time of all threads of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def measure(game: Game, steps: int, *, unseen: bool = False) -> tuple[float, float, float]:
    """Microseconds per step: processor time of the game, of Python, and wall time."""
    row = Actions.of("south", left_x=0.5)
    with Session(game) as session:
        for _ in range(200):
            session.step(row, unseen=unseen)
        pid = session.channel.pid
        used, own, start = processor_ns(pid), time.process_time_ns(), time.perf_counter_ns()
        for _ in range(steps):
            session.step(row, unseen=unseen)
        used = processor_ns(pid) - used
        own = time.process_time_ns() - own
        wall = time.perf_counter_ns() - start
    return used / steps / 1e3, own / steps / 1e3, wall / steps / 1e3


def without(command: tuple[str, ...], frames: int) -> float:
    """Microseconds of processor time per frame of the same program on its own."""
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    times = []
    for count in (100, 100 + frames):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, str(count)], check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (times[1] - times[0]) / frames * 1e6


def report(title: str, game: Game, steps: int, *, unseen: bool = False) -> None:
    """Measure and print one row."""
    used, own, wall = measure(game, steps, unseen=unseen)
    print(f"{title:38}{used:10.1f}{1e6 / used:12.0f}{own:12.1f}{wall:12.1f}", flush=True)


def main() -> None:
    """Print one row per way of drawing and size."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    print(f"{'':38}{'game us':>10}{'steps/core-s':>12}{'Python us':>12}{'wall us':>12}")
    with tempfile.TemporaryDirectory() as name:
        plain = build("plain.c", Path(name), "libSDL2-2.0.so.0")
        for size in ((256, 256), (640, 480), (1920, 1080)):
            command: tuple[str, ...] = (plain, str(size[0]), str(size[1]))
            title = f"SDL 2 in memory, {size[0]}x{size[1]}"
            count = steps if size[0] < 1000 else steps // 5
            print(f"{title + ', without':38}{without(command, count):10.1f}")
            game = Game(name="plain", command=command, size=size, display="none")
            report(title, game, count)
            report(f"{title}, unseen", game, count, unseen=True)
        keys = {"south": "space"}  # the programs below read no pad
        triangle = build("gl.c", Path(name))
        displays: dict[str, Literal["none", "x11"]] = {"surfaceless": "none", "glx": "x11"}
        for kind, display in displays.items():
            command = (triangle, kind, "256", "256")
            game = Game(name="gl", command=command, display=display, keys=keys)
            for unseen in (False, True):
                title = f"OpenGL, {kind}, 256x256{', unseen' * unseen}"
                report(title, game, steps // 2, unseen=unseen)
        cube = ("vkcube", "--width", "256", "--height", "256")
        if LAVAPIPE.exists():
            environment = {"VK_ICD_FILENAMES": str(LAVAPIPE)}
            game = Game(
                name="cube", command=cube, display="x11", environment=environment, keys=keys
            )
            for unseen in (False, True):
                report(f"vkcube 256x256{', unseen' * unseen}", game, steps // 10, unseen=unseen)


if __name__ == "__main__":
    main()
