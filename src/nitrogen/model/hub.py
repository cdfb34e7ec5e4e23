"""Checkpoints on a model hub, and vision weights from one.

Knows hub ids and the files that people expect there. `huggingface_hub` is optional: only what
talks to a hub needs it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from torch import nn

from nitrogen import files
from nitrogen.actions import FRAME_SIZE
from nitrogen.errors import CheckpointError, MissingDependencyError
from nitrogen.model import checkpoint, published
from nitrogen.model.checkpoint import CONFIG_NAME, WEIGHTS_NAME, Storage
from nitrogen.model.network import NitroGen
from nitrogen.model.siglip import VisionConfig

PREPROCESSOR_NAME = "preprocessor_config.json"
CARD_NAME = "README.md"
PUBLISHED_NAME = "ng.pt"


def load(source: Path | str, *, device: str = "cpu") -> NitroGen:
    """The network of a checkpoint folder, of a published `ng.pt`, or of a hub id `owner/name`.

    A hub repository may hold either form. Raises CheckpointError if there is nothing to read.
    """
    path = Path(source)
    if path.suffix == ".pt":
        return published.read(path).to(device)
    if not path.exists() and is_hub_id(str(source)):
        path = download(str(source), (CONFIG_NAME, WEIGHTS_NAME, PUBLISHED_NAME))
        if not (path / WEIGHTS_NAME).exists() and (path / PUBLISHED_NAME).exists():
            return published.read(path / PUBLISHED_NAME).to(device)
    return checkpoint.load(path, device=device)


def save_pretrained(
    folder: Path | str, network: NitroGen, *, storage: Storage = "float32", card: str | None = None
) -> Path:
    """Write a checkpoint folder with preprocessor description and model card; returns it.

    `card` replaces the text of the model card below its header.
    """
    folder = checkpoint.save(folder, network, storage=storage)
    files.write_text(folder / PREPROCESSOR_NAME, json.dumps(preprocessing(network), indent=2))
    files.write_text(folder / CARD_NAME, model_card(network, card))
    return folder


def push_to_hub(
    network: NitroGen,
    repo_id: str,
    folder: Path | str,
    *,
    storage: Storage = "float32",
    private: bool = True,
    token: str | None = None,
) -> str:
    """Save the network into `folder` and upload that folder to `repo_id`; returns the address.

    `token` is None where the machine is logged in. Raises CheckpointError if the hub refuses.
    """
    hub = _hub("uploading to a model hub")
    folder = save_pretrained(folder, network, storage=storage)
    try:
        api = hub.HfApi(token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        names = [CONFIG_NAME, WEIGHTS_NAME, PREPROCESSOR_NAME, CARD_NAME]
        commit = api.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=names)
    except _failures(hub) as error:
        raise CheckpointError(f"the hub did not take {repo_id}: {error}") from error
    return str(commit.commit_url)


def preprocessing(network: NitroGen) -> dict[str, object]:
    """What happens to a frame before the tower, as plain values."""
    return {
        "input": f"uint8 RGB, {FRAME_SIZE}x{FRAME_SIZE}, whole picture squashed by area averaging",
        "image_size": network.config.vision.image_size,
        "resample": "area average over whole blocks, rounded half to even",
        "rescale": "v / 127.5 - 1",
        "frames": network.config.frames,
    }


def model_card(network: NitroGen, text: str | None = None) -> str:
    """A README for the hub."""
    config = network.config
    count = sum(parameter.numel() for parameter in network.parameters())
    body = text or (
        "A policy network that maps one game frame to a plan of gamepad actions.\n\n"
        "```python\n"
        "from nitrogen.model.inference import ModelPolicy\n\n"
        'policy = ModelPolicy.from_pretrained("this/repository")\n'
        "plan = policy.act(frame)  # (256, 256, 3) uint8 RGB\n"
        "```\n"
    )
    return (
        "---\nlibrary_name: nitrogen\npipeline_tag: robotics\ntags: [gamepad, flow-matching]\n---\n"
        f"# Policy network, {count:,} parameters\n\n{body}\n"
        f"Plan: {config.horizon} actions at {config.rate_hz:g} per second. Picture:"
        f" {config.vision.image_size} px, {config.vision.tokens} tokens. Trained to start"
        f" {config.action_shift} rows after its frame.\n"
    )


def load_vision(network: NitroGen, source: Path | str) -> None:
    """Start the tower of `network` from SigLIP 2 weights.

    source: a folder with `config.json` and `model.safetensors` as transformers writes them, of the
        whole model or of its vision part, or a hub id such as `google/siglip2-base-patch16-256`.
    Raises CheckpointError if the tower has other sizes.
    """
    folder = Path(source)
    if not folder.exists() and is_hub_id(str(source)):
        folder = download(str(source), ("config.json", "model.safetensors"))
    found, wanted = read_vision_config(folder), network.config.vision
    if found != wanted:
        raise CheckpointError(f"{source} has the tower {found}, the network has {wanted}")
    tensors = checkpoint.read_tensors(folder / "model.safetensors")
    prefix = "vision_model." if any(name.startswith("vision_model.") for name in tensors) else ""
    plan = published.vision_plan(wanted, prefix)
    missing = sorted({name for names in plan.values() for name in names} - set(tensors))
    if missing:
        raise CheckpointError(f"{source} misses {', '.join(missing[:10])}")
    weights = published.assemble(plan, tensors)
    tower: nn.Module = network.vision
    try:
        tower.load_state_dict({ours.removeprefix("vision."): v for ours, v in weights.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{source} does not fit the tower: {error}") from error


def read_vision_config(folder: Path) -> VisionConfig:
    """The tower that a transformers `config.json` describes.

    transformers leaves out what equals its own defaults, which are those of the base tower.
    """
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    values = values.get("vision_config", values) if isinstance(values, dict) else {}
    activation = values.get("hidden_act", "gelu_pytorch_tanh")
    if activation != "gelu_pytorch_tanh":
        raise CheckpointError(f"{path}: hidden_act is {activation!r}, not gelu_pytorch_tanh")
    return VisionConfig(
        image_size=values.get("image_size", 224),
        patch_size=values.get("patch_size", 16),
        width=values.get("hidden_size", 768),
        layers=values.get("num_hidden_layers", 12),
        heads=values.get("num_attention_heads", 12),
        mlp_width=values.get("intermediate_size", 3072),
    )


def is_hub_id(source: str) -> bool:
    """Whether `source` has the form `owner/name` and is no path that begins with a dot or slash."""
    return source.count("/") == 1 and source[0] not in "./~" and not source.endswith("/")


def download(repo_id: str, names: tuple[str, ...]) -> Path:
    """The named files of a hub repository, in the local cache of `huggingface_hub`."""
    hub = _hub(f"there is no folder {repo_id}, and fetching it from a model hub")
    try:
        return Path(hub.snapshot_download(repo_id, allow_patterns=list(names)))
    except (hub.errors.LocalEntryNotFoundError, *_failures(hub)) as error:
        raise CheckpointError(
            f"{repo_id} is neither a local folder nor could it be fetched from the hub: {error}"
        ) from error


def _hub(purpose: str) -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs huggingface_hub: pip install huggingface_hub"
        ) from error
    return huggingface_hub


def _failures(hub: Any) -> tuple[type[Exception], ...]:
    """What a hub call raises when it fails, with whichever HTTP library the hub package uses."""
    library = type(hub.get_session()).__module__.partition(".")[0]
    network: type[Exception] = getattr(sys.modules[library], "HTTPError", OSError)
    return hub.errors.HfHubHTTPError, hub.errors.HFValidationError, network, OSError
