"""Cuts: a call with `until` builds the layers of a block up to one of them, and returns the value of that layer."""

from __future__ import annotations

from archspec.diagnostics import Span, did_you_mean, fail
from archspec.frontend.elaborate.symbols import SymbolTable, Values, path_inside
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.identifiers import ENTRY
from archspec.frozen import record


@record
class Cut:
    """Where the building of a block ends.

    Attributes:
        symbols: the names inside the block.
        reference: the last layer, as the call names it.
        span: where the call names it.
        callee: the name of the block.
        reached: whether that layer is built.
    """

    symbols: SymbolTable
    reference: str
    span: Span
    callee: str
    reached: bool = False

    def look_in(self, symbols: SymbolTable) -> None:
        """Record whether the last layer is among those built in a scope so far."""
        if symbols is self.symbols:
            self.reached = self.reached or symbols.has(self.reference)
        elif symbols.path.startswith(f"{self.symbols.path}."):
            rest = f"{self.symbols.path}.{self.reference}".removeprefix(f"{symbols.path}.")
            inside = len(rest) < len(self.reference)
            self.reached = self.reached or (inside and symbols.has(rest))

    def check(self) -> None:
        """Check that the last layer is one.

        Raises:
            ArchspecError: it is an input.
        """
        first = self.reference.partition(".")[0]
        if first == ENTRY or first in self.symbols.inputs:
            message = f"'{self.reference}' is an input of '{self.callee}', which has no layers up to it"
            raise fail("wrong-value", message, self.span, help="name a layer")

    def values(self) -> Values:
        """The values of the last layer.

        Raises:
            ArchspecError: there is no such layer.
            Invalid: an earlier error makes it unknown.
        """
        first = self.reference.partition(".")[0]
        known = {name: symbol for name, symbol in self.symbols.entries.items() if name not in self.symbols.inputs}
        if first not in known and first not in self.symbols.skipped:
            if self.symbols.uncertain:
                raise Invalid
            inner = path_inside(first, known)
            help = f"did you mean '{inner}'?" if inner else did_you_mean(first, known)
            raise fail("unknown-layer", f"'{self.callee}' has no layer '{first}'", self.span, help=help)
        return self.symbols.find(self.reference, self.span).values
