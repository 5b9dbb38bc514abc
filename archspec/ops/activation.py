"""Activation functions, and softmax."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from archspec.ir.types import Initializer, TensorType, Weight
from archspec.ops.attribute_types import Flag, Number, Positive, Whole
from archspec.ops.base import Cost, Footprint, Op, OpError, need_axis, need_float
from archspec.ops.footprint import IDENTITY


class Activation(Op):
    """A function applied to each element."""

    family: ClassVar[str] = "activation"

    module: ClassVar[bool] = True
    operations: ClassVar[Mapping[str, int]]
    """The operations per element."""

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        return (inputs[0],)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={name: count * outputs[0].elements for name, count in self.operations.items()})


class Relu(Activation):
    """max(x, 0)."""

    kind: ClassVar[str] = "relu"
    operations = {"compare": 1}


class Relu6(Activation):
    """min(max(x, 0), 6)."""

    kind: ClassVar[str] = "relu6"
    operations = {"compare": 2}


class LeakyRelu(Activation):
    """x where x is positive, slope * x elsewhere.

    Attributes:
        slope: the slope below zero.
    """

    kind: ClassVar[str] = "leaky_relu"
    shorthand: ClassVar[str | None] = "slope"
    operations = {"compare": 1, "multiply": 1}

    slope: Number = 0.01


class Elu(Activation):
    """x where x is positive, alpha * (exp(x) - 1) elsewhere.

    Attributes:
        alpha: minus the limit for large negative x.
    """

    kind: ClassVar[str] = "elu"
    shorthand: ClassVar[str | None] = "alpha"
    operations = {"compare": 1, "exp": 1, "add": 1, "multiply": 1}

    alpha: Positive = 1.0


class Selu(Activation):
    """The self-normalizing ELU: 1.0507 * (x, or 1.6733 * (exp(x) - 1) below zero)."""

    kind: ClassVar[str] = "selu"
    operations = {"compare": 1, "exp": 1, "add": 1, "multiply": 2}


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    kind: ClassVar[str] = "sigmoid"
    operations = {"exp": 1, "add": 1, "divide": 1}


class HardSigmoid(Activation):
    """min(max(x / 6 + 1/2, 0), 1)."""

    kind: ClassVar[str] = "hard_sigmoid"
    operations = {"multiply": 1, "add": 1, "compare": 2}


class Tanh(Activation):
    """scale * tanh(slope * x), where tanh(x) = (exp(2x) - 1) / (exp(2x) + 1).

    LeNet-5 has scale 1.7159 and slope 2/3 (LeCun et al. 1998).

    Attributes:
        scale: the amplitude.
        slope: the slope at zero, divided by the amplitude.
    """

    kind: ClassVar[str] = "tanh"
    operations = {"exp": 1, "add": 2, "divide": 1}

    scale: Number = 1.0
    slope: Number = 1.0

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        factors = (self.scale != 1) + (self.slope != 1)
        scaling = Cost(other={"multiply": factors * outputs[0].elements} if factors else {})
        return super().cost(inputs, outputs) + scaling


class Gelu(Activation):
    """x * Phi(x), where Phi(x) = (1 + erf(x / sqrt(2))) / 2 is the normal distribution's cumulative function.

    Attributes:
        approximate: `tanh` for x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
    """

    kind: ClassVar[str] = "gelu"
    operations = {"erf": 1, "add": 1, "multiply": 3}

    approximate: Literal["none", "tanh"] = "none"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        if self.approximate == "none":
            return super().cost(inputs, outputs)
        per_element = {"multiply": 6, "add": 4, "exp": 1, "divide": 1}
        return Cost(other={name: count * outputs[0].elements for name, count in per_element.items()})


class Silu(Activation):
    """x * sigmoid(x), also called swish."""

    kind: ClassVar[str] = "silu"
    operations = {"exp": 1, "add": 1, "divide": 1, "multiply": 1}


class HardSwish(Activation):
    """x * min(max(x / 6 + 1/2, 0), 1)."""

    kind: ClassVar[str] = "hard_swish"
    operations = {"multiply": 2, "add": 1, "compare": 2}


class Mish(Activation):
    """x * tanh(log(1 + exp(x)))."""

    kind: ClassVar[str] = "mish"
    operations = {"exp": 2, "log": 1, "add": 3, "divide": 1, "multiply": 1}


class Softplus(Activation):
    """log(1 + exp(x))."""

    kind: ClassVar[str] = "softplus"
    operations = {"exp": 1, "log": 1, "add": 1}


class HardTanh(Activation):
    """min(max(x, -1), 1)."""

    kind: ClassVar[str] = "hard_tanh"
    operations = {"compare": 2}


class Softsign(Activation):
    """x / (1 + |x|)."""

    kind: ClassVar[str] = "softsign"
    operations = {"add": 1, "divide": 1}


class Celu(Activation):
    """x where x is positive, alpha * (exp(x / alpha) - 1) elsewhere: an ELU without a kink.

    Attributes:
        alpha: minus the limit for large negative x.
    """

    kind: ClassVar[str] = "celu"
    shorthand: ClassVar[str | None] = "alpha"
    operations = {"compare": 1, "divide": 1, "exp": 1, "add": 1, "multiply": 1}

    alpha: Positive = 1.0


class Threshold(Activation):
    """x where x is above the threshold, 0 elsewhere.

    Attributes:
        threshold: the largest value that becomes 0.
    """

    kind: ClassVar[str] = "threshold"
    shorthand: ClassVar[str | None] = "threshold"
    operations = {"compare": 1}

    threshold: Number


class LogSigmoid(Activation):
    """log(1 / (1 + exp(-x)))."""

    kind: ClassVar[str] = "log_sigmoid"
    operations = {"exp": 1, "log": 1, "add": 1}


class Scale(Activation):
    """factor * x with a fixed factor: Inception-ResNet scales each branch by 0.1 to 0.2.

    Attributes:
        factor: the factor.
    """

    kind: ClassVar[str] = "scale"
    shorthand: ClassVar[str | None] = "factor"
    module: ClassVar[bool] = False
    operations = {"multiply": 1}

    factor: Number


class Clip(Activation):
    """min(max(x, min), max); one of the bounds may be left out.

    Attributes:
        min: the lower bound.
        max: the upper bound.
    """

    kind: ClassVar[str] = "clip"
    module: ClassVar[bool] = False
    operations = {"compare": 2}

    min: Number | None = None
    max: Number | None = None

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        if self.min is None and self.max is None:
            raise OpError("wrong-attributes", f"'{self.kind}' has no bound", help="write min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise OpError("wrong-attributes", f"'{self.kind}' has min {self.min} greater than max {self.max}")
        return super().infer(inputs)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        bounds = (self.min is not None) + (self.max is not None)
        return Cost(other={"compare": bounds * outputs[0].elements})


def softmax_cost(elements: int, vectors: int) -> Cost:
    """The cost of softmax over `vectors` vectors with `elements` elements in all; the maximum is subtracted first."""
    pairs = elements - vectors
    return Cost(other={"compare": pairs, "subtract": elements, "exp": elements, "add": pairs, "divide": elements})


class _AlongAxis(Op):
    """A function of all elements along one axis."""

    family: ClassVar[str] = "activation"

    shorthand: ClassVar[str | None] = "axis"
    module: ClassVar[bool] = True

    axis: Whole = 1

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def vectors(self, tensor: TensorType) -> int:
        """The number of vectors along the axis."""
        return tensor.elements // tensor.sizes[self.normalized_axis(tensor) - 1]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        self.normalized_axis(inputs[0])
        return (inputs[0],)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        tensor, selected = inputs[0], self.normalized_axis(inputs[0])
        return {axis: (axis, IDENTITY) for axis in range(1, tensor.rank) if axis != selected}


class Softmax(_AlongAxis):
    """exp(x_i) / sum_j exp(x_j) along one axis, computed as exp(x_i - max) / sum_j exp(x_j - max).

    Attributes:
        axis: the axis that sums to 1; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "softmax"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements, vectors = outputs[0].elements, self.vectors(inputs[0])
        return softmax_cost(elements, vectors)


class LogSoftmax(_AlongAxis):
    """x_i - log(sum_j exp(x_j)) along one axis, computed as z_i - log(sum_j exp(z_j)), where z = x - max.

    Attributes:
        axis: the axis; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "log_softmax"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements, vectors = outputs[0].elements, self.vectors(inputs[0])
        pairs = elements - vectors
        return Cost(other={"compare": pairs, "subtract": 2 * elements, "exp": elements, "add": pairs, "log": vectors})


class Squash(_AlongAxis):
    """The nonlinearity of capsules: |x| / (1 + |x|^2) * x, which keeps the direction and makes the length less than 1.

    |x| is the length of the vectors along one axis; the formula is |x|^2 / (1 + |x|^2) * x / |x| without its division
    by zero.

    Attributes:
        axis: the axis along which the vectors lie; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "squash"

    axis: Whole = -1

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        vectors = self.vectors(inputs[0])
        return Cost(
            other={
                "multiply": 2 * elements + vectors,
                "add": elements,
                "sqrt": vectors,
                "divide": vectors,
            }
        )


class PRelu(Op):
    """x where x is positive, weight * x elsewhere: a leaky rectifier whose slope is learned (He et al. 2015).

    Attributes:
        slope: the initial value of the weight.
        per_channel: whether each channel has its own slope; else all share one.
    """

    kind: ClassVar[str] = "prelu"
    family: ClassVar[str] = "activation"
    shorthand: ClassVar[str | None] = "slope"
    module: ClassVar[bool] = True

    slope: Number = 0.25
    per_channel: Flag = False

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if self.per_channel and not tensor.sizes:
            raise OpError(
                "wrong-rank", f"'{self.kind}' needs channels for its slopes, but {tensor} has only the batch axis"
            )
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        slopes = inputs[0].channels if self.per_channel else 1
        return (Weight("weight", (slopes,), Initializer("constant", {"value": self.slope})),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"compare": outputs[0].elements, "multiply": outputs[0].elements})


class Glu(Op):
    """The gated linear unit: a * sigmoid(b), where a and b are the first and the second half of one axis.

    Attributes:
        axis: the axis to split; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "glu"
    family: ClassVar[str] = "activation"
    shorthand: ClassVar[str | None] = "axis"
    module: ClassVar[bool] = True

    axis: Whole = 1

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        selected = self.normalized_axis(tensor)
        size = tensor.sizes[selected - 1]
        if size % 2:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' splits axis {selected} in two, but {tensor} has size {size} there",
                help="use an even size along the axis; the second half is the gate",
            )
        return (tensor.with_sizes(*tensor.sizes[: selected - 1], size // 2, *tensor.sizes[selected:]),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other=dict.fromkeys(("exp", "add", "divide", "multiply"), outputs[0].elements))

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axis(inputs[0])
        return {axis: (axis, IDENTITY) for axis in range(1, inputs[0].rank) if axis != selected}
