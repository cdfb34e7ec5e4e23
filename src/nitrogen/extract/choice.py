"""Which reader reads a sighting: the matched one where the skin is known well, else the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from nitrogen.errors import ExtractionError, MissingDependencyError
from nitrogen.extract.matched import MatchedReader
from nitrogen.extract.reader import Planes, Reader, ReaderName
from nitrogen.extract.siblings import settle
from nitrogen.extract.sightings import Sighting
from nitrogen.video.glimpses import glimpses
from nitrogen.video.info import VideoInfo
from nitrogen.video.pixels import Box, even_box
from nitrogen.video.reading import read_planes

if TYPE_CHECKING:
    from nitrogen.extract.cap_network import CapNetwork
    from nitrogen.extract.finder import Finder
    from nitrogen.extract.segformer import Reader as Network

GOOD_SCORE = 0.6
"""Correlation from which the skin is taken for the right one; siblings reach 0.6."""

_SAMPLES = 120
_FEW = 40
_MANY = 200
"""Samples for the network reader, which learns the overlay's looks from them."""
_RARELY, _OFTEN = 0.1, 0.7
"""Shares of the samples that show the overlay between which more are taken, to have as many."""
_SHORT_S = 90.0
"""A span shorter than this is decoded whole where keyframes are too few."""
_APART_S = 0.5
"""Samples of a longer one come this far behind each other, after each keyframe."""

Wanted = Literal["auto", "matched", "network"]


def choose(sighting: Sighting, wanted: Wanted) -> tuple[ReaderName, str]:
    """The reader for a sighting, and why. Raises ExtractionError if the one wanted cannot do it."""
    if wanted == "matched" and sighting.found is None:
        raise ExtractionError(
            "the matched reader needs a skin and none fits this box; name it with --skin, or use"
            " --reader network"
        )
    if wanted != "auto":
        return wanted, "asked for"
    if sighting.found is None and sighting.score is not None:
        return "network", f"the skin is not known; the finder is {sighting.score:.2f} sure"
    if sighting.found is None:
        return "network", "the skin is not known"
    if sighting.found.score < GOOD_SCORE:
        return "network", f"the skin scores {sighting.found.score:.2f}, below {GOOD_SCORE}"
    return "matched", f"the skin scores {sighting.found.score:.2f}"


def prepare(sighting: Sighting, wanted: Wanted, info: VideoInfo) -> tuple[Reader, Sighting, str]:
    """A reader for a sighting, prepared on pictures from all over its time.

    Returns the reader, the sighting with the skin that it turned out to show, and why this reader.
    Raises ExtractionError if the reader wanted cannot do it, MissingDependencyError if the network
    is needed and torch is not installed.
    """
    box = even_box(sighting.box)
    samples = _samples(sighting, info)
    if sighting.found is not None and samples:
        sighting = replace(sighting, found=settle(sighting.found, samples, box))
    name, why = choose(sighting, wanted)
    if name == "matched":
        assert sighting.found is not None
        frame = (info.width, info.height)
        return MatchedReader(sighting.found, samples, box=box, frame=frame), sighting, why
    network = _network()
    from nitrogen.extract.parser import NetworkReader, share_shown

    samples = _samples(sighting, info, limit=_MANY, few=_MANY)
    if sighting.stop_s - sighting.start_s >= _SHORT_S:
        share = share_shown(network, samples)
        if _RARELY < share < _OFTEN:
            samples = _samples(sighting, info, limit=_MANY, few=round(_MANY / share))
    reader = NetworkReader(network, box, samples, cap_network=_cap_network())
    return reader, sighting, why


@lru_cache(maxsize=1)
def _network() -> "Network":
    with _torch_needed():
        from nitrogen.extract.parser import load_network
    return load_network()


@lru_cache(maxsize=1)
def _cap_network() -> "CapNetwork":
    with _torch_needed():
        from nitrogen.extract.cap_network import load_cap_network
    return load_cap_network()


@lru_cache(maxsize=1)
def finder() -> "Finder":
    """What finds overlays of unknown skins. Raises MissingDependencyError without torch."""
    with _torch_needed():
        from nitrogen.extract.finder import load_finder
    return load_finder()


@contextmanager
def _torch_needed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingDependencyError(
            "reading overlays of unknown skins needs torch: pip install 'nitrogen[train]'; or use"
            " --reader matched"
        ) from error


def _samples(
    sighting: Sighting, info: VideoInfo, *, limit: int = _SAMPLES, few: int = _FEW
) -> list[Planes]:
    """Crops of the overlay from all over the sighting, in order, for the reader's statistics."""
    box: Box = even_box(sighting.box)
    span_s = (sighting.start_s, sighting.stop_s)
    seen = list(glimpses(info.path, limit=limit, box=box, planes=True, span_s=span_s))
    more = round(few / max(len(seen), 1)) - 1
    if len(seen) < few and span_s[1] - span_s[0] < _SHORT_S:
        start, stop = (round(time_s * info.rate_hz) for time_s in span_s)
        every = max(1, (stop - start) // few)
        pictures = read_planes(info.path, box, start=start, stop=stop)
        seen += [picture for picture in pictures if picture.index % every == every // 2]
    elif more > 0:
        apart, stop = round(_APART_S * info.rate_hz), round(span_s[1] * info.rate_hz)
        for start in [round(picture.time_s * info.rate_hz) for picture in seen]:
            after = start + apart, min(start + more * apart + 1, stop)
            pictures = read_planes(info.path, box, start=after[0], stop=after[1])
            seen += [picture for picture in pictures if (picture.index - start) % apart == 0]
    return [picture.pixels for picture in sorted(seen, key=lambda picture: picture.time_s)]
