"""Scaled dot-product attention, by the fastest route for the device and number format."""

import torch
from torch import Tensor
from torch.nn import functional as F

WIDE = 64
"""Keys from which torch's own bfloat16 softmax beats conversion to float32 and back."""


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Queries (B, heads, T, d) attend to keys and values (B, heads, N, d); (B, heads, T, d).

    `bias` (N,) is added to the logits of each key. On CPUs torch's fused kernel is several times
    slower in bfloat16 than two batched products and a softmax (which computes in float32 either
    way), so those are used.
    """
    if q.dtype != torch.bfloat16 or q.device.type != "cpu":
        mask = None if bias is None else bias.to(q.dtype).view(1, 1, 1, -1)
        return F.scaled_dot_product_attention(q, k, v, mask)
    logits = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))  # (B, heads, T, N)
    if bias is None and logits.shape[-1] >= WIDE:
        return torch.matmul(logits.softmax(-1), v)
    logits = logits.float() if bias is None else logits.float() + bias
    return torch.matmul(logits.softmax(-1).to(v.dtype), v)
