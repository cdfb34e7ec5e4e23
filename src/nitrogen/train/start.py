"""The network that a training starts from: a new one, or that of a checkpoint.

Either way it is told centre and spread of the action values it is going to learn: fine-tuning on
another game would otherwise meet buttons that the first data never used and that have hardly any
spread there, so that the loss starts far too high.
"""

from dataclasses import replace
from pathlib import Path

from nitrogen.actions import Actions
from nitrogen.model import hub
from nitrogen.model.network import NitroGen
from nitrogen.train.labels import measured
from nitrogen.train.settings import METADATA, TrainConfig, check_fits


def starting_network(
    config: TrainConfig, actions: Actions, start_from: Path | str | None = None
) -> NitroGen:
    """A network of `config.network` for labels like `actions`, with the weights of `start_from`.

    start_from: a checkpoint folder, a published `ng.pt`, a hub id, or None for random weights,
    drawn from torch's global generator. Raises TrainingError if the checkpoint's network is another
    one than the recipe's.
    """
    if start_from is None:
        return NitroGen(measured(config.network, actions))
    found = hub.load(start_from)
    check_fits(found.config, config.network, where=str(start_from))
    metadata = {name: getattr(config.network, name) for name in METADATA}
    wanted = measured(replace(found.config, **metadata), actions)
    if wanted.flow == found.config.flow:
        found.config = wanted
        return found
    network = NitroGen(wanted)
    network.load_state_dict(found.state_dict())
    return network
