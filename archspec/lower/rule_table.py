"""The rule table of a target: one rule per op, registered where it is defined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Node
from archspec.ops import Op

Op1 = TypeVar("Op1", bound=Op)
Op2 = TypeVar("Op2", bound=Op)
Op3 = TypeVar("Op3", bound=Op)
C = TypeVar("C")
R = TypeVar("R")


class RuleTable(Generic[C, R]):
    """The rules of a target: functions `(op, context) -> result`, one per op.

    The context is the node, or a builder that contains it. `folder` is the folder of the rules, for messages.
    """

    def __init__(self, target: str, folder: str) -> None:
        self.target = target
        self.folder = folder
        self._rules: dict[type[Op], Callable[[Any, C], R]] = {}

    @overload
    def rule(self, first: type[Op1], /) -> Callable[[Callable[[Op1, C], R]], Callable[[Op1, C], R]]: ...
    @overload
    def rule(
        self, first: type[Op1], second: type[Op2], /
    ) -> Callable[[Callable[[Op1 | Op2, C], R]], Callable[[Op1 | Op2, C], R]]: ...
    @overload
    def rule(
        self, first: type[Op1], second: type[Op2], third: type[Op3], /
    ) -> Callable[[Callable[[Op1 | Op2 | Op3, C], R]], Callable[[Op1 | Op2 | Op3, C], R]]: ...
    @overload
    def rule(self, *ops: type[Op1]) -> Callable[[Callable[[Op1, C], R]], Callable[[Op1, C], R]]: ...
    def rule(self, *ops: type[Op]) -> Callable[[Callable[[Any, C], R]], Callable[[Any, C], R]]:
        """Register the decorated function as the rule of these ops; its first parameter is an op of one of them.

        Raises:
            ValueError: an op already has a rule.
        """

        def register(function: Callable[[Any, C], R]) -> Callable[[Any, C], R]:
            for op in ops:
                if op in self._rules:
                    raise ValueError(f"{self.target} has two rules for '{op.kind}'")
                self._rules[op] = function
            return function

        return register

    def apply(self, node: Node, context: C) -> R:
        """The result of the node's rule.

        Raises:
            ArchspecError: the target has no rule for this op, or the rule cannot express what the node asks for.
        """
        op = node.op
        assert isinstance(op, Op)
        rule = self._rules.get(type(op)) or self._plugin_rule(op, node)
        return rule(op, context)

    def _plugin_rule(self, op: Op, node: Node) -> Callable[[Any, C], R]:
        """The rule that a plugin's op names.

        Raises:
            ArchspecError: the op names none, or it cannot be imported.
        """
        if self.target not in op.rules:
            message = f"{self.target} has no rule for '{op.kind}'"
            raise fail("unsupported", message, node.span, help=f"rules are in {self.folder}")
        module, _, function = op.rules[self.target].partition(":")
        try:
            rule: Callable[[Any, C], R] = getattr(import_module(module), function)
        except Exception as error:  # importing runs the plugin's code, which may fail in any way
            message = f"cannot import the {self.target} rule for '{op.kind}': {type(error).__name__}: {error}"
            raise fail("wrong-plugin", message, node.span, help=f"the op names {op.rules[self.target]}") from error
        return rule

    def __contains__(self, op: type[Op]) -> bool:
        return op in self._rules

    def __iter__(self) -> Iterator[type[Op]]:
        return iter(self._rules)

    def __getitem__(self, op: type[Op]) -> Callable[[Any, C], R]:
        """The rule of an op that is not a plugin's."""
        return self._rules[op]


def unsupported(target: str, node: Node, reason: str) -> ArchspecError:
    """The error of a rule that cannot express what its node asks for."""
    return fail("unsupported", f"{target} cannot express '{node.name}': {reason}", node.span)
