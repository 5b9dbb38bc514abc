"""Free parameters: scales, class tokens, position embeddings, embedding tables, and others of any shape."""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import DType, Initializer, TensorType, Weight
from archspec.ops.attribute_types import Count, Number, Whole
from archspec.ops.base import NOT_READ, Cost, Footprint, Op, OpError, need_axis, need_float, pointwise
from archspec.ops.footprint import IDENTITY, shifted


class LayerScale(Op):
    """A learned factor per entry of one axis: x * weight. It makes the branches of ConvNeXt and CaiT small at first.

    The weight is the layer's own name in the state dict, with size 1 along every later axis: (channels, 1, 1).

    Attributes:
        value: the initial value of the weight.
        axis: the axis that is scaled; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "layer_scale"
    family: ClassVar[str] = "parameters"
    shorthand: ClassVar[str | None] = "value"

    value: Number = 1e-6
    axis: Whole = 1

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_axis(self.kind, self.axis, tensor)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        selected = need_axis(self.kind, self.axis, inputs[0])
        shape = (inputs[0].sizes[selected - 1], *(1 for _ in inputs[0].sizes[selected:]))
        return (Weight("weight", shape, Initializer("constant", {"value": self.value}), bare=True),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"multiply": outputs[0].elements})


class ClassToken(Op):
    """A learned vector put before the sequence: (N, positions, channels) becomes (N, positions + 1, channels).

    Vision transformers classify by it (Dosovitskiy et al. 2020). The weight, (1, 1, channels), is the layer's own
    name in the state dict.
    """

    kind: ClassVar[str] = "class_token"
    family: ClassVar[str] = "parameters"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if len(tensor.sizes) != 2:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' takes a sequence (N, positions, channels), got {tensor}",
                help="flatten an image's positions into one axis, and permute the channels to the end",
            )
        positions, channels = tensor.sizes
        return (tensor.with_sizes(positions + 1, channels),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", (1, 1, inputs[0].sizes[-1]), Initializer("zeros"), bare=True),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {1: (1, shifted(IDENTITY, -1)), 2: (2, IDENTITY)}


class PositionEmbedding(Op):
    """A learned number added to each element of a sample: x + weight.

    The weight has the sizes of the input after an axis of 1, and is the layer's own name in the state dict. It starts
    normal with standard deviation 0.02, as the vision transformer's does.
    """

    kind: ClassVar[str] = "position_embedding"
    family: ClassVar[str] = "parameters"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if not tensor.sizes:
            raise OpError("wrong-rank", f"'{self.kind}' needs positions, but {tensor} has only the batch axis")
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", (1, *inputs[0].sizes), Initializer("normal", {"mean": 0.0, "std": 0.02}), bare=True),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"add": outputs[0].elements})


class Parameter(Op):
    """A learned tensor that is the same for each sample, such as the queries of a detector.

    Of its input it takes the batch size alone. The weight has the given sizes, and is the layer's own name in the state
    dict. It starts normal with standard deviation 0.02. With `weight: [...]` and `trainable: false` it is a constant.

    Attributes:
        sizes: the sizes of the output after the batch axis.
    """

    kind: ClassVar[str] = "parameter"
    family: ClassVar[str] = "parameters"
    shorthand: ClassVar[str | None] = "sizes"

    sizes: tuple[Count, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        return (TensorType(self.sizes),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", self.sizes, Initializer("normal", {"mean": 0.0, "std": 0.02}), bare=True),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return NOT_READ


class Embedding(Op):
    """A table of learned vectors: each integer from 0 to entries - 1 becomes its vector, along a new last axis.

    Attributes:
        features: the length of a vector.
        entries: the number of vectors. Other integers in the data are an error at run time.
    """

    kind: ClassVar[str] = "embedding"
    family: ClassVar[str] = "parameters"
    module: ClassVar[bool] = True

    features: Count
    entries: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if tensor.dtype is not DType.INT64:
            raise OpError(
                "wrong-dtype",
                f"'{self.kind}' takes int64 indices, got {tensor.dtype}",
                help="declare the input with `dtype: int64`",
            )
        return (TensorType((*tensor.sizes, self.features)),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", (self.entries, self.features), Initializer("normal", {"mean": 0.0, "std": 1.0})),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return pointwise(inputs[0])
