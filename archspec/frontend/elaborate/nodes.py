"""Creating nodes: attributes are validated, types inferred, and an op's errors get positions and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod

from archspec.diagnostics import ArchspecError, Diagnostic, Note, Source, Span, did_you_mean, fail
from archspec.frontend.elaborate.shape_mismatch import LabelledValue, suggest_fix
from archspec.frontend.elaborate.value_help import value_help
from archspec.frontend.expressions.values import Bare, Data, show
from archspec.frontend.language.fields import Field, TemplateField
from archspec.frontend.language.spec import JoinStep, OpStep, Step
from archspec.frontend.limits import MAX_AXES, MAX_ELEMENTS
from archspec.frontend.yaml.scalars import yes_or_no
from archspec.frozen import frozen
from archspec.ir.graph import Node, Value
from archspec.ir.types import DType, Shape, TensorType, Weight, format_shape
from archspec.ops import InvalidAttributes, Op, OpError
from archspec.ops.attribute_types import LARGEST, attributes_of
from archspec.ops.creation import create


@frozen(eq=False)
class Signature:
    """An op and, for its input types, the result of type inference: output types, weights and their elements.

    Signatures are compared by identity, since there is one per op and input types.
    """

    op: Op
    outputs: tuple[TensorType, ...]
    weights: tuple[Weight, ...]
    elements: int


class NodeFactory:
    """Creates the nodes of one graph. Equal types are one object, and each signature is inferred once.

    Attributes:
        origins: where the layer that computes a value is in its spec.
        pooled: what a pooling read, by its indices, and the tables of the blocks it is in.
    """

    def __init__(self) -> None:
        self.origins: dict[Value, Span] = {}
        self.pooled: dict[Value, tuple[Value, tuple[object, ...]]] = {}
        self._ops_of_steps: dict[tuple[OpStep, str | None], Op] = {}
        self._types: dict[TensorType, TensorType] = {}
        self._signatures: dict[tuple[int, ...], Signature] = {}
        """By the ids of an op and its input types, each of which is one object that is kept here."""

    def intern_type(self, type: TensorType) -> TensorType:
        """The one object used for all types equal to this one."""
        return self._types.setdefault(type, type)

    def cached_op(self, step: OpStep, key: str | None) -> Op | None:
        """The op of a step if it was created before for the same values of the names it reads; see `cache_key`."""
        return self._ops_of_steps.get((step, key))

    def op_of(self, step: OpStep, key: str | None, attributes: Mapping[str, Data]) -> Op:
        """The op of a step with these attributes; it is cached under `key`, unless that is None.

        Raises:
            ArchspecError: an attribute is missing or has an invalid value.
        """
        try:
            op = create(step.op, attributes)
        except InvalidAttributes as error:
            raise ArchspecError(_attribute_errors(step, attributes, error.names)) from error
        if key is not None:
            self._ops_of_steps[step, key] = op
        return op

    def cached_signature(self, op: Op, inputs: Sequence[Value]) -> Signature | None:
        """The signature of an op for these inputs if it was inferred before."""
        return self._signatures.get((id(op), *[id(value.type) for value in inputs]))

    def infer(self, op: Op, inputs: Sequence[Value], labelled: Sequence[LabelledValue], step: Step) -> Signature:
        """Infer the signature of an op for these inputs.

        Args:
            op: the op.
            inputs: its inputs.
            labelled: the values that an error lists as the inputs.
            step: the step of the op, or the structure whose paths it joins.

        Raises:
            ArchspecError: the op does not accept the inputs, or a tensor is too large.
        """
        types = tuple([value.type for value in inputs])
        if op.inputs is not None and len(types) != op.inputs:
            message, help = _wrong_arity(op, op.inputs, len(types))
            notes = self.shape_notes(labelled, step.span.source)
            raise fail("wrong-arity", message, step.span, notes=notes, help=help)
        try:
            outputs, weights = _inferred(op, types)
        except OpError as error:
            fix = error.help
            if fix is None and error.code == "shape-mismatch":
                fix = suggest_fix(op.kind, labelled, are_paths=isinstance(step, JoinStep) and not step.crop)
            notes = self.shape_notes(labelled, step.span.source)
            raise fail(error.code, error.message, step.span, notes=notes, help=fix) from error
        elements = sum([weight.elements for weight in weights])
        for output in outputs:
            if output.rank > MAX_AXES or output.elements > MAX_ELEMENTS:
                raise _too_large(op, "the output", output.shape, step.span)
        for weight in weights if elements > MAX_ELEMENTS else ():
            if weight.elements > MAX_ELEMENTS:
                raise _too_large(op, f"the {weight.name}", weight.shape, step.span)
        signature = Signature(op, tuple(map(self.intern_type, outputs)), weights, elements)
        self._signatures[(id(op), *map(id, types))] = signature
        return signature

    def create_node(self, name: str, op: Op, inputs: tuple[Value, ...], signature: Signature, span: Span) -> Node:
        """The node that applies `op` to `inputs`, with weights of its own."""
        node = Node.create(name, op, inputs, signature.outputs, signature.weights, span=span)
        for value in node.outputs:
            self.origins[value] = span
        return node

    def shape_notes(self, inputs: Sequence[LabelledValue], source: Source) -> list[Note]:
        """One note per input of a layer in `source`: its label, its type, and the layer it comes from."""
        notes: list[Note] = []
        for item in inputs:
            origin = self.origins.get(item.value)
            line = f", {origin.seen_from(source)}" if origin else ""
            remark = f" ({item.remark})" if item.remark else ""
            dtype = "" if item.type.dtype is DType.FLOAT32 else f"{item.type.dtype} "
            notes.append((f"{item.label}:", f"{dtype}{item.type}", f"from {item.value.name}{line}{remark}"))
        return notes


@lru_cache(maxsize=4096)
def _inferred(op: Op, types: tuple[TensorType, ...]) -> tuple[tuple[TensorType, ...], tuple[Weight, ...]]:
    """The output types and the weights of an op, kept for the whole process: loading a network again infers none."""
    return op.infer(types), op.weights(types)


def _wrong_arity(op: Op, wanted: int, count: int) -> tuple[str, str]:
    """The message and the help for a wrong number of inputs."""
    message = f"'{op.kind}' takes {wanted} input{'s' if wanted > 1 else ''}, but gets {count}"
    if wanted == 1:
        return message, "choose one with `from`, or join them before"
    return message, f"name {wanted} values with `from`, in order"


def _too_large(op: Op, what: str, shape: Shape, span: Span) -> ArchspecError:
    if len(shape) > MAX_AXES:
        message = f"{what} of '{op.kind}' has {len(shape):,} axes"
        return fail("too-large", message, span, help=f"at most {MAX_AXES} are allowed")
    elements = prod(size for size in shape if isinstance(size, int))
    message = f"{what} of '{op.kind}' is {format_shape(shape)}: {elements:,} elements"
    return fail("too-large", message, span, help=f"at most {MAX_ELEMENTS:,} are allowed in one tensor")


def _attribute_errors(step: OpStep, attributes: Mapping[str, Data], invalid: Iterable[str]) -> list[Diagnostic]:
    """One diagnostic per invalid attribute. Unknown attributes are reported when the spec is read."""
    diagnostics: list[Diagnostic] = []
    for name in invalid:
        if name not in attributes:
            diagnostics.append(_missing_attribute(step.op, name, step.span))
        else:
            span = step.attributes[name].span if name in step.attributes else step.span
            diagnostics.append(_wrong_value(step.op, name, attributes[name], span, step.attributes.get(name)))
    return diagnostics


def _missing_attribute(kind: type[Op], name: str, span: Span) -> Diagnostic:
    help = f"{name}: {attributes_of(kind)[name].phrase}"
    return Diagnostic("missing-attribute", f"'{kind.kind}' needs '{name}'", span, help=help)


def _wrong_value(kind: type[Op], name: str, value: Data, span: Span, field: Field | None) -> Diagnostic:
    attribute = attributes_of(kind)[name]
    message = f"'{name}' of '{kind.kind}' is {attribute.phrase}, not {show(value)}"
    if isinstance(value, int) and abs(value) > LARGEST:
        message = f"'{name}' of '{kind.kind}' is at most {LARGEST:,}, not {value:,}"
    if not isinstance(value, str):
        return Diagnostic("wrong-value", message, span, help=value_help(kind, name, value, field))
    help = yes_or_no(value) or (did_you_mean(value, sorted(attribute.keywords)) if attribute.keywords else None)
    if not isinstance(value, Bare):
        expression = field.only_hole if isinstance(field, TemplateField) else None
        help = help or (f"write the expression without the dollar sign: {expression}" if expression else None)
        return Diagnostic("wrong-value", message, span, help=help)
    notes = () if value.span == span else (("used", span.seen_from(value.span.source)),)
    return Diagnostic("wrong-value", message, value.span, notes, help or value.help)
