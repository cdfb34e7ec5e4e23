"""The number format of products of matrices, chosen by what the machine computes in hardware.

Where bfloat16 is emulated, as on CPUs that have AVX2 only, products in it take 13 to 25 times as
long as in float32 (docs/reference/speed.md).
"""

from typing import Literal

import torch

Precision = Literal["auto", "bfloat16", "float32"]
"""`auto`: bfloat16 where it is fast."""

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""Names of CPU instructions, as `torch.cpu.get_capabilities` lists them, that multiply bfloat16."""


def chosen(precision: Precision, device: torch.device | str = "cpu") -> Precision:
    """The same, with `auto` decided for `device`."""
    if precision != "auto":
        return precision
    return "bfloat16" if multiplies_bfloat16(device) else "float32"


def multiplies_bfloat16(device: torch.device | str = "cpu") -> bool:
    """Whether `device` multiplies matrices of bfloat16 in hardware."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return any(bool(found.get(name)) for name in _INSTRUCTIONS)


def autocast(precision: Precision, device: torch.device | str = "cpu") -> torch.autocast:
    """The context in which products are computed in `precision`."""
    return torch.autocast(
        torch.device(device).type, torch.bfloat16, enabled=chosen(precision, device) == "bfloat16"
    )
