"""Names: how layers get theirs, and how a spec refers to a layer by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archspec.diagnostics import ArchspecError, Span, did_you_mean, fail
from archspec.frontend.elaborate.cycles import too_early
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import Body, Step
from archspec.ir.graph import Value

Flow = tuple[Value, ...] | None
"""What flows from one layer to the next; None where a mistake leaves nobody to tell."""


NO_PORTS: Mapping[str, Value] = MappingProxyType({})
"""What most ops have: one output, that needs no name."""


@dataclass(slots=True)
class Symbol:
    """What a name stands for: the values of a layer, and the names inside it if it has any."""

    flow: Flow
    span: Span
    owner: str
    """The path of the weights behind the name: its own, unless it shares another's."""
    ports: Mapping[str, Value] = field(default_factory=lambda: NO_PORTS)
    inside: SymbolTable | None = None


@dataclass(slots=True)
class SymbolTable:
    """A stretch of a spec in which names are unique.

    `outer` is the frame around it that references may reach too; a block is closed and has none, but a `caller`.
    `owner` is the path of the frame whose weights are used instead of its own. `bodies` are the lists of layers the
    names come from. A frame is `uncertain` where a mistake left names out of it that nobody knows.
    """

    path: str
    outer: SymbolTable | None = None
    caller: SymbolTable | None = None
    indexed: bool = False
    owner: str | None = None
    bodies: tuple[Body, ...] = ()
    entries: dict[str, Symbol] = field(default_factory=dict)
    left_out: dict[str, Span] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    children: int = 0
    uncertain: bool = False

    def give(self, base: str) -> str:
        """A name for a child without one: its number, or `base` with a number if that is taken."""
        if self.indexed:
            while (name := str(self.children)) in self.entries:
                self.children += 1
            self.children += 1
            return name
        count = self.used.get(base, 0)
        while (name := f"{base}_{count}" if count else base) in self.entries:
            count += 1
        self.used[base] = count + 1
        return name

    def lose(self, name: str | None, span: Span) -> None:
        """Note that a mistake leaves a layer unknown: what refers to it is passed over."""
        if name is None:
            self.uncertain = True
        else:
            self.entries.setdefault(name, Symbol(None, span, self.owner_of(name)))

    def join(self, name: str) -> str:
        """The dotted path of a child."""
        return f"{self.path}.{name}" if self.path else name

    def owner_of(self, name: str) -> str:
        """The path under which the weights of a child are found."""
        return f"{self.owner}.{name}" if self.owner else self.join(name)

    def find(self, reference: str, span: Span, step: Step | None = None, *, waits: bool = True) -> Symbol:
        """What a reference stands for: its first name is looked up here and outwards, the others inside it.

        `step` is what refers to it, and `waits` for its value.

        Raises:
            ArchspecError: it stands for nothing.
            Unknown: a mistake leaves nobody to tell.
        """
        path, *others = reference.split(".")
        entry = self._look_up(path, span, step, waits)
        for name in others:
            inside = entry.inside.entries if entry.inside else {}
            if name in entry.ports:
                entry = Symbol((entry.ports[name],), entry.span, entry.owner)
            elif name in inside:
                entry = inside[name]
            elif entry.inside and name in entry.inside.left_out:
                raise _left_out(f"{path}.{name}", entry.inside.left_out[name], span)
            elif entry.inside.uncertain if entry.inside else entry.flow is None:
                raise Invalid
            else:
                help = did_you_mean(name, [*entry.ports, *inside]) or f"'{path}' has no layers inside"
                raise fail("unknown-layer", f"there is no layer '{name}' inside '{path}'", span, help=help)
            path = f"{path}.{name}"
        return entry

    def _look_up(self, name: str, span: Span, step: Step | None, waits: bool) -> Symbol:
        frames = list(self._outwards())
        for frame in frames:
            if name in frame.entries:
                return frame.entries[name]
            if name in frame.left_out:
                raise _left_out(name, frame.left_out[name], span)
            if frame.uncertain:
                raise Invalid
        for frame in frames:
            if step is not None and (fault := too_early(name, span, step, frame.bodies, waits=waits)):
                raise fault
        raise self._nowhere(name, span, step)

    def _outwards(self) -> Iterator[SymbolTable]:
        frame: SymbolTable | None = self
        while frame is not None:
            yield frame
            frame = frame.outer

    def _nowhere(self, name: str, span: Span, step: Step | None) -> ArchspecError:
        """The error of a reference to what nobody here has heard of."""
        here = {known: entry for frame in reversed(list(self._outwards())) for known, entry in frame.entries.items()}
        outside, inner = self._callers_name(name), _inner(name, here)
        if inner:
            help: str | None = f"did you mean '{inner}'?"
        elif outside:
            help = "a block sees its own layers only; hand the value of others in with `from` where it is called"
        else:
            help = did_you_mean(name, [*reversed(here), *([PREVIOUS] if step is not None else [])])
        message = f"there is no layer '{name}' above this one" if step is not None else f"there is no layer '{name}'"
        return fail("unknown-layer", message, span, help=help)

    def _callers_name(self, name: str) -> bool:
        *_, outermost = self._outwards()
        caller = outermost.caller
        return caller is not None and (any(name in f.entries for f in caller._outwards()) or caller._callers_name(name))


def _left_out(name: str, layer: Span, span: Span) -> ArchspecError:
    notes = [("left out by its `when`", f"line {layer.line}")]
    help = "give the layer that refers to it a `when` too, or another `from`"
    return fail("unknown-layer", f"the layer '{name}' is left out here", span, notes=notes, help=help)


def _inner(name: str, entries: Mapping[str, Symbol]) -> str | None:
    """The path of a layer of that name inside one of `entries`."""
    for outer, entry in entries.items():
        if entry.inside and name in entry.inside.entries:
            return f"{outer}.{name}"
    return None
