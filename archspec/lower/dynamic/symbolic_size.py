"""Sizes of axes as formulas: polynomials in the sizes of a network's inputs, with divisions that round down.

A `Size` stands for an `int` in the arithmetic of an op's `infer` and of a rule. Formulas are kept in a normal form, and
two of them are equal at all sizes if their normal forms are. Whatever else is asked about them depends on the sizes:
then the comparison is assumed to be what it is at the network's own sizes, or `SizeNeeded` is raised.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, prod
from typing import Any, NoReturn, cast

Sizes = Mapping[tuple[str, int], int]
"""Sizes of the axes of inputs: by the name of the input and the axis."""


class SizeNeeded(Exception):
    """Something depends on the number that a formula stands for."""


@dataclass(slots=True)
class Comparisons:
    """What to do with a comparison that depends on the sizes.

    Attributes:
        assumed: whether it has the result that it has at the network's own sizes; else it raises `SizeNeeded`.
        equations: the pairs of sizes that were assumed to be equal.
        requirements: the formulas that were assumed to be at least 0.
    """

    assumed: bool = False
    equations: list[tuple[Size, Size]] = field(default_factory=list)
    requirements: list[Size] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Axis:
    """The size of an axis of an input."""

    value: str
    axis: int
    nominal: int

    @property
    def axes(self) -> frozenset[Axis]:
        return frozenset((self,))

    @property
    def text(self) -> str:
        return f"{self.value}[{self.axis}]"

    def at(self, sizes: Sizes) -> int:
        return sizes[self.value, self.axis]


@dataclass(frozen=True, slots=True)
class Quotient:
    """A formula divided by a number, rounded down."""

    dividend: Size
    divisor: int

    @property
    def axes(self) -> frozenset[Axis]:
        return self.dividend.axes

    @property
    def nominal(self) -> int:
        return self.dividend.nominal // self.divisor

    @property
    def text(self) -> str:
        return f"(({self.dividend.text}) // {self.divisor})"

    def at(self, sizes: Sizes) -> int:
        return self.dividend.at(sizes) // self.divisor


@dataclass(frozen=True, slots=True)
class Smallest:
    """The smallest of several formulas."""

    choices: frozenset[Size | int]

    @property
    def axes(self) -> frozenset[Axis]:
        return frozenset(axis for choice in self.choices if isinstance(choice, Size) for axis in choice.axes)

    @property
    def nominal(self) -> int:
        return min(choice if isinstance(choice, int) else choice.nominal for choice in self.choices)

    @property
    def text(self) -> str:
        return f"min({', '.join(sorted(c.text if isinstance(c, Size) else str(c) for c in self.choices))})"

    def at(self, sizes: Sizes) -> int:
        return min(size_at(choice, sizes) for choice in self.choices)


Atom = Axis | Quotient | Smallest

Monomial = tuple[Atom, ...]
"""A product of atoms, sorted by their texts; the empty one is 1."""

Terms = Mapping[Monomial, int]
"""A sum of monomials, each with its factor."""


class Size:
    """A size as a formula."""

    __slots__ = ("_hash", "comparisons", "nominal", "terms")

    def __init__(self, terms: Terms, comparisons: Comparisons) -> None:
        self.terms = {monomial: factor for monomial, factor in terms.items() if factor}
        self.nominal = sum(factor * prod(atom.nominal for atom in monomial) for monomial, factor in self.terms.items())
        self.comparisons = comparisons
        self._hash = hash(frozenset([(monomial, str(factor)) for monomial, factor in self.terms.items()]))
        # As numbers, -1 and -2 have one hash, and comparing formulas may be refused.

    @property
    def text(self) -> str:
        """The formula in its normal form."""
        terms = sorted(self.terms.items(), key=lambda term: _texts(term[0]))
        parts = ["*".join([str(factor), *_texts(atoms)][factor == 1 and bool(atoms) :]) for atoms, factor in terms]
        return " + ".join(parts) or "0"

    @property
    def axes(self) -> frozenset[Axis]:
        """The axes of inputs that it depends on."""
        return frozenset(axis for monomial in self.terms for atom in monomial for axis in atom.axes)

    @property
    def may_be_negative(self) -> bool:
        """Whether it may be below 0 at sizes that the network accepts, as the larger of two sizes is written."""
        return any(
            factor < 0 or any(isinstance(atom, Smallest) for atom in monomial)
            for monomial, factor in self.terms.items()
            if monomial
        )

    def at(self, sizes: Sizes) -> int:
        """The number at other sizes of the inputs."""
        return sum(factor * prod(atom.at(sizes) for atom in monomial) for monomial, factor in self.terms.items())

    def __str__(self) -> str:
        return str(self.nominal)

    def __repr__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return format(self.nominal, spec)

    def __hash__(self) -> int:
        return self._hash

    # --- arithmetic ---

    def __add__(self, other: Any) -> Any:
        if (size := self._as_size(other)) is None:
            return NotImplemented
        return self._result(_sum(self.terms, size.terms))

    def __mul__(self, other: Any) -> Any:
        if (size := self._as_size(other)) is None:
            return NotImplemented
        terms: Counter[Monomial] = Counter()
        for left, a in self.terms.items():
            for right, b in size.terms.items():
                terms[_sorted(left + right)] += a * b
        return self._result(terms)

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return self + -1 * other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, Size):
            return self._divided_exactly(other)
        return self._divided(other) if isinstance(other, int) else NotImplemented

    def __rfloordiv__(self, other: Any) -> NoReturn:
        raise SizeNeeded

    def __mod__(self, other: Any) -> Any:
        return self - self // other * other

    __rmod__ = __rfloordiv__

    # --- comparison ---

    def __eq__(self, other: object) -> bool:
        if (size := self._as_size(other)) is None:
            return False
        if (known := _number(_sum(self.terms, size.terms, -1))) is not None:
            return known == 0
        if not self.comparisons.assumed:
            raise SizeNeeded
        if self.nominal != size.nominal:
            return not (self < size or self > size)
        self.comparisons.equations.append((self, size))
        return True

    def __lt__(self, other: Any) -> bool:
        return not self >= other

    def __le__(self, other: Any) -> bool:
        return self._is_positive(other - self)

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return self._is_positive(self - other)

    def __bool__(self) -> bool:
        return self != 0

    def _is_positive(self, difference: Size | int) -> bool:
        """Whether a difference is at least 0."""
        if not isinstance(difference, Size):
            return difference >= 0
        if not self.comparisons.assumed:
            raise SizeNeeded
        positive = difference.nominal >= 0
        self.comparisons.requirements.append(difference if positive else -difference - 1)
        return positive

    # --- what needs the number itself ---

    def _needed(self, *_: object) -> NoReturn:
        raise SizeNeeded

    def __getattr__(self, name: str) -> NoReturn:
        """The other methods of `int`, such as `bit_length`."""
        raise SizeNeeded if hasattr(0, name) else AttributeError(name)

    __int__ = __index__ = __float__ = __complex__ = __abs__ = __round__ = __trunc__ = __floor__ = __ceil__ = _needed
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __divmod__ = __rdivmod__ = __invert__ = _needed
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _needed
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _needed

    # --- normal form ---

    def _as_size(self, other: object) -> Size | None:
        if isinstance(other, int):
            return Size({(): other}, self.comparisons)
        return other if isinstance(other, Size) else None

    def _result(self, terms: Terms) -> Size | int:
        """A formula; the number itself if it is one."""
        number = _number(terms)
        return Size(terms, self.comparisons) if number is None else number

    def _divided(self, divisor: int) -> Size | int:
        """The formula divided by a number, rounded down.

        Whatever the divisor divides is taken out, and common divisors are cancelled. Then floor(floor(x / a) / b) is
        floor(x / ab), and floor(-x / d) is -floor((x + d - 1) / d), so that equal sizes have one form.
        """
        if divisor < 0:
            turned: Size | int = -self // -divisor
            return turned
        factors = {monomial: factor for monomial, factor in self.terms.items() if monomial}
        if max(factors.values()) < 0:
            raised: Size | int = (-self + (divisor - 1)) // divisor
            negative: Size | int = -raised
            return negative
        common = gcd(divisor, *factors.values())
        if common > 1:
            terms = {monomial: factor // common for monomial, factor in self.terms.items()}
            reduced: Size | int = self._result(terms) // (divisor // common)
            return reduced
        whole = {monomial: factor // divisor for monomial, factor in self.terms.items()}
        rest = {monomial: factor for monomial, number in self.terms.items() if (factor := number % divisor)}
        if _number(rest) is not None:
            return self._result(whole)
        match [monomial for monomial in rest if monomial]:
            case [(Quotient() as inner,) as monomial] if rest[monomial] == 1:
                nested = inner.dividend + rest.get((), 0) * inner.divisor
                total: Size | int = Size(whole, self.comparisons) + nested // (inner.divisor * divisor)
                return total
        return self._result(_sum(whole, {(Quotient(Size(rest, self.comparisons), divisor),): 1}))

    def _divided_exactly(self, size: Size) -> Size | int:
        """The formula divided by one of a single term, which must divide all terms."""
        if len(size.terms) != 1:
            raise SizeNeeded
        ((divisor, number),) = size.terms.items()
        terms: dict[Monomial, int] = {}
        for monomial, factor in self.terms.items():
            left = Counter(monomial)
            left.subtract(divisor)
            if factor % number or any(count < 0 for count in left.values()):
                raise SizeNeeded
            terms[_sorted(left.elements())] = factor // number
        return self._result(terms)


def size_at(size: Size | int, sizes: Sizes) -> int:
    """A size at other sizes of the inputs."""
    return size if isinstance(size, int) else size.at(sizes)


def same_size(left: Size | int | None, right: Size | int | None) -> bool:
    """Whether two sizes are known to be equal at all sizes of the inputs."""
    if isinstance(left, Size) and isinstance(right, Size):
        return left.terms == right.terms
    return not isinstance(left, Size) and not isinstance(right, Size) and left == right


def smallest(choices: Iterable[int]) -> int:
    """The smallest of several sizes; a `Size` may stand for an `int`."""
    different: frozenset[Size | int] = frozenset(choices)
    sizes = [choice for choice in different if isinstance(choice, Size)]
    if not sizes:
        return min(size for size in different if isinstance(size, int))
    formula = sizes[0] if len(different) == 1 else Size({(Smallest(different),): 1}, sizes[0].comparisons)
    return cast(int, formula)


def at_least(number: int, size: int) -> int:
    """The larger of a number and a size; a `Size` may stand for an `int`."""
    return -smallest((-number, -size))


def same_pads(size: int, extent: int, stride: int) -> tuple[int, int]:
    """Padding `same` along one axis, as `geometry.same_pads` has it; a `Size` may stand for an `int`."""
    total = (size + stride - 1) // stride * stride - stride + extent - size
    if extent < stride:
        total = at_least(0, total)
    return total // 2, total - total // 2


def holds_at_many_sizes(left: Size, right: Size) -> bool:
    """Whether an equation holds at infinitely many sizes of every input, as far as its growth tells.

    Sizes that grow at different rates are equal at a few sizes only, as `n // 4` and 8 are. Sizes that grow at the same
    rate are equal for some remainders, as `2 * (n // 2)` and n are. Between different inputs, or height and width, an
    equation relates one to the other.
    """
    difference: int | Size = left - right
    if not isinstance(difference, Size):
        return difference == 0
    rates = [rate for rate in _growth(difference).values() if rate]
    return not rates or min(rates) < 0 < max(rates)


def grows(size: Size) -> bool:
    """Whether a formula is not the same, apart from rounding, at all sizes."""
    return any(_growth(size).values())


def least(requirement: Size, axis: Axis) -> int:
    """The least size of the one axis of a requirement for which it holds there and above."""
    candidates = range(1, axis.nominal + 1)
    found = bisect_left(candidates, True, key=lambda size: requirement.at({(axis.value, axis.axis): size}) >= 0)
    return candidates[found]


def _growth(size: Size) -> dict[Monomial, Fraction]:
    """The formula without rounding and without its constant: the rate of each product of axes."""
    rates = _unrounded(size)
    rates.pop((), None)
    return rates


def _unrounded(size: Size) -> dict[Monomial, Fraction]:
    total: dict[Monomial, Fraction] = {}
    for monomial, factor in size.terms.items():
        product: dict[Monomial, Fraction] = {(): Fraction(factor)}
        for atom in monomial:
            raised: dict[Monomial, Fraction] = {}
            own: dict[Monomial, Fraction] = {(atom,): Fraction(1)}
            if isinstance(atom, Quotient):
                own = {atoms: rate / atom.divisor for atoms, rate in _unrounded(atom.dividend).items()}
            for left, a in product.items():
                for right, b in own.items():
                    atoms = _sorted(left + right)
                    raised[atoms] = raised.get(atoms, Fraction()) + a * b
            product = raised
        for atoms, rate in product.items():
            total[atoms] = total.get(atoms, Fraction()) + rate
    return total


def _number(terms: Terms) -> int | None:
    """The number that a formula is; None if it depends on an axis."""
    return None if any(factor for monomial, factor in terms.items() if monomial) else terms.get((), 0)


def _sum(left: Terms, right: Terms, factor: int = 1) -> Terms:
    terms = dict(left)
    for monomial, number in right.items():
        terms[monomial] = terms.get(monomial, 0) + factor * number
    return terms


def _sorted(atoms: Iterable[Atom]) -> Monomial:
    return tuple(sorted(atoms, key=lambda atom: atom.text))


def _texts(monomial: Monomial) -> list[str]:
    return [atom.text for atom in monomial]
