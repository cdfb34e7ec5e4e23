"""A direct way from image tokens to action tokens, for small networks on short budgets.

Cross-attention has to learn where to look before anything in the picture can matter, and a small
network spends most of a short training run on that. The readout keeps a few values of every context
token, at its place, and turns them into one summary token for each action token, which is added to
it and joins the context. The published network has none.
"""

import torch
from torch import Tensor, nn


class Readout(nn.Module):
    """Context tokens to summary tokens."""

    def __init__(self, *, tokens: int, width: int, kept: int, summaries: int, out: int) -> None:
        """`kept` values of each of `tokens` tokens; `summaries` tokens of width `out`."""
        super().__init__()
        self.summaries = summaries
        self.norm = nn.LayerNorm(width)
        self.keep = nn.Linear(width, kept)
        self.hidden = nn.Linear(tokens * kept, 2 * out)
        self.out = nn.Linear(2 * out, summaries * out)

    def forward(self, context: Tensor) -> Tensor:
        """(B, N, D) to (B, summaries, out)."""
        kept = self.keep(self.norm(context)).flatten(1)  # (B, N kept)
        summary: Tensor = self.out(nn.functional.gelu(self.hidden(kept)))
        return summary.view(len(context), self.summaries, -1)

    def join(self, context: Tensor) -> Tensor:
        """The context with its summary tokens behind it, (B, N + summaries, D)."""
        return torch.cat([context, self(context).to(context.dtype)], dim=1)
