"""`nitrogen fit`: a reader of overlays whose skin is unknown."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from nitrogen.cli import show

Size = Literal["small", "mit-b0", "mit-b1", "mit-b2"]


def fit(
    out: Positional[Path], /, *, skins: Path | None = None, size: Size = "small",
    start_from: Path | None = None, steps: int = 20_000, batch: int = 256,
    learning_rate: float = 1e-4, resume: bool = False,
) -> None:  # fmt: skip
    """Train a reader of overlays on made-up controllers; the finished reader is OUT/reader.

    Args:
        out: Folder for the run.
        skins: Folder of padskin/1 skins shown beside the made-up ones; by default those that ship.
        size: small reads at several hundred frames/s on a CPU; mit-b0..b2 are the published sizes.
        start_from: A reader's folder, or a transformers SegFormer's model.safetensors.
        steps: Updates.
        batch: Pairs of crops per step.
        learning_rate: Peak rate; small networks from scratch take 1e-3.
        resume: Go on with the run in OUT.
    """
    from nitrogen.extract.fit import FitConfig
    from nitrogen.extract.fit import fit as run_fit
    from nitrogen.extract.pictures import PictureConfig
    from nitrogen.extract.segformer import preset
    from nitrogen.overlay.skin import load_skins, shipped_skins

    config = FitConfig(
        network=preset(size),
        pictures=PictureConfig(batch=batch),
        steps=steps,
        learning_rate=learning_rate,
    )
    with show.bars() as bars:
        bar = bars.add_task("training", total=steps, note="")
        folder = run_fit(
            config,
            load_skins(skins) if skins else shipped_skins(),
            out,
            start_from=start_from,
            resume=resume,
            on_progress=lambda p: bars.update(
                bar,
                completed=p.step,
                note=f"wrong buttons {p.button_error:.3f}, sticks off {p.stick_error:.3f},"
                f" {p.pictures_per_s:.0f} pictures/s",
            ),
        )
    print(folder)
