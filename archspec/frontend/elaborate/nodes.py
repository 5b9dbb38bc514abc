"""Making nodes: attributes are worked out and validated, types inferred; refusals get positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pydantic import ValidationError

from archspec.diagnostics import ArchspecError, Diagnostic, Note, Span, did_you_mean, fail
from archspec.diagnostics import Source as Text
from archspec.frontend.elaborate.shape_mismatch import Source, remedy
from archspec.frontend.expressions.values import Bare, Data, show
from archspec.frontend.language.fields import Field, Template
from archspec.frontend.language.spec import JoinStep, OpStep, Step
from archspec.frontend.limits import MAX_AXES, MAX_ELEMENTS
from archspec.frontend.yaml.scalars import yes_or_no
from archspec.ir.graph import Node, Value
from archspec.ir.types import DType, Shape, TensorType, Weight, format_shape
from archspec.ops import Op, OpError
from archspec.ops.attribute_types import LARGEST, attributes_of


@dataclass(frozen=True, slots=True)
class Signature:
    """What an op makes of given inputs: the types of its outputs, its weights, and how many elements they have."""

    outputs: tuple[TensorType, ...]
    weights: tuple[Weight, ...]
    elements: int


Sources = Callable[[], Sequence[Source]]
"""The inputs of a node with the words a note calls them by, for when something is wrong with them."""


class NodeMaker:
    """Makes the nodes of one graph. Equal ops are made once, and equal questions asked once."""

    def __init__(self) -> None:
        self.origins: dict[Value, Span] = {}
        self._ops: dict[tuple[type[Op], str], Op] = {}
        self._ops_of_steps: dict[tuple[int, str | None], Op] = {}
        self._types: dict[TensorType, TensorType] = {}
        self._signatures: dict[tuple[int, ...], Signature] = {}

    def one_type(self, type: TensorType) -> TensorType:
        """The one object that stands for all types equal to this one."""
        return self._types.setdefault(type, type)

    def known_op(self, step: OpStep, given: str | None) -> Op | None:
        """The op of a step where the names it reads are worth so much, once it is made."""
        return self._ops_of_steps.get((id(step), given))

    def op(self, step: OpStep, given: str | None, attributes: Mapping[str, Data]) -> Op:
        """The op of a step with these attributes, to be known where the names it reads are worth so much again.

        Raises:
            ArchspecError: attributes have values they cannot have.
        """
        try:
            op = self.plain_op(step.op, attributes)
        except ValidationError as error:
            raise ArchspecError(_wrong_attributes(step, attributes, error)) from error
        if given is not None:
            self._ops_of_steps[id(step), given] = op
        return op

    def plain_op(self, kind: type[Op], attributes: Mapping[str, Data]) -> Op:
        """The one op of a class with these attributes.

        Raises:
            ValidationError: they cannot be.
        """
        key = (kind, repr(attributes))
        op = self._ops.get(key)
        if op is None:
            op = self._ops[key] = kind.model_validate(attributes)
        return op

    def signature(self, op: Op, inputs: Sequence[Value], step: Step, sources: Sources) -> Signature:
        """What an op makes of these inputs, which `step` joins if it is one of paths.

        Raises:
            ArchspecError: the op cannot take them.
        """
        key = (id(op), *[id(value.type) for value in inputs])
        known = self._signatures.get(key)
        if known is None:
            known = self._signatures[key] = self._infer(op, inputs, step, sources)
        return known

    def make(self, name: str, op: Op, inputs: tuple[Value, ...], signature: Signature, span: Span) -> Node:
        """The node that applies `op`, with its own weights as the op wants them."""
        outputs = signature.outputs
        if len(outputs) == 1:
            values: tuple[Value, ...] = (Value(name, outputs[0]),)
        else:
            values = tuple(Value(f"{name}.{port}", type) for port, type in zip(op.ports, outputs, strict=True))
        for value in values:
            self.origins[value] = span
        return Node(name, op, inputs, values, signature.weights, span=span)

    def _infer(self, op: Op, inputs: Sequence[Value], step: Step, sources: Sources) -> Signature:
        types = tuple(value.type for value in inputs)
        if op.inputs is not None and len(types) != op.inputs:
            message, help = _wrong_arity(op, op.inputs, len(types))
            notes = self.shapes(sources(), step.span.source)
            raise fail("wrong-arity", message, step.span, notes=notes, help=help)
        try:
            outputs, weights = op.infer(types), op.weights(types)
        except OpError as refusal:
            advice = refusal.help
            if advice is None and refusal.code == "shape-mismatch":
                advice = remedy(op.kind, sources(), paths=isinstance(step, JoinStep) and not step.crop)
            notes = self.shapes(sources(), step.span.source)
            raise fail(refusal.code, refusal.message, step.span, notes=notes, help=advice) from refusal
        elements = sum([weight.elements for weight in weights])
        for output in outputs:
            if output.rank > MAX_AXES or output.elements > MAX_ELEMENTS:
                raise _too_large(op, "the output", output.shape, step.span)
        for weight in weights if elements > MAX_ELEMENTS else ():
            if weight.elements > MAX_ELEMENTS:
                raise _too_large(op, f"the {weight.name}", weight.shape, step.span)
        return Signature(tuple(map(self.one_type, outputs)), weights, elements)

    def shapes(self, sources: Sequence[Source], beside: Text) -> list[Note]:
        """The notes that say, beside a mistake in a text, which shapes flow in and from where."""
        notes: list[Note] = []
        for source in sources:
            origin = self.origins.get(source.value)
            line = f", {origin.seen_from(beside)}" if origin else ""
            remark = f" ({source.remark})" if source.remark else ""
            dtype = "" if source.type.dtype is DType.FLOAT32 else f"{source.type.dtype} "
            notes.append((f"{source.label}:", f"{dtype}{source.type}", f"from {source.value.name}{line}{remark}"))
        return notes


def _wrong_arity(op: Op, wanted: int, count: int) -> tuple[str, str]:
    """What to say where another number of values flow in, and what to do about it."""
    flow = f"{count} flow in" if count > 1 else "one flows in"
    if wanted == 1:
        return f"'{op.kind}' takes one value, and {flow}", "choose one with `from`, or join them before"
    return f"'{op.kind}' takes {wanted} values, and {flow}", f"name {wanted} of them with `from`, in their order"


def _too_large(op: Op, what: str, shape: Shape, span: Span) -> ArchspecError:
    if len(shape) > MAX_AXES:
        message = f"{what} of '{op.kind}' has {len(shape):,} axes"
        return fail("too-large", message, span, help=f"at most {MAX_AXES} are allowed")
    elements = prod(size for size in shape if isinstance(size, int))
    message = f"{what} of '{op.kind}' is {format_shape(shape)}: {elements:,} elements"
    return fail("too-large", message, span, help=f"at most {MAX_ELEMENTS:,} are allowed in one tensor")


def _wrong_attributes(step: OpStep, attributes: Mapping[str, Data], error: ValidationError) -> list[Diagnostic]:
    """What to say about each attribute that pydantic refuses, once. Unknown ones have been refused before."""
    faults = {str(found["loc"][0]): found["type"] for found in reversed(error.errors(include_url=False))}
    found: list[Diagnostic] = []
    for name in reversed(faults):
        if faults[name] == "missing":
            found.append(_missing_attribute(step.op, name, step.span))
        else:
            place = step.attributes[name].span if name in step.attributes else step.span
            found.append(_wrong_value(step.op, name, attributes[name], place, step.attributes.get(name)))
    return found


def _missing_attribute(kind: type[Op], name: str, place: Span) -> Diagnostic:
    help = f"{name}: {attributes_of(kind)[name].phrase}"
    return Diagnostic("missing-attribute", f"'{kind.kind}' needs '{name}'", place, help=help)


def _wrong_value(kind: type[Op], name: str, value: Data, place: Span, written: Field | None) -> Diagnostic:
    about = attributes_of(kind)[name]
    message = f"'{name}' of '{kind.kind}' is {about.phrase}, not {show(value)}"
    if isinstance(value, int) and abs(value) > LARGEST:
        message = f"'{name}' of '{kind.kind}' is at most {LARGEST:,}, not {value:,}"
    if not isinstance(value, str):
        return Diagnostic("wrong-value", message, place)
    help = yes_or_no(value) or (did_you_mean(value, sorted(about.keywords)) if about.keywords else None)
    if not isinstance(value, Bare):
        filled = written.only_hole if isinstance(written, Template) else None
        help = help or (f"an expression stands without the dollar sign: {filled}" if filled else None)
        return Diagnostic("wrong-value", message, place, help=help)
    notes = () if value.span == place else (("used", place.seen_from(value.span.source)),)
    return Diagnostic("wrong-value", message, value.span, notes, help or value.help)
