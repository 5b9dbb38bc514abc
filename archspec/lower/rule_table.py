"""The table a target is made of: one rule per op, registered at the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Generic, TypeVar

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Node
from archspec.ops import Op

OpT = TypeVar("OpT", bound=Op)
C = TypeVar("C")
R = TypeVar("R")


class RuleTable(Generic[C, R]):
    """How a target writes each op: functions `(op, context) -> result`.

    The context is what a target's rules write with: the node itself, or a builder that holds it. `folder` is where to
    add a missing rule.
    """

    def __init__(self, target: str, folder: str) -> None:
        self.target = target
        self.folder = folder
        self._rules: dict[type[Op], Callable[[Any, C], R]] = {}

    def rule(self, *ops: type[OpT]) -> Callable[[Callable[[OpT, C], R]], Callable[[OpT, C], R]]:
        """Register the decorated function as the rule of these ops.

        Raises:
            ValueError: an op already has a rule.
        """

        def register(function: Callable[[OpT, C], R]) -> Callable[[OpT, C], R]:
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

    def module_of(self, op: type[Op]) -> str:
        """The module that holds the rule of an op: its family."""
        return self._rules[op].__module__


# Removed when the last target registers its rules in a RuleTable.
class Rules(Generic[R]):
    """What a target does for each op. `file` is the file or the folder to edit when a rule is missing."""

    def __init__(self, target: str, file: str) -> None:
        self.target = target
        self.file = file
        self._rules: dict[type[Op], R] = {}

    def add(self, op: type[Op], rule: R) -> None:
        """Enter a rule; a second one for the same op is a mistake."""
        if op in self._rules:
            raise ValueError(f"{self.target} has two rules for '{op.kind}'")
        self._rules[op] = rule

    def rule(self, *ops: type[Op]) -> Callable[[R], R]:
        """Enter a function as the rule of some ops."""

        def enter(rule: R) -> R:
            for op in ops:
                self.add(op, rule)
            return rule

        return enter

    def include(self, family: Rules[R]) -> None:
        """Enter the rules of a family."""
        for op, rule in family._rules.items():
            self.add(op, rule)

    def __getitem__(self, node: Node) -> R:
        """The rule for a node.

        Raises:
            ArchspecError: the target has none for this op.
        """
        op = type(node.op)
        if isinstance(node.op, Op) and op in self._rules:
            return self._rules[op]
        if isinstance(node.op, Op) and self.target in node.op.rules:
            return self._of_plugin(node.op.rules[self.target], node)
        raise fail(
            "unsupported",
            f"{self.target} has no rule for '{node.op.kind}'",
            node.span,
            help=f"rules are in {self.file}",
        )

    def _of_plugin(self, place: str, node: Node) -> R:
        """The rule that the op of a plugin brings.

        Raises:
            ArchspecError: it is not where the op says.
        """
        module, _, function = place.partition(":")
        try:
            rule: R = getattr(import_module(module), function)
        except Exception as error:  # importing runs somebody's code, which may fail in any way
            message = f"{self.target}'s rule for '{node.op.kind}' is not to be had: {type(error).__name__}: {error}"
            raise fail("wrong-plugin", message, node.span, help=f"the op says it is at {place}") from error
        return rule

    def __contains__(self, op: type[Op]) -> bool:
        return op in self._rules

    def __iter__(self) -> Iterator[type[Op]]:
        return iter(self._rules)


def unsupported(target: str, node: Node, reason: str) -> ArchspecError:
    """The error of a rule that cannot express what its node asks for."""
    return fail("unsupported", f"{target} cannot express '{node.name}': {reason}", node.span)
