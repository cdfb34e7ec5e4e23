"""What a fidelity measurement looks like: JSON, a plot, and a page.

Knows measurements and reports. Measures nothing.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from nitrogen import files
from nitrogen.report import Report
from nitrogen.simulator.fidelity import CONTROLS, PAUSED, Divergence, Fidelity

FORMAT = "nitrogen-fidelity/1"
_COLOURS = {"stepped": "#5b8f00", PAUSED: "#2f5fd0"}
_CONTROL_COLOURS = ("#c0392b", "#e08e0b")


def in_words(divergence: Divergence) -> str:
    """Where a replay first differs, for people."""
    if divergence.frame is None:
        return "none"
    return f"frame {divergence.frame}, {divergence.virtual_s:.2f} virtual seconds"


def as_json(fidelity: Fidelity) -> str:
    """One JSON object."""
    values = {
        "format": FORMAT,
        "game": fidelity.game,
        "frames": fidelity.frames,
        "exact": fidelity.is_exact(),
        "replays": [asdict(divergence) for divergence in fidelity.divergences()],
    }
    return json.dumps(values, indent=2)


def write(fidelity: Fidelity, folder: Path) -> list[Path]:
    """`fidelity.json`, `fidelity.png` and `fidelity.html` in `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data, plot, page = (folder / f"fidelity.{kind}" for kind in ("json", "png", "html"))
    files.write_text(data, as_json(fidelity))
    _plot(fidelity, plot)
    report = Report(
        f"Does {fidelity.game} repeat?",
        f"The same {fidelity.frames} frames of input, replayed from a fresh start each time and"
        " compared with the first stepped replay, byte by byte. Free-running replays are the"
        " control: the machine's clock decides what happens between two frames.",
    )
    report.table(
        "First difference",
        ("replay", "first difference", "equal frames"),
        [
            (f"{number}: {one.mode}", in_words(one), f"{100 * one.equal_share:.1f} %")
            for number, one in enumerate(fidelity.divergences(), 2)
        ],
        note="Exact: all stepped replays agree." if fidelity.is_exact() else "Not exact.",
    )
    report.picture("How far the pictures are apart", plot)
    report.write(page)
    return [data, plot, page]


def _plot(fidelity: Fidelity, path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.4), layout="constrained", dpi=110)
    axes = figure.subplots()
    times = np.array(fidelity.replays[0].times_s)
    pairs = zip(fidelity.divergences(), fidelity.distances(), strict=True)
    for number, (divergence, distance) in enumerate(pairs, 2):
        control = divergence.mode in CONTROLS
        colour = (
            _CONTROL_COLOURS[CONTROLS.index(divergence.mode)]
            if control else _COLOURS[divergence.mode]
        )  # fmt: skip
        seen = np.isfinite(distance)
        axes.plot(
            times[: len(distance)][seen],
            distance[seen],
            color=colour,
            linewidth=1.0 if control else 2.2,
            alpha=0.8,
            label=f"{number}: {divergence.mode} (first difference: {in_words(divergence)})",
        )
        if divergence.virtual_s is not None:
            axes.axvline(divergence.virtual_s, color=colour, linewidth=0.8, linestyle=":")
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_ylim(-0.01, max(1.0, axes.get_ylim()[1]))
    axes.set_xlabel("virtual time in seconds")
    axes.set_ylabel("mean difference of pixels")
    axes.set_title(f"{fidelity.game}: replays against the first stepped one", loc="left")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png")
