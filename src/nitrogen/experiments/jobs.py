"""Many small independent jobs over processes, each kept on disk as soon as it is done."""

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

from nitrogen import files
from nitrogen.processes import die_with_parent

RESULT_NAME = "result.json"


class Job(Protocol):
    """What a worker runs; must pickle within this machine."""

    @property
    def folder(self) -> Path:
        """Where the job keeps what it makes."""

    def run(self) -> dict[str, Any]:
        """Do it; returns plain values. Run again after an interruption, it goes on."""


def run_jobs(
    jobs: Sequence[Job], *, workers: int, on_done: Callable[[Job], None] = lambda job: None
) -> list[dict[str, Any]]:
    """The results of all jobs, in order; those whose result lies on disk are not run again."""
    context = multiprocessing.get_context("spawn")
    waiting = [job for job in jobs if not (job.folder / RESULT_NAME).exists()]
    if waiting:
        with ProcessPoolExecutor(
            min(workers, len(waiting)), mp_context=context, initializer=die_with_parent
        ) as pool:
            pending: dict[Future[None], Job] = {pool.submit(_run, job): job for job in waiting}
            try:
                while pending:
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        future.result()
                        on_done(pending.pop(future))
            finally:
                for future in pending:
                    future.cancel()
    return [json.loads((job.folder / RESULT_NAME).read_text()) for job in jobs]


def _run(job: Job) -> None:
    import torch

    torch.set_num_threads(1)  # one core per worker
    job.folder.mkdir(parents=True, exist_ok=True)
    result = job.run()
    files.write_text(job.folder / RESULT_NAME, json.dumps(result, indent=2))
