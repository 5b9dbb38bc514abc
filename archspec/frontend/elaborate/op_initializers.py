"""Initializers: those that a spec sets for all layers of an op, and their options evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archspec.diagnostics import Diagnostic, did_you_mean, fail
from archspec.frontend.elaborate.nodes import Signature
from archspec.frontend.expressions.values import Data, show
from archspec.frontend.language.fields import ConstantField, Field
from archspec.frontend.language.spec import InitializerSpec
from archspec.ir.initializers import INITIALIZERS
from archspec.ir.types import Initializer, Weight
from archspec.ops.attribute_types import FLOAT_MAX

Evaluate = Callable[[Field], Data]
"""Evaluates a field in some context."""


class OpInitializers:
    """The initializers that one spec sets for all layers of an op.

    Args:
        of_ops: these initializers, by op and weight.
        evaluate: evaluates their options.
    """

    def __init__(self, of_ops: Mapping[str, Mapping[str, InitializerSpec]], evaluate: Evaluate) -> None:
        self.of_ops = of_ops
        self.weights: dict[Signature, tuple[Weight, ...]] = {}
        """The weights of the nodes of a signature, with these initializers."""
        self._evaluate = evaluate
        self._evaluated: dict[tuple[str, str], Initializer] = {}
        self._names: dict[str, set[str]] = {}

    def note(self, kind: str, name: str) -> None:
        """Record that a layer of an op has a weight."""
        self._names.setdefault(kind, set()).add(name)

    def evaluated(self, kind: str, name: str) -> Initializer:
        """The initializer of a weight of an op.

        Raises:
            ArchspecError: it does not define a distribution.
        """
        if (kind, name) not in self._evaluated:
            self._evaluated[kind, name] = initializer(self.of_ops[kind][name], self._evaluate)
        return self._evaluated[kind, name]

    def unused(self) -> Iterator[Diagnostic]:
        """An error for each initializer whose weight no layer of the op has."""
        for kind, of_op in self.of_ops.items():
            for name, initial in of_op.items():
                if kind in self._names and name not in self._names[kind]:
                    help = did_you_mean(name, sorted(self._names[kind]))
                    yield Diagnostic("unknown-weight", f"no '{kind}' has a weight '{name}'", initial.span, help=help)


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


def _number(option: str, field: Field, evaluate: Evaluate) -> float:
    value = evaluate(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail("wrong-value", f"'{option}' is a number, not {show(value)}", field.span)
    if option == "std" and value < 0:
        raise fail("wrong-value", f"'std' is at least 0, not {show(value)}", field.span)
    if abs(value) > FLOAT_MAX:
        raise fail("wrong-value", f"'{option}' exceeds the range of float32: {value:g}", field.span)
    return float(value)
