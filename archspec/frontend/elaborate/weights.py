"""The weights of nodes: whose they are, how they start, what the spec fixes, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from archspec.diagnostics import ArchspecError, Diagnostic, Span, did_you_mean, fail
from archspec.frontend.expressions.values import Data, show
from archspec.frontend.language.fields import Constant, Field
from archspec.frontend.language.spec import DEFAULT_OPTIONS, Start, WeightOptions
from archspec.frontend.limits import MAX_PARAMETERS
from archspec.ir.graph import Node
from archspec.ir.initializers import INITIALIZERS, OF_KERNELS, misfit
from archspec.ir.types import Initializer, Weight
from archspec.ops.attribute_types import FLOAT_MAX

Evaluate = Callable[[Field], Data]
"""Works out a value where the layer stands."""


class Weights:
    """Settles the weights of the nodes of one graph. `starts` are what the spec says for all layers of an op."""

    def __init__(self, starts: Mapping[str, Mapping[str, Start]], evaluate: Evaluate) -> None:
        self.starts = starts
        self.total = 0
        self._initializers: dict[tuple[str, str], Initializer] = {}
        self._evaluate = evaluate
        self._lenders: dict[str, Node] = {}
        self._seen: dict[str, set[str]] = {}
        self._plain: dict[int, tuple[Weight, ...]] = {}

    def start(self, node: Node, wishes: WeightOptions, evaluate: Evaluate) -> Node:
        """The node with its weights started, fixed or frozen as the spec says.

        Raises:
            ArchspecError: the spec speaks of a weight the op has not, or gives values that cannot be.
        """
        if wishes is DEFAULT_OPTIONS:
            return node.with_weights(self._as_common(node, evaluate))
        known = [weight.name for weight in node.weights if not weight.buffer]
        for name, start in wishes.starts.items():
            if name not in known:
                raise _no_weight(node, name, start.span, known)
        if wishes.fixed is not None and "weight" not in known:
            raise _no_weight(node, "weight", wishes.fixed.span, known)
        weights = [self._started(node, weight, wishes, evaluate) for weight in node.weights]
        if wishes.trainable is not None and not _holds(wishes.trainable, evaluate):
            weights = [replace(weight, trainable=False) for weight in weights]
        return node.with_weights(tuple(weights))

    def _as_common(self, node: Node, evaluate: Evaluate) -> tuple[Weight, ...]:
        """The weights of a node that has no wishes of its own; the nodes of one signature get the same object."""
        key = id(node.weights)
        if key not in self._plain:
            self._plain[key] = tuple(
                [self._started(node, weight, DEFAULT_OPTIONS, evaluate) for weight in node.weights]
            )
        return self._plain[key]

    def own(self, node: Node, elements: int, span: Span) -> ArchspecError | None:
        """Let others share the weights of a node that owns them; the error to report, once, if there are too many."""
        self._lenders[node.name] = node
        before, self.total = self.total, self.total + elements
        if not before <= MAX_PARAMETERS < self.total:
            return None
        message = f"with '{node.name}' the network has {self.total:,} weights"
        return fail("too-large", message, span, help=f"at most {MAX_PARAMETERS:,} are allowed")

    def borrow(self, node: Node, owner: str, span: Span) -> Node:
        """The node with the weights found under the path `owner`.

        Raises:
            ArchspecError: there are none, or they do not fit.
        """
        lender = self._lenders.get(owner)
        if lender is None:
            message = f"'{owner}' has no weights for '{node.name}' to share"
            raise fail("wrong-share", message, span, help="share with a layer of the same op above this one")
        if _shapes(node) != _shapes(lender):
            notes = [(f"{node.name}:", _shapes(node)), (f"{lender.name}:", _shapes(lender))]
            message = f"'{node.name}' cannot share weights of other shapes"
            raise fail("wrong-share", message, span, notes=notes, help=f"give it the attributes of '{lender.name}'")
        self._lenders[node.name] = node
        return node.with_weights(lender.weights, lender.owner or lender.name)

    def unused_starts(self) -> Iterator[Diagnostic]:
        """What to say about weights the spec starts that no layer of the op has."""
        for kind, starts in self.starts.items():
            for name, start in starts.items():
                if kind in self._seen and name not in self._seen[kind]:
                    help = did_you_mean(name, sorted(self._seen[kind]))
                    yield Diagnostic("unknown-weight", f"no '{kind}' has a weight '{name}'", start.span, help=help)

    def _started(self, node: Node, weight: Weight, wishes: WeightOptions, evaluate: Evaluate) -> Weight:
        kind = node.op.kind
        seen = self._seen.setdefault(kind, set())
        if weight.buffer:
            return weight
        seen.add(weight.name)
        if wishes.fixed is not None and weight.name == "weight":
            return _fixed(weight, evaluate(wishes.fixed), wishes.fixed.span)
        if weight.name in wishes.starts:
            start = wishes.starts[weight.name]
            return replace(weight, initializer=_fitting(initializer(start, evaluate), weight, node, start.span))
        if weight.name in self.starts.get(kind, {}):
            start = self.starts[kind][weight.name]
            return replace(weight, initializer=_fitting(self._common(kind, weight.name), weight, node, start.span))
        return weight

    def _common(self, kind: str, name: str) -> Initializer:
        if (kind, name) not in self._initializers:
            self._initializers[kind, name] = initializer(self.starts[kind][name], self._evaluate)
        return self._initializers[kind, name]


def initializer(start: Start, evaluate: Evaluate) -> Initializer:
    """The initializer a spec asks for, with its options worked out.

    Raises:
        ArchspecError: an option is no number that float32 holds, or those given make no distribution.
    """
    options: dict[str, object] = {}
    for option, default in INITIALIZERS[start.kind].items():
        if option not in start.options:
            options[option] = default[0] if isinstance(default, tuple) else default
        elif isinstance(default, tuple):
            written = start.options[option]
            options[option] = written.value if isinstance(written, Constant) else None
        else:
            options[option] = _number(option, start.options[option], evaluate)
    if start.kind == "trunc_normal" and options["std"] == 0:
        raise fail("wrong-value", "'std' of 'trunc_normal' is above 0", start.span, help="all elements alike: constant")
    low, high = options.get("low", 0.0), options.get("high", 0.0)
    assert isinstance(low, float)
    assert isinstance(high, float)
    if not 0 <= high - low <= FLOAT_MAX:
        message = f"'uniform' is from 'low' up to 'high', not from {show(low)} to {show(high)}"
        raise fail("wrong-value", message, start.span, help="the default is from 0 to 1")
    return Initializer(start.kind, options)


def _fitting(initializer: Initializer, weight: Weight, node: Node, span: Span) -> Initializer:
    """The initializer, if such a weight can start from it."""
    # What a layer does with a weight of its own alone is no convolution, however many axes it has.
    reason = misfit(initializer.kind, () if weight.bare and initializer.kind in OF_KERNELS else weight.shape)
    if reason is not None:
        message = f"{reason}, and the {weight.name} of '{node.op.kind}' has shape {list(weight.shape)}"
        raise fail("wrong-value", message, span, help="start it with uniform, normal or a number")
    return initializer


def _number(option: str, written: Field, evaluate: Evaluate) -> float:
    value = evaluate(written)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail("wrong-value", f"'{option}' is a number, not {show(value)}", written.span)
    if option == "std" and value < 0:
        raise fail("wrong-value", f"'std' is at least 0, not {show(value)}", written.span)
    if abs(value) > FLOAT_MAX:
        raise fail("wrong-value", f"'{option}' is a number float32 holds, not {value:g}", written.span)
    return float(value)


def _holds(condition: Field, evaluate: Evaluate) -> bool:
    value = evaluate(condition)
    if not isinstance(value, bool):
        raise fail("wrong-value", f"'trainable' is true or false, not {show(value)}", condition.span)
    return value


def _no_weight(node: Node, name: str, span: Span, known: list[str]) -> ArchspecError:
    help = did_you_mean(name, known)
    return fail("unknown-weight", f"'{node.op.kind}' has no weight '{name}' here", span, help=help)


def _fixed(weight: Weight, values: Data, span: Span) -> Weight:
    shape = _shape_of(values)
    if shape is None:
        raise fail("wrong-value", "'weight' is numbers in lists of equal length", span)
    if (large := _too_large(values)) is not None:
        raise fail("wrong-value", f"'weight' is numbers that float32 holds, not {large:g}", span)
    if len(shape) > len(weight.shape) or any(
        have not in (1, want) for have, want in zip(reversed(shape), reversed(weight.shape), strict=False)
    ):
        message = f"'weight' has shape {list(shape)}, which does not fit {list(weight.shape)}"
        help = f"give the last axes of {list(weight.shape)}; axes before them repeat"
        raise fail("wrong-value", message, span, help=help)
    return replace(weight, initializer=Initializer("values", {"values": values}), trainable=False)


def _shape_of(values: Data) -> tuple[int, ...] | None:
    """The shape of nested tuples of numbers; None where they are ragged or hold something else."""
    if not isinstance(values, tuple):
        return () if isinstance(values, int | float) and not isinstance(values, bool) else None
    shapes = {_shape_of(item) for item in values}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(values), *inner)


def _too_large(values: Data) -> float | None:
    """The first of nested numbers that float32 does not hold; None where it holds them all."""
    if isinstance(values, tuple):
        return next((found for item in values if (found := _too_large(item)) is not None), None)
    return values if isinstance(values, int | float) and abs(values) > FLOAT_MAX else None


def _shapes(node: Node) -> str:
    return ", ".join(f"{weight.name} {list(weight.shape)}" for weight in node.weights)
