"""Modules of generated source: attention."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def attend_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    num_heads: int,
    dropout: float,
    causal: bool,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Attention of heads side by side: softmax(Q K^T / sqrt(d) + bias) V.

    Where the mask is 0, a query does not attend to a key.
    """
    if key.shape[:-2] != query.shape[:-2]:
        raise ValueError(f"{query.shape} cannot attend to {key.shape}")
    query = query.unflatten(-1, [num_heads, -1]).transpose(-3, -2)
    key = key.unflatten(-1, [num_heads, -1]).transpose(-3, -2)
    value = value.unflatten(-1, [num_heads, -1]).transpose(-3, -2)
    if mask is not None:
        mask = mask != 0
        mask = mask.unsqueeze(-3) if mask.dim() < query.dim() else mask
    if causal and (mask is not None or bias is not None):
        seen = query.new_ones(query.shape[-2], key.shape[-2]).tril() != 0
        mask = seen if mask is None else mask & seen
        causal = False
    if bias is not None:
        mask = bias if mask is None else bias.where(mask, -torch.inf)
    outer = query.shape[:-3]
    if len(outer) > 1:  # fused kernels take four axes
        query, key = query.flatten(0, -4), key.flatten(0, -4)
        value = value.flatten(0, -4)
        if mask is not None and mask.dim() > 4:
            mask = mask.expand(outer + mask.shape[-3:]).flatten(0, -4)
    attended = F.scaled_dot_product_attention(query, key, value, mask, dropout, causal)
    attended = attended.transpose(-3, -2).flatten(-2)
    return attended.unflatten(0, outer) if len(outer) > 1 else attended


class Attention(nn.MultiheadAttention):
    """Multi-head attention over the last two axes, batch first.

    Without a key, the query is the key, too; without a value, the key is.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        causal: bool = False,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias, kdim=kdim, vdim=vdim)
        self.causal = causal

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        heads, dropout, causal = self.num_heads, self.dropout, self.causal
        return self.attend(heads, dropout, causal, query, key, value, mask)

    def attend(
        self,
        num_heads: int,
        dropout: float,
        causal: bool,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Attention with these weights."""
        packed, bias = self.in_proj_weight, self.in_proj_bias
        if packed is not None and key is None:
            q, k, v = F.linear(query, packed, bias).chunk(3, dim=-1)
        else:
            key = query if key is None else key
            value = key if value is None else value
            if packed is not None:
                q_weight, k_weight, v_weight = packed.chunk(3)
            else:
                q_weight, k_weight = self.q_proj_weight, self.k_proj_weight
                v_weight = self.v_proj_weight
            q = F.linear(query, q_weight)
            k = F.linear(key, k_weight)
            v = F.linear(value, v_weight)
            if bias is not None:
                q_bias, k_bias, v_bias = bias.chunk(3)
                q, k, v = q + q_bias, k + k_bias, v + v_bias
        dropout = dropout if self.training else 0.0
        attended = attend_heads(q, k, v, num_heads, dropout, causal, mask)
        return F.linear(attended, self.out_proj.weight, self.out_proj.bias)


class WindowAttention(nn.Module):
    """Multi-head attention among the positions of a window.

    A learned number for each distance in the window, and head, is added.
    """

    relative_position_index: Tensor

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        window: tuple[int, ...],
        dropout: float = 0.0,
        bias: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.causal = causal
        index = torch.zeros(1, 1, dtype=torch.long)
        rows = 1
        for size in window:
            steps = torch.arange(size)
            distances = steps[:, None, None] - steps + size - 1
            index = index[:, None, :, None] * (2 * size - 1) + distances
            index = index.flatten(2).flatten(0, 1)
            rows *= 2 * size - 1
        table = nn.init.trunc_normal_(torch.empty(rows, num_heads), std=0.02)
        self.relative_position_bias_table = nn.Parameter(table)
        self.register_buffer("relative_position_index", index.flatten())
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim, bias)
        self.proj = nn.Linear(embed_dim, embed_dim, bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.attend(self.num_heads, self.dropout, self.causal, x, mask)

    def attend(
        self,
        num_heads: int,
        dropout: float,
        causal: bool,
        x: Tensor,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Attention with these weights."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        bias = self.relative_position_bias_table[self.relative_position_index]
        bias = bias.T.unflatten(1, [x.shape[-2], x.shape[-2]])
        dropout = dropout if self.training else 0.0
        attended = attend_heads(q, k, v, num_heads, dropout, causal, mask, bias)
        return self.proj(attended)
