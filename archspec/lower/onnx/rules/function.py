"""Functions of each element in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.function import FUNCTIONS, ElementFunction, Rsqrt, Square


@RULES.rule(*(op for op in FUNCTIONS if op not in (Rsqrt, Square)))
def function(op: ElementFunction, b: OnnxBuilder) -> str:
    """The ONNX operator of the same name."""
    return b.result(type(op).__name__, b.input)


@RULES.rule(Rsqrt)
def rsqrt(op: ElementFunction, b: OnnxBuilder) -> str:
    """Sqrt and Reciprocal."""
    return b.result("Reciprocal", b.step("root", "Sqrt", b.input, type=b.input_type))


@RULES.rule(Square)
def square(op: ElementFunction, b: OnnxBuilder) -> str:
    """A Mul of the value with itself, which is exact."""
    return b.result("Mul", b.input, b.input)
