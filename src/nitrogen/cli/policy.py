"""`nitrogen serve`, `nitrogen convert` and `nitrogen bench`: policies as programs and files."""

from json import dumps
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from nitrogen import logs

Dtype = Literal["float32", "bfloat16"]


def serve(  # noqa: PLR0913 - each is an option of the command
    checkpoint: Positional[str], /, *, host: str = "127.0.0.1", port: int = 8765,
    token: str | None = None, max_batch: int = 8, max_wait_ms: float = 5.0, device: str = "cpu",
    steps: int | None = None, dtype: Dtype = "float32",
) -> None:  # fmt: skip
    """Offer a policy to players on other machines or without torch, over WebSocket.

    Args:
        checkpoint: A checkpoint folder, a published ng.pt, a hub id, or `shipped`.
        host: Address to listen on; loopback by default.
        port: Port; `http://HOST:PORT/health` answers 200 when the policy is warm.
        token: Clients must give this word.
        max_batch: Most requests planned in one call.
        max_wait_ms: Longest wait for others to join a batch.
        device: Where the network runs.
        steps: Solver steps of a plan; what the checkpoint says if left out.
        dtype: Number format of the weights; bfloat16 is faster for large networks.
    """
    import torch

    from nitrogen.model.inference import ModelPolicy
    from nitrogen.serve.server import PolicyServer, ServeConfig
    from nitrogen.serve.wire import Info
    from nitrogen.shipped import WEIGHTS

    logs.set_up(verbose=True)
    source = WEIGHTS if checkpoint == "shipped" else checkpoint
    policy = ModelPolicy.from_pretrained(
        source, device=device, steps=steps, dtype=getattr(torch, dtype)
    )
    info = Info(
        name=checkpoint,
        horizon=policy.horizon,
        rate_hz=policy.config.rate_hz,
        frames=policy.config.frames,
    )
    settings = ServeConfig(
        host=host, port=port, token=token, max_batch=max_batch, max_wait_ms=max_wait_ms
    )
    PolicyServer(policy, info, settings).run()


def convert(
    source: Positional[Path], folder: Positional[Path], /, *, vision_heads: int | None = None,
    storage: Literal["float32", "float16", "bfloat16"] = "float32",
) -> None:  # fmt: skip
    """Turn a checkpoint in the published format (ng.pt) into one of ours.

    Args:
        source: The published file; read without running anything that is in it.
        folder: Where `config.json` and `model.safetensors` are written.
        vision_heads: Attention heads of the tower, where its name does not tell.
        storage: Number format of the weights in the file.
    """
    from nitrogen.model import published

    print(published.convert(source, folder, vision_heads=vision_heads, storage=storage))


def bench(
    what: Positional[Literal["policy"]], checkpoint: Positional[str] = "shipped", /, *,
    threads: int = 1, dtype: Dtype = "float32", json: bool = False,
) -> None:  # fmt: skip
    """Where the time of a plan goes: latency table of a policy on this machine.

    Args:
        what: The thing to measure.
        checkpoint: A checkpoint folder, a published ng.pt, a hub id, or `shipped`.
        threads: Processor threads.
        dtype: Number format of the weights.
        json: Print JSON.
    """
    import torch

    from nitrogen.model import hub, latency
    from nitrogen.shipped import WEIGHTS

    torch.set_num_threads(threads)
    network = hub.load(WEIGHTS if checkpoint == "shipped" else checkpoint)
    measured = latency.measure(network, dtype=getattr(torch, dtype))
    print(dumps(measured.to_values(), indent=2) if json else latency.table(measured))
