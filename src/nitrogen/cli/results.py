"""`nitrogen results`: tables and HTML out of files of episodes."""

from pathlib import Path

from tyro.conf import Positional

from nitrogen.cli import show


def results(
    files: Positional[tuple[Path, ...]], /, *, html: Path | None = None, merged: Path | None = None,
    json: bool = False,
) -> None:  # fmt: skip
    """Success rates by task, kind, view and game, with 95 % Wilson intervals.

    Args:
        files: One or more `results.jsonl`, for example of several shards; each episode counts once.
        html: Also write the tables, with the clips that lie in `clips/` beside the files.
        merged: Also write all episodes into one file.
        json: Print JSON.
    """
    from nitrogen.benchmark.results import as_json, merge, read_skipped, scores, write_results
    from nitrogen.benchmark.suite import ALL_TASKS
    from nitrogen.benchmark.tables import PUBLISHED, html_report, tables

    episodes = merge(files)
    played = {episode.task for episode in episodes}
    skipped = {
        task: reason
        for file in files
        for task, reason in read_skipped(file).items()
        if task not in played
    }
    known = {task.name: task for task in ALL_TASKS}
    if merged is not None:
        write_results(merged, episodes, skipped)
    if html is not None:
        clips = sorted(path for file in files for path in (file.parent / "clips").glob("*.mp4"))
        html_report(html, episodes, known, skipped=skipped, clips=clips)
    if json:
        print(as_json(scores(episodes), skipped=skipped))
    else:
        for table in (*tables(episodes, known, skipped), *PUBLISHED):
            show.print_table(table.title, table.header, table.rows, note=table.note)
    for path in (html, merged):
        if path is not None:
            print(path)
