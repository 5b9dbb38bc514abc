"""Modules of generated source: attention."""

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.MultiheadAttention):
    """Multi-head attention, batch first, of a value to itself or of a query to keys.

    One input is enough, there are no masks, and weights are not returned.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias, batch_first=True)

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
    ) -> Tensor:
        query = query.transpose(0, 1)
        key = query if key is None else key.transpose(0, 1)
        value = key if value is None else value.transpose(0, 1)
        attended, _ = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            None,
            None,
            False,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            need_weights=False,
        )
        return attended.transpose(0, 1)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    in_proj_weight: Tensor,
    in_proj_bias: Tensor | None,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool,
    num_heads: int,
    dropout: float = 0.0,
) -> Tensor:
    """Multi-head attention, batch first, with the weights of another module."""
    attended, _ = F.multi_head_attention_forward(
        query.transpose(0, 1),
        key.transpose(0, 1),
        value.transpose(0, 1),
        query.shape[2],
        num_heads,
        in_proj_weight,
        in_proj_bias,
        None,
        None,
        False,
        dropout,
        out_proj_weight,
        out_proj_bias,
        training=training,
        need_weights=False,
    )
    return attended.transpose(0, 1)
