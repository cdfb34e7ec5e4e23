"""How long a plan takes, part by part, and how far that is from what the machine could do.

Measures a network on this machine: percentiles of each part of a plan, memory, work, the roofline
(measured, not looked up), and how plans change when fewer steps are taken.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nitrogen.actions import FRAME_SIZE
from nitrogen.model import layout
from nitrogen.model.inference import shrink
from nitrogen.model.network import NetworkConfig, NitroGen
from nitrogen.model.sampler import Linear, Sampler, can_prepack

PARTS = ("preprocess", "encode", "denoise", "decode", "end to end")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One batch size and number of steps."""

    batch: int
    steps: int
    p50_ms: dict[str, float]
    """Median of each of PARTS, milliseconds for the whole batch."""
    p99_ms: dict[str, float]
    gflop: float
    """Work of encoding and denoising the batch."""
    roofline_ms: float
    """What that work and its weights take at the machine's measured rates."""

    @property
    def distance(self) -> float:
        """How many times longer encoding and denoising take than the roofline."""
        return (self.p50_ms["encode"] + self.p50_ms["denoise"]) / self.roofline_ms


@dataclass(frozen=True, kw_only=True)
class Change:
    """How plans differ from those of the most steps."""

    steps: int
    stick: float
    """Mean absolute difference of the sticks, in [-1, 1]."""
    buttons: float
    """Share of button decisions that differ."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The whole measurement."""

    device: str
    threads: int
    dtype: str
    parameters: int
    memory_mb: float
    """VRAM at its peak, or the process's resident memory."""
    gflop_per_s: float
    """Of a large matrix product here and now."""
    gb_per_s: float
    """Of reading as much memory as the step weights take."""
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]

    def to_values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows = [asdict(row) | {"distance": row.distance} for row in self.rows]
        return asdict(self) | {"rows": rows}


def measure(
    network: NitroGen,
    *,
    batches: Sequence[int] = (1, 8),
    steps: Sequence[int] = (1, 2, 4, 8, 16),
    runs: int = 20,
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> Latency:
    """Measure `network` where it is, with `runs` timed plans per row."""
    device = network.dit.out.weight.device
    generator = np.random.default_rng(seed)
    frames = pictures(max(batches), generator)
    samplers = {count: Sampler(network, steps=count, dtype=dtype) for count in sorted(steps)}
    dtype = next(iter(samplers.values())).dtype  # narrow networks stay in float32 on CPUs
    peak, bandwidth = _peak(device, dtype), _bandwidth(device, _step_weights(network, dtype))
    rows = []
    for count, sampler in samplers.items():
        for batch in batches:
            timed = _time(sampler, frames[:batch], runs, generator)
            encode, denoise = flops(network.config, count)
            step_bytes = _step_weights(network, dtype) * count
            roofline_s = batch * encode / peak
            roofline_s += max(batch * denoise / peak, step_bytes / bandwidth)
            rows.append(
                Row(
                    batch=batch,
                    steps=count,
                    p50_ms={part: _percentile(timed[part], 50) for part in PARTS},
                    p99_ms={part: _percentile(timed[part], 99) for part in PARTS},
                    gflop=batch * (encode + denoise) / 1e9,
                    roofline_ms=roofline_s * 1e3,
                )
            )
    return Latency(
        device=_device_name(device),
        threads=torch.get_num_threads(),
        dtype=str(dtype).removeprefix("torch."),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        memory_mb=_memory(device) / 2**20,
        gflop_per_s=peak / 1e9,
        gb_per_s=bandwidth / 1e9,
        rows=tuple(rows),
        changes=_changes(samplers, frames, generator),
    )


def flops(config: NetworkConfig, steps: int) -> tuple[float, float]:
    """Floating-point operations of encoding one context and of denoising one plan.

    Counts a multiplication and an addition as two; only products of matrices count.
    """
    vision, mixing, dit = config.vision, config.mixing, config.dit
    images = config.frames * vision.tokens
    context = images + (1 if config.folds_pads else config.pads) + bool(config.games)
    block = 4 * vision.width**2 + 2 * vision.width * vision.mlp_width
    tower = images * (3 * vision.patch_size**2 * vision.width + vision.layers * block)
    tower += vision.layers * images * vision.tokens * 2 * vision.width
    mix = mixing.layers * context * (12 * mixing.width**2 + 2 * context * mixing.width)
    tokens = config.action_tokens
    if config.readout:
        mix += context * config.readout * (vision.width + 2 * dit.width)
        mix += 2 * tokens * dit.width**2
        context += tokens
    crosses = sum(dit.is_cross(index) for index in range(dit.layers))
    keys = crosses * context * 2 * dit.width * dit.cross_width
    step = dit.layers * 8 * dit.width**2  # feed-forward
    step += crosses * (2 * dit.width**2 + 2 * context * dit.width)
    step += (dit.layers - crosses) * (4 * dit.width**2 + 2 * tokens * dit.width)
    step += 2 * dit.width**2 + 2 * dit.width * config.actions_per_token * layout.ACTION_VALUES
    return 2.0 * (tower + mix), 2.0 * (keys + steps * tokens * step)


def pictures(count: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Smooth random pictures (count, 256, 256, 3) uint8, for want of a game."""
    coarse = torch.from_numpy(rng.random((count, 3, 12, 12), np.float32))
    smooth = F.interpolate(coarse, FRAME_SIZE, mode="bicubic").clamp(0, 1)
    return (255 * smooth.permute(0, 2, 3, 1)).to(torch.uint8).contiguous().numpy()


def table(found: Latency) -> str:
    """The measurement for people."""
    lines = [
        f"{found.parameters / 1e6:.1f} M parameters, {found.dtype}, {found.device},"
        f" {found.threads} threads, {found.memory_mb:.0f} MB",
        f"measured here: {found.gflop_per_s:.0f} GFLOP/s, {found.gb_per_s:.1f} GB/s",
        "milliseconds, p50 / p99",
        f"{'batch':>5} {'steps':>5} " + " ".join(f"{part:>17}" for part in PARTS)
        + f" {'GFLOP':>8} {'roofline':>9} {'distance':>9}",
    ]  # fmt: skip
    for row in found.rows:
        cells = " ".join(f"{row.p50_ms[part]:8.2f} /{row.p99_ms[part]:7.2f}" for part in PARTS)
        lines.append(
            f"{row.batch:5d} {row.steps:5d} {cells} {row.gflop:8.2f} {row.roofline_ms:9.2f}"
            f" {row.distance:8.1f}x"
        )
    most = max(row.steps for row in found.rows)
    lines.append(f"change of plans against {most} steps")
    lines += [
        f"{change.steps:5d} steps: sticks {change.stick:.4f}, buttons {change.buttons:.2%}"
        for change in found.changes
    ]
    return "\n".join(lines)


def _time(
    sampler: Sampler,
    frames: np.ndarray[Any, np.dtype[np.uint8]],
    runs: int,
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    config, device = sampler.config, sampler.device
    shape = (len(frames), config.horizon, layout.ACTION_VALUES)
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    for run in range(runs + 2):
        noise = torch.from_numpy(rng.standard_normal(shape, np.float32)).to(device)
        marks = [clock()]
        small = torch.from_numpy(shrink(frames, config.vision.image_size)).to(device)
        small = small[:, None].expand(-1, config.frames, -1, -1, -1)
        marks.append(clock())
        context = sampler.encode(small)
        marks.append(clock())
        values = sampler.plan(context, noise)
        marks.append(clock())
        for plan in values.cpu():
            layout.from_tensor(plan)
        marks.append(clock())
        if run >= 2:  # the first two warm up
            spans = [*np.diff(marks), marks[-1] - marks[0]]
            for part, span in zip(PARTS, spans, strict=True):
                seconds[part].append(float(span))
    return seconds


def _changes(
    samplers: dict[int, Sampler],
    frames: np.ndarray[Any, np.dtype[np.uint8]],
    rng: np.random.Generator,
) -> tuple[Change, ...]:
    most = samplers[max(samplers)]
    config = most.config
    shape = (len(frames), config.horizon, layout.ACTION_VALUES)
    noise = torch.from_numpy(rng.standard_normal(shape, np.float32)).to(most.device)
    small = torch.from_numpy(shrink(frames, config.vision.image_size)).to(most.device)
    context = most.encode(small[:, None].expand(-1, config.frames, -1, -1, -1))
    plans = {
        steps: [layout.from_tensor(plan) for plan in sampler.plan(context, noise).cpu()]
        for steps, sampler in samplers.items()
    }
    best = plans[max(plans)]
    return tuple(
        Change(
            steps=steps,
            stick=float(
                np.mean([abs(a.sticks - b.sticks) for a, b in zip(found, best, strict=True)])
            ),
            buttons=float(
                np.mean([a.pressed() != b.pressed() for a, b in zip(found, best, strict=True)])
            ),
        )
        for steps, found in plans.items()
    )


def _peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large product, by the fastest of our routes."""
    size = 8192 if device.type == "cuda" else 1024
    x, weight = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    pack = device.type == "cpu" and can_prepack()
    layer = Linear(weight, torch.zeros(size, device=device, dtype=dtype), pack=pack)
    return 2.0 * size**3 / _best(lambda: layer(x), device)


def _bandwidth(device: torch.device, size: float) -> float:
    """Bytes per second of reading `size` bytes again and again."""
    values = torch.ones(max(int(size) // 4, 2**16), device=device)
    return values.numel() * 4 / _best(values.sum, device)


def _best(run: Callable[[], Tensor], device: torch.device, tries: int = 7) -> float:
    seconds = []
    with torch.inference_mode():
        for _ in range(tries):
            start = time.perf_counter()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def _step_weights(network: NitroGen, dtype: torch.dtype) -> float:
    """Bytes of the weights that each step reads."""
    count = sum(parameter.numel() for parameter in network.dit.blocks.parameters())
    return float(count * torch.finfo(dtype).bits // 8)


def _memory(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({torch.backends.cpu.get_cpu_capability()})"


def _percentile(seconds: list[float], percent: float) -> float:
    return float(np.percentile(seconds, percent)) * 1e3
