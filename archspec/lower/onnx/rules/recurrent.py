"""Recurrent layers in ONNX: LSTM, GRU and RNN, one node per layer, with the time before the batch."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.lower.onnx.builder import AttributeValue, OnnxBuilder, ValueInfo
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn

_GATES: dict[type[Recurrent], tuple[int, ...]] = {Lstm: (0, 3, 1, 2), Gru: (1, 0, 2), Rnn: (0,)}
"""ONNX's order of the gates, as indices into PyTorch's: i, o, f, c of i, f, c, o; z, r, h of r, z, h."""


@RULES.rule(Lstm, Gru, Rnn)
def recurrent(op: Recurrent, b: OnnxBuilder) -> tuple[str, ...]:
    """The layers one after another; then the axes of the outputs and the states in the order of the spec."""
    time, _ = b.input_type.sizes
    batch = b.input_type.shape[0]
    width = op.directions * op.features
    value = b.unbatched_step("time", "Transpose", b.input, shape=(time, batch, b.input_type.sizes[1]), perm=(1, 0, 2))
    starts = [_start(op, b, port) for port in range(1, len(b.node.inputs))]
    states: list[list[str]] = [[] for _ in op.ports[1:]]
    for layer in range(op.depth):
        outputs, *last = _layer(op, b, layer, value, [start[layer] for start in starts])
        for state, name in zip(states, last, strict=True):
            state.append(name)
        if layer < op.depth - 1:
            shape = time, batch, op.directions, op.features
            value = b.unbatched_step(f"turned{layer}", "Transpose", outputs, shape=shape, perm=(0, 2, 1, 3))
            flat = b.integers("flat", (0, 0, width))
            value = b.unbatched_step(f"joined{layer}", "Reshape", value, flat, shape=(time, batch, width))
    turned = b.input_type.with_sizes(time, op.directions, op.features)
    value = b.step("turned", "Transpose", outputs, type=turned, perm=(2, 0, 1, 3))
    result = b.result("Reshape", value, b.shape("shape", turned, (time, width)))
    return (result, *(_state(op, b, port, parts) for port, parts in enumerate(states, start=1)))


def _start(op: Recurrent, b: OnnxBuilder, port: int) -> list[str]:
    """The first state or cell of each layer, (directions, N, features)."""
    label = f"first_{op.ports[port]}"
    batch, directions = b.input_type.shape[0], op.directions
    shape = op.depth * directions, batch, op.features
    value = b.unbatched_step(label, "Transpose", b.inputs[port], shape=shape, perm=(1, 0, 2))
    if op.depth == 1:
        return [value]
    parts: list[str] = []
    for layer in range(op.depth):
        bounds = (b.integers("starts", [layer * directions]), b.integers("ends", [(layer + 1) * directions]))
        inputs = (value, *bounds, b.integers("axes", [0]))
        parts.append(b.unbatched_step(f"{label}{layer}", "Slice", *inputs, shape=(directions, *shape[1:])))
    return parts


def _layer(op: Recurrent, b: OnnxBuilder, layer: int, value: str, starts: Sequence[str]) -> tuple[str, ...]:
    """The node of one layer: the names of its outputs, (time, directions, N, features), and of its last states.

    Args:
        op: the op.
        b: the node of the op.
        layer: the number of the layer.
        value: its input, with the time first.
        starts: its first state, and its first cell if it has one; none if they are zeros.
    """
    rows, width = op.gates * op.features, op.width(layer, b.input_type)
    suffixes = op.suffixes(layer)
    inputs = [
        _weights(op, b, f"{name}{layer}", [f"weight_{name}{end}" for end in suffixes], (rows, size))
        for name, size in (("ih", width), ("hh", op.features))
    ]
    if op.bias:
        names = [f"bias_{name}{end}" for end in suffixes for name in ("ih", "hh")]
        inputs.append(_weights(op, b, f"bias{layer}", names, (2 * rows,)))
    if starts:
        inputs += [*[""] * (not op.bias), "", *starts]  # without biases, and lengths
    attributes: dict[str, AttributeValue] = {"hidden_size": op.features}
    if op.bidirectional:
        attributes["direction"] = "bidirectional"
    if isinstance(op, Gru):
        attributes["linear_before_reset"] = 1
    if isinstance(op, Rnn) and op.function == "relu":
        attributes["activations"] = ["Relu"] * op.directions
    name = f"{b.node.name}/layer{layer}"
    batch, time, _ = b.input_type.shape
    state = op.directions, batch, op.features
    shapes = (time, *state), state, state
    labels = ("outputs", "state", "cell")[: len(op.ports)]
    outputs = [ValueInfo(f"{name}_{label}", shape) for label, shape in zip(labels, shapes, strict=False)]
    return b.add_node(name, type(op).__name__.upper(), (value, *inputs), outputs, attributes)


def _weights(op: Recurrent, b: OnnxBuilder, label: str, names: Sequence[str], shape: tuple[int, ...]) -> str:
    """Some weights of a layer, of all its directions, with the gates in ONNX's order: (directions, *shape)."""
    parts: list[str] = []
    rest = shape[1:]
    for i, name in enumerate(b.weights(*names)):
        for gate in _GATES[type(op)]:
            bounds = (gate * op.features, (gate + 1) * op.features)
            cuts = [b.integers(what, [bound]) for what, bound in zip(("starts", "ends"), bounds, strict=True)]
            inputs = (name, *cuts, b.integers("axes", [0]))
            parts.append(b.unbatched_step(f"{label}_{i}_{gate}", "Slice", *inputs, shape=(op.features, *rest)))
    rows = op.directions * shape[0]
    joined = b.unbatched_step(f"{label}_rows", "Concat", *parts, shape=(rows, *rest), axis=0)
    whole = (op.directions, *shape)
    return b.unbatched_step(label, "Reshape", joined, b.integers("shape", whole), shape=whole)


def _state(op: Recurrent, b: OnnxBuilder, port: int, parts: Sequence[str]) -> str:
    """The last states of all layers, as (N, layers * directions, features)."""
    label = op.ports[port]
    shape = op.depth * op.directions, b.input_type.shape[0], op.features
    value = b.unbatched_step(f"{label}s", "Concat", *parts, shape=shape, axis=0) if len(parts) > 1 else parts[0]
    (name,) = b.add_node(f"{b.node.name}/{label}", "Transpose", (value,), (b.output_info(port),), {"perm": (1, 0, 2)})
    return name
