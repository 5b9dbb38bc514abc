"""Lists in expressions: written out, made from others, and their entries."""

from __future__ import annotations

from archspec.frontend.expressions.ast import AttributeExpr, Environment, Expr, bounded_list, need_truth, spend
from archspec.frontend.expressions.values import Data, show, whole
from archspec.frozen import frozen


@frozen
class ListExpr(Expr):
    """A list of terms."""

    items: tuple[Expr, ...]

    def evaluate(self, scope: Environment) -> Data:
        return bounded_list(self, tuple(item.evaluate(scope) for item in self.items))


@frozen
class ComprehensionExpr(Expr):
    """`item for name in list if condition`; several names unpack entries that are lists."""

    item: Expr
    names: tuple[str, ...]
    source: Expr
    condition: Expr | None

    def evaluate(self, scope: Environment) -> Data:
        entries = self.source.evaluate(scope)
        if not isinstance(entries, tuple):
            help = f"for numbers from 0, write range({whole(entries)})" if whole(entries) is not None else None
            raise self.source.wrong(f"'for' goes through a list, not {show(entries)}", help)
        characters = self.stop - self.start  # each takes about as long as an entry of a list
        spend(self, len(scope) + len(entries) * characters)
        inner = dict(scope)
        items: list[Data] = []
        for entry in entries:
            inner.update(self.bind(entry))
            if self.condition is None or need_truth(self.condition, self.condition.evaluate(inner)):
                items.append(self.item.evaluate(inner))
        return bounded_list(self, tuple(items))

    def bind(self, entry: Data) -> dict[str, Data]:
        if len(self.names) == 1:
            return {self.names[0]: entry}
        if not isinstance(entry, tuple) or len(entry) != len(self.names):
            raise self.source.wrong(f"'for' unpacks each entry into {len(self.names)}, but one is {show(entry)}")
        return dict(zip(self.names, entry, strict=True))


@frozen
class IndexExpr(Expr):
    """One entry of a list."""

    value: Expr
    index: Expr

    def evaluate(self, scope: Environment) -> Data:
        value, index = self.value.peek(scope), self.index.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list and cannot be indexed")
        place = whole(index)
        if place is None:
            raise self.index.wrong(f"an index is a whole number, not {show(index)}")
        if not -len(value) <= place < len(value):
            raise self.index.wrong(
                f"index {place} is out of range for a list of length {len(value)}", _range_help(len(value))
            )
        if isinstance(self.value, AttributeExpr):
            self.value.report(scope, place)
        return value[place]


@frozen
class SliceExpr(Expr):
    """A run of entries of a list."""

    value: Expr
    first: Expr | None
    last: Expr | None

    def evaluate(self, scope: Environment) -> Data:
        value = self.value.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list and cannot be indexed")
        return bounded_list(self, value[self.bound(self.first, scope) : self.bound(self.last, scope)])

    def bound(self, term: Expr | None, scope: Environment) -> int | None:
        if term is None:
            return None
        place = whole(value := term.evaluate(scope))
        if place is None:
            raise term.wrong(f"a slice bound is a whole number, not {show(value)}")
        return place


def _range_help(length: int) -> str:
    return f"indices run from 0 to {length - 1}" if length else "the list is empty"
