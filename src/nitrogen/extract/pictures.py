"""Batches of training pictures for the network reader, each a function of the seed and the step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from gymnasium import Env

from nitrogen.actions import Actions, Frame, Step
from nitrogen.mini.env import make
from nitrogen.overlay.crops import Backgrounds, Crops, scene, textures
from nitrogen.overlay.degrade import Stack
from nitrogen.overlay.sketch import Sketch, sketch_of
from nitrogen.overlay.skin import Skin

_JITTERS = 6


@dataclass(frozen=True, kw_only=True)
class PictureConfig:
    """What the pictures show."""

    batch: int = 256
    """Pairs of crops per step."""
    easy_steps: int = 3_000
    """Steps at the start over which the share of easy scenes falls from all to `easy_share`."""
    easy_share: float = 0.25
    invented: float = 0.9
    """Share of scenes with a made-up pad; the others show the skins given."""
    recoloured: float = 0.0
    """Share of the scenes of given skins that show them in other colours."""
    held: float = 0.0
    """Share of scenes in which a button is held in the resting picture and most of the time."""
    scenery: int = 150
    """Pictures of built-in games, and as many textures, to lay overlays on."""
    games: tuple[str, ...] = ("platformer", "racer", "arena")
    """Built-in games that are shown."""
    scene_pairs: int = 12
    """Pairs drawn of one pad under one set of conditions."""
    block: int = 8
    """Steps over which pairs of different scenes are shuffled."""
    seed: int = 0


class Pictures:
    """Batches of training pictures, each a function of the seed and the step."""

    def __init__(self, config: PictureConfig, skins: Sequence[Skin], size: tuple[int, int]) -> None:
        """skins: shown beside the made-up pads; none are needed. size: of a crop, (w, h)."""
        self._config, self._size = config, size
        rng = np.random.default_rng([config.seed, 0])
        self._backgrounds = Backgrounds(
            np.concatenate([
                textures(rng, config.scenery),
                scenery([partial(make, g) for g in config.games], config.scenery, config.seed),
            ])
        )  # fmt: skip
        self._sketches = [
            sketch_of(skin, self._size, margins=tuple(rng.uniform(-0.04, 0.1, 4)))
            for skin in skins
            for _ in range(_JITTERS)
        ]
        self._block, self._drawn = -1, list[Crops]()

    def batch(self, step: int) -> Crops:
        """The pairs of one step."""
        block, place = divmod(step, self._config.block)
        if block != self._block:
            self._drawn, self._block = self._draw(block), block
        return self._drawn[place]

    def _draw(self, block: int) -> list[Crops]:
        config = self._config
        rng = np.random.default_rng([config.seed, 1, block])
        pairs = config.block * config.batch
        hard = min(1.0, block * config.block / max(1, config.easy_steps))
        easy = 1 - hard * (1 - config.easy_share)
        scenes = [
            scene(
                rng,
                self._backgrounds,
                pairs=config.scene_pairs,
                size=self._size,
                sketch=self._pick(rng),
                easy=bool(rng.random() < easy),
                held=bool(rng.random() < config.held),
            )
            for _ in range(-(-pairs // config.scene_pairs))
        ]
        crops = Crops.concatenate(scenes)
        order = rng.permutation(len(crops))[:pairs].reshape(config.block, config.batch)
        return [crops.take(chosen) for chosen in order]

    def _pick(self, rng: np.random.Generator) -> Sketch | None:
        if not self._sketches or rng.random() < self._config.invented:
            return None
        sketch = self._sketches[rng.integers(len(self._sketches))]
        return sketch.recoloured(rng) if rng.random() < self._config.recoloured else sketch


def scenery(
    games: Sequence[Callable[[], Env[Frame, Step]]], count: int, seed: int, *, apart: int = 12
) -> Stack:
    """Frames of games played by their experts, in turn, (count, 270, 480, 3)."""
    made = np.empty((count, 270, 480, 3), np.uint8)
    for place, game in enumerate(games):
        env = game()
        expert: Callable[[], Actions] = env.unwrapped.expert  # type: ignore[attr-defined]
        done = True
        for row in range(place, count, len(games)):
            for _ in range(apart):
                if done:
                    env.reset(seed=seed)
                    seed += 1
                *_, terminated, truncated, _ = env.step(expert().as_step())
                done = terminated or truncated
            shown = np.asarray(env.render())
            made[row] = cv2.resize(shown, (480, 270), interpolation=cv2.INTER_AREA)
        env.close()
    return made
