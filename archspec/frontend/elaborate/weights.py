"""Weights of nodes: initializers, fixed values, frozen weights, sharing, and the limit on their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.diagnostics import ArchspecError, Diagnostic, Span, did_you_mean, fail
from archspec.frontend.elaborate.context import Evaluate
from archspec.frontend.elaborate.nodes import Signature
from archspec.frontend.expressions.values import Data, show
from archspec.frontend.language.fields import ConstantField, Field
from archspec.frontend.language.spec import DEFAULT_OPTIONS, InitializerSpec, WeightOptions
from archspec.frontend.limits import MAX_PARAMETERS
from archspec.frozen import replace
from archspec.ir.graph import Node
from archspec.ir.initializers import INITIALIZERS, OF_KERNELS, misfit
from archspec.ir.types import Initializer, Weight
from archspec.ops.attribute_types import FLOAT_MAX


class WeightBinder:
    """Applies the weight options of a spec to the nodes of one graph.

    Args:
        initializers: the spec's initializers for all layers of an op, by op and weight.
        evaluate: evaluates the options of those initializers.
    """

    def __init__(self, initializers: Mapping[str, Mapping[str, InitializerSpec]], evaluate: Evaluate) -> None:
        self.total = 0
        self._initializers_of_ops = initializers
        self._evaluate = evaluate
        self._evaluated: dict[tuple[str, str], Initializer] = {}
        self._owners: dict[str, Node] = {}
        self._weight_names: dict[str, set[str]] = {}
        self._with_defaults: dict[Signature, tuple[Weight, ...]] = {}

    def apply_defaults(self, node: Node, signature: Signature) -> Node:
        """The node with the spec's initializers for its op; nodes of one signature have the same weight objects.

        Raises:
            ArchspecError: an initializer does not suit a weight.
        """
        weights = self._with_defaults.get(signature)
        if weights is None:
            initialized = [self._initialized(node, weight, DEFAULT_OPTIONS, self._evaluate) for weight in node.weights]
            weights = self._with_defaults[signature] = tuple(initialized)
        return node.with_weights(weights)

    def apply(self, node: Node, options: WeightOptions, evaluate: Evaluate) -> Node:
        """The node with its weights initialized or fixed as the spec says.

        Args:
            node: the node.
            options: the options of its step.
            evaluate: evaluates fields where the step is.

        Raises:
            ArchspecError: an option names a weight that the op lacks, or has an invalid value.
        """
        names = [weight.name for weight in node.weights if not weight.buffer]
        for name, initial in options.initializers.items():
            if name not in names:
                raise _unknown_weight(node, name, initial.span, names)
        if options.fixed is not None and "weight" not in names:
            raise _unknown_weight(node, "weight", options.fixed.span, names)
        weights = [self._initialized(node, weight, options, evaluate) for weight in node.weights]
        return node.with_weights(tuple(weights))

    def register(self, node: Node, elements: int, span: Span) -> ArchspecError | None:
        """Record a node that owns its weights, so that others can share them.

        Returns:
            An error if this node makes the network's weights exceed the limit; the nodes after it do not report it.
        """
        self._owners[node.name] = node
        before, self.total = self.total, self.total + elements
        if not before <= MAX_PARAMETERS < self.total:
            return None
        message = f"with '{node.name}' the network has {self.total:,} weights"
        return fail("too-large", message, span, help=f"at most {MAX_PARAMETERS:,} are allowed")

    def owner(self, path: str) -> Node | None:
        """The node at a path that owns or shares weights; None if there is none."""
        return self._owners.get(path)

    def share(self, node: Node, owner: str, span: Span) -> Node:
        """The node with the weights of the node at the path `owner`.

        Raises:
            ArchspecError: there are no weights there, their shapes differ, or only one node has bare weights.
        """
        shared = self._owners.get(owner)
        if shared is None:
            message = f"'{owner}' has no weights for '{node.name}' to share"
            raise fail("wrong-share", message, span, help="share with a layer of the same op above this one")
        if _shapes(node) != _shapes(shared):
            notes = [(f"{node.name}:", _shapes(node)), (f"{shared.name}:", _shapes(shared))]
            message = f"'{node.name}' cannot share weights of other shapes"
            raise fail("wrong-share", message, span, notes=notes, help=f"give it the attributes of '{shared.name}'")
        if _bare(node) != _bare(shared):
            message = f"'{node.name}' cannot share the weights of '{shared.op.kind}'"
            raise fail("wrong-share", message, span, help="share with a layer of the same op")
        self._owners[node.name] = node
        return node.with_weights(shared.weights, shared.owner or shared.name)

    def unused_initializers(self) -> Iterator[Diagnostic]:
        """An error for each initializer whose weight no layer of the op has."""
        for kind, of_op in self._initializers_of_ops.items():
            for name, initial in of_op.items():
                if kind in self._weight_names and name not in self._weight_names[kind]:
                    help = did_you_mean(name, sorted(self._weight_names[kind]))
                    yield Diagnostic("unknown-weight", f"no '{kind}' has a weight '{name}'", initial.span, help=help)

    def _initialized(self, node: Node, weight: Weight, options: WeightOptions, evaluate: Evaluate) -> Weight:
        kind = node.op.kind
        names = self._weight_names.setdefault(kind, set())
        if weight.buffer:
            return weight
        names.add(weight.name)
        if options.fixed is not None and weight.name == "weight":
            return _fixed(weight, evaluate(options.fixed), options.fixed.span)
        if weight.name in options.initializers:
            initial = options.initializers[weight.name]
            return replace(weight, initializer=_checked(initializer(initial, evaluate), weight, node, initial.span))
        if weight.name in self._initializers_of_ops.get(kind, {}):
            initial = self._initializers_of_ops[kind][weight.name]
            common = self._initializer_of_op(kind, weight.name)
            return replace(weight, initializer=_checked(common, weight, node, initial.span))
        return weight

    def _initializer_of_op(self, kind: str, name: str) -> Initializer:
        if (kind, name) not in self._evaluated:
            self._evaluated[kind, name] = initializer(self._initializers_of_ops[kind][name], self._evaluate)
        return self._evaluated[kind, name]


def initializer(initial: InitializerSpec, evaluate: Evaluate) -> Initializer:
    """The initializer a spec asks for, with its options evaluated.

    Raises:
        ArchspecError: an option is not a finite float32 number, or the options do not define a distribution.
    """
    options: dict[str, object] = {}
    for option, default in INITIALIZERS[initial.kind].items():
        if option not in initial.options:
            options[option] = default[0] if isinstance(default, tuple) else default
        elif isinstance(default, tuple):
            field = initial.options[option]
            options[option] = field.value if isinstance(field, ConstantField) else None
        else:
            options[option] = _number(option, initial.options[option], evaluate)
    if initial.kind == "trunc_normal" and options["std"] == 0:
        help = "use `constant` for equal elements"
        raise fail("wrong-value", "'std' of 'trunc_normal' is greater than 0", initial.span, help=help)
    low, high = options.get("low", 0.0), options.get("high", 0.0)
    assert isinstance(low, float)
    assert isinstance(high, float)
    if not 0 <= high - low <= FLOAT_MAX:
        message = f"'uniform' is from 'low' up to 'high', not from {show(low)} to {show(high)}"
        raise fail("wrong-value", message, initial.span, help="the default is from 0 to 1")
    return Initializer(initial.kind, options)


def _checked(initializer: Initializer, weight: Weight, node: Node, span: Span) -> Initializer:
    """The initializer.

    Raises:
        ArchspecError: it does not suit the shape of the weight.
    """
    # A bare weight is not a kernel, however many axes it has.
    reason = misfit(initializer.kind, () if weight.bare and initializer.kind in OF_KERNELS else weight.shape)
    if reason is not None:
        message = f"{reason}, but the {weight.name} of '{node.op.kind}' has shape {list(weight.shape)}"
        raise fail("wrong-value", message, span, help="initialize it with uniform, normal or a number")
    return initializer


def _number(option: str, field: Field, evaluate: Evaluate) -> float:
    value = evaluate(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail("wrong-value", f"'{option}' is a number, not {show(value)}", field.span)
    if option == "std" and value < 0:
        raise fail("wrong-value", f"'std' is at least 0, not {show(value)}", field.span)
    if abs(value) > FLOAT_MAX:
        raise fail("wrong-value", f"'{option}' exceeds the range of float32: {value:g}", field.span)
    return float(value)


def _unknown_weight(node: Node, name: str, span: Span, names: list[str]) -> ArchspecError:
    help = did_you_mean(name, names)
    return fail("unknown-weight", f"'{node.op.kind}' has no weight '{name}' here", span, help=help)


def _fixed(weight: Weight, values: Data, span: Span) -> Weight:
    """The weight with fixed values, which are broadcast to its shape."""
    shape = _shape_of(values)
    if shape is None:
        raise fail("wrong-value", "'weight' is a number, or nested lists of equal length of numbers", span)
    if (large := _out_of_range(values)) is not None:
        raise fail("wrong-value", f"'weight' exceeds the range of float32: {large:g}", span)
    if len(shape) > len(weight.shape) or any(
        size not in (1, wanted) for size, wanted in zip(reversed(shape), reversed(weight.shape), strict=False)
    ):
        message = f"'weight' has shape {list(shape)}, which does not fit {list(weight.shape)}"
        help = f"give the last axes of {list(weight.shape)}; the values repeat along the axes before them"
        raise fail("wrong-value", message, span, help=help)
    return replace(weight, initializer=Initializer("values", {"values": values}), trainable=False)


def _shape_of(values: Data) -> tuple[int, ...] | None:
    """The shape of nested tuples of numbers; None if they are ragged or contain something else."""
    if not isinstance(values, tuple):
        return () if isinstance(values, int | float) and not isinstance(values, bool) else None
    shapes = {_shape_of(item) for item in values}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(values), *inner)


def _out_of_range(values: Data) -> float | None:
    """The first of nested numbers outside the range of float32, if there is one."""
    if isinstance(values, tuple):
        return next((number for item in values if (number := _out_of_range(item)) is not None), None)
    return values if isinstance(values, int | float) and abs(values) > FLOAT_MAX else None


def _shapes(node: Node) -> str:
    return ", ".join(f"{weight.name} {list(weight.shape)}" for weight in node.weights)


def _bare(node: Node) -> list[bool]:
    return [weight.bare for weight in node.weights]
