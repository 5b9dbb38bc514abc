"""Making nodes: attributes are worked out and validated, types inferred, weights settled; refusals get positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics import Note, Span, did_you_mean, fail
from archspec.frontend.limits import MAX_ELEMENTS, MAX_PARAMETERS
from archspec.frontend.spec import Weighing
from archspec.frontend.values import Bare, Data, show
from archspec.frontend.written import Written
from archspec.ir.graph import Node, Value
from archspec.ir.types import Initializer, TensorType, Weight, format_shape
from archspec.ops import Op, Refusal
from archspec.ops.attributes import attributes_of

Signature = tuple[tuple[TensorType, ...], tuple[Weight, ...]]
"""What an op makes of given inputs: the types of its outputs, and its weights."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input of a node, with the words a note calls it by."""

    label: str
    value: Value
    remark: str = ""


class NodeMaker:
    """Makes the nodes of one graph. Equal ops are made once, and equal questions asked once."""

    def __init__(self, initializers: Mapping[str, Mapping[str, Initializer]]) -> None:
        self.initializers = initializers
        self.origins: dict[Value, Span] = {}
        self.parameters = 0
        self._ops: dict[tuple[type[Op], str], Op] = {}
        self._signatures: dict[tuple[int, tuple[TensorType, ...]], Signature] = {}

    def op(self, kind: type[Op], attributes: Mapping[str, Data], written: Mapping[str, Written], span: Span) -> Op:
        """The op of a class with these attributes.

        Raises:
            ArchspecError: an attribute has a value it cannot have.
        """
        key = (kind, repr(attributes))
        if (known := self._ops.get(key)) is not None:
            return known
        try:
            op = kind.model_validate(attributes)
        except ValidationError as error:
            raise _wrong_attribute(kind, attributes, written, span, error) from error
        self._ops[key] = op
        return op

    def make(self, name: str, op: Op, sources: Sequence[Source], span: Span) -> Node:
        """The node that applies `op`, with its own weights as the op wants them.

        Raises:
            ArchspecError: the op cannot take these inputs.
        """
        inputs = tuple(source.value for source in sources)
        types = tuple(value.type for value in inputs)
        outputs, weights = self.signature(op, types, sources, span)
        values: tuple[Value, ...] = (Value(name, outputs[0]),)
        if len(outputs) > 1:
            values = tuple(Value(f"{name}.{port}", type) for port, type in zip(op.ports, outputs, strict=False))
        for value in values:
            self.origins[value] = span
        return Node(name, op, inputs, values, weights, span=span)

    def signature(self, op: Op, types: tuple[TensorType, ...], sources: Sequence[Source], span: Span) -> Signature:
        key = (id(op), types)
        if (known := self._signatures.get(key)) is not None:
            return known
        if op.inputs is not None and len(types) != op.inputs:
            raise fail(
                "wrong-arity",
                f"'{op.kind}' takes one value, and {len(types)} flow in",
                span,
                notes=self.shapes(sources),
                help="choose one with `from`, or join them before",
            )
        try:
            outputs = op.infer(types)
            _check_elements(op, outputs, span)
            weights = op.weights(types)
            _check_elements(op, weights, span)
        except Refusal as refusal:
            notes = self.shapes(sources)
            raise fail(refusal.code, refusal.message, span, notes=notes, help=refusal.help) from refusal
        self._signatures[key] = (outputs, weights)
        return outputs, weights

    def shapes(self, sources: Sequence[Source]) -> list[Note]:
        """The notes that say which shapes flow in, and from where."""
        notes: list[Note] = []
        for source in sources:
            origin = self.origins.get(source.value)
            line = f", line {origin.line}" if origin else ""
            remark = f" ({source.remark})" if source.remark else ""
            notes.append((f"{source.label}:", str(source.value.type), f"from {source.value.name}{line}{remark}"))
        return notes

    def weigh(self, node: Node, weighing: Weighing, fixed: Data, trainable: bool, span: Span) -> Node:
        """The node with its weights started, fixed or frozen as the spec says.

        Raises:
            ArchspecError: the spec speaks of a weight the op has not, or gives values of another shape.
        """
        chosen = {**self.initializers.get(node.op.kind, {}), **weighing.initializers}
        known = [weight.name for weight in node.weights]
        for name in weighing.initializers:
            if name not in known:
                raise fail(
                    "unknown-weight",
                    f"'{node.op.kind}' has no weight '{name}' here",
                    span,
                    help=did_you_mean(name, known),
                )
        weights = [replace(weight, initializer=chosen.get(weight.name, weight.initializer)) for weight in node.weights]
        if fixed is not None:
            weights = [_fixed(node, weight, fixed, span) if weight.name == "weight" else weight for weight in weights]
        if not trainable:
            weights = [replace(weight, trainable=False) for weight in weights]
        return replace(node, weights=tuple(weights))

    def count(self, node: Node, span: Span) -> None:
        """Add the node's own weights to the total.

        Raises:
            ArchspecError: the network has more than it may have.
        """
        self.parameters += sum(weight.elements for weight in node.weights)
        if self.parameters > MAX_PARAMETERS:
            raise fail(
                "too-large",
                f"with '{node.name}' the network has {self.parameters:,} weights",
                span,
                help=f"at most {MAX_PARAMETERS:,} are allowed",
            )


def _check_elements(op: Op, tensors: Sequence[TensorType] | Sequence[Weight], span: Span) -> None:
    for tensor in tensors:
        if tensor.elements > MAX_ELEMENTS:
            what = f"the {tensor.name}" if isinstance(tensor, Weight) else "the output"
            raise fail(
                "too-large",
                f"{what} of '{op.kind}' is {format_shape(tensor.shape)}: {tensor.elements:,} elements",
                span,
                help=f"at most {MAX_ELEMENTS:,} are allowed in one tensor",
            )


def _wrong_attribute(
    kind: type[Op], attributes: Mapping[str, Data], written: Mapping[str, Written], span: Span, error: ValidationError
) -> Exception:
    first: Any = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    known = attributes_of(kind)
    if name not in known:
        place = written[name].span if name in written else span
        return fail("unknown-key", f"'{kind.kind}' has no key '{name}'", place, help=did_you_mean(name, known))
    if first["type"] == "missing":
        return fail("missing-attribute", f"'{kind.kind}' needs '{name}'", span, help=f"{name}: {known[name].phrase}")
    value = attributes[name]
    message = f"'{name}' of '{kind.kind}' is {known[name].phrase}, not {show(value)}"
    if isinstance(value, Bare):
        return fail(
            "wrong-value", message, value.span, help=f"if '{value}' was meant to be a name, nothing here has it"
        )
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(str(value).lower())
    help = f"'{value}' is text in YAML 1.2; write {meant}" if meant else None
    return fail("wrong-value", message, written[name].span if name in written else span, help=help)


def _fixed(node: Node, weight: Weight, values: Data, span: Span) -> Weight:
    shape = _shape_of(values)
    if shape is None:
        raise fail("wrong-value", "'weight' is numbers in lists of equal length", span)
    if len(shape) > len(weight.shape) or any(
        have not in (1, want) for have, want in zip(reversed(shape), reversed(weight.shape), strict=False)
    ):
        raise fail(
            "wrong-value",
            f"'weight' has shape {list(shape)}, which does not fit {list(weight.shape)}",
            span,
            help=f"give the last axes of {list(weight.shape)}; axes before them repeat",
        )
    return replace(weight, initializer=Initializer("values", {"values": values}), trainable=False)


def _shape_of(values: Data) -> tuple[int, ...] | None:
    """The shape of nested tuples of numbers; None where they are ragged or hold something else."""
    if not isinstance(values, tuple):
        return () if isinstance(values, int | float) and not isinstance(values, bool) else None
    shapes = {_shape_of(item) for item in values}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(values), *inner)
