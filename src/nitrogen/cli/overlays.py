"""`nitrogen record` and `nitrogen synth`: videos with a controller overlay."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import OmitArgPrefixes, Positional

from nitrogen.cli import show
from nitrogen.record import RecordConfig
from nitrogen.synth.settings import SynthConfig


@dataclass(frozen=True, kw_only=True)
class Played:
    """What is played."""

    episodes: int = 4
    """Episodes of the expert, back to back."""
    seed: int = 0
    """Of the first episode; the others follow."""
    noise: float = 0.3
    """Deviation of the noise on the expert's sticks, which is played and shown."""
    demonstrations: Path | None = None
    """A folder of `nitrogen demonstrate`; all of them are played, as they are."""


def record(
    task: Positional[str], out: Positional[Path], /, *,
    skin: str = "nitrogen", skins: Path | None = None,
    played: OmitArgPrefixes[Played] = Played(),
    look: OmitArgPrefixes[RecordConfig] = RecordConfig(),  # noqa: B008
) -> None:  # fmt: skip
    """Let the scripted expert play and write the video a streamer would, overlay and all.

    With demonstrations, of games that have no expert, those are played in its place.

    Args:
        task: For example platformer/reach_the_flag; `nitrogen benchmark --list` names them all.
        out: The video; the true pad log goes beside it as `.pad.parquet`.
        skin: The overlay's skin.
        skins: A folder with more skins.
        played: What is played.
        look: How the video looks.
    """
    import numpy as np

    from nitrogen.benchmark.demonstration import Replays
    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.overlay.skin import find_skin
    from nitrogen.policy import CallPolicy, Policy
    from nitrogen.record import StickNoise
    from nitrogen.record import record as run_record

    chosen = find_task(task)
    seeds: Sequence[int] = range(played.seed, played.seed + played.episodes)
    env = chosen.render()
    try:
        if played.demonstrations is not None or not chosen.has_expert:
            replays = Replays.of(task, played.demonstrations)
            policy: Policy = replays
            seeds = replays.seeds
        else:
            expert = CallPolicy(env.unwrapped.expert)  # type: ignore[attr-defined]
            policy = StickNoise(expert, np.random.default_rng(played.seed), std=played.noise)
        recording = run_record(
            env,
            policy,
            out,
            skin=find_skin(skin, folders=[skins] if skins else []),
            seeds=seeds,
            frames=chosen.frames,
            config=look,
        )
    finally:
        env.close()
    print(recording.video)
    print(recording.truth)


def synth(
    out: Positional[Path], /, *, skin: str = "nitrogen", skins: Path | None = None,
    background: str = "game", motion: Path | None = None, clips: int = 0, seed: int = 0,
    settings: OmitArgPrefixes[SynthConfig] = SynthConfig(),  # noqa: B008
) -> None:  # fmt: skip
    """Make videos with an overlay whose truth is known, to train and measure extraction.

    Args:
        out: The video; its truth goes beside it as `.pad.parquet`. With --clips, a folder.
        skin: The overlay's skin: a name or a folder. With --clips: `all` draws among all skins.
        skins: A folder with more skins.
        background: A video, `game` (one of our own, by seed), platformer, racer, arena or plain.
        motion: A pad log to replay, truth or chunks, or `expert`: what the expert does in the game
            behind. Made up, as if played, when left out.
        clips: Make so many clips of random settings instead of one of those given.
        seed: Decides everything that is left to chance.
        settings: Of one clip; with --clips only the seconds.
    """
    import numpy as np

    from nitrogen.overlay.skin import find_skin, load_skins, shipped_skins
    from nitrogen.synth.clips import clip_of, describe, make_clips

    more = [skins] if skins else []
    log: Path | Literal["expert"] | None = "expert" if motion == Path("expert") else motion
    if clips:
        known = (
            [*shipped_skins(), *(skin for folder in more for skin in load_skins(folder))]
            if skin == "all"
            else [find_skin(skin, folders=more)]
        )
        with show.bars() as bars:
            bar = bars.add_task("clips", total=clips, note="")
            paths = make_clips(
                out, skins=known, count=clips, seed=seed, seconds=settings.seconds,
                backgrounds=[background], log=log,
                on_done=lambda index, path: bars.update(bar, completed=index + 1, note=path.name),
            )  # fmt: skip
    else:
        chosen = find_skin(skin, folders=more)
        clip_of(
            out, chosen, settings, background_name=background, seed=seed,
            rng=np.random.default_rng(seed), log=log,
        )  # fmt: skip
        paths = [out]
    for path in paths:
        print(describe(path), file=sys.stderr)
        print(path)
