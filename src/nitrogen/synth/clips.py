"""Make clips: pad motion drawn over a background, encoded, with its truth beside it.

Row t of the truth is what the pad did at frame t; the column `shown` says which row the overlay on
frame t shows, as latency, a slow overlay and duplicate frames keep it behind.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import BUTTON_INDEX, BUTTONS, Actions, Frame
from nitrogen.data.store import list_chunks
from nitrogen.data.truth import read_truth, truth_path, write_truth
from nitrogen.draw import fit
from nitrogen.errors import ConfigError
from nitrogen.overlay.look import Overlay
from nitrogen.overlay.render import place
from nitrogen.overlay.skin import Skin
from nitrogen.overlay.synth import MotionConfig, motion
from nitrogen.synth.backgrounds import background, expert_actions
from nitrogen.synth.settings import SynthConfig, encoder, random_config
from nitrogen.video.info import probe
from nitrogen.video.reading import read
from nitrogen.video.writing import VideoWriter

FORMAT = "nitrogen.synth/1"

_IDLE = 0.15
"""Travel up to which a pad counts as resting."""
_FADE_S = 0.3
"""How long an overlay takes to hide."""

Expert = Literal["expert"]
"""In place of a log: what the expert does in the game behind the overlay."""


def synthesize(
    path: Path,
    *,
    skin: Skin,
    config: SynthConfig,
    frames: Iterator[Frame],
    actions: Actions,
    seed: int = 0,
    notes: dict[str, Any] | None = None,
) -> Path:
    """Write one clip and its truth; returns the truth's path. Both appear when they are complete.

    frames: the background; actions: what the pad does, one row per frame; the clip ends with the
    shorter of them. seed: of the duplicates. notes: added to the
    facts in the truth. Raises VideoError, ConfigError or MissingDependencyError if the clip
    cannot be written.
    """
    count = min(len(actions), round(config.seconds * config.rate_hz))
    if not count:
        raise ConfigError(f"{path}: the clip would have no frame; give it more seconds or motion")
    placement = place(
        skin, config.size, corner=config.corner, width=config.width, margin=config.margin
    )
    overlay = Overlay(skin, placement, config.look)
    still = np.random.default_rng([seed, 1]).random(count) < config.duplicates
    shown = shown_rows(count, still, config)
    present = presence(actions[:count], config)
    first = path.with_name(f".{path.stem}.first.mkv") if config.upload_bitrate else path
    try:
        with _writer(first, config, config.codec, config.bitrate) as writer:
            picture = np.zeros((config.size[1], config.size[0], 3), np.uint8)
            index = -1
            for index, frame in zip(range(count), frames, strict=False):
                if not still[index] or index == 0:
                    picture = boxed(frame, config.size, config.letterbox)
                    row = int(shown[index])
                    overlay.blend(picture, actions[row : row + 1], presence=float(present[row]))
                writer.write(picture)
            count = index + 1
        if config.upload_bitrate is not None:
            with _writer(path, config, config.upload_codec, config.upload_bitrate) as writer:
                for again in read(first):
                    writer.write(again.pixels)
    finally:
        if first != path:
            first.unlink(missing_ok=True)
    facts = {
        "video": path.name, "rate_hz": config.rate_hz, "skin": skin.name,
        "placement": asdict(placement), "box": list(overlay.box), "size": list(config.size),
        "settings": asdict(config), "seed": seed, "synth": FORMAT, "switched": skin.switched,
        **(notes or {}),
    }  # fmt: skip
    columns = {"shown": shown[:count], "presence": present[shown[:count]]}
    write_truth(truth_path(path), actions[:count], facts, columns)
    return truth_path(path)


def shown_rows(count: int, still: NDArray[np.bool_], config: SynthConfig) -> NDArray[np.int32]:
    """The row that the overlay on each frame shows, (count,).

    still: frames that repeat the picture before them.
    """
    step = max(1, round(config.rate_hz / config.overlay_rate_hz))
    rows = np.maximum(np.arange(count) // step * step - config.latency_frames, 0)
    for index in np.flatnonzero(still):
        if index:
            rows[index] = rows[index - 1]
    return rows.astype(np.int32)


def presence(actions: Actions, config: SynthConfig) -> NDArray[np.float32]:
    """How far the overlay is there in the state of each row, (T,): 1, 0 or on the way out."""
    count = len(actions)
    if config.hide_idle_s is None:
        return np.ones(count, np.float32)
    used = (actions.buttons > _IDLE).any(axis=1) | (np.abs(actions.sticks) > _IDLE).any(axis=1)
    rows = np.arange(count)
    last = np.maximum.accumulate(np.where(used, rows, 0))
    late_s = (rows - last) / config.rate_hz - config.hide_idle_s
    return np.clip(1 - late_s / _FADE_S, 0, 1).astype(np.float32)


def boxed(frame: Frame, size: tuple[int, int], letterbox: float | None) -> Frame:
    """A copy of a frame at (width, height); with `letterbox` cut to that shape, in black bars."""
    if letterbox is None:
        return fit(frame, size)
    height, width = frame.shape[:2]
    wide, tall = min(width, round(height * letterbox)), min(height, round(width / letterbox))
    left, top = (width - wide) // 2, (height - tall) // 2
    return fit(np.ascontiguousarray(frame[top : top + tall, left : left + wide]), size)


def played(
    skin: Skin,
    config: SynthConfig,
    rng: np.random.Generator,
    *,
    log: Path | None = None,
    source: Actions | None = None,
) -> Actions:
    """Motion of those controls that the skin shows: made up, from a pad log, or as given.

    log: a truth file, or a folder of chunks; repeated where the clip is longer. source: one row
    per frame.
    """
    count = max(1, round(config.seconds * config.rate_hz))
    if source is not None:
        actions = source
    elif log is not None:
        actions = replayed(log, count, rate_hz=config.rate_hz)
    else:
        actions = motion(rng, count, rate_hz=config.rate_hz, config=MotionConfig(busy=config.busy))
    buttons, sticks = actions.buttons.copy(), actions.sticks.copy()
    for name in set(BUTTONS) - skin.buttons:
        buttons[:, BUTTON_INDEX[name]] = 0
    for index, side in enumerate(("left", "right")):
        if side not in skin.sticks:
            sticks[:, 2 * index : 2 * index + 2] = 0
    return Actions(buttons, sticks)


def replayed(log: Path, count: int, *, rate_hz: float) -> Actions:
    """`count` rows of a pad log at another rate, from its start and over again.

    Raises DataError if the log cannot be read.
    """
    if log.is_dir():
        chunks = list_chunks(log)
        actions = Actions.concatenate(chunk.actions() for chunk in chunks)
        source_hz = chunks[0].rate_hz
    else:
        truth = read_truth(log)
        actions, source_hz = truth.actions, float(truth.facts.get("rate_hz", rate_hz))
    rows = np.floor(np.arange(count) * source_hz / rate_hz + 1e-6).astype(np.int64) % len(actions)
    return Actions(actions.buttons[rows], actions.sticks[rows])


def clip_of(
    path: Path,
    skin: Skin,
    config: SynthConfig,
    *,
    background_name: str,
    seed: int,
    rng: np.random.Generator,
    log: Path | Expert | None = None,
) -> Path:
    """Write one clip over a background by name; see `make_clips`. Returns the truth's path."""
    rate_hz, count = config.rate_hz, max(1, round(config.seconds * config.rate_hz))
    source = None
    if log == "expert":
        source = expert_actions(background_name, seed=seed, rate_hz=rate_hz, count=count)
    return synthesize(
        path, skin=skin, config=config, seed=seed,
        frames=background(background_name, seed=seed, rate_hz=rate_hz),
        actions=played(skin, config, rng, log=Path(log) if log else None, source=source),
        notes={"background": background_name, "motion": str(log or "made up")},
    )  # fmt: skip


def make_clips(
    folder: Path,
    *,
    skins: Sequence[Skin],
    count: int,
    seed: int = 0,
    seconds: float = 30.0,
    backgrounds: Sequence[str] = ("game",),
    log: Path | Expert | None = None,
    on_done: Callable[[int, Path], None] = lambda index, path: None,
) -> list[Path]:
    """Write `count` clips with random settings, skins and backgrounds; returns their paths.

    Clip i depends on seed and i alone; those that are complete are not made again.
    """
    paths = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        skin = skins[int(rng.integers(len(skins)))]
        config = random_config(rng, seconds=seconds)
        scenery = backgrounds[int(rng.integers(len(backgrounds)))]
        clip = int(rng.integers(2**31))
        path = folder / f"{index:05d}.mp4"
        if not (path.is_file() and truth_path(path).is_file()):
            clip_of(
                path, skin, config, background_name=scenery, seed=clip, rng=rng, log=log,
            )  # fmt: skip
        paths.append(path)
        on_done(index, path)
    return paths


def describe(path: Path) -> str:
    """One line on a clip, for people: size, rate, codec, skin and what was done to it."""
    facts, info = read_truth(truth_path(path)).facts, probe(path)
    settings = facts.get("settings", {})
    codec = settings.get("upload_codec" if settings.get("upload_bitrate") else "codec")
    plain = json.loads(json.dumps(asdict(SynthConfig())))
    odd = {
        key: value
        for key, value in settings.items()
        if value != plain.get(key) and key not in ("size", "rate_hz", "seconds", "look")
    }
    look = {k: v for k, v in settings.get("look", {}).items() if v != plain["look"].get(k)}
    notes = ", ".join(f"{key} {value}" for key, value in {**odd, **look}.items())
    return (
        f"{path}: {facts.get('skin')} in {info.width}x{info.height} at {info.rate_hz:g} Hz,"
        f" {codec or info.codec}; {notes or 'default settings'}"
    )


def _writer(path: Path, config: SynthConfig, codec: str, bitrate: int) -> VideoWriter:
    name, options = encoder(codec)
    return VideoWriter(
        path, config.size, rate_hz=config.rate_hz, bitrate=bitrate, codec=name, options=options
    )
