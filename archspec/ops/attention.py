"""Attention and matrix products."""

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from archspec.ir.types import Initializer, TensorType, Weight
from archspec.ops.activation import softmax_cost
from archspec.ops.attribute_types import Count, Flag, Fraction
from archspec.ops.base import Cost, Footprint, Op, OpError, need_float
from archspec.ops.conv import fan_in_uniform
from archspec.ops.footprint import IDENTITY
from archspec.ops.norm import ZEROS


class MatMul(Op):
    """The matrix product of two values: y_ij = sum_k a_ik b_kj over their last two axes.

    The axes before them broadcast: they are equal, or one of them has size 1. MACs are the elements
    of the product times the length of the sum.
    """

    kind: ClassVar[str] = "matmul"
    family: ClassVar[str] = "attention"
    shorthand: ClassVar[str | None] = "from"
    inputs: ClassVar[int | None] = 2

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        left, right = inputs
        need_float(self.kind, left)
        need_float(self.kind, right)
        if left.rank != right.rank or len(left.sizes) < 2:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' takes two values of equal rank, with rows and columns after the batch",
                help="use `reshape` to give them as many axes",
            )
        if left.sizes[-1] != right.sizes[-2]:
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' cannot multiply rows of {left.sizes[-1]} by columns of {right.sizes[-2]}",
                help="use `permute` to transpose one of them",
            )
        pairs = list(zip(left.sizes[:-2], right.sizes[:-2], strict=True))
        if any(a != b and 1 not in (a, b) for a, b in pairs):
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' cannot broadcast the batch axes of {left} and {right}",
                help="axes before the last two must be equal, or of size 1",
            )
        return (left.with_sizes(*map(max, pairs), left.sizes[-2], right.sizes[-1]),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(outputs[0].elements * inputs[0].sizes[-1], outputs[0].elements)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        tensor, output = inputs[index], outputs[0]
        summed = tensor.rank - 1 - index
        return {
            axis: (axis, IDENTITY)
            for axis in range(1, tensor.rank)
            if axis != summed and tensor.sizes[axis - 1] == output.sizes[axis - 1]
        }


def _positions_help(tensor: TensorType) -> str:
    """The help for an input that is not a sequence of positions."""
    if len(tensor.sizes) < 2:
        return "put `reshape` before it"
    channels, *spatial = tensor.sizes
    steps = "- flatten: 2 and - permute: [2, 1]"
    return f"put {steps} before it: (N, {prod(spatial)}, {channels}), a position per pixel"


class MultiHeadAttention(Op):
    """Multi-head attention over (N, positions, features): softmax(Q K^T / sqrt(d)) V, per head.

    Q, K and V are linear maps of query, key and value, cut into heads of d = features / heads numbers each; the heads'
    results, side by side, go through one more linear map. With one input it is the query, the key and the value. MACs
    are those of the four maps and of the products Q K^T and A V.

    Attributes:
        heads: the number of heads.
        bias: whether the four linear maps have biases.
        dropout: the share of attention weights zeroed in training.
    """

    kind: ClassVar[str] = "multi_head_attention"
    family: ClassVar[str] = "attention"
    shorthand: ClassVar[str | None] = "heads"
    inputs: ClassVar[int | None] = None
    module: ClassVar[bool] = True

    heads: Count
    bias: Flag = True
    dropout: Fraction = 0.0

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        for tensor in inputs:
            need_float(self.kind, tensor)
            if len(tensor.sizes) != 2:
                raise OpError(
                    "wrong-rank",
                    f"'{self.kind}' takes (N, positions, features), got {tensor}",
                    help=_positions_help(tensor),
                )
        if len(inputs) not in (1, 3):
            raise OpError(
                "wrong-arity",
                f"'{self.kind}' takes one input, or a query, a key and a value; got {len(inputs)}",
            )
        query, key, value = inputs if len(inputs) == 3 else (*inputs, *inputs, *inputs)
        if key != value or key.sizes[1] != query.sizes[1]:
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' needs queries, keys and values of equal features, and one value per key",
                help="use `linear` to make the features equal",
            )
        features = query.sizes[1]
        if features % self.heads:
            raise OpError(
                "indivisible-channels", f"'{self.kind}' cannot split {features} features into {self.heads} equal heads"
            )
        return (query,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        features = inputs[0].sizes[1]
        maps = Weight("in_proj_weight", (3 * features, features), Initializer("xavier_uniform", {"gain": 1.0}))
        last = Weight("out_proj.weight", (features, features), fan_in_uniform(features))
        if not self.bias:
            return (maps, last)
        return (
            maps,
            Weight("in_proj_bias", (3 * features,), ZEROS),
            last,
            Weight("out_proj.bias", (features,), ZEROS),
        )

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        positions, features = inputs[0].sizes
        keys = inputs[-1].sizes[0]
        mapped = 2 * (positions + keys) * features
        scores = self.heads * positions * keys
        macs = mapped * features + 2 * positions * keys * features
        scaled_and_biased = {"multiply": positions * features, **({"add": mapped} if self.bias else {})}
        products = Cost(macs, mapped + scores + positions * features, scaled_and_biased)
        return products + softmax_cost(scores, self.heads * positions)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {1: (1, IDENTITY)} if index == 0 and len(inputs) == 3 else {}
