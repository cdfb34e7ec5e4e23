import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from nitrogen.experiments.jobs import run_jobs


@dataclass(frozen=True)
class Sleep:
    """Says who runs it, then waits."""

    folder: Path
    seconds: float = 0.0

    def run(self):
        (self.folder / "pid").write_text(str(os.getpid()))
        time.sleep(self.seconds)
        return {"pid": os.getpid()}


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_results_come_in_order_and_are_kept(tmp_path):
    jobs = [Sleep(tmp_path / name) for name in "abc"]
    first = run_jobs(jobs, workers=2)
    assert run_jobs(jobs, workers=2) == first
    assert os.getpid() not in {result["pid"] for result in first}


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at /proc")
def test_workers_die_with_the_one_who_asked(tmp_path):
    context = multiprocessing.get_context("spawn")
    asking = context.Process(target=run_jobs, args=([Sleep(tmp_path, 600)],), kwargs={"workers": 1})
    asking.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert asking.is_alive()
        time.sleep(0.05)
    worker = int((tmp_path / "pid").read_text())
    os.kill(asking.pid, signal.SIGKILL)
    asking.join()
    while is_alive(worker):  # the suite's time limit ends a wait for ever
        time.sleep(0.05)
