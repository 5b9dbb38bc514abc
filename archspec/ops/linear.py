"""Fully connected layers."""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import Initializer, TensorType, Weight
from archspec.ops.attribute_types import Count, Flag
from archspec.ops.base import Cost, Footprint, Op, OpError, need_float
from archspec.ops.conv import fan_in_uniform
from archspec.ops.footprint import IDENTITY


class Linear(Op):
    """Fully connected layer over the last axis: y = W x + b, the same at every position of the axes before.

    Weights are features * (input features), plus one bias per feature; MACs are the weights without bias times the
    positions.

    Attributes:
        features: output features.
        bias: whether each output feature has a bias.
    """

    kind: ClassVar[str] = "linear"
    family: ClassVar[str] = "linear"
    shorthand: ClassVar[str | None] = "features"
    module: ClassVar[bool] = True

    features: Count
    bias: Flag = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if not tensor.sizes:
            raise OpError("wrong-rank", f"'{self.kind}' needs features, but {tensor} has only the batch axis")
        return (tensor.with_sizes(*tensor.sizes[:-1], self.features),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        features = inputs[0].sizes[-1]
        start = fan_in_uniform(features)
        weight = Weight("weight", (self.features, features), start)
        return (weight, Weight("bias", (self.features,), start)) if self.bias else (weight,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        (output,) = outputs
        return Cost(
            output.elements * inputs[0].sizes[-1], output.elements, {"add": output.elements} if self.bias else {}
        )

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {axis: (axis, IDENTITY) for axis in range(1, outputs[0].rank - 1)}


class CapsuleVotes(Op):
    """The prediction of each capsule for each capsule of the next layer: u_ij = W_ij u_i, one matrix per pair.

    The input is (N, input capsules, input features), the output (N, input capsules, capsules, features). MACs are the
    number of weights. The predictions are routed by agreement with `softmax`, `mul`, `reduce_sum` and `squash`
    (Sabour, Frosst and Hinton 2017).

    Attributes:
        capsules: the number of capsules of the next layer.
        features: the size of each capsule's vector.
    """

    kind: ClassVar[str] = "capsule_votes"
    family: ClassVar[str] = "linear"
    module: ClassVar[bool] = True

    capsules: Count
    features: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if len(tensor.sizes) != 2:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' takes (N, capsules, features), got {tensor}",
                help="use `reshape` to split channels into capsules",
            )
        return (tensor.with_sizes(tensor.sizes[0], self.capsules, self.features),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        count, features = inputs[0].sizes
        shape = (count, self.capsules, self.features, features)
        return (Weight("weight", shape, Initializer("normal", {"std": 0.1})),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(outputs[0].elements * inputs[0].sizes[1], outputs[0].elements)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {1: (1, IDENTITY)}


class RadialBasis(Op):
    """Euclidean radial basis units: y_i = sum_j (x_j - w_ij)^2, the output layer of the 1998 LeNet-5.

    Each unit holds a prototype of the input; the smaller its output, the closer the input is to it. The squares are
    the multiply-accumulates: one a weight.

    Attributes:
        units: output units.
    """

    kind: ClassVar[str] = "radial_basis"
    family: ClassVar[str] = "linear"
    shorthand: ClassVar[str | None] = "units"
    module: ClassVar[bool] = True

    units: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if len(tensor.sizes) != 1:
            raise OpError(
                "wrong-rank", f"'{self.kind}' takes vectors (N, features), got {tensor}", help="put `flatten` before it"
            )
        return (tensor.with_sizes(self.units),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", (self.units, inputs[0].sizes[0]), Initializer("normal", {"std": 1.0})),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        links = outputs[0].elements * inputs[0].elements
        return Cost(links, outputs[0].elements, {"subtract": links})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {}
