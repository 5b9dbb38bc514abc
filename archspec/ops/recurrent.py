"""Recurrent layers: LSTM, GRU and the simple recurrent network."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from archspec.ir.types import TensorType, Weight
from archspec.ops.attribute_types import Count, Flag, Fraction
from archspec.ops.base import Cost, Footprint, Op, OpError, need_float
from archspec.ops.conv import fan_in_uniform

_SIGMOID = Cost(other={"exp": 1, "add": 1, "divide": 1})
_TANH = Cost(other={"exp": 1, "add": 2, "divide": 1})


class Recurrent(Op):
    """What the recurrent layers have in common: they map (N, time, features), one position after another.

    Layer l has `weight_ih_l<l>`, `weight_hh_l<l>`, `bias_ih_l<l>` and `bias_hh_l<l>`, and with `_reverse` after their
    names those of the other direction: PyTorch's names and shapes, with the gates below one another.
    """

    family: ClassVar[str] = "recurrent"
    shorthand: ClassVar[str | None] = "features"
    inputs: ClassVar[int | None] = None
    primary_outputs: ClassVar[int | None] = 1
    module: ClassVar[bool] = True
    gates: ClassVar[int]
    """How many matrices are below one another in each weight."""

    features: Count
    depth: Count = 1
    bidirectional: Flag = False
    bias: Flag = True
    dropout: Fraction = 0.0

    @property
    def ports(self) -> tuple[str, ...]:
        return "output", "state"

    @property
    def directions(self) -> int:
        """1, or 2 if the sequence is also read from its end."""
        return 1 + self.bidirectional

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        tensor, *starts = inputs
        for each in inputs:
            need_float(self.kind, each)
        if len(tensor.sizes) != 2:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' takes a sequence (N, time, features), got {tensor}",
                help="put `reshape` or `permute` before it; (N, channels, length) needs - permute: [2, 1]",
            )
        if self.dropout and self.depth == 1:
            raise OpError(
                "wrong-attributes",
                f"'{self.kind}' has a dropout between its layers, but only one layer",
                help="put - dropout after it, or write depth: 2",
            )
        output = tensor.with_sizes(tensor.sizes[0], self.directions * self.features)
        state = tensor.with_sizes(self.directions * self.depth, self.features)
        names = self.ports[1:]
        if len(starts) not in (0, len(names)):
            raise OpError(
                "wrong-arity",
                f"'{self.kind}' takes a sequence, or a sequence and its first {' and '.join(names)}; got {len(inputs)} "
                "inputs",
                help=f"write from: [prev, {', '.join(f'encoder.{name}' for name in names)}]",
            )
        for name, start in zip(names, starts, strict=False):
            if start.sizes != state.sizes:
                raise OpError(
                    "shape-mismatch",
                    f"'{self.kind}' needs a first {name} of {state}, got {start}",
                    help="it has a row of `features` numbers for each layer and direction",
                )
        return (output, *(state for _ in self.ports[1:]))

    def width(self, layer: int, tensor: TensorType) -> int:
        """How many features a layer reads: those of the input, or those of both directions of the layer before."""
        return self.directions * self.features if layer else tensor.sizes[1]

    def suffixes(self, layer: int) -> tuple[str, ...]:
        """What ends the names of a layer's weights, direction by direction."""
        return (f"_l{layer}", f"_l{layer}_reverse")[: self.directions]

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        rows, start = self.gates * self.features, fan_in_uniform(self.features)
        found: list[Weight] = []
        for layer in range(self.depth):
            width = self.width(layer, inputs[0])
            for suffix in self.suffixes(layer):
                found.append(Weight(f"weight_ih{suffix}", (rows, width), start))
                found.append(Weight(f"weight_hh{suffix}", (rows, self.features), start))
                if self.bias:
                    found += [Weight(f"bias_{name}{suffix}", (rows,), start) for name in ("ih", "hh")]
        return tuple(found)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        steps = inputs[0].sizes[0] * self.directions * self.features  # of all layers alike
        rows = self.gates * steps
        width = sum(self.width(layer, inputs[0]) + self.features for layer in range(self.depth))
        sums = {"add": self.depth * rows * (3 if self.bias else 1)}
        other = {name: self.depth * steps * count for name, count in self.unit_cost().other.items()}
        return Cost(rows * width, 2 * self.depth * rows, sums) + Cost(other=other)

    def unit_cost(self) -> Cost:
        """What is computed of the sums of one unit at one position."""
        raise NotImplementedError  # each recurrent layer has its own

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {}


class Lstm(Recurrent):
    """Long short-term memory over (N, time, features) (Hochreiter and Schmidhuber 1997, with forget gates).

    i, f, o = sigmoid(W x + b + U h + d), g = tanh(W x + b + U h + d), c' = f c + i g, h' = o tanh(c'): each gate has
    its own W, U, b and d. h and c start from zeros, or with `from: [x, h, c]` from the states of another layer. The
    output has h of every position; `layer.state` and `layer.cell` have h and c after the last, for each layer and
    direction: (N, depth * directions, features). MACs are 4 * features * (inputs + features) a position, layer and
    direction.

    Attributes:
        features: the size of the state, and of the output of one direction.
        depth: how many layers follow one another.
        bidirectional: whether each layer also reads the sequence from its end; the outputs of both are side by side.
        bias: whether there are biases, two for each gate as in PyTorch.
        dropout: the share of numbers zeroed between layers in training.
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4

    @property
    def ports(self) -> tuple[str, ...]:
        return "output", "state", "cell"

    def unit_cost(self) -> Cost:
        return _SIGMOID + _SIGMOID + _SIGMOID + _TANH + _TANH + Cost(other={"multiply": 3, "add": 1})


class Gru(Recurrent):
    """Gated recurrent units over (N, time, features) (Cho et al. 2014, as PyTorch and cuDNN compute them).

    r, z = sigmoid(W x + b + U h + d), n = tanh(W x + b + r (U h + d)), h' = (1 - z) n + z h: each has its own W, U, b
    and d. The state starts from zeros, or with `from: [x, h]` from that of another layer. The output has h of every
    position; `layer.state` has h after the last, for each layer and direction: (N, depth * directions, features). MACs
    are 3 * features * (inputs + features) a position, layer and direction.

    Attributes:
        features: the size of the state, and of the output of one direction.
        depth: how many layers follow one another.
        bidirectional: whether each layer also reads the sequence from its end; the outputs of both are side by side.
        bias: whether there are biases, two for each gate as in PyTorch.
        dropout: the share of numbers zeroed between layers in training.
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3

    def unit_cost(self) -> Cost:
        return _SIGMOID + _SIGMOID + _TANH + Cost(other={"multiply": 3, "add": 2})


class Rnn(Recurrent):
    """A simple recurrent network over (N, time, features) (Elman 1990): h' = tanh(W x + b + U h + d).

    The state starts from zeros, or with `from: [x, h]` from that of another layer. The output has h of every position;
    `layer.state` has h after the last, for each layer and direction: (N, depth * directions, features). MACs are
    features * (inputs + features) a position, layer and direction.

    Attributes:
        features: the size of the state, and of the output of one direction.
        depth: how many layers follow one another.
        bidirectional: whether each layer also reads the sequence from its end; the outputs of both are side by side.
        bias: whether there are biases, two for each unit as in PyTorch.
        dropout: the share of numbers zeroed between layers in training.
        function: the function of the sum.
    """

    kind: ClassVar[str] = "rnn"
    gates: ClassVar[int] = 1

    function: Literal["tanh", "relu"] = "tanh"

    def unit_cost(self) -> Cost:
        return _TANH if self.function == "tanh" else Cost(other={"compare": 1})
