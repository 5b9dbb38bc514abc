"""Names in generated source: those that a text reads or defines itself, which the words of a spec must not take."""

from __future__ import annotations

import ast
import re
import symtable
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword

from archspec.lower.text.code_model import Argument, Call, Syntax


@dataclass(frozen=True, slots=True)
class ReservedNames:
    """Names that a parameter, a variable, a function or a class of a text cannot have.

    Besides the given names, these are the ones Python keeps for itself: keywords, names that start with two
    underscores (`__debug__` cannot be assigned, `__class__` makes `super()` work, and a class changes the others), and
    `_` and `i`, the variables of loops in the text.

    Attributes:
        names: the names that the text reads or defines itself.
        variables: a pattern of more of them.
    """

    names: frozenset[str]
    variables: re.Pattern[str] | None = None

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
            return True
        if name in self.names or name.startswith("__") or name in ("_", "i"):
            return True
        return self.variables is not None and self.variables.fullmatch(name) is not None

    def with_names(self, names: Iterable[str]) -> ReservedNames:
        """The same with more names."""
        return ReservedNames(self.names.union(names), self.variables)


def names_read(argument: Argument) -> Iterator[str]:
    """The names that the text of an argument reads, but for the inputs of a function and parameters of a class."""
    if not isinstance(argument, Call):
        return
    if argument.template is not None:
        yield from _names_in_template(argument.template)
    elif argument.syntax is Syntax.CALL:
        yield argument.callee.partition(".")[0]
    for part in (*argument.arguments.values(), *argument.children):
        yield from names_read(part)


@cache
def _names_in_template(template: str) -> frozenset[str]:
    try:
        tree = ast.parse(template.format_map(defaultdict(lambda: "_")), mode="eval")
    except SyntaxError:  # of a plugin's rule; the text is compiled before it is written, which reports it
        return frozenset()
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) - {"_"}


@cache
def names_in_definitions(text: str) -> frozenset[str]:
    """As `names_in`, for the text of helper classes, of which there are few."""
    return names_in(text)


def names_in(text: str) -> frozenset[str]:
    """The names that Python code defines or reads at module level; those of builtins too."""
    try:
        table = symtable.symtable(text, "<source>", "exec")
    except SyntaxError:  # of a plugin, as above
        return frozenset()
    return frozenset((*table.get_identifiers(), *_global_names(table)))


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    for child in table.get_children():
        yield from (symbol.get_name() for symbol in child.get_symbols() if symbol.is_global())
        yield from _global_names(child)
