"""`nitrogen record`: videos with a controller overlay."""

from pathlib import Path

from tyro.conf import Positional


def record(
    task: Positional[str], out: Positional[Path], /, *, episodes: int = 4, seed: int = 0,
    skin: str = "nitrogen", skins: Path | None = None, noise: float = 0.3,
) -> None:  # fmt: skip
    """Let the scripted expert play and write the video a streamer would, overlay and all.

    Args:
        task: For example platformer/reach_the_flag; `nitrogen benchmark --list` names them all.
        out: The video; the true pad log goes beside it as `.pad.parquet`.
        episodes: Episodes, back to back.
        seed: Of the first episode; the others follow.
        skin: The overlay's skin.
        skins: A folder with more skins.
        noise: Deviation of the noise on the sticks, which is played and shown.
    """
    import numpy as np

    from nitrogen.benchmark.suite import task as find_task
    from nitrogen.overlay.skin import find_skin
    from nitrogen.policy import CallPolicy
    from nitrogen.record import StickNoise
    from nitrogen.record import record as run_record

    chosen = find_task(task)
    env = chosen.render()
    try:
        expert = CallPolicy(env.unwrapped.expert)  # type: ignore[attr-defined]
        recording = run_record(
            env,
            StickNoise(expert, np.random.default_rng(seed), std=noise),
            out,
            skin=find_skin(skin, folders=[skins] if skins else []),
            seeds=range(seed, seed + episodes),
            frames=chosen.frames,
        )
    finally:
        env.close()
    print(recording.video)
    print(recording.truth)
