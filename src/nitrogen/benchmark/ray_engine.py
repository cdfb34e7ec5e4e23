"""Workers on a Ray cluster, or on this machine if there is none."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from nitrogen.errors import MissingDependencyError

Work = TypeVar("Work")
Done = TypeVar("Done")


def each_done(do: Callable[[Work], Done], work: Sequence[Work], workers: int) -> Iterator[Done]:
    """Results of `do` for each piece of `work`, in the order in which they are ready.

    Joins the cluster that RAY_ADDRESS names; otherwise starts Ray here, with `workers` processors.
    Raises MissingDependencyError without the ray package.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "the Ray engine needs ray; install it with pip install 'nitrogen[ray]'"
        ) from error
    here: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **here)
    try:
        remote = ray.remote(num_cpus=1)(do)
        pending = [remote.remote(piece) for piece in work]
        while pending:
            done, pending = ray.wait(pending)
            for reference in done:
                result: Done = ray.get(reference)
                yield result
    finally:
        ray.shutdown()
