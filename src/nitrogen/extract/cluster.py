"""A batch over a Ray cluster: one task per video.

Videos, skins and output lie where every node sees them under the same path. A task whose worker or
node dies is run again elsewhere and goes on with the stretches that lie on disk.
"""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nitrogen.errors import ExtractionError, MissingDependencyError
from nitrogen.extract.batch import Run, extract_one, library_id, size_of
from nitrogen.extract.entry import Entry, failed
from nitrogen.extract.pipeline import ExtractConfig, id_of

_REACH_S = 10.0
"""Seconds in which a cluster's address must answer."""
_RETRIES = 4
"""Times that a task is tried again when its worker dies."""


def on_ray(address: str | None = None) -> Run:
    """An engine over the Ray cluster at `address`; on this machine alone when None.

    Raises MissingDependencyError if Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "the Ray engine needs Ray: pip install 'nitrogen[ray]'"
        ) from error

    def run(
        todo: Sequence[Path], out: Path, skins: Sequence[Path], config: ExtractConfig
    ) -> Iterator[Entry]:
        _connect(ray, address)
        try:
            task = ray.remote(num_cpus=1, max_retries=_RETRIES)(extract_one)
            known = tuple(Path(folder).resolve() for folder in skins)
            waiting = {
                task.remote(video.resolve(), Path(out).resolve(), known, config): video
                for video in todo
            }
            while waiting:
                done, _ = ray.wait(list(waiting), num_returns=1)
                video = waiting.pop(done[0])
                yield _result(ray, done[0], video, library_id(skins))
        finally:
            ray.shutdown()

    return run


def _connect(ray: Any, address: str | None) -> None:
    try:
        if address is not None and ":" in address:
            # Ray itself tries for minutes.
            host, port = address.removeprefix("ray://").rsplit(":", 1)
            socket.create_connection((host, int(port)), timeout=_REACH_S).close()
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ExtractionError(
            f"no Ray cluster at {address}: {error}; start one with 'ray start --head'"
        ) from error


def _result(ray: Any, task: Any, video: Path, library: str) -> Entry:
    crashes = (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError)
    try:
        entry: Entry = ray.get(task)
    except (*crashes, ray.exceptions.OutOfMemoryError) as error:
        cause = f"its worker died {_RETRIES + 1} times: {type(error).__name__}"
        return failed(video, id_of(video), size_of(video), library, cause)
    return replace(entry, video=str(video))
