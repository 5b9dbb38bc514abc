"""Operators of newer opsets in those of older ones.

Rules write the newest operators. `in_opset` replaces those that an older opset does not have; what it cannot replace,
`model` reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import pi, sqrt
from typing import Any

from archspec.ir.types import DType
from archspec.lower.onnx.builder import AttributeValue, GraphState, OnnxNode, OnnxShape, ValueInfo
from archspec.lower.onnx.rules.common import END


def in_opset(state: GraphState, inputs: Sequence[ValueInfo]) -> list[OnnxNode]:
    """The nodes of a graph with these inputs, in the operators of its opset as far as `_FORMS` has them."""
    values = {value.name: value.shape for value in inputs}
    nodes: list[OnnxNode] = []
    for node in state.nodes:
        writer = _Writer(state, node, values)
        first, form = _FORMS.get(node.op, (0, _Writer.keep))
        if state.opset < first:
            form(writer)
        else:
            writer.keep()
        nodes += writer.nodes
    return nodes


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes nodes in the place of one; `shapes` are those of the values known so far, by name."""

    state: GraphState
    node: OnnxNode
    shapes: dict[str, OnnxShape]
    nodes: list[OnnxNode] = field(default_factory=list)

    @property
    def shape(self) -> OnnxShape:
        """The shape of the first output."""
        return self.node.outputs[0].shape

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.node.attributes

    def keep(self, **changes: Any) -> None:
        """Write the node itself, with these fields changed."""
        node = replace(self.node, **changes)
        self.shapes.update((value.name, value.shape) for value in node.outputs)
        self.nodes.append(node)

    def result(self, op: str, *inputs: str, **attributes: AttributeValue) -> None:
        """Write the last node, which has the name and the outputs of the one it replaces."""
        self.keep(op=op, inputs=inputs, attributes=attributes)

    def step(
        self,
        label: str,
        op: str,
        *inputs: str,
        shape: OnnxShape | None = None,
        dtype: DType = DType.FLOAT32,
        **attributes: AttributeValue,
    ) -> str:
        """Write a node before the last one; by default its value has the shape of the result."""
        name = f"{self.node.name}/{label}"
        output = ValueInfo(name, self.shape if shape is None else shape, dtype)
        self.nodes.append(OnnxNode(op, name, inputs, attributes, (output,), self.node.layer))
        self.shapes[name] = output.shape
        return name

    def number(self, value: float) -> str:
        """A constant of float32 without axes."""
        return self.state.floats(value, self.node.name)

    def integers(self, *values: int) -> str:
        """A constant vector of int64."""
        return self.state.integers(values, self.node.name)

    def constant(self, name: str) -> list[int] | None:
        """The elements of a vector of int64; None if it is computed."""
        array = self.state.constants.get(name)
        return None if array is None else list(map(int, array))

    def entries(self, label: str, vector: str, start: int, end: int) -> str:
        """The entries from `start` up to `end` of a computed vector of int64."""
        bounds = self.integers(start), self.integers(end), self.integers(0)
        return self.step(label, "Slice", vector, *bounds, shape=(end - start,), dtype=DType.INT64)

    def sizes(self, value: str, start: int, end: int) -> str:
        """The sizes of the axes from `start` up to `end` of a value."""
        rank = len(self.shapes[value])
        whole = self.step(f"shape{start}", "Shape", value, shape=(rank,), dtype=DType.INT64)
        return self.entries(f"sizes{start}", whole, start, end)


def _reduction(w: _Writer) -> None:
    """Axes as an attribute."""
    axes = w.constant(w.node.inputs[-1])
    if len(w.node.inputs) == 1 or axes is None:
        w.keep()
    else:
        w.result(w.node.op, w.node.inputs[0], axes=axes, **w.attributes)


def _shape(w: _Writer) -> None:
    """A Slice of the whole shape."""
    (value,) = w.node.inputs
    rank = len(w.shapes[value])
    start, end = w.attributes.get("start", 0), w.attributes.get("end", rank)
    if (start, end) == (0, rank):
        w.result("Shape", value)
    else:
        whole = w.step("whole", "Shape", value, shape=(rank,), dtype=DType.INT64)
        w.result("Slice", whole, w.integers(start), w.integers(end), w.integers(0))


def _hard_swish(w: _Writer) -> None:
    """Write x * min(max(x / 6 + 1 / 2, 0), 1)."""
    (value,) = w.node.inputs
    w.result("Mul", value, w.step("gate", "HardSigmoid", value, alpha=1 / 6, beta=0.5))


def _mish(w: _Writer) -> None:
    """Write x * tanh(softplus(x))."""
    (value,) = w.node.inputs
    w.result("Mul", value, w.step("gate", "Tanh", w.step("softplus", "Softplus", value)))


def _gelu(w: _Writer) -> None:
    """Write x times the cumulative normal distribution: (1 + erf(x / sqrt(2))) / 2, or its approximation with tanh."""
    (value,) = w.node.inputs
    if w.attributes.get("approximate", "none") == "none":
        curve = w.step("erf", "Erf", w.step("scaled", "Mul", value, w.number(sqrt(1 / 2))))
    else:
        cube = w.step("weighted", "Mul", w.step("cube", "Pow", value, w.number(3)), w.number(0.044715))
        bent = w.step("bent", "Add", value, cube)
        curve = w.step("tanh", "Tanh", w.step("scaled", "Mul", bent, w.number(sqrt(2 / pi))))
    w.result("Mul", value, w.step("normal", "Mul", w.step("raised", "Add", curve, w.number(1)), w.number(0.5)))


def _layer_normalization(w: _Writer) -> None:
    """Write (x - mean) / sqrt(variance + epsilon) * scale + shift."""
    value, scale, *shift = w.node.inputs
    rank = len(w.shape)
    axes = range(w.attributes.get("axis", -1) % rank, rank)
    reduced = tuple(1 if axis in axes else size for axis, size in enumerate(w.shape))
    mean = w.step("mean", "ReduceMean", value, shape=reduced, axes=tuple(axes), keepdims=1)
    centred = w.step("centred", "Sub", value, mean)
    square = w.step("square", "Mul", centred, centred)
    variance = w.step("variance", "ReduceMean", square, shape=reduced, axes=tuple(axes), keepdims=1)
    more = w.step("more", "Add", variance, w.number(w.attributes.get("epsilon", 1e-5)), shape=reduced)
    normal = w.step("normal", "Div", centred, w.step("deviation", "Sqrt", more, shape=reduced))
    if shift:
        w.result("Add", w.step("scaled", "Mul", normal, scale), *shift)
    else:
        w.result("Mul", normal, scale)


def _resize(w: _Writer) -> None:
    """All sizes, those of the axes before the resized ones as they are."""
    attributes = dict(w.attributes)
    axes = attributes.pop("axes", None)
    value, *others = w.node.inputs
    rank = len(w.shape)
    if axes is None or len(others) < 3 or list(axes) != list(range(axes[0], rank)):
        w.keep()
        return
    sizes = w.sizes(value, 0, axes[0])
    sizes = w.step("sizes", "Concat", sizes, others[2], shape=(rank,), dtype=DType.INT64, axis=0)
    w.result("Resize", value, *others[:2], sizes, **attributes)


def _wrap(w: _Writer) -> None:
    """For mode `wrap`, a Concat along each padded axis."""
    if w.attributes.get("mode") != "wrap":
        w.keep()
        return
    value, pads = w.node.inputs[:2]
    shape, rank, known = list(w.shapes[value]), len(w.shape), w.constant(pads)
    padded = [axis for axis in range(rank) if known[axis] or known[rank + axis]] if known else range(2, rank)
    for axis in padded[:-1]:
        shape[axis] = w.shape[axis]
        value = w.step(f"wrapped{axis}", "Concat", *_wrapped(w, value, pads, axis), shape=tuple(shape), axis=axis)
    if padded:
        w.result("Concat", *_wrapped(w, value, pads, padded[-1]), axis=padded[-1])
    else:
        w.result("Identity", value)


def _wrapped(w: _Writer, value: str, pads: str, axis: int) -> list[str]:
    """The end of an axis, the whole and its start: as many positions of both as `pads` has before and after it."""
    shape, known = w.shapes[value], w.constant(pads)
    rank = len(shape)

    def part(label: str, count: int | None, start: str, end: str) -> list[str]:
        sizes = (*shape[:axis], count, *shape[axis + 1 :])
        return [w.step(f"{label}{axis}", "Slice", value, start, end, w.integers(axis), shape=sizes)]

    if known:
        before, after = known[axis], known[rank + axis]
        end = part("end", before, w.integers(-before), w.integers(END)) if before else []
        return [*end, value, *(part("start", after, w.integers(0), w.integers(after)) if after else [])]
    size, before_it = w.sizes(value, axis, axis + 1), w.entries(f"before{axis}", pads, axis, axis + 1)
    first = w.step(f"first{axis}", "Sub", size, before_it, shape=(1,), dtype=DType.INT64)
    after_it = w.entries(f"after{axis}", pads, rank + axis, rank + axis + 1)
    return [
        *part("end", None, first, w.integers(END)),
        value,
        *part("start", None, w.integers(0), after_it),
    ]


_Form = Callable[[_Writer], None]

_FORMS: Mapping[str, tuple[int, _Form]] = {
    "HardSwish": (14, _hard_swish),
    "Shape": (15, _shape),
    "LayerNormalization": (17, _layer_normalization),
    **dict.fromkeys(
        (
            "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
            "ReduceProd", "ReduceSumSquare",
        ),
        (18, _reduction),
    ),
    "Mish": (18, _mish),
    "Resize": (18, _resize),
    "Pad": (19, _wrap),
    "Gelu": (20, _gelu),
}  # fmt: skip
"""By operator: the first opset that has what rules write, and what is written before it.

Versions are those of https://onnx.ai/onnx/operators.
"""
