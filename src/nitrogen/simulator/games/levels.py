"""Is there such a level? Asked before a game is started that would only show its menu."""

import difflib
from collections.abc import Collection

from nitrogen.errors import GameError


def check_level(title: str, level: str, known: Collection[str]) -> None:
    """Raise GameError, with the nearest level, unless `known` has it; none known: not installed."""
    if known and level not in known:
        near = difflib.get_close_matches(level, sorted(known), n=3, cutoff=0.4) or sorted(known)[:6]
        raise GameError(
            f"{title} has no level {level!r}; of its {len(known)}, for example: {', '.join(near)}"
        )
