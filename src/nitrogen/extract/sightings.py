"""Where in a video, and when, an overlay is to be seen.

The video is looked at in windows, each the mean of some of its pictures. The overlay found in the
mean of all is looked for in every window; windows that do not show it are searched on their own, so
that overlays that move, change with the scene or show for a part of the time only are found as
several sightings. Overlays of known skins are searched with `locate`, others with a finder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from nitrogen.errors import ExtractionError, VideoError
from nitrogen.extract.locate import (
    MIN_SCORE,
    Candidate,
    Found,
    Library,
    fitted,
    locate,
    score_of,
)
from nitrogen.extract.still import Still, Sums, joined
from nitrogen.video.glimpses import glimpses
from nitrogen.video.info import VideoInfo
from nitrogen.video.pixels import Box

_PICTURES = 8
"""Pictures in a window, if there are as many."""
_WINDOW_S = 20.0
_MOST_WINDOWS = 96
_DEPTH = 3
"""How often a stretch without overlay is halved before it is given up."""
_STRICTER = 0.1
"""Added to the score needed by overlays of a part only, and by second ones: more is tried there."""
_SEEN = 0.5
"""A window shows an overlay if it scores this share of what the whole scored."""
_OVERLAP = 0.3
"""Share of a smaller box within a larger one from which both are the same overlay."""
SURE = 0.65
"""Score from which an overlay that the finder sees is taken for one; see docs/guides/fit.md."""


@dataclass(frozen=True)
class Sighting:
    """An overlay at one place for some of the time."""

    box: Box
    """x, y, width, height of the overlay in the frame; may reach beyond it."""
    found: Found | None
    """Its skin and placement; None if only the box is known."""
    start_s: float
    """Between these times it shows, with a margin; a reader tells exactly when."""
    stop_s: float
    others: tuple[Found | Candidate, ...] = ()
    """Further overlays that show at the same time and are not read."""
    score: float | None = None
    """How sure the finder is, if it found the box."""


@dataclass(frozen=True, eq=False)
class Window:
    """What stands still in some pictures in a row."""

    start_s: float
    stop_s: float
    still: Still


def windows(info: VideoInfo) -> list[Window]:
    """The whole video in windows of 20 s or more. Raises VideoError if it cannot be read."""
    duration_s = max(info.duration_s, 1 / max(info.rate_hz, 1))
    count = int(np.clip(duration_s // _WINDOW_S, 1, _MOST_WINDOWS))
    step_s = duration_s / count
    sums: list[Sums | None] = [None] * count
    for picture in glimpses(info.path, limit=_PICTURES * max(count, 3)):
        place = min(int(picture.time_s / step_s), count - 1)
        before = sums[place] or Sums(picture.pixels.shape)
        before.add(picture.pixels)
        sums[place] = before
    made = [
        Window(place * step_s, (place + 1) * step_s, total.still())
        for place, total in enumerate(sums)
        if total is not None
    ]
    if not made:
        raise VideoError(f"{info.path} holds no picture that can be decoded; download it again")
    # Neighbours take over what a window without pictures would have covered.
    starts = [0.0, *(window.start_s for window in made[1:]), duration_s]
    return [
        replace(window, start_s=starts[place], stop_s=starts[place + 1])
        for place, window in enumerate(made)
    ]


def find_sightings(
    parts: Sequence[Window], library: Library, *, minimum: float = MIN_SCORE
) -> list[Sighting]:
    """All sightings of known skins, in order of time.

    Raises ExtractionError, saying how near the best candidate came, if there is none.
    """

    def look(still: Still, depth: int) -> Found:
        stricter = _STRICTER if depth else 0.0
        return locate(still, library, minimum=minimum + stricter, faint=not depth)

    def shows(still: Still, found: Found) -> bool:
        floor = max(_SEEN * found.score, 0.6 * minimum)
        return score_of(still, found.skin, found.placement) >= floor

    def sighting(still: Still, found: Found, start_s: float, stop_s: float) -> Sighting:
        others = _others(still, library, found, minimum)
        return Sighting(found.box, found, start_s, stop_s, others)

    return _searched(parts, look, shows, sighting)


class Finder(Protocol):
    """Finds overlays of any skin; `finder.Finder` is one."""

    def find(self, still: Still) -> list[Candidate]:
        """Where overlays may be in what stands still, the surest first."""

    def again(self, still: Still, candidate: Candidate) -> float:
        """How sure it is, 0..1, that the same overlay shows here."""


def find_unknown(parts: Sequence[Window], finder: Finder) -> list[Sighting]:
    """All sightings of overlays of unknown skins, in order of time.

    Raises ExtractionError, saying how sure the finder was at most, if there is none.
    """

    def look(still: Still, depth: int) -> Candidate:
        best = max(finder.find(still), key=lambda one: one.score, default=None)
        least = SURE + (_STRICTER if depth else 0.0)
        if best is None or best.score < least:
            near = f"{best.score:.2f}" if best else "0"
            raise ExtractionError(f"nothing looks like a gamepad ({near}; {least:.2f} is needed)")
        return best

    def shows(still: Still, found: Candidate) -> bool:
        return finder.again(still, found) >= _SEEN * found.score

    def sighting(still: Still, found: Candidate, start_s: float, stop_s: float) -> Sighting:
        others = tuple(
            other
            for other in finder.find(still)
            if other.score >= SURE + _STRICTER and _share(other.box, found.box) <= _OVERLAP
        )
        return Sighting(found.box, None, start_s, stop_s, others, found.score)

    return _searched(parts, look, shows, sighting)


_Any = TypeVar("_Any", Found, Candidate)


def _searched(
    parts: Sequence[Window],
    look: Callable[[Still, int], _Any],
    shows: Callable[[Still, _Any], bool],
    sighting: Callable[[Still, _Any, float, float], Sighting],
) -> list[Sighting]:
    """Search all windows together, then those that do not show what was found, part by part."""
    free = set(range(len(parts)))
    sightings: list[Sighting] = []
    refusal: ExtractionError | None = None
    todo = [(list(range(len(parts))), 0)]
    while todo:
        span, depth = todo.pop(0)
        span = [place for place in span if place in free]
        if not span:
            continue
        try:
            found = look(joined([parts[place].still for place in span]), depth)
        except ExtractionError as error:
            refusal = refusal or error
            if depth < _DEPTH and len(span) > 1:
                middle = len(span) // 2
                todo += [(span[:middle], depth + 1), (span[middle:], depth + 1)]
            continue
        seen = [place for place in sorted(free) if shows(parts[place].still, found)] or span
        free -= set(seen)
        shown = joined([parts[place].still for place in seen])
        first, last = max(seen[0] - 1, 0), min(seen[-1] + 1, len(parts) - 1)
        sightings.append(sighting(shown, found, parts[first].start_s, parts[last].stop_s))
        todo += [(group, depth + 1) for group in _groups(sorted(free & set(span)))]
    if not sightings:
        raise refusal or ExtractionError("no overlay in the video")
    return sorted(sightings, key=lambda one: one.start_s)


def sighting_by_hand(parts: Sequence[Window], library: Library, box: Box) -> Sighting:
    """The overlay in a box that a person has drawn, for the whole video.

    With one skin to look for it is that one, fitted to the box; with several, the one that scores
    well there, or none: then only the box is known. Raises ExtractionError if the box is empty or
    lies outside the frame.
    """
    still = joined([part.still for part in parts])
    x, y, width, height = box
    across, down = still.size
    if width < 16 or height < 16 or x >= across or y >= down or x + width <= 0:
        raise ExtractionError(f"box {box} is no part of a {across}x{down} frame; give x,y,w,h")
    stop_s = parts[-1].stop_s
    if len(library.skins) == 1:
        found = fitted(still, library.skins[0], box)
        return Sighting(found.box, found, 0.0, stop_s)
    grown = (x - width // 10, y - height // 10, width * 6 // 5, height * 6 // 5)
    try:
        found = locate(still, library, where=lambda keypoints: keypoints.inside(grown))
    except ExtractionError:
        return Sighting(box, None, 0.0, stop_s)
    return Sighting(found.box, found, 0.0, stop_s)


def _others(still: Still, library: Library, found: Found, minimum: float) -> tuple[Found, ...]:
    """The best overlay beside the one that was found, if there is one."""
    try:
        other = locate(
            still, library, minimum=minimum + _STRICTER, faint=False,
            where=lambda keypoints: ~keypoints.inside(found.box),
        )  # fmt: skip
    except ExtractionError:
        return ()
    return () if _share(other.box, found.box) > _OVERLAP else (other,)


def _share(a: Box, b: Box) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) / max(min(a[2] * a[3], b[2] * b[3]), 1)


def _groups(places: list[int]) -> list[list[int]]:
    """Places in a row, row by row."""
    groups: list[list[int]] = []
    for place in places:
        if groups and place == groups[-1][-1] + 1:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups
