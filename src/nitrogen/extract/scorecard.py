"""The evaluation of extraction as one HTML page and one JSON file."""

import json
from pathlib import Path
from typing import Any

from nitrogen import files
from nitrogen.errors import DataError
from nitrogen.extract.evaluate import PUBLISHED, PUBLISHED_MEAN, READERS
from nitrogen.extract.tally import SUMMARY
from nitrogen.report import Report

HEADER = {
    "stick_r2": "stick R²", "accuracy": "accuracy", "f1": "F1",
    "balanced_accuracy": "balanced", "recall": "presses found",
    "precision": "presses real", "timing_rows": "frames off",
}  # fmt: skip
_NAMES = {"read": "this reader", "always_off": "always off", "copy_last": "copy last"}


def write_json(summary: dict[str, Any], path: Path) -> None:
    """Write what `evaluate.summarize` returns, whole or not at all."""
    _write(path, json.dumps(summary, indent=1) + "\n")


def write_html(summary: dict[str, Any], path: Path) -> None:
    """Write the page, whole or not at all."""
    scorecard(summary).write(path)


def scorecard(summary: dict[str, Any]) -> Report:
    """The page for what `evaluate.summarize` returns."""
    whole = summary["all"]
    page = Report(
        "Reading overlays",
        f"Videos: {summary['videos']}, of them unread: {len(summary['unread'])};"
        f" {whole['read']['rows']} rows compared with the truth,"
        f" {100 * whole['coverage']:.1f} % of what was recorded.",
    )
    head = tuple(HEADER.values())
    page.table(
        "All videos", ("reader", *head),
        [[_NAMES[name], *_cells(whole[name])] for name in READERS],
        note=f"95 % intervals in brackets, from drawing {whole['drawn']} with repetition. Always"
        " off reads nothing; copy last repeats the truth of the frame before, so it shows how much"
        " accuracy means. Balanced: mean accuracy of pressed and released rows. Presses count as"
        " found within 3 frames.",
    )  # fmt: skip
    page.table(
        "By family of controllers",
        ("family", "videos", "published R²", "stick R²", "published accuracy", "accuracy", "F1",
         "presses found", "always off"),
        [_family(name, group) for name, group in summary["families"].items()]
        + [_family("all", whole)],
        note="Published: of the extractor behind the published labels, which was never released,"
        " on videos and skins that are not known; a yardstick, not the same test.",
    )  # fmt: skip
    buttons = whole["read"]["buttons"]
    page.table(
        "By button",
        ("button", "presses", "F1", "accuracy", "balanced", "found", "real", "frames off"),
        [[name, str(one["presses"]), *(_number(one[key]) for key in (
            "f1", "accuracy", "balanced_accuracy", "recall", "precision", "timing_rows"))]
         for name, one in buttons.items()],
    )  # fmt: skip
    page.table(
        "By video", ("video", "skin", "covered", *head),
        [[name, one["skin"], f"{100 * one['coverage']:.0f} %",
          *(_number(one["read"][key]) for key in SUMMARY)]
         for name, one in summary["by_video"].items()],
    )  # fmt: skip
    if summary["unread"]:
        page.table("Unread", ("video", "cause"), [[*item] for item in summary["unread"].items()])
    return page


def _family(name: str, group: dict[str, Any]) -> list[str]:
    r2, accuracy = PUBLISHED_MEAN if name == "all" else PUBLISHED.get(name, (None, None))
    read, idle = group["read"], group["always_off"]
    return [
        name, str(group["videos"]), _number(r2, 2), _cell(read, "stick_r2"), _number(accuracy, 2),
        _cell(read, "accuracy"), _cell(read, "f1"), _cell(read, "recall"),
        _number(idle["accuracy"]),
    ]  # fmt: skip


def _cells(scores: dict[str, Any]) -> list[str]:
    cells = [_cell(scores, name) for name in SUMMARY if name != "timing_rows"]
    return [*cells, _number(scores["timing_rows"])]


def _cell(scores: dict[str, Any], name: str) -> str:
    low, high = scores["intervals"][name]
    value = scores[name]
    if value is None:
        return "–"
    digits = 4 if name == "accuracy" else 3
    span = f"[{_number(low, digits)},\u00a0{_number(high, digits)}]"
    return f"{_number(value, digits)} {span}"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, text)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
