"""The games' Gymnasium ids, `nitrogen/<Game>-v0`.

Importing `nitrogen` imports this module and thereby registers them, so both forms work:
`import nitrogen; gymnasium.make("nitrogen/SuperTux-v0")` and, without an import,
`gymnasium.make("nitrogen:nitrogen/SuperTux-v0")`. Nothing of the simulator is imported before an
environment is made.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium

if TYPE_CHECKING:
    from nitrogen.simulator.env import GameEnv
    from nitrogen.simulator.vector import GameVectorEnv

IDS = {
    "nitrogen/SuperTux-v0": "supertux",
    "nitrogen/Starfighter-v0": "starfighter",
    "nitrogen/BlobWars-v0": "blobwars",
    "nitrogen/MrBoom-v0": "mrboom",
    "nitrogen/Flare-v0": "flare",
    "nitrogen/Neverball-v0": "neverball",
    "nitrogen/Neverputt-v0": "neverputt",
    "nitrogen/Chromium-v0": "chromium",
    "nitrogen/Freedoom-v0": "freedoom",
    "nitrogen/OpenArena-v0": "openarena",
    "nitrogen/ExtremeTuxRacer-v0": "extremetuxracer",
    "nitrogen/Armagetron-v0": "armagetronad",
    "nitrogen/SuperTuxKart-v0": "supertuxkart",
}
"""Id -> name in the catalog."""

NONDETERMINISTIC = frozenset({"extremetuxracer", "supertuxkart"})
"""Games that do not always repeat; a test compares it with the profiles, not imported here."""


def make(game: str, **options: Any) -> "GameEnv":
    """The environment of a built-in game; options go to `GameEnv`."""
    from nitrogen.simulator.catalog import game_named
    from nitrogen.simulator.env import GameEnv

    return GameEnv(game_named(game), **options)


def make_vector(game: str, num_envs: int = 1, **options: Any) -> "GameVectorEnv":
    """Several environments of a built-in game that step together."""
    from nitrogen.simulator.vector import GameVectorEnv

    return GameVectorEnv([partial(make, game, **options)] * num_envs)


def register() -> None:
    """Register what is not registered yet."""
    for game_id, name in IDS.items():
        if game_id not in gymnasium.registry:
            gymnasium.register(
                id=game_id,
                entry_point="nitrogen.simulator.registration:make",
                vector_entry_point="nitrogen.simulator.registration:make_vector",
                kwargs={"game": name},
                nondeterministic=name in NONDETERMINISTIC,
            )


register()
