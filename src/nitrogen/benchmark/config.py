"""Which episodes a benchmark plays, and where."""

import re
from dataclasses import dataclass
from typing import Literal

from nitrogen.errors import ConfigError

EVALUATION_SEEDS = 1_000_000
"""Seeds from here on are held out: no demonstration, no training, no tuning uses them."""

Mode = Literal["paused", "live"]
"""Whether the game waits for the policy."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Which episodes are played, and where. Raises ConfigError for a shard that is none."""

    episodes: int = 20
    """Per task and player."""
    seed: int = EVALUATION_SEEDS
    """First seed; the others follow. From 1,000,000 on they are held out."""
    shard: str = "1/1"
    """Play only the i-th of n equal parts of the seeds, for several machines; merge the files."""
    live: bool = False
    """The game goes on while the policy plans; paused otherwise."""
    workers: int | None = None
    """Processes; one per core by default."""
    engine: Literal["processes", "ray"] = "processes"
    """Where the workers live."""

    def __post_init__(self) -> None:
        """Check."""
        if self.episodes < 1:
            raise ConfigError(f"episodes must be 1 or more, not {self.episodes}")
        part, parts = self._shard()
        if not 1 <= part <= parts:
            raise ConfigError(f"shard {self.shard!r}: the part must lie in 1..{parts}")

    def _shard(self) -> tuple[int, int]:
        match = re.fullmatch(r"(\d+)/(\d+)", self.shard)
        if match is None:
            raise ConfigError(f"shard {self.shard!r} is not of the form i/n, for example 2/4")
        return int(match[1]), int(match[2])

    @property
    def seeds(self) -> range:
        """Those of this shard."""
        part, parts = self._shard()
        return range(self.seed + part - 1, self.seed + self.episodes, parts)

    @property
    def mode(self) -> Mode:
        """As it stands in the results."""
        return "live" if self.live else "paused"
