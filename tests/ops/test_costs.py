"""The cost of every op compared with the operations of its formula, counted number by number.

A `Number` counts the operations applied to it. The formulas below are those of the ops' documentation, written for
single numbers and vectors; they share no code with the ops. The rules of counting: one for each addition,
multiplication, division, comparison and function of a number; subtracting a constant is an addition; signs, absolute
values and constants cost nothing; a power of a constant is one `exp`. Products with weights and their sums are MACs,
not counted here.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from math import ceil, prod
from typing import Any

import pytest

from archspec.ops import OPS
from tests.op_samples import GOOD, Sample


class Number:
    """A number that counts the operations applied to it; it has no value."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts

    def did(self, name: str) -> Number:
        self.counts[name] += 1
        return self

    def __add__(self, other: object) -> Number:
        return self.did("add")

    __radd__ = __add__

    def __sub__(self, other: object) -> Number:
        return self.did("subtract" if isinstance(other, Number) else "add")

    def __rsub__(self, other: float) -> Number:
        return self.did("add")

    def __mul__(self, other: object) -> Number:
        return self.did("multiply")

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Number:
        return self.did("divide")

    __rtruediv__ = __truediv__

    def __pow__(self, other: object) -> Number:
        return self.did("power")

    def __neg__(self) -> Number:
        return self

    def __abs__(self) -> Number:
        return self


def exp(x: Number) -> Number:
    return x.did("exp")


def log(x: Number) -> Number:
    return x.did("log")


def sqrt(x: Number) -> Number:
    return x.did("sqrt")


def erf(x: Number) -> Number:
    return x.did("erf")


def larger(x: Number, other: object) -> Number:
    """The larger or the smaller of two, or one of two branches by a comparison."""
    return x.did("compare")


def total(numbers: Sequence[Number]) -> Number:
    first, *others = numbers
    for other in others:
        first = first + other
    return first


def largest(numbers: Sequence[Number]) -> Number:
    first, *others = numbers
    for other in others:
        first = larger(first, other)
    return first


def sigmoid(x: Number) -> Number:
    return 1 / (1 + exp(-x))


def tanh(x: Number) -> Number:
    """(e - 1) / (e + 1), where e is a power of the constant exp(2)."""
    e = exp(x)
    return (e - 1) / (e + 1)


def elu(x: Number, alpha: float, inner: Number) -> Number:
    return larger(x, 0) and alpha * (exp(inner) - 1)


def gelu(op: Any, x: Number) -> Number:
    if op.approximate == "none":
        return x * (0.5 * (1 + erf(x * 0.7071)))
    return x * 0.5 * (1 + tanh(0.7979 * (x + 0.044715 * (x * x * x))))


def scaled_tanh(op: Any, x: Number) -> Number:
    inner = x if op.slope == 1 else op.slope * x
    return tanh(inner) if op.scale == 1 else op.scale * tanh(inner)


def clipped(op: Any, x: Number) -> Number:
    for bound in (op.min, op.max):
        x = x if bound is None else larger(x, bound)
    return x


ELEMENTWISE: dict[str, Callable[[Any, Number], Number]] = {
    "relu": lambda op, x: larger(x, 0),
    "relu6": lambda op, x: larger(larger(x, 0), 6),
    "leaky_relu": lambda op, x: larger(x, 0) * op.slope,
    "prelu": lambda op, x: larger(x, 0) * x,
    "elu": lambda op, x: elu(x, op.alpha, x),
    "selu": lambda op, x: 1.0507 * elu(x, 1.6733, x),
    "celu": lambda op, x: elu(x, op.alpha, x / op.alpha),
    "sigmoid": lambda op, x: sigmoid(x),
    "hard_sigmoid": lambda op, x: larger(larger(x * (1 / 6) + 0.5, 0), 1),
    "tanh": scaled_tanh,
    "gelu": gelu,
    "silu": lambda op, x: x * sigmoid(x),
    "hard_swish": lambda op, x: x * larger(larger(x * (1 / 6) + 0.5, 0), 1),
    "mish": lambda op, x: x * tanh(log(1 + exp(x))),
    "softplus": lambda op, x: log(1 + exp(x)),
    "hard_tanh": lambda op, x: larger(larger(x, -1), 1),
    "softsign": lambda op, x: x / (1 + abs(x)),
    "threshold": lambda op, x: larger(x, op.threshold),
    "log_sigmoid": lambda op, x: -log(1 + exp(-x)),
    "scale": lambda op, x: op.factor * x,
    "clip": clipped,
    "square": lambda op, x: x * x,
    "sqrt": lambda op, x: sqrt(x),
    "rsqrt": lambda op, x: 1 / sqrt(x),
    "reciprocal": lambda op, x: 1 / x,
    "exp": lambda op, x: exp(x),
    "log": lambda op, x: log(x),
    "erf": lambda op, x: erf(x),
    "sin": lambda op, x: x.did("sin"),
    "cos": lambda op, x: x.did("cos"),
    "floor": lambda op, x: x.did("round"),
    "ceil": lambda op, x: x.did("round"),
    "round": lambda op, x: x.did("round"),
    "layer_scale": lambda op, x: x * x,
    "position_embedding": lambda op, x: x + x,
    "affine": lambda op, x: x * x + x if op.bias else x * x,
    "batch_norm": lambda op, x: x * x + x,  # the four numbers of a channel make one scale and one shift
    "frozen_batch_norm": lambda op, x: x * x + x,
}
"""The formula per element."""


JOINS: dict[str, Callable[[Any, Any], Number]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "mean": operator.add,
    **dict.fromkeys(("min", "max", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"), larger),
}
"""The operation on two elements, or on one and a number."""


def softmax(op: Any, vector: Sequence[Number]) -> None:
    most = largest(vector)
    powers = [exp(x - most) for x in vector]
    power_sum = total(powers)
    for power in powers:
        _ = power / power_sum


def log_softmax(op: Any, vector: Sequence[Number]) -> None:
    most = largest(vector)
    shifted = [x - most for x in vector]
    log_sum = log(total([exp(x) for x in shifted]))
    for x in shifted:
        _ = x - log_sum


def squash(op: Any, vector: Sequence[Number]) -> None:
    length = sqrt(total([x * x for x in vector]))
    factor = length / (1 + length * length)
    for x in vector:
        _ = factor * x


def l2_normalize(op: Any, vector: Sequence[Number]) -> None:
    length = larger(sqrt(total([x * x for x in vector])), op.eps)
    for x in vector:
        _ = x / length


def standardize(op: Any, group: Sequence[Number]) -> None:
    mean = total(group) / len(group)
    centred = [x - mean for x in group]
    deviation = sqrt(total([x * x for x in centred]) / len(group) + op.eps)
    for x in centred:
        _ = x / deviation * x + x if op.affine else x / deviation


def rms_norm(op: Any, group: Sequence[Number]) -> None:
    root = sqrt(total([x * x for x in group]) / len(group) + op.eps)
    for x in group:
        _ = x / root * x if op.affine else x / root


def lstm(op: Any, gates: Sequence[Number]) -> Number:
    i, f, g, o = gates
    return sigmoid(o) * tanh(sigmoid(f) * g + sigmoid(i) * tanh(g))


def gru(op: Any, gates: Sequence[Number]) -> Number:
    r, z, n = gates
    update = sigmoid(z)
    return (1 - update) * tanh(n + sigmoid(r) * n) + update * n


def rnn(op: Any, gates: Sequence[Number]) -> Number:
    (x,) = gates
    return tanh(x) if op.function == "tanh" else larger(x, 0)


RECURRENT = {"lstm": (4, lstm), "gru": (3, gru), "rnn": (1, rnn)}
"""The number of sums of a unit of a recurrent layer at one position, and its state after them."""


def variance(terms: Sequence[Number]) -> Number:
    mean = total(terms) / len(terms)
    return total([(distance := x - mean) * distance for x in terms]) / len(terms)


REDUCTIONS: dict[str, Callable[[Sequence[Number]], Number]] = {
    "reduce_mean": lambda terms: total(terms) / len(terms),
    "reduce_sum": total,
    "reduce_prod": lambda terms: reduce(operator.mul, terms),
    "reduce_max": largest,
    "reduce_min": largest,
    "reduce_l2": lambda terms: sqrt(total([x * x for x in terms])),
    "reduce_var": variance,
    "reduce_std": lambda terms: sqrt(variance(terms)),
}
"""The formula per result."""

ALONG_AXIS = {"softmax": softmax, "log_softmax": log_softmax, "squash": squash, "l2_normalize": l2_normalize}
"""The formula per vector along one axis."""


def groups(sample: Sample) -> tuple[int, int]:
    """The number of groups of a normalization, and of elements per group."""
    op: Any = sample.op
    tensor = sample.inputs[0]
    size = {
        "layer_norm": lambda: prod(op.normalized(tensor)),
        "rms_norm": lambda: prod(op.normalized(tensor)),
        "group_norm": lambda: tensor.elements // op.groups,
        "instance_norm": lambda: prod(tensor.spatial),
    }[op.kind]()
    return tensor.elements // size, size


def window_elements(sample: Sample) -> list[int]:
    """How many positions each output element of a pooling reads, padding included where windows slide."""
    op: Any = sample.op
    tensor, output = sample.inputs[0], sample.outputs[0]
    if op.kind in ("max_pool", "avg_pool"):
        kernel = op.kernel if isinstance(op.kernel, tuple) else (op.kernel,) * len(tensor.spatial)
        return [prod(kernel)] * output.elements
    reads = [
        [-(-(i + 1) * n // m) - i * n // m for i in range(m)]
        for n, m in zip(tensor.spatial, output.spatial, strict=True)
    ]
    return [prod(sizes) for sizes in product(*reads)] * output.channels


def filter_rows(op: Any, size: int, count: int) -> int:
    """The rows that an output row is made of; with antialias more, as the output has fewer."""
    spread = max(1, size / count) if op.antialias else 1
    return ceil((4 if op.mode == "bicubic" else 2) * spread)


def count(sample: Sample) -> Counter[str]:
    """The operations of the formula of a sample's op, without MACs."""
    op: Any = sample.op
    counts: Counter[str] = Counter()
    tensor, output = sample.inputs[0], sample.outputs[0]

    def numbers(n: int) -> list[Number]:
        return [Number(counts) for _ in range(n)]

    if op.kind in ELEMENTWISE:
        for x in numbers(output.elements):
            ELEMENTWISE[op.kind](op, x)
    elif op.kind in ALONG_AXIS:
        n = tensor.sizes[op.axis - 1 if op.axis > 0 else op.axis]
        for _ in range(tensor.elements // n):
            ALONG_AXIS[op.kind](op, numbers(n))
    elif op.kind in ("layer_norm", "rms_norm", "group_norm", "instance_norm"):
        group_count, size = groups(sample)
        for _ in range(group_count):
            (rms_norm if op.kind == "rms_norm" else standardize)(op, numbers(size))
    elif op.kind == "local_response_norm":
        for x in numbers(output.elements):
            _ = x / (op.k + op.alpha / op.size * total([x * x for x in numbers(op.size)])) ** op.beta
    elif op.kind == "glu":
        for a, b in zip(numbers(output.elements), numbers(output.elements), strict=True):
            _ = a * sigmoid(b)
    elif op.kind in JOINS:
        for _ in range(output.elements):
            operands: list[Any] = numbers(len(sample.inputs))
            operands += [] if getattr(op, "number", None) is None else [op.number]
            reduce(JOINS[op.kind], operands)
            _ = operands[0] / len(operands) if op.kind == "mean" else None
    elif op.kind == "where":
        for condition in numbers(output.elements):
            larger(condition, 0)
    elif op.kind.startswith("reduce_"):
        for _ in range(output.elements):
            REDUCTIONS[op.kind](numbers(tensor.elements // output.elements))
    elif op.kind == "argmax":
        for _ in range(output.elements):
            largest(numbers(tensor.elements // output.elements))
    elif op.kind == "cumsum":
        size = tensor.sizes[op.axis - 1 if op.axis > 0 else op.axis]
        for _ in range(tensor.elements // size):
            total(numbers(size))  # each sum on the way is one of the results
    elif op.kind in ("max_pool", "global_max_pool", "adaptive_max_pool"):
        for n in window_elements(sample):
            largest(numbers(n))
    elif op.kind in ("avg_pool", "global_avg_pool", "adaptive_avg_pool"):
        for n in window_elements(sample):
            _ = total(numbers(n)) / n
    elif op.kind in ("upsample", "upsample_like") and op.mode != "nearest":
        for _ in range(output.elements):
            rows = map(filter_rows, [op] * len(tensor.spatial), tensor.spatial, output.spatial)
            total([x * x for x in numbers(prod(rows))])
    elif op.kind == "roi_align":
        for _ in range(output.elements):
            _ = total([x * x for x in numbers(4 * op.samples**2)]) / op.samples**2
    elif op.kind in ("conv", "conv_transpose", "linear") and op.bias:
        for x in numbers(output.elements):
            _ = x + x
    elif op.kind == "radial_basis":
        for x in numbers(output.elements * tensor.elements):
            _ = x - x
    elif op.kind in RECURRENT:
        gates, step = RECURRENT[op.kind]
        for _ in range(op.depth * tensor.sizes[0] * (1 + op.bidirectional) * op.features):
            sums = [(w + b if op.bias else w) for w, b in zip(numbers(gates), numbers(gates), strict=True)]
            hidden = [(u + d if op.bias else u) for u, d in zip(numbers(gates), numbers(gates), strict=True)]
            if op.kind == "gru":  # the reset gate is between the two sums of the new state
                step(op, [*(a + b for a, b in zip(sums[:2], hidden, strict=False)), sums[2]])
            else:
                step(op, [a + b for a, b in zip(sums, hidden, strict=True)])
    elif op.kind == "multi_head_attention":
        values = sample.inputs[:-1] if op.mask else sample.inputs
        features, keys = tensor.sizes[-1], values[-1].sizes[-2]
        queries = tensor.elements // features
        for x in numbers(queries * features):
            _ = x * (1 / 8)  # queries are scaled
        for _ in range(op.heads * queries):
            scores = numbers(keys)
            for score in scores if op.relative_bias else ():
                _ = score + score
            for score in scores * (op.causal + op.mask):
                larger(score, 0)  # a product or what is far below it
            softmax(op, scores)
        for x in numbers((2 * queries + 2 * values[-1].elements // values[-1].sizes[-1]) * features if op.bias else 0):
            _ = x + x
    return counts


FREE = {
    "identity", "abs", "neg", "flatten", "reshape", "permute", "select", "pad", "pad_channels", "center_crop",
    "crop_like", "split", "slice", "roll", "flip", "concat", "stack", "squeeze", "unsqueeze", "expand", "tile",
    "dropout", "spatial_dropout", "stochastic_depth", "class_token", "embedding", "parameter",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "max_unpool", "roi_pool", "matmul", "capsule_votes",
}  # fmt: skip
"""Ops that move elements, or do nothing but MACs; the comparisons of `roi_pool` depend on the boxes."""


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_the_arithmetic_of_an_op_is_that_of_its_formula(sample: Sample) -> None:
    cost = sample.op.cost(sample.inputs, sample.outputs)
    assert {name: number for name, number in cost.other.items() if number} == dict(count(sample))


def test_every_op_is_counted_or_free() -> None:
    counted = {sample.op.kind for sample in GOOD if count(sample)}
    assert counted | FREE == {op.kind for op in OPS}
    assert not counted & FREE
