"""The types of the graph: dimensions, shapes, element types, weights and their initializers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from math import prod

from archspec.frozen import field, frozen


@frozen(enforced=True)
class SymbolicDim:
    """A dimension that has no number until the network runs."""

    name: str

    def __str__(self) -> str:
        return self.name


BATCH = SymbolicDim("N")
"""The first axis of every tensor. Types, costs and diagrams are those of one sample."""

Dim = int | SymbolicDim
Shape = tuple[Dim, ...]


class DType(StrEnum):
    """Element types, by the names that PyTorch and ONNX share."""

    FLOAT32 = "float32"
    INT64 = "int64"

    @property
    def bytes(self) -> int:
        return 8 if self is DType.INT64 else 4


@frozen(enforced=True)
class TensorType:
    """The type of a value: the sizes of one sample, such as `(channels, height, width)`, and the element type.

    The batch axis is not stored: `shape` is the full shape, with `BATCH` before the sizes. Axes are numbered in the
    full shape everywhere, so axis 0 is the batch and axis 1 the channels, as in PyTorch and ONNX.
    """

    sizes: tuple[int, ...]
    dtype: DType = DType.FLOAT32

    @property
    def shape(self) -> Shape:
        return (BATCH, *self.sizes)

    @property
    def rank(self) -> int:
        """The number of axes, including the batch axis."""
        return len(self.sizes) + 1

    @property
    def channels(self) -> int:
        return self.sizes[0]

    @property
    def spatial(self) -> tuple[int, ...]:
        """The sizes after the channels: (length,), (height, width) or (depth, height, width)."""
        return self.sizes[1:]

    @cached_property
    def elements(self) -> int:
        """Elements in one sample."""
        return prod(self.sizes)

    @cached_property
    def bytes(self) -> int:
        """Bytes of one sample."""
        return self.elements * self.dtype.bytes

    def with_sizes(self, *sizes: int) -> TensorType:
        return TensorType(sizes, self.dtype)

    def __str__(self) -> str:
        return format_shape(self.shape)


def buffer_contents(weights: Sequence[Weight]) -> list[tuple[str, Initializer]]:
    """The buffers among some weights, each with what it holds at first, by which those of equal shapes may differ."""
    return [(weight.name, weight.initializer) for weight in weights if weight.buffer]


def format_shape(shape: Sequence[Dim]) -> str:
    """A shape as text: `(N, 64, 56, 56)`."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


@frozen(enforced=True)
class Initializer:
    """How a weight is initialized: the name of a distribution and its options.

    The names are those of `torch.nn.init` (`kaiming_uniform`, `xavier_normal`, `zeros`, ...), `values` for numbers
    that are given in the spec, and `distances` for the index of relative biases. `archspec.ir.initializers` lists the
    options.
    """

    kind: str
    options: Mapping[str, object] = field(default_factory=dict)

    def __hash__(self) -> int:
        # Values may be long nested tuples, and few initializers differ in their values alone: the names are enough.
        return hash((self.kind, *sorted(self.options)))


@frozen(enforced=True)
class Weight:
    """A parameter of a node, or a buffer, which no optimizer updates.

    The key of a `bare` weight in the state dict is the node's name, `class_token`, instead of `class_token.weight`: the
    module around the node holds the parameter itself.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True
    buffer: bool = False
    dtype: DType = DType.FLOAT32
    bare: bool = False

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * self.dtype.bytes
