"""The build context: the names, blocks and limits that apply where a step is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Note, Span
from archspec.frontend.elaborate.cuts import Cut
from archspec.frontend.elaborate.op_initializers import OpInitializers
from archspec.frontend.elaborate.symbols import SymbolTable, Values
from archspec.frontend.expressions.ast import Environment, InputValue
from archspec.frontend.expressions.values import INVALID, Data, Invalid, show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.identifiers import ENTRY
from archspec.frontend.language.spec import Library
from archspec.frozen import field, record
from archspec.ir.graph import Node, Scope, SizeRead, Value

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
        inputs: the values of the inputs that the innermost block names.
        trainable: whether weights are trained here, as far as the parts around it say.
        cuts: where the building of the enclosing blocks ends, if their calls say so.
        initial: the initializers that the file of the steps sets for all layers of an op.
        networks: the networks around it that are parts of others, the innermost last, with where they are called.
    """

    symbols: SymbolTable
    environment: Environment
    library: Library
    initial: OpInitializers
    depth: int = 0
    repetitions: int = 1
    blocks: frozenset[Span] = frozenset()
    call: Span | None = None
    items: list[Node | Scope] = field(default_factory=list)
    training_only: bool = False
    size_reads: SizeReads = field(default_factory=dict)
    inputs: Mapping[str, Values] = field(default_factory=dict)
    trainable: bool = True
    cuts: tuple[Cut, ...] = ()
    networks: tuple[tuple[str, Span], ...] = ()

    @property
    def is_cut_off(self) -> bool:
        """Whether the last layer that is asked for is built, so that nothing here is any more."""
        return any(cut.reached for cut in self.cuts)

    def with_environment(self, environment: Environment) -> BuildContext:
        """The same context, and the same items, with other names for expressions."""
        return BuildContext(
            self.symbols,
            environment,
            self.library,
            self.initial,
            self.depth,
            self.repetitions,
            self.blocks,
            self.call,
            self.items,
            self.training_only,
            self.size_reads,
            self.inputs,
            self.trainable,
            self.cuts,
            self.networks,
        )

    def frozen(self) -> BuildContext:
        """The same context, and the same items, where weights are not trained."""
        frozen = self.with_environment(self.environment)
        frozen.trainable = False
        return frozen

    def evaluate(self, field: Field, values: Values) -> Data:
        """The value of a field, where `in` refers to `values`.

        Raises:
            ArchspecError: the expression fails.
            Invalid: it depends on something an earlier error makes unknown.
        """
        inputs = {name: self._as_input(name, field, values) for name in field.names if self.is_input(name)}
        if not inputs and not (self.inputs and field.names):
            return field.evaluate(self.environment)
        try:
            read = {name: self.environment[name] for name in field.names if name in self.environment}
            return field.evaluate({**read, **inputs})
        except ArchspecError:  # once more with all names, which its suggestions are from
            known = (name for name in self.inputs if self.is_input(name) and self.inputs[name] is not None)
            named = {name: self._as_input(name, field, values) for name in known}
            return field.evaluate({**self.environment, **named, **inputs})

    def is_input(self, name: str) -> bool:
        """Whether expressions know a name as that of an input; variables of iterations hide inputs."""
        return name == ENTRY or (name in self.inputs and name not in self.environment)

    def _values_of(self, name: str, values: Values) -> Values:
        return values if name == ENTRY else self.inputs[name]

    def _as_input(self, name: str, field: Field, values: Values) -> InputValue:
        """What an expression sees of an input."""
        values = self._values_of(name, values)
        if values is None:
            raise Invalid
        sizes = tuple(value.type.sizes for value in values)
        return InputValue(sizes, partial(self._report_read, field.span, name, values))

    def _report_read(self, span: Span, name: str, values: Sequence[Value], attribute: str, axes: range) -> None:
        """Record that an expression reads an attribute of an input, which is the sizes of some axes of its values."""
        for value in values:
            read = SizeRead(value, f"{name}.{attribute}", axes, self.training_only, span)
            self.size_reads.setdefault((value, axes, self.training_only), read)

    def cache_key(self, names: Sequence[str], values: Values) -> str | None:
        """A key for the current values of `names`: equal keys, equal values. None if one of them is unknown."""
        found: list[Any] = []
        for name in names:
            if self.is_input(name):
                if (read := self._values_of(name, values)) is None:
                    return None
                found.append([value.type.sizes for value in read])
            elif name not in self.environment or not _is_short(self.environment[name]):
                return None
            else:
                found.append(self.environment[name])
        return repr(found) if found else ""

    def notes(self) -> tuple[Note, ...]:
        """Notes that tell this expansion of a text from others; empty if the text is expanded only once."""
        parts: list[str] = []
        if self.symbols.path:
            parts.append(f"in '{_shorten(self.symbols.path)}'")
        if self.call is not None:
            parts.append(f"called on {self.call.seen_from(self.library.source)}")
        if local := list(self._local_names()):
            parts.append(f"where {', '.join(local)}")
        outer = [
            (f"in the network '{name}', called on {span.seen_from(self.library.source)}",)
            for name, span in reversed(self.networks)
            if span is not self.call
        ]
        return ((", ".join(parts),), *outer) if local or self.call else ()

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
