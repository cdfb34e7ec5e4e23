import itertools
import multiprocessing
import os
import signal

import numpy as np
import pytest
from numbered import number, picture

from nitrogen.actions import Actions
from nitrogen.data.clip import Clip, ClipWriter
from nitrogen.data.frames import Stored
from nitrogen.data.loader import stream
from nitrogen.data.samples import Run, Samples
from nitrogen.errors import DataError

SIZE = 32
ROWS = 40


def labels(first):
    """Row k holds the left stick at k / 1000."""
    actions = Actions.released(ROWS)
    actions.sticks[:, 0] = np.arange(first, first + ROWS) / 1000
    return actions


def run(folder, first, *, kept):
    pictures = [picture(first + row, (SIZE, SIZE)) for row in range(ROWS)]
    if kept == "raw":
        return Run(f"raw{first}", Stored([np.stack(pictures)]), labels(first))
    if kept == "memory":
        return Run(f"memory{first}", np.stack(pictures), labels(first))
    path = folder / f"{first}.h264"
    with ClipWriter(path, SIZE, rate_hz=30) as writer:
        for frame in pictures:
            writer.write(frame)
    return Run(f"clip{first}", Stored([Clip(path)]), labels(first))


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    kinds = ("h264", "raw", "h264", "memory")
    runs = [run(folder, 100 * place, kept=kept) for place, kept in enumerate(kinds)]
    return Samples(runs, horizon=4, shift=2)


def played(samples, **how):
    """(numbers on the frames, first row of each plan) of every batch."""
    found = []
    for frames, actions in stream(samples, **how):
        plans = (actions.stick("left_x") * 1000).round().astype(int).reshape(-1, 4)
        found.append(([number(frame) for frame in frames.numpy()], plans[:, 0].tolist()))
    return found


@pytest.mark.parametrize("workers", [0, 2])
def test_frame_and_plan_belong_together(samples, workers):
    batches = played(samples, batch=13, seed=3, steps=range(24), workers=workers)

    for frames, plans in batches:
        assert [frame + 2 for frame in frames] == plans
    seen = [frame for frames, _ in batches for frame in frames]
    everything = {100 * place + row for place in range(4) for row in range(ROWS - 5)}
    assert sorted(seen[: len(everything)]) == sorted(everything)


def test_workers_change_nothing_and_any_step_is_a_start(samples):
    """More than an epoch, in parts that begin in the middle of one."""
    whole = played(samples, batch=30, seed=1, steps=range(9))

    assert played(samples, batch=30, seed=1, steps=range(4, 9), workers=2) == whole[4:]
    assert played(samples, batch=30, seed=2, steps=range(9)) != whole


def test_ranks_share_the_batch_without_overlap(samples):
    whole = played(samples, batch=10, seed=5, steps=range(3))
    parts = [
        played(samples, batch=10, seed=5, steps=range(3), rank=rank, size=3) for rank in range(3)
    ]

    for step, (frames, _) in enumerate(whole):
        assert list(itertools.chain(*(part[step][0] for part in parts))) == frames


def test_damage_and_dead_workers_are_named(tmp_path):
    one = run(tmp_path, 0, kept="h264")
    samples = Samples([one], horizon=4)
    batches = stream(samples, batch=4, seed=0, steps=range(1000), workers=1)
    next(batches)
    (child,) = multiprocessing.active_children()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(DataError, match="a worker that decodes frames was killed"):
        list(batches)
    path = tmp_path / "0.h264"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match=r"0\.h264 is damaged"):
        list(stream(samples, batch=4, seed=0, steps=range(5), workers=1))


def test_a_mixture_is_shared_and_resumed_like_a_single_set(samples, tmp_path):
    other = Samples([run(tmp_path, 900, kept="h264")], horizon=4, shift=2)
    both = Samples.mixed([samples, other], [3.0, 1.0])
    how = {"batch": 12, "seed": 6}

    whole = played(both, **how, steps=range(100))
    parts = [played(both, **how, steps=range(90, 100), rank=r, size=2, workers=1) for r in range(2)]

    for step in range(10):
        assert parts[0][step][0] + parts[1][step][0] == whole[90 + step][0]
    frames = [frame for batch, _ in whole for frame in batch]
    assert abs(np.mean(np.array(frames[:1024]) >= 900) - 0.25) < 0.001
    for batch, plans in whole:
        assert [frame + 2 for frame in batch] == plans
