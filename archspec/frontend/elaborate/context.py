"""Where steps are built: the names around them, what expressions may name there, and what was built so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archspec.diagnostics import Note, Span, fail
from archspec.frontend.elaborate.symbols import Flow, SymbolTable
from archspec.frontend.expressions.ast import Environment, InputValue
from archspec.frontend.expressions.values import INVALID, Data, Invalid, show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Library
from archspec.ir.graph import Node, Scope


@dataclass(slots=True)
class BuildContext:
    """A place in the network.

    `home` are the params and blocks of the file it stands in. `depth` counts the structures around it, `rounds` how
    many times all of them together repeat it. `blocks` are those it is in, by where they stand, and `call` is where
    the innermost of them was called.
    """

    frame: SymbolTable
    scope: Environment
    home: Library
    depth: int = 0
    rounds: int = 1
    blocks: frozenset[Span] = frozenset()
    call: Span | None = None
    items: list[Node | Scope] = field(default_factory=list)

    def within(self, scope: Environment) -> BuildContext:
        """The same place, where expressions may name other things."""
        return BuildContext(self.frame, scope, self.home, self.depth, self.rounds, self.blocks, self.call, self.items)

    def evaluate(self, value: Field, flow: Flow) -> Data:
        """What a value is worth here, where `in` is what flows in.

        Raises:
            ArchspecError: the expression is wrong.
            Unknown: it asks about a value nobody knows.
        """
        if "in" not in value.names:
            return value.evaluate(self.scope)
        if flow is None:
            raise Invalid
        return value.evaluate({**self.scope, "in": InputValue(tuple(found.type.sizes for found in flow))})

    def worth(self, names: Sequence[str], flow: Flow) -> str | None:
        """What names are worth here, all in one text that tells each worth from others; None where one is not known."""
        if not names:
            return ""
        if "in" not in names:
            scope = self.scope
        elif flow is None:
            return None
        else:
            scope = {**self.scope, "in": [found.type.sizes for found in flow]}
        try:
            return repr([scope[name] for name in names])
        except KeyError:
            return None

    def holds(self, condition: Field, flow: Flow) -> bool:
        """Whether a condition is true here; it raises as `evaluate` does."""
        value = self.evaluate(condition, flow)
        if not isinstance(value, bool):
            message = f"a condition is true or false, not {show(value)}"
            raise fail("wrong-value", message, condition.span, help="compare it with something")
        return value

    def where(self) -> tuple[Note, ...]:
        """A note that tells the place from others the same text is built at; none where there is but one."""
        parts: list[str] = []
        if self.frame.path:
            parts.append(f"in '{_short(self.frame.path)}'")
        if self.call is not None:
            parts.append(f"called on {self.call.seen_from(self.home.source)}")
        if local := list(self._local(self.home.params)):
            parts.append(f"where {', '.join(local)}")
        return ((", ".join(parts),),) if local or self.call else ()

    def _local(self, params: Environment) -> Iterator[str]:
        for name, value in self.scope.items():
            if value is not INVALID and not (name in params and params[name] is value):
                shown = show(value)
                yield f"{name} = {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '...'}"


_LONGEST = 60


def _short(path: str) -> str:
    """A path without its middle, if it is long."""
    names = path.split(".")
    return path if len(names) <= 8 else f"{'.'.join(names[:3])}...{'.'.join(names[-3:])}"
