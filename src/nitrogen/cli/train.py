"""`nitrogen train`: policies out of chunk folders and their videos."""

from pathlib import Path

from tyro.conf import Positional

from nitrogen.cli import show


def train(
    recipe: Positional[str], /, *, data: Path, videos: Path, out: Path,
    start_from: Path | None = None, resume: bool = False, steps: int | None = None,
) -> None:  # fmt: skip
    """Train a policy on chunk folders and their videos.

    Args:
        recipe: debug, quickstart, demo or pretrain.
        data: Chunk folders, as `nitrogen extract` writes them.
        videos: Folder with the videos, named <video_id>.mp4.
        out: Folder for the run; the finished policy is OUT/policy.
        start_from: A checkpoint folder to fine-tune.
        resume: Go on with the run in OUT.
        steps: Instead of the recipe's.
    """
    from dataclasses import replace

    from nitrogen.data import frames
    from nitrogen.data.curate import split_of
    from nitrogen.data.samples import Run, Samples
    from nitrogen.data.store import list_chunks
    from nitrogen.train.loop import train as run_train
    from nitrogen.train.recipes import recipe as find_recipe

    settings = find_recipe(recipe)
    settings = replace(settings, steps=steps or settings.steps)
    size, chunks = settings.network.vision.image_size, list_chunks(data)
    with show.bars() as bars:
        bar = bars.add_task("preparing frames", total=len(chunks), note="")
        frames.prepare(
            chunks,
            lambda name: videos / f"{name}.mp4",
            size=size,
            on_chunk=lambda chunk: bars.update(bar, advance=1),
        )
        runs: dict[str, list[Run]] = {"train": [], "validation": [], "test": []}
        for group in frames.stretches(chunks):
            runs[split_of(group[0].video_id)].append(
                Run(group[0].folder.name, *frames.joined(group, size))
            )
        shape = {"horizon": settings.network.horizon, "shift": settings.network.action_shift}
        bar = bars.add_task("training", total=settings.steps, note="")
        folder = run_train(
            settings,
            Samples(runs["train"], **shape),
            out,
            validation=Samples(runs["validation"], **shape) if runs["validation"] else None,
            start_from=start_from,
            resume=resume,
            on_progress=lambda p: bars.update(
                bar, completed=p.step, note=f"loss {p.loss:.4f}, {p.images_per_s:.0f} images/s"
            ),
        )
    print(folder)
