"""What worker processes share."""

import multiprocessing
import multiprocessing.connection
import os
import threading


def die_with_parent() -> None:
    """For a pool's `initializer`: end this worker as soon as its parent is gone.

    A worker whose parent was killed would go on for nobody, and write where the next run writes.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
