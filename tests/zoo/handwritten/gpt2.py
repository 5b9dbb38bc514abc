"""GPT-2, named as its published weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Tied(nn.Module):
    """Scores by the table of an embedding."""

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        return x @ table.T


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, width // 64, batch_first=True)
        self.mlp = nn.Module()
        self.mlp.c_fc, self.mlp.c_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, later: Tensor) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, attn_mask=later, need_weights=False)[0]
        y = self.mlp.c_fc(self.ln_2(x))
        return x + self.mlp.c_proj(nn.functional.gelu(y, approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self, width: int, depth: int, vocabulary: int = 50257, context: int = 1024) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Parameter(0.01 * torch.randn(1, context, width))
        self.h = nn.ModuleList(Layer(width) for _ in range(depth))
        self.ln_f, self.lm_head = nn.LayerNorm(width), Tied()

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.wte(tokens) + self.wpe[:, : tokens.shape[1]]
        later = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool, device=x.device).triu(1)
        for layer in self.h:
            x = layer(x, later)
        return self.lm_head(self.ln_f(x), self.wte.weight)


MAKERS: Mapping[str, Maker] = {
    "gpt2_small": lambda: Gpt2(768, 12),
    "gpt2_medium": lambda: Gpt2(1024, 24),
    "gpt2_large": lambda: Gpt2(1280, 36),
    "gpt2_xl": lambda: Gpt2(1600, 48),
}
