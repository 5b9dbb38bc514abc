"""Weights of nodes: initializers, fixed values, frozen weights, sharing, and the limit on their number."""

from __future__ import annotations

from archspec.diagnostics import ArchspecError, Span, did_you_mean, fail
from archspec.frontend.elaborate.nodes import Signature
from archspec.frontend.elaborate.op_initializers import Evaluate, OpInitializers, initializer
from archspec.frontend.expressions.values import Data
from archspec.frontend.language.spec import WeightOptions
from archspec.frontend.limits import MAX_PARAMETERS
from archspec.frozen import replace
from archspec.ir.graph import Node
from archspec.ir.initializers import OF_KERNELS, misfit
from archspec.ir.types import Initializer, Weight, buffer_contents
from archspec.ops.attribute_types import FLOAT_MAX


class WeightBinder:
    """Applies the weight options of steps to the nodes of one graph."""

    def __init__(self) -> None:
        self.total = 0
        self._owners: dict[str, Node] = {}

    def apply_defaults(self, node: Node, signature: Signature, initial: OpInitializers) -> Node:
        """The node with a spec's initializers for its op; nodes of one signature have the same weight objects.

        Raises:
            ArchspecError: an initializer does not suit a weight.
        """
        weights = initial.weights.get(signature)
        if weights is None:
            initialized = [_with_default(node, weight, initial) for weight in node.weights]
            weights = initial.weights[signature] = tuple(initialized)
        return node.with_weights(weights)

    def apply(self, node: Node, options: WeightOptions, evaluate: Evaluate, initial: OpInitializers) -> Node:
        """The node with its weights initialized or fixed as the spec says.

        Args:
            node: the node.
            options: the options of its step.
            evaluate: evaluates fields where the step is.
            initial: the initializers for all layers of the op.

        Raises:
            ArchspecError: an option names a weight that the op lacks, or has an invalid value.
        """
        names = [weight.name for weight in node.weights if not weight.buffer]
        for name, own in options.initializers.items():
            if name not in names:
                raise _unknown_weight(node, name, own.span, names)
        if options.fixed is not None and "weight" not in names:
            raise _unknown_weight(node, "weight", options.fixed.span, names)
        weights = [_initialized(node, weight, options, evaluate, initial) for weight in node.weights]
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
            ArchspecError: there are no weights there, their shapes or their buffers differ, or only one node has bare
                weights.
        """
        shared = self._owners.get(owner)
        if shared is None:
            message = f"'{owner}' has no weights for '{node.name}' to share"
            raise fail("wrong-share", message, span, help="share with a layer of the same op above this one")
        if _shapes(node) != _shapes(shared):
            notes = [(f"{node.name}:", _shapes(node)), (f"{shared.name}:", _shapes(shared))]
            message = f"'{node.name}' cannot share weights of other shapes"
            raise fail("wrong-share", message, span, notes=notes, help=f"give it the attributes of '{shared.name}'")
        if buffer_contents(node.weights) != buffer_contents(shared.weights):
            message = f"'{node.name}' cannot share the weights of '{shared.name}', which are for other attributes"
            raise fail("wrong-share", message, span, help=f"give it the attributes of '{shared.name}'")
        if _bare(node) != _bare(shared):
            message = f"'{node.name}' cannot share the weights of '{shared.op.kind}'"
            raise fail("wrong-share", message, span, help="share with a layer of the same op")
        self._owners[node.name] = node
        return node.with_weights(shared.weights, shared.owner or shared.name)


def _initialized(
    node: Node, weight: Weight, options: WeightOptions, evaluate: Evaluate, initial: OpInitializers
) -> Weight:
    if weight.buffer:
        return weight
    if options.fixed is not None and weight.name == "weight":
        initial.note(node.op.kind, weight.name)
        return _fixed(weight, evaluate(options.fixed), options.fixed.span)
    if weight.name in options.initializers:
        initial.note(node.op.kind, weight.name)
        own = options.initializers[weight.name]
        return replace(weight, initializer=_checked(initializer(own, evaluate), weight, node, own.span))
    return _with_default(node, weight, initial)


def _with_default(node: Node, weight: Weight, initial: OpInitializers) -> Weight:
    """The weight with the initializer for all layers of the op, if it has one."""
    if weight.buffer:
        return weight
    initial.note(node.op.kind, weight.name)
    default = initial.of_ops.get(node.op.kind, {}).get(weight.name)
    if default is None:
        return weight
    common = initial.evaluated(node.op.kind, weight.name)
    return replace(weight, initializer=_checked(common, weight, node, default.span))


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
