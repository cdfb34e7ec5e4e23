"""`nitrogen extract-eval`: extracted actions against the truth."""

import json
from pathlib import Path

from tyro.conf import Positional


def extract_eval(
    chunks: Positional[Path], truth: Positional[Path], /, *, html: Path | None = None,
    out: Path | None = None, raw: bool = False,
) -> None:  # fmt: skip
    """Compare extracted chunks with true pad logs; prints JSON.

    Args:
        chunks: Folder of the chunks, of one video or many.
        truth: The `.pad.parquet` that was recorded with the video, or a folder of them.
        html: Also write one page for people.
        out: Write the JSON there instead of printing it.
        raw: Judge the actions as read, before they were refined.
    """
    from nitrogen.extract.evaluate import judge_all, summarize
    from nitrogen.extract.scorecard import write_html, write_json

    summary = summarize(judge_all(chunks, truth, raw=raw))
    if html is not None:
        write_html(summary, html)
        print(html)
    if out is not None:
        write_json(summary, out)
        print(out)
    elif html is None:
        print(json.dumps(summary, indent=2))
