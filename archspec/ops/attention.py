"""Attention and matrix products."""

from collections.abc import Sequence
from math import prod
from typing import Annotated, ClassVar, TypeVar

from archspec.ir.types import DType, Initializer, TensorType, Weight
from archspec.ops.activation import softmax_cost
from archspec.ops.attribute_types import Count, Flag, Fraction, Phrase
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


T = TypeVar("T")


class MultiHeadAttention(Op):
    """Multi-head attention over (N, ..., positions, features): softmax(Q K^T / sqrt(d)) V, per head.

    Q, K and V are linear maps of query, key and value, cut into heads of d = features / heads numbers each; the heads'
    results, side by side, go through one more linear map. One input is query, key and value; of two, the second is key
    and value. The features are those of the query; key and value may have others. Each entry of the axes before the
    positions, such as windows, attends within itself. MACs are those of the four maps and of all products Q K^T and
    A V, those that are masked, too.

    With `relative_bias`, weights have the names of Swin transformers (Liu et al. 2021): `qkv`, `proj`,
    `relative_position_bias_table` and its index. Otherwise they have those of PyTorch's `nn.MultiheadAttention`.

    Attributes:
        heads: the number of heads.
        bias: whether the four linear maps have biases.
        dropout: the share of attention weights zeroed in training.
        causal: whether query i attends to keys 0 to i only.
        mask: whether the last input is a mask, (N, ..., queries, keys) or (N, ..., heads, queries, keys), whose sizes
            of 1 are repeated: where it is 0, a query does not attend to a key. One that attends to none gets zeros.
        relative_bias: the sizes of a window whose positions attend to each other: each head learns a number for every
            distance between two of them, which is added to Q K^T / sqrt(d).
    """

    kind: ClassVar[str] = "multi_head_attention"
    family: ClassVar[str] = "attention"
    shorthand: ClassVar[str | None] = "heads"
    inputs: ClassVar[int | None] = None
    module: ClassVar[bool] = True

    heads: Count
    bias: Flag = True
    dropout: Fraction = 0.0
    causal: Flag = False
    mask: Flag = False
    relative_bias: Annotated[tuple[Count, ...], Phrase("the sizes of a window, such as [7, 7]")] | None = None

    def roles(self, inputs: Sequence[T]) -> tuple[T, T, T, T | None]:
        """Which of its inputs are the query, the key, the value and the mask."""
        values = inputs[:-1] if self.mask else inputs
        return values[0], values[min(1, len(values) - 1)], values[-1], inputs[-1] if self.mask else None

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        self._check_count(len(inputs) - self.mask)
        query, key, value, mask = self.roles(inputs)
        for tensor in (query, key, value):
            need_float(self.kind, tensor)
            if len(tensor.sizes) < 2:
                raise OpError(
                    "wrong-rank",
                    f"'{self.kind}' takes (N, positions, features), got {tensor}",
                    help="put `reshape` before it",
                )
        if key.sizes[:-1] != value.sizes[:-1] or query.sizes[:-2] != key.sizes[:-2]:
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' needs one value per key, and equal axes before the positions",
                help="queries, keys and values differ in positions and features only: (N, ..., positions, features)",
            )
        features = query.sizes[-1]
        if features % self.heads:
            raise OpError(
                "indivisible-channels",
                f"'{self.kind}' cannot split {features} features into {self.heads} equal heads",
                help=positions_help(query),
            )
        if self.relative_bias is not None:
            self._check_window(self.relative_bias, query.sizes[-2])
        if mask is not None:
            self._check_mask(mask, (*query.sizes[:-1], key.sizes[-2]))
        return (query,)

    def _check_count(self, values: int) -> None:
        """Check the number of inputs without the mask.

        Raises:
            OpError: it takes more or fewer.
        """
        most, taken = (3, "one to three inputs (query, key, value)")
        if self.relative_bias is not None:
            most, taken = (1, "one input with `relative_bias`")
        if 1 <= values <= most:
            return
        if self.mask:
            taken, help = f"{taken} and a mask after them", "the mask is the last input: from: [prev, mask]"
        else:
            help = "if the last one is a mask, write mask: true"
        raise OpError("wrong-arity", f"'{self.kind}' takes {taken}; got {values + self.mask}", help=help)

    def _check_window(self, window: tuple[int, ...], positions: int) -> None:
        """Check the sizes of the window of a relative bias.

        Raises:
            OpError: it has none, or other positions than those that attend.
        """
        if not window:
            message = f"'relative_bias' of '{self.kind}' lists no size"
            raise OpError("wrong-value", message, help="list the sizes of the window, such as [7, 7]")
        if prod(window) != positions:
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' has a relative bias for {prod(window)} positions, but {positions} attend",
                help="cut the map into windows, an axis before the positions: (N, windows, positions, features)",
            )

    def _check_mask(self, mask: TensorType, scores: tuple[int, ...]) -> None:
        """Check the sizes of a mask.

        Raises:
            OpError: they are neither those of the products of queries and keys, nor repeated to these.
        """
        per_head = (*scores[:-2], self.heads, *scores[-2:])
        wanted = per_head if len(mask.sizes) == len(per_head) else scores
        if len(mask.sizes) != len(wanted) or any(a not in (1, b) for a, b in zip(mask.sizes, wanted, strict=True)):
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' cannot mask {TensorType(scores)} by {mask}",
                help=f"a mask is {TensorType(scores)}, or {TensorType(per_head)} by heads; sizes of 1 are repeated",
            )

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        query, key, value, _ = self.roles(inputs)
        features, *others = (tensor.sizes[-1] for tensor in (query, key, value))
        if self.relative_bias is not None:
            return (*self._relative_weights(self.relative_bias), *self._linear_maps(features))
        initial = Initializer("xavier_uniform", {"gain": 1.0})
        if others == [features, features]:
            maps = [Weight("in_proj_weight", (3 * features, features), initial)]
        else:
            widths = {"q": features, "k": others[0], "v": others[1]}
            maps = [Weight(f"{name}_proj_weight", (features, width), initial) for name, width in widths.items()]
        last = Weight("out_proj.weight", (features, features), fan_in_uniform(features))
        if not self.bias:
            return (*maps, last)
        return (
            *maps,
            Weight("in_proj_bias", (3 * features,), ZEROS),
            last,
            Weight("out_proj.bias", (features,), ZEROS),
        )

    def _relative_weights(self, window: tuple[int, ...]) -> tuple[Weight, Weight]:
        """The table of Swin's relative biases, a row for each distance, and the row of each pair of positions."""
        rows = prod(2 * size - 1 for size in window)
        start = Initializer("trunc_normal", {"mean": 0.0, "std": 0.02})
        index = Initializer("distances", {"window": window})
        return (
            Weight("relative_position_bias_table", (rows, self.heads), start),
            Weight(
                "relative_position_index", (prod(window) ** 2,), index, trainable=False, buffer=True, dtype=DType.INT64
            ),
        )

    def _linear_maps(self, features: int) -> tuple[Weight, ...]:
        """The weights of Swin's linear maps."""
        start = fan_in_uniform(features)
        weights: list[Weight] = []
        for name, rows in (("qkv", 3 * features), ("proj", features)):
            weights.append(Weight(f"{name}.weight", (rows, features), start))
            weights += [Weight(f"{name}.bias", (rows,), start)] * self.bias
        return tuple(weights)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        query, key, value, _ = self.roles(inputs)
        *outer, queries, features = query.sizes
        keys = key.sizes[-2]
        queries, mapped_keys = prod(outer) * queries, prod(outer) * keys
        scores = self.heads * queries * keys
        maps = 2 * queries * features**2 + mapped_keys * features * (key.sizes[-1] + value.sizes[-1])
        mapped = 2 * (queries + mapped_keys) * features
        macs = maps + 2 * queries * keys * features
        added = mapped * self.bias + scores * (self.relative_bias is not None)
        other = {"multiply": queries * features, "add": added, "compare": scores * (self.causal + self.mask)}
        products = Cost(macs, mapped + scores + queries * features, {name: n for name, n in other.items() if n})
        return products + softmax_cost(scores, self.heads * queries)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        sizes, own = outputs[0].sizes, inputs[index].sizes
        axes = range(1, len(sizes) - 1)
        if self.mask and index == len(inputs) - 1:
            queries = len(own) - 1
            seen = {axis: (axis, IDENTITY) for axis in axes if own[axis - 1] == sizes[axis - 1]}
            return seen | ({len(sizes) - 1: (queries, IDENTITY)} if own[queries - 1] == sizes[-2] else {})
        is_query_alone = index == 0 and len(inputs) - self.mask > 1
        return {axis: (axis, IDENTITY) for axis in range(1, len(sizes) - (not is_query_alone))}


def positions_help(tensor: TensorType) -> str | None:
    """How to attend over the positions of feature maps, whose channels are the features; None if it has no channels."""
    if len(tensor.sizes) < 3:
        return None
    channels, *spatial = tensor.sizes
    steps = "- flatten: 2 and - permute: [2, 1]"
    return f"for feature maps, put {steps} before it: (N, {prod(spatial)}, {channels}), a position per pixel"
