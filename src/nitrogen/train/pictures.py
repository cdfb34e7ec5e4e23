"""Held-out frames with two plans beside them: what the player did, and what the network plans."""

import cv2
import numpy as np
import torch

from nitrogen import draw
from nitrogen.actions import Actions, Frame
from nitrogen.data.samples import Samples
from nitrogen.model import layout
from nitrogen.model.network import NitroGen
from nitrogen.train import batches

SIDE = 240
PLAN_WIDTH = 330
MARGIN = 12
TITLE = 30
COLUMNS = 2


@torch.inference_mode()
def draw_plans(network: NitroGen, samples: Samples, *, count: int, seed: int = 0) -> Frame:
    """A sheet of `count` evenly spread frames of `samples`, each with both plans."""
    indices = np.linspace(0, len(samples) - 1, count + 2)[1:-1].astype(np.int64)
    frames, wanted = batches.take(samples, indices)
    device = network.dit.out.weight.device
    noise = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(seed))
    planned = network.sample(frames.to(device), noise.to(device)).cpu()
    tiles = [
        _tile(frames[row].numpy(), layout.from_tensor(wanted[row]), layout.from_tensor(plan))
        for row, plan in enumerate(planned)
    ]
    missing = -len(tiles) % COLUMNS
    tiles += [np.full_like(tiles[0], draw.BACKGROUND)] * missing
    rows = [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]
    return np.vstack(rows)


def _tile(frame: Frame, truth: Actions, plan: Actions) -> Frame:
    width = SIDE + 2 * PLAN_WIDTH + 4 * MARGIN
    tile = np.full((SIDE + TITLE + 2 * MARGIN, width, 3), draw.BACKGROUND, np.uint8)
    top = MARGIN + TITLE
    shown = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    tile[top : top + SIDE, MARGIN : MARGIN + SIDE] = shown
    draw.label(tile, "held-out frame", (MARGIN, top - 10), size=0.45)
    left = SIDE + 2 * MARGIN
    for name, actions in (("the player", truth), ("the network", plan)):
        draw.label(tile, name, (left, top - 10), size=0.45)
        box = (left, top, PLAN_WIDTH, SIDE)
        draw.plan(tile, box, actions, execute=len(actions))
        left += PLAN_WIDTH + MARGIN
    return tile
