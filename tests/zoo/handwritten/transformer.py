"""The original transformer, of PyTorch's layers and named as them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker
from tests.zoo.handwritten.gpt2 import Tied


class TiedEmbedding(nn.Module):
    """Vectors of a table of another embedding."""

    def forward(self, tokens: Tensor, table: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, table)


def positions(length: int, width: int, device: torch.device) -> Tensor:
    """Section 3.5."""
    angles = torch.tensor(
        [[p / 10000 ** (2 * i / width) for i in range(width // 2)] for p in range(length)], device=device
    )
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class Transformer(nn.Module):
    def __init__(self, width: int, hidden: int, heads: int, depth: int = 6, vocabulary: int = 37000) -> None:
        super().__init__()
        self.embedding, self.target_embedding, self.scores = nn.Embedding(vocabulary, width), TiedEmbedding(), Tied()
        layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        other = nn.TransformerDecoderLayer(width, heads, hidden, batch_first=True)
        self.decoder = nn.TransformerDecoder(other, depth)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        table, width = self.embedding.weight, self.embedding.embedding_dim
        length = source.shape[1]
        waves, unknown = positions(length, width, source.device), source == 0
        later = torch.ones(length, length, dtype=torch.bool, device=source.device).triu(1)
        x = math.sqrt(width) * self.embedding(source) + waves
        memory = self.encoder(x, src_key_padding_mask=unknown)
        y = math.sqrt(width) * self.target_embedding(target, table) + waves
        y = self.decoder(y, memory, later, memory_key_padding_mask=unknown, tgt_is_causal=True)
        return self.scores(y, table)


MAKERS: Mapping[str, Maker] = {
    "transformer_base": lambda: Transformer(512, 2048, 8),
    "transformer_big": lambda: Transformer(1024, 4096, 16),
}
