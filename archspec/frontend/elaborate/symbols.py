"""Symbol tables: which layer a name refers to, and names for layers that have none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from archspec.diagnostics import MOST_COMPARED, ArchspecError, Span, did_you_mean, fail
from archspec.frontend.elaborate.cycles import LayerIndex, forward_reference
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.identifiers import ENTRY, PREVIOUS
from archspec.frontend.language.spec import Body, Step
from archspec.frozen import field, record
from archspec.ir.graph import Value

Values = tuple[Value, ...] | None
"""The values one layer passes to the next; None if an earlier error makes them unknown."""


NO_PORTS: Mapping[str, Value] = MappingProxyType({})
"""The ports of an op with a single output, which needs no name."""


@record
class Symbol:
    """What a name refers to: the outputs of a layer and, for a structure, the names inside it."""

    values: Values
    span: Span
    weight_owner: str
    """The path of the weights: the layer's own path, or that of the layer whose weights it shares."""
    ports: Mapping[str, Value] = field(default_factory=lambda: NO_PORTS)
    inside: SymbolTable | None = None


@record
class SymbolTable:
    """The names of one scope of the spec.

    Attributes:
        path: the dotted path of the scope; empty for the network.
        outer: the enclosing table that references can reach as well. A block has none.
        caller: for a block, the table of the scope it is called in.
        indexed: whether layers without a name are named by number.
        weight_owner: the path of the scope whose weights this one shares, if it shares any.
        bodies: the lists of layers that the names come from.
        entries: the layers built so far, by name.
        skipped: the layers whose `when` is false.
        uncertain: whether an error hid a name, so that a missing name may be no error.
        inputs: the names of a block's inputs; those that the call passes are entries, too.
        entry: what `in` refers to, for a block.
        index: where the layers of the spec are in their lists.
    """

    path: str
    outer: SymbolTable | None = None
    caller: SymbolTable | None = None
    indexed: bool = False
    weight_owner: str | None = None
    bodies: tuple[Body, ...] = ()
    entries: dict[str, Symbol] = field(default_factory=dict)
    skipped: dict[str, Span] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    next_index: int = 0
    uncertain: bool = False
    inputs: Collection[str] = ()
    entry: Symbol | None = None
    index: LayerIndex = field(default_factory=LayerIndex)

    def fresh_name(self, base: str) -> str:
        """An unused name for a layer without one: its number, or `base` with a number appended if it is taken."""
        if self.indexed:
            while (name := str(self.next_index)) in self.entries:
                self.next_index += 1
            self.next_index += 1
            return name
        count = self.uses.get(base, 0)
        while (name := f"{base}_{count}" if count else base) in self.entries:
            count += 1
        self.uses[base] = count + 1
        return name

    def mark_invalid(self, name: str | None, span: Span) -> None:
        """Record that a layer could not be built, so that references to it are not reported again."""
        if name is None:
            self.uncertain = True
        else:
            self.entries.setdefault(name, Symbol(None, span, self.weight_owner_of(name)))

    def path_of(self, name: str) -> str:
        """The dotted path of a layer in this scope."""
        return f"{self.path}.{name}" if self.path else name

    def weight_owner_of(self, name: str) -> str:
        """The path that holds the weights of a layer in this scope."""
        return f"{self.weight_owner}.{name}" if self.weight_owner else self.path_of(name)

    def has(self, reference: str) -> bool:
        """Whether a dotted reference from this scope names a layer that is built, or one that failed."""
        table: SymbolTable | None = self
        *outer, last = reference.split(".")
        for i, name in enumerate(outer):
            symbol = table.entries.get(name) if table is not None else None
            if symbol is None:
                return False
            if i == len(outer) - 1 and last in symbol.ports:
                return True
            table = symbol.inside
        return table is not None and last in table.entries

    def find(self, reference: str, span: Span, step: Step | None = None, *, needs_value: bool = True) -> Symbol:
        """The symbol of a dotted reference: its first name is looked up here and outwards, the others inside it.

        Args:
            reference: the dotted path.
            span: where the reference is.
            step: the step that contains it.
            needs_value: whether the step reads the value, or only shares weights.

        Raises:
            ArchspecError: there is no such layer.
            Invalid: an earlier error makes it unknown.
        """
        path, *names = reference.split(".")
        symbol = self._look_up(path, span, step, needs_value)
        for name in names:
            inside = symbol.inside.entries if symbol.inside else {}
            if name in inside:  # first, since a block's output may be a layer inside, which has weights
                symbol = inside[name]
            elif name in symbol.ports:
                symbol = Symbol((symbol.ports[name],), symbol.span, symbol.weight_owner)
            elif symbol.inside and name in symbol.inside.skipped:
                raise _skipped(f"{path}.{name}", symbol.inside.skipped[name], span)
            elif symbol.inside.uncertain if symbol.inside else symbol.values is None:
                raise Invalid
            else:
                help = did_you_mean(name, [*symbol.ports, *inside]) or f"'{path}' has no layers inside"
                raise fail("unknown-layer", f"there is no layer '{name}' inside '{path}'", span, help=help)
            path = f"{path}.{name}"
        return symbol

    def _look_up(self, name: str, span: Span, step: Step | None, needs_value: bool) -> Symbol:
        tables = list(self._outwards())
        for table in tables:
            if name in table.entries:
                return table.entries[name]
            if name in table.skipped:
                raise _skipped(name, table.skipped[name], span)
            if table.uncertain:
                raise Invalid
        if name == ENTRY and tables[-1].entry is not None:
            return tables[-1].entry
        for table in tables:
            if step is not None and (
                error := forward_reference(name, span, step, table.bodies, table.index, needs_value=needs_value)
            ):
                raise error
        raise self._unknown(name, span, step)

    def _outwards(self) -> Iterator[SymbolTable]:
        table: SymbolTable | None = self
        while table is not None:
            yield table
            table = table.outer

    def _unknown(self, name: str, span: Span, step: Step | None) -> ArchspecError:
        """The error for a name that no layer has."""
        nearest_first = (entry for table in self._outwards() for entry in reversed(table.entries.items()))
        visible = dict(islice(nearest_first, MOST_COMPARED - 1))
        *_, outermost = self._outwards()
        if name in outermost.inputs:
            message = f"the call does not pass '{name}', which is read here"
            return fail("missing-argument", message, span, help=f"pass it in `from`, by name: {name}: ...")
        if inner := path_inside(name, visible):
            help: str | None = f"did you mean '{inner}'?"
        elif self.is_visible_to_caller(name):
            help = (
                "a block sees only its own layers; name it in the `inputs` of the block, and pass it where it is called"
            )
        else:
            help = did_you_mean(name, [*visible, *([PREVIOUS] if step is not None else [])])
        message = f"there is no layer '{name}' above this one" if step is not None else f"there is no layer '{name}'"
        return fail("unknown-layer", message, span, help=help)

    def is_visible_to_caller(self, name: str) -> bool:
        """Whether a scope that called the block around this one has a layer of that name."""
        *_, outermost = self._outwards()
        caller = outermost.caller
        if caller is None:
            return False
        return any(name in table.entries for table in caller._outwards()) or caller.is_visible_to_caller(name)


def _skipped(name: str, layer: Span, span: Span) -> ArchspecError:
    notes = [("skipped by its `when`", f"line {layer.line}")]
    help = "give this layer a `when` as well, or another `from`"
    return fail("unknown-layer", f"the layer '{name}' is skipped here", span, notes=notes, help=help)


def path_inside(name: str, entries: Mapping[str, Symbol]) -> str | None:
    """The path of a layer called `name` inside one of `entries`."""
    for outer, symbol in entries.items():
        if symbol.inside and name in symbol.inside.entries:
            return f"{outer}.{name}"
    return None
