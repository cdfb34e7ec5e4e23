"""`nitrogen view`: what was extracted, beside the video it came from."""

from pathlib import Path

from tyro.conf import Positional


def view(
    chunks: Positional[Path], video: Positional[Path], out: Positional[Path], /, *,
    seconds: float = 60.0,
) -> None:  # fmt: skip
    """Draw extracted actions beside their video: a film and one HTML page.

    Args:
        chunks: Folder of the video's chunks, ours or published ones.
        video: The video that they were read from.
        out: Folder for `view.mp4` and `view.html`.
        seconds: How much of the chunks is filmed.
    """
    from nitrogen.data.store import list_chunks
    from nitrogen.view import view as write_view

    for path in write_view(list_chunks(chunks), video, out, seconds=seconds):
        print(path)
