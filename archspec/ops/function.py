"""Functions of each element: powers, exponentials, signs and rounding."""

from typing import ClassVar

from archspec.ops.activation import Activation


class ElementFunction(Activation):
    """A function of each element that is no module in any framework."""

    family: ClassVar[str] = "function"
    module: ClassVar[bool] = False


def _function(kind: str, summary: str, **operations: int) -> type[ElementFunction]:
    """The op of a function; `operations` are those per element."""
    content = {"__doc__": summary, "__module__": __name__, "kind": kind, "operations": operations}
    return type(kind.title(), (ElementFunction,), content)


Abs = _function("abs", "|x|, the absolute value.")
Neg = _function("neg", "-x.")
Square = _function("square", "x * x.", multiply=1)
Sqrt = _function("sqrt", "The square root of x; not a number below 0.", sqrt=1)
Rsqrt = _function("rsqrt", "1 / sqrt(x).", sqrt=1, divide=1)
Reciprocal = _function("reciprocal", "1 / x.", divide=1)
Exp = _function("exp", "e to the power x.", exp=1)
Log = _function("log", "The natural logarithm of x; not a number below 0.", log=1)
Erf = _function("erf", "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.", erf=1)
Sin = _function("sin", "The sine of x in radians.", sin=1)
Cos = _function("cos", "The cosine of x in radians.", cos=1)
Floor = _function("floor", "The largest whole number that is not above x.", round=1)
Ceil = _function("ceil", "The smallest whole number that is not below x.", round=1)
Round = _function("round", "The nearest whole number; of two as near, the even one.", round=1)

FUNCTIONS: tuple[type[ElementFunction], ...] = (
    Abs, Neg, Square, Sqrt, Rsqrt, Reciprocal, Exp, Log, Erf, Sin, Cos, Floor, Ceil, Round,
)  # fmt: skip
