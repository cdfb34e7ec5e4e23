"""How a synthetic clip looks and is encoded, and how such settings are drawn at random."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import av
import numpy as np

from nitrogen.errors import ConfigError, MissingDependencyError
from nitrogen.overlay.look import Look

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
Codec = Literal["h264", "hevc", "vp9", "av1"]

_X265 = "log-level=error:pools=none:frame-threads=1:wpp=0"
"""No pool of threads: those of x265 give way to everything else and starve on a busy machine."""

ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "superfast"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": _X265}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "row-mt": "0"}),
    "av1": ("libsvtav1", {"preset": "11", "svtav1-params": "lp=1"}),
}
"""FFmpeg's encoder of each codec, set to the speed of live streaming."""

BITRATES = {(1280, 720): (2_500_000, 6_000_000), (1920, 1080): (4_500_000, 9_000_000),
            (854, 480): (1_000_000, 2_500_000)}  # fmt: skip
"""Sizes of streams and the range of their rates in bit/s."""

CHROMA_GREEN = (0, 177, 64)


@dataclass(frozen=True, kw_only=True)
class SynthConfig:
    """Settings of one clip."""

    seconds: float = 30.0
    size: tuple[int, int] = (1280, 720)
    """Width and height of the video."""
    rate_hz: float = 60.0
    overlay_rate_hz: float = 60.0
    """How often the overlay is redrawn; in between it stands still."""
    latency_frames: int = 0
    """By how many frames the overlay is behind the pad."""
    duplicates: float = 0.0
    """Share of frames in which the whole picture stands still."""
    codec: Codec = "h264"
    bitrate: int = 6_000_000
    """Bits per second."""
    upload_bitrate: int | None = None
    """Encode once more at this rate, as a platform does with what was streamed to it."""
    upload_codec: Codec = "h264"
    letterbox: float | None = None
    """Width over height of the game's picture, which gets black bars; None fills the frame."""
    corner: Corner = "bottom_right"
    width: float = 0.22
    """Of the overlay, as a share of the frame's width."""
    margin: float = 0.02
    """Between overlay and frame edges, as a share of the frame's width; negative crops it."""
    busy: float = 0.75
    """Share of the time in which the player does anything."""
    hide_idle_s: float | None = None
    """The overlay hides when the pad has rested for so long, and is back with the next input; None
    keeps it in sight."""
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        """Check what would only be noticed after minutes of encoding."""
        for name in ("seconds", "rate_hz", "overlay_rate_hz", "width"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be positive, not {getattr(self, name)}")
        if self.latency_frames < 0:
            raise ConfigError(f"latency_frames must not be negative: {self.latency_frames}")
        if self.hide_idle_s is not None and self.hide_idle_s <= 0:
            raise ConfigError(f"hide_idle_s must be positive, not {self.hide_idle_s}")
        if not 0 <= self.duplicates < 1:
            raise ConfigError(f"duplicates must lie in [0, 1), not {self.duplicates}")
        if self.letterbox is not None and not 0.2 <= self.letterbox <= 5:
            raise ConfigError(f"letterbox is width over height in 0.2..5, not {self.letterbox}")


def encoder(codec: str) -> tuple[str, dict[str, str]]:
    """FFmpeg's encoder for a codec and its options.

    Raises ConfigError for an unknown codec and MissingDependencyError, with the codecs that there
    are, if this build of FFmpeg cannot write it.
    """
    if codec not in ENCODERS:
        raise ConfigError(f"no codec {codec!r}; codecs: {', '.join(ENCODERS)}")
    if codec not in available():
        raise MissingDependencyError(
            f"this build of PyAV has no {ENCODERS[codec][0]} and cannot write {codec}; it can write"
            f" {', '.join(available())}. The wheels have all of them: pip install --upgrade av"
        )
    os.environ.setdefault("SVT_LOG", "1")  # errors only; this encoder reports on every start
    return ENCODERS[codec]


def available() -> tuple[str, ...]:
    """The codecs that this build of FFmpeg can write."""
    found = []
    for codec, (name, _) in ENCODERS.items():
        try:
            av.codec.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        found.append(codec)
    return tuple(found)


def random_config(
    rng: np.random.Generator, *, seconds: float = 30.0, codecs: Sequence[str] | None = None
) -> SynthConfig:
    """Settings as they are met in streams: mostly kind, sometimes several bad ones at once.

    codecs: those to choose from; all that can be written when None.
    """

    def chance(share: float) -> bool:
        return bool(rng.random() < share)

    def span(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 4)

    codecs = codecs or available()
    others = [codec for codec in codecs if codec != "h264"]
    sizes = [*BITRATES]
    size = sizes[int(rng.choice(3, p=(0.6, 0.25, 0.15)))]
    low, high = BITRATES[size]
    rate_hz = float(rng.choice((30.0, 60.0)))
    codec = str(rng.choice(others)) if others and chance(0.35) else codecs[0]
    return SynthConfig(
        seconds=seconds, size=size, rate_hz=rate_hz,
        overlay_rate_hz=30.0 if chance(0.25) else rate_hz,
        latency_frames=int(rng.integers(1, 7)) if chance(0.4) else 0,
        duplicates=span(0.002, 0.03) if chance(0.2) else 0.0,
        codec=codec,  # type: ignore[arg-type]
        bitrate=round(span(low, high)),
        upload_bitrate=round(span(low / 2, high / 2)) if chance(0.35) else None,
        letterbox=float(rng.choice((4 / 3, 2.35))) if chance(0.12) else None,
        corner=str(rng.choice(("top_left", "top_right", "bottom_left", "bottom_right"))),  # type: ignore[arg-type]
        width=span(0.1, 0.32),
        margin=span(-0.02, 0) if chance(0.1) else span(0, 0.04),
        busy=span(0.4, 0.95),
        look=Look(
            opacity=span(0.5, 1.0) if chance(0.5) else 1.0,
            tint=(span(0.85, 1.1), span(0.85, 1.1), span(0.85, 1.1)) if chance(0.2) else (1.0,) * 3,
            blur=span(0.3, 0.9) if chance(0.25) else 0.0,
            shadow=span(0.2, 0.7) if chance(0.2) else 0.0,
            box=[(0, 0, 0), CHROMA_GREEN, (24, 24, 32)][int(rng.integers(3))]
            if chance(0.12) else None,
        ),
    )  # fmt: skip
