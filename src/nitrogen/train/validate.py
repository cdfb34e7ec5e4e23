"""How well a network plans what the player did, on held-out recordings.

Accuracy per frame flatters policies that do nothing. So buttons are scored by F1, by the F1 of
their presses as events and by average precision, sticks by R² and correlation; and beside them
stand two players that do not look: *copy-last*, which repeats the action it saw last, and *guess*,
which presses each button at random as often as the player did.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nitrogen.actions import BUTTONS, Actions
from nitrogen.data.samples import Samples
from nitrogen.model import layout
from nitrogen.model.network import NitroGen
from nitrogen.stats import f1, r2
from nitrogen.train import batches

EVENT_ROWS = 2
"""A press counts as planned if it is at most this many rows early or late."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """Scores over whole plans; NaN where the held-out rows do not vary."""

    loss: float
    """Mean squared error of the planned values, in the scale of the layout."""
    stick_r2: float
    """R² over the stick axes that move, plans against truth."""
    stick_correlation: float
    """Mean over these axes of the correlation of plans and truth."""
    button_f1: float
    """F1 over all buttons, plans against truth."""
    event_f1: float
    """F1 of presses (released, then pressed), at most EVENT_ROWS rows off."""
    average_precision: float
    """Mean over the buttons that are used of the area under precision over recall."""
    copy_last_stick_r2: float
    copy_last_button_f1: float
    """Copy-last never presses anything anew: its event F1 is 0."""
    guess_button_f1: float
    guess_average_precision: float
    """The mean share of rows in which these buttons are pressed."""
    idle_share: float
    """Share of planned rows with nothing pressed and both sticks near their centre."""
    true_idle_share: float
    """The same of the player's rows."""
    samples: int
    """Held-out frames that were planned from."""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers by name."""
        return asdict(self)


@torch.inference_mode()
def validate(network: NitroGen, samples: Samples, *, count: int, seed: int = 0) -> Scores:
    """Plan from `count` held-out frames, evenly spread, and compare with what the player did."""
    indices = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(np.int64)
    generator = torch.Generator().manual_seed(seed)
    device = network.dit.out.weight.device
    values, truths = [], []
    for part in np.array_split(indices, max(1, len(indices) // 128)):
        frames, truth = batches.take(samples, part)
        noise = torch.randn(truth.shape, generator=generator)
        values.append(network.sample(frames.to(device), noise.to(device)).cpu())
        truths.append(truth)
    planned, wanted = torch.cat(values), torch.cat(truths)  # (N, T, A) both
    last = Actions.concatenate(samples.frame_before(int(index)) for index in indices)
    return score(planned, wanted, last)


def score(planned: torch.Tensor, wanted: torch.Tensor, last: Actions) -> Scores:
    """Scores of plans (N, T, A) against what the player did (N, T, A).

    last: N rows, the action before each plan begins.
    """
    N, T = planned.shape[:2]
    plan, truth = (layout.from_tensor(values.flatten(0, 1)) for values in (planned, wanted))
    copy = Actions(last.buttons.repeat(T, axis=0), last.sticks.repeat(T, axis=0))
    moving = truth.sticks.std(axis=0) > 0.02
    pressed = truth.pressed()
    shares = pressed.mean(axis=0)
    columns = [layout.TENSOR_BUTTONS.index(name) for name in BUTTONS]
    levels = planned.flatten(0, 1)[:, columns].numpy()
    used = np.flatnonzero((shares > 0) & (shares < 1))
    precisions = [average_precision(pressed[:, i], levels[:, i]) for i in used]
    shape = (N, T, len(BUTTONS))
    return Scores(
        loss=float(((planned - wanted) ** 2).mean()),
        stick_r2=r2(truth.sticks[:, moving], plan.sticks[:, moving]),
        stick_correlation=_correlation(truth.sticks[:, moving], plan.sticks[:, moving]),
        button_f1=f1(pressed, plan.pressed()),
        event_f1=event_f1(pressed.reshape(shape), plan.pressed().reshape(shape), last.pressed()),
        average_precision=float(np.mean(precisions)) if len(used) else float("nan"),
        copy_last_stick_r2=r2(truth.sticks[:, moving], copy.sticks[:, moving]),
        copy_last_button_f1=f1(pressed, copy.pressed()),
        guess_button_f1=float((shares**2).sum() / shares.sum()) if shares.any() else float("nan"),
        guess_average_precision=float(shares[used].mean()) if len(used) else float("nan"),
        idle_share=float(idle(plan).mean()),
        true_idle_share=float(idle(truth).mean()),
        samples=N,
    )


def idle(actions: Actions) -> Bools:
    """Rows with nothing pressed and both sticks near their centre."""
    return np.asarray(~actions.pressed().any(axis=1) & (np.abs(actions.sticks).max(axis=1) < 0.1))


def event_f1(truth: Bools, plan: Bools, last: Bools, *, rows: int = EVENT_ROWS) -> float:
    """F1 of presses in plans (N, T, 17), each matched to at most one true press of its button.

    last: (N, 17), what was pressed before the plan began. NaN if there is no press in either.
    """
    true_places, planned_places = (_presses(x, last) for x in (truth, plan))
    hits = 0
    for key, places in true_places.items():
        free = list(planned_places.get(key, ()))
        for place in places:
            near = next((other for other in free if abs(other - place) <= rows), None)
            if near is not None:
                free.remove(near)
                hits += 1
    total = sum(len(places) for places in (*true_places.values(), *planned_places.values()))
    return 2 * hits / total if total else float("nan")


def _presses(pressed: Bools, last: Bools) -> dict[tuple[int, int], list[int]]:
    """Rows at which buttons go down, in order, by plan and button."""
    before = np.concatenate([last[:, None], pressed[:, :-1]], axis=1)
    places: dict[tuple[int, int], list[int]] = {}
    for plan, row, button in zip(*np.nonzero(pressed & ~before), strict=True):
        places.setdefault((int(plan), int(button)), []).append(int(row))
    return places


def average_precision(truth: Bools, level: Floats) -> float:
    """Area under precision over recall when rows (T,) are ranked by `level`; NaN without a press.

    Equal levels are taken together, so a constant level scores the share of true rows.
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-level, kind="stable")
    hits = truth[order].cumsum()
    ends = np.append(np.flatnonzero(np.diff(level[order])), len(level) - 1)  # of equal levels
    recall = hits[ends] / hits[-1]
    precision = hits[ends] / (ends + 1)
    return float((np.diff(recall, prepend=0) * precision).sum())


def _correlation(truth: Floats, plan: Floats) -> float:
    """Mean over the axes (columns) of Pearson's correlation; an axis never planned counts as 0."""
    found = []
    for a, b in zip(truth.T.astype(np.float64), plan.T.astype(np.float64), strict=True):
        a, b = a - a.mean(), b - b.mean()
        length = np.sqrt((a**2).sum() * (b**2).sum())
        found.append(float((a * b).sum() / length) if length > 0 else 0.0)
    return float(np.mean(found)) if found else float("nan")
