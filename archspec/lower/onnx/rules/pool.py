"""Pooling in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import Array, Emit
from archspec.lower.onnx.rules.common import RULES, named, padded, resized, taken, window_attributes
from archspec.lower.onnx.rules.unpool import max_pool_with_indices
from archspec.ops.geometry import Pads, adaptive_bounds, extent
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.ops.sliding import Sliding


@RULES.rule(MaxPool)
def max_pool(op: MaxPool, emit: Emit) -> str | tuple[str, ...]:
    """MaxPool. ONNX Runtime refuses padding as large as the kernel, though dilation makes the window larger: then the
    input is padded before, with what never wins. So it is where the input is padded already; see `_apart`.
    """
    window = op.sliding(emit.type)
    pads = _longer(window.pads, _overhang(op, window, emit))
    value = emit.input
    too_much = any(max(pair) >= kernel for pair, kernel in zip(pads, window.kernel, strict=True))
    if too_much or emit.maker(value) == "Pad":
        value, pads = padded(emit, pads, float("-inf")), _none(pads)
    geometry = _apart(emit, value, window_attributes(replace(window, pads=pads)))
    return max_pool_with_indices(emit, value, geometry) if op.indices else emit.last("MaxPool", value, **geometry)


@RULES.rule(AvgPool)
def avg_pool(op: AvgPool, emit: Emit) -> str:
    """AveragePool. Padding counts in the mean or not, overhanging rows never do: where there are both, and padding
    counts, the input is padded before. So it is where the input is padded already; see `_apart`.
    """
    window = op.sliding(emit.type)
    value, pads, counted = emit.input, window.pads, op.count_include_pad and any(map(any, window.pads))
    overhang = _overhang(op, window, emit)
    if counted and (any(overhang) or emit.maker(value) == "Pad"):
        value, pads, counted = padded(emit, pads), _none(pads), False
    geometry = _apart(emit, value, window_attributes(replace(window, pads=_longer(pads, overhang))))
    return emit.last("AveragePool", value, **geometry, **({"count_include_pad": 1} if counted else {}))


def _overhang(op: MaxPool | AvgPool, window: Sliding, emit: Emit) -> list[int]:
    """Rows the last window hangs over the padded input, axis by axis.

    As many as it can be at any size make no difference, as long as every window begins before the padding at the end.
    """
    if emit.open and op.ceil and all(extent(f, d) >= s + after for f, s, d, (_, after) in window.axes):
        return [stride - 1 for stride in window.stride]
    sizes = zip(emit.type.spatial, emit.output.spatial, window.axes, strict=True)
    return [max(0, (m - 1) * s + extent(f, d) - n - sum(pads)) for n, m, (f, s, d, pads) in sizes]


def _longer(pads: Sequence[Pads], rows: Sequence[int]) -> tuple[Pads, ...]:
    """The padding with more rows after it."""
    return tuple((before, after + more) for (before, after), more in zip(pads, rows, strict=True))


def _none(pads: Sequence[Pads]) -> tuple[Pads, ...]:
    return tuple((0, 0) for _ in pads)


def _apart(emit: Emit, value: str, geometry: dict[str, Sequence[int]]) -> dict[str, Sequence[int] | str]:
    """The attributes of a pooling that stays apart from the Pad before it.

    ONNX Runtime makes padding of the pooling's own of it: zeros that may be the largest then never win, and as many as
    the kernel is long are refused. What says `auto_pad` it leaves as it is; VALID is what no padding means anyway.
    """
    alone = "pads" in geometry or emit.maker(value) != "Pad"
    return {**geometry, **({} if alone else {"auto_pad": "VALID"})}


Bounds = tuple[tuple[int, int], ...]
"""First and last position of each window along one axis."""


Slide = tuple[int, int]
"""Kernel and stride along one axis."""


@RULES.rule(AdaptiveMaxPool)
def adaptive_max_pool(op: AdaptiveMaxPool, emit: Emit) -> str:
    """Along an axis of uneven windows their rows are laid side by side first, as many for each: a shorter window has
    its last row twice, which does not change its largest value.
    """
    rows: dict[int, list[int]] = {}
    slides: list[Slide] = []
    for axis, bounds in enumerate(_bounds(emit), start=2):
        slide = _even(bounds)
        if slide is None:
            length = max(last - first + 1 for first, last in bounds)
            rows[axis] = [min(row, last) for first, last in bounds for row in range(first, first + length)]
            slide = length, length
        slides.append(slide)
    if rows:
        value, _ = taken(emit, rows)
        return emit.last("MaxPool", value, **_slide_attributes(slides))
    return _pool("Max", slides, emit)


@RULES.rule(AdaptiveAvgPool)
def adaptive_avg_pool(op: AdaptiveAvgPool, emit: Emit) -> str:
    """Along an axis of uneven windows the mean is a product with a matrix, whose rows hold 1 / length at a window."""
    bounds = _bounds(emit)
    slides = {axis: slide for axis, own in enumerate(bounds, start=2) if (slide := _even(own))}
    if len(slides) == len(bounds):
        return _pool("Average", list(slides.values()), emit)
    value, tensor = emit.input, emit.type
    if any(slide != (1, 1) for slide in slides.values()):
        for axis in slides:
            tensor = resized(tensor, axis, emit.output.sizes[axis - 1])
        geometry = _slide_attributes([slides.get(axis, (1, 1)) for axis in range(2, tensor.rank)])
        value = emit.step("pool", "AveragePool", value, type=tensor, **geometry)
    *others, final = (axis for axis in range(2, tensor.rank) if axis not in slides)
    for axis in others:
        means = emit.numbers(f"means{axis}", _means(bounds[axis - 2]))
        tensor = resized(tensor, axis, len(bounds[axis - 2]))
        value = emit.step(f"mean{axis}", "Einsum", value, means, type=tensor, equation=_product(tensor, axis))
    means = emit.numbers(f"means{final}", _means(bounds[final - 2]))
    return emit.last("Einsum", value, means, equation=_product(tensor, final))


def _pool(kind: str, slides: Sequence[Slide], emit: Emit) -> str:
    if all(slide == (1, 1) for slide in slides) and not emit.open:
        return emit.input
    if all(size == 1 for size in emit.output.spatial):
        return emit.last(f"Global{kind}Pool", emit.input)
    return emit.last(f"{kind}Pool", emit.input, **_slide_attributes(slides))


def _slide_attributes(slides: Sequence[Slide]) -> dict[str, Sequence[int]]:
    kernel, stride = zip(*slides, strict=True)
    return {"kernel_shape": kernel, "strides": stride}


def _bounds(emit: Emit) -> list[Bounds]:
    return [adaptive_bounds(n, m) for n, m in zip(emit.type.spatial, emit.output.spatial, strict=True)]


def _even(bounds: Bounds) -> Slide | None:
    """Kernel and stride, if all windows are of one length and equally far apart."""
    lengths = {last - first + 1 for first, last in bounds}
    steps = {after - before for (before, _), (after, _) in pairwise(bounds)}
    if len(lengths) > 1 or len(steps) > 1 or steps == {0}:
        return None
    return lengths.pop(), steps.pop() if steps else 1


def _means(bounds: Bounds) -> Array:
    matrix = np.zeros((len(bounds), bounds[-1][1] + 1), np.float32)
    for row, (first, last) in zip(matrix, bounds, strict=True):
        row[first : last + 1] = 1 / (last - first + 1)
    return matrix


def _product(tensor: TensorType, axis: int) -> str:
    """The product of a matrix with one axis, as Einsum writes it: `nchw,Hh->ncHw`."""
    letters = "nc" + "dhw"[-len(tensor.spatial) :]
    old, new = letters[axis], letters[axis].upper()
    return f"{letters},{new}{old}->{letters.replace(old, new)}"


RULES.rule(GlobalMaxPool)(named("GlobalMaxPool"))
RULES.rule(GlobalAvgPool)(named("GlobalAveragePool"))
