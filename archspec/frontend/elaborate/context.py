"""The build context: the names, blocks and limits that apply where a step is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Note, Span
from archspec.frontend.elaborate.symbols import SymbolTable, Values
from archspec.frontend.expressions.ast import Environment, InputValue
from archspec.frontend.expressions.values import INVALID, Data, Invalid, show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Library
from archspec.frozen import field, record
from archspec.ir.graph import Node, Scope, SizeRead, Value

Evaluate = Callable[[Field], Data]
"""Evaluates a field in some context."""

SizeReads = dict[tuple[Any, ...], SizeRead]
"""The sizes that expressions read, each with the first place that does."""


@record
class BuildContext:
    """Where steps are built.

    Attributes:
        symbols: the names of layers.
        environment: the names that expressions can use.
        library: the params and blocks of the file that contains the steps.
        depth: the number of enclosing structures.
        repetitions: how often the enclosing repeats build this place in total.
        blocks: the enclosing blocks, by where they are defined.
        call: where the innermost block is called.
        items: what has been built here so far.
        training_only: whether it is in a part that runs only while training.
        size_reads: the sizes that expressions have read so far.
    """

    symbols: SymbolTable
    environment: Environment
    library: Library
    depth: int = 0
    repetitions: int = 1
    blocks: frozenset[Span] = frozenset()
    call: Span | None = None
    items: list[Node | Scope] = field(default_factory=list)
    training_only: bool = False
    size_reads: SizeReads = field(default_factory=dict)

    def with_environment(self, environment: Environment) -> BuildContext:
        """The same context, and the same items, with other names for expressions."""
        return BuildContext(
            self.symbols,
            environment,
            self.library,
            self.depth,
            self.repetitions,
            self.blocks,
            self.call,
            self.items,
            self.training_only,
            self.size_reads,
        )

    def evaluate(self, field: Field, values: Values) -> Data:
        """The value of a field, where `in` refers to `values`.

        Raises:
            ArchspecError: the expression fails.
            Invalid: it depends on something an earlier error makes unknown.
        """
        if "in" not in field.names:
            return field.evaluate(self.environment)
        if values is None:
            raise Invalid
        sizes = tuple(value.type.sizes for value in values)
        inputs = InputValue(sizes, partial(self._report_read, field.span, values))
        try:
            read = {name: self.environment[name] for name in field.names if name in self.environment}
            return field.evaluate({**read, "in": inputs})
        except ArchspecError:  # once more with all names, which its suggestions are from
            return field.evaluate({**self.environment, "in": inputs})

    def _report_read(self, span: Span, values: Sequence[Value], attribute: str, axes: range) -> None:
        """Record that an expression reads an attribute of values, which is the sizes of some of their axes."""
        for value in values:
            read = SizeRead(value, attribute, axes, self.training_only, span)
            self.size_reads.setdefault((value, axes, self.training_only), read)

    def cache_key(self, names: Sequence[str], values: Values) -> str | None:
        """A key for the current values of `names`: equal keys, equal values. None if one of them is unknown."""
        if not names:
            return ""
        if "in" in names and values is None:
            return None
        try:
            found = [self.environment[name] for name in names if name != "in"]
        except KeyError:
            return None
        if not _is_short(found):
            return None
        if "in" in names:
            found.append([value.type.sizes for value in values or ()])
        return repr(found)

    def notes(self) -> tuple[Note, ...]:
        """A note that tells this expansion of a text from others; empty if the text is expanded only once."""
        parts: list[str] = []
        if self.symbols.path:
            parts.append(f"in '{_shorten(self.symbols.path)}'")
        if self.call is not None:
            parts.append(f"called on {self.call.seen_from(self.library.source)}")
        if local := list(self._local_names()):
            parts.append(f"where {', '.join(local)}")
        return ((", ".join(parts),),) if local or self.call else ()

    def _local_names(self) -> Iterator[str]:
        """`name = value` for each name that is not a param of the file."""
        params = self.library.params
        for name, value in self.environment.items():
            if value is not INVALID and not (name in params and params[name] is value):
                text = show(value)
                yield f"{name} = {text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + '...'}"


def _is_short(value: Any) -> bool:
    """Whether it takes little time to write a value as text, however often."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_KEY
    return not isinstance(value, list | tuple) or (len(value) <= _LONGEST_KEY and all(map(_is_short, value)))


_LONGEST_KEY = 64
"""The length of the texts and lists of a cache key."""

_MAX_SHOWN = 60
"""Characters of a value that a note shows."""


def _shorten(path: str) -> str:
    """A path, without its middle if it is long."""
    names = path.split(".")
    return path if len(names) <= 8 else f"{'.'.join(names[:3])}...{'.'.join(names[-3:])}"
