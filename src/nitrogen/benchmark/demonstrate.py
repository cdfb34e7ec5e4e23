"""Demonstrations without people: a scripted expert where there is one, else search; then variants.

What is made is the same for every number of workers: each demonstration is a function of the task,
its seed or number, and what it was made from.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Literal

from nitrogen.benchmark.config import EVALUATION_SEEDS
from nitrogen.benchmark.demonstration import Demonstration
from nitrogen.benchmark.making import by_branching, by_expert, by_search, by_variation
from nitrogen.benchmark.search import SearchConfig, SearchProgress
from nitrogen.benchmark.task import Task
from nitrogen.errors import ConfigError, GameError
from nitrogen.logs import MetricLog
from nitrogen.processes import die_with_parent

FAILURES = "failures.jsonl"
"""In the folder of the demonstrations: what could not be made, and why."""

_SEEDS_PER_SEARCH = 3
"""Seeds that are tried for each search that is wanted, before giving up."""

OnSearch = Callable[[str, SearchProgress], None]
"""Called with the name of a file in the making and how far its search is."""


@dataclass(frozen=True, kw_only=True)
class DemonstrateConfig:
    """How many demonstrations are made, and how long they may take."""

    count: int = 20
    """Demonstrations wanted in all."""
    searches: int = 1
    """Starts from which a way is searched; the rest is made from what was found: half of it with
    bursts of other input, half by leaving the way and searching on."""
    seed: int = 0
    """First seed; must stay below the held-out ones."""
    max_frames: int = 300_000
    """Game frames that one search may take."""
    branch_frames: int = 20_000
    """Game frames that finding back may take."""
    tries: int = 10
    """Variants played for each one that is wanted."""
    workers: int = 1
    """Processes that work side by side."""

    def __post_init__(self) -> None:
        """Check. Raises ConfigError."""
        if min(self.count, self.searches, self.workers) < 1:
            raise ConfigError("count, searches and workers must be 1 or more")
        if self.seed + self.count > EVALUATION_SEEDS:
            raise ConfigError(
                f"seeds from {EVALUATION_SEEDS} on are held out: no demonstration may use them"
            )


@dataclass(frozen=True, kw_only=True)
class Making:
    """One demonstration to be made; a worker can be sent it."""

    task: Task
    kind: Literal["expert", "search", "variant", "branch"]
    number: int
    """Seed of the episode, or number of the variant."""
    path: Path
    how: SearchConfig | None = None
    base: Path | None = None
    """What a variant is made from."""
    tries: int = 1

    def run(self, on_search: OnSearch = lambda name, progress: None) -> str:
        """Make the file; the reason if that fails, else nothing. A killed search goes on."""

        def report(progress: SearchProgress) -> None:
            on_search(self.path.name, progress)

        try:
            made = self._made(report)
        except GameError as error:
            return str(error)
        if made is None:
            return "the goal was not reached"
        made.save(self.path)
        return ""

    def _made(self, report: Callable[[SearchProgress], None]) -> Demonstration | None:
        if self.kind == "expert":
            return by_expert(self.task, self.number)
        assert self.how is not None, "only experts do without a search"
        if self.kind == "search":
            journal = self.path.with_suffix(".search.json")
            return by_search(self.task, self.number, self.how, journal, report)
        assert self.base is not None, "a variant is made from what was found"
        if self.kind == "branch":
            return by_branching(
                self.task, self.base, self.how, number=self.number, on_progress=report
            )
        return by_variation(
            self.task, self.base, self.how.propose, seed=self.number, tries=self.tries
        )


def demonstrate(
    task: Task,
    config: DemonstrateConfig,
    *,
    out: Path,
    how: SearchConfig | None = None,
    on_demonstration: Callable[[Demonstration], None] = lambda demonstration: None,
    on_search: OnSearch = lambda name, progress: None,
) -> list[Path]:
    """Make demonstrations of `task` in the folder `out`; those that are there already are kept.

    `how` is the search for tasks without an expert. What fails is noted in `failures.jsonl`, and
    the next seed is tried. Raises GameError if nothing is found at all.
    """
    makers = _Makers(config.workers, out, on_demonstration, on_search)
    if task.has_expert:
        seeds = range(config.seed, config.seed + config.count)
        return makers.all_of(
            [
                Making(task=task, kind="expert", number=seed, path=out / f"expert-{seed}.npz")
                for seed in seeds
            ]
        )
    if how is None:
        raise GameError(f"{task.name} has neither an expert nor a way to search for one")
    found = _searched(task, config, replace(how, max_frames=config.max_frames), out, makers)
    return found + makers.all_of(_variants(task, config, how, out, found))


def _searched(
    task: Task, config: DemonstrateConfig, how: SearchConfig, out: Path, makers: "_Makers"
) -> list[Path]:
    """As many searches as are wanted; a seed that fails gives way to the next."""
    wanted = min(config.searches, config.count)
    first, end = config.seed, config.seed + _SEEDS_PER_SEARCH * wanted
    found: list[Path] = []
    while len(found) < wanted and first < end:
        seeds = range(first, min(first + wanted - len(found), end))
        first = seeds.stop
        found += makers.all_of(
            [
                Making(
                    task=task, kind="search", number=seed, path=out / f"search-{seed}.npz", how=how
                )
                for seed in seeds
            ]
        )
    if not found:
        raise GameError(f"{task.name}: {makers.last_failure}")
    return found


def _variants(
    task: Task, config: DemonstrateConfig, how: SearchConfig, out: Path, found: Sequence[Path]
) -> list[Making]:
    """Bursts of other input and branches by turns."""
    made = []
    for number in range(config.seed, config.seed + config.count - len(found)):
        kind: Literal["variant", "branch"] = "branch" if number % 2 else "variant"
        made.append(
            Making(
                task=task,
                kind=kind,
                number=number,
                path=out / f"{kind}-{number}.npz",
                how=replace(how, max_frames=config.branch_frames),
                base=found[number % len(found)],
                tries=config.tries,
            )
        )
    return made


@dataclass
class _Makers:
    """Makes what is not there yet, here or in worker processes."""

    workers: int
    out: Path
    on_demonstration: Callable[[Demonstration], None]
    on_search: OnSearch
    last_failure: str = ""

    def all_of(self, jobs: Sequence[Making]) -> list[Path]:
        """The files that exist in the end, in order."""
        waiting = [job for job in jobs if not job.path.exists()]
        for job, reason in self._each_done(waiting):
            if reason:
                self.last_failure = reason
                with MetricLog(self.out / FAILURES) as log:
                    log.write(file=job.path.name, task=job.task.name, reason=reason)
            else:
                self.on_demonstration(Demonstration.load(job.path))
        return [job.path for job in jobs if job.path.exists()]

    def _each_done(self, jobs: Sequence[Making]) -> Iterator[tuple[Making, str]]:
        if self.workers == 1 or len(jobs) < 2:
            for job in jobs:
                yield job, job.run(self.on_search)
            return
        context = multiprocessing.get_context("spawn")
        reports: SimpleQueue[tuple[str, SearchProgress]] = context.SimpleQueue()
        with ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_report_to, initargs=(reports,)
        ) as pool:
            pending: dict[Future[str], Making] = {pool.submit(_run, job): job for job in jobs}
            try:
                while pending:
                    done = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED).done
                    while not reports.empty():
                        self.on_search(*reports.get())
                    for future in done:
                        yield pending.pop(future), future.result()
            finally:
                for future in pending:
                    future.cancel()


_reports: "list[SimpleQueue[tuple[str, SearchProgress]]]" = []


def _report_to(queue: "SimpleQueue[tuple[str, SearchProgress]]") -> None:
    die_with_parent()
    _reports.append(queue)


def _run(job: Making) -> str:
    return job.run(lambda name, progress: _reports[-1].put((name, progress)))
