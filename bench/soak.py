"""Many short episodes in a row in one process: what do they leave behind?

python bench/soak.py [--tasks racer/finish_a_lap=400 freedoom/kill_two=100] [--frames 5]

Prints one JSON object per task: episodes and faults, and how many child processes, open files,
files in the folder for temporary files and MiB of memory there are more than after a tenth of them.
"""

import argparse
import dataclasses
import json
import os
import re
import tempfile
from pathlib import Path

from nitrogen.benchmark.config import RunConfig
from nitrogen.benchmark.run import BASELINE_PLAYERS, run
from nitrogen.benchmark.suite import task as find_task


def state() -> dict[str, float]:
    """What this process holds now."""
    me = Path("/proc/self")
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    resident = re.search(r"VmRSS:\s+(\d+)", (me / "status").read_text())
    assert resident is not None, "Linux tells the size of a process"
    return {
        "processes": len(children),
        "open_files": len([*(me / "fd").iterdir()]),
        "temporary_files": len([*Path(tempfile.gettempdir()).iterdir()]),
        "memory_mib": int(resident[1]) / 1024,
    }


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tasks", nargs="+", default=["racer/finish_a_lap=400", "freedoom/kill_two=100"]
    )
    parser.add_argument("--frames", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for words in options.tasks:
            name, _, count = words.partition("=")
            task = dataclasses.replace(find_task(name), frames=options.frames)
            out = Path(folder) / f"{task.game}.jsonl"
            episodes = int(count)
            before: dict[str, float] = {}
            for part in (max(1, episodes // 10), episodes):
                config = RunConfig(episodes=part, workers=1, seed=0)
                results = run([task], BASELINE_PLAYERS[:1], config, out=out)
                before = before or state()
            faults = sum(result.trace.fault != "" for result in results)
            grown = {what: round(value - before[what], 1) for what, value in state().items()}
            row = {"task": name, "episodes": len(results), "faults": faults, "more": grown}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
