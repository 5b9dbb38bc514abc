"""Adaptive pooling, which ONNX has no op for: windows that slide where they are even, one axis at a time where not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import Array, Emit
from archspec.lower.onnx.rules.common import resized, taken
from archspec.ops.geometry import adaptive_bounds
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool

Bounds = tuple[tuple[int, int], ...]
"""First and last position of each window along one axis."""

Slide = tuple[int, int]
"""Kernel and stride along one axis."""


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
        return emit.last("MaxPool", value, **_geometry(slides))
    return _pool("Max", slides, emit)


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
        geometry = _geometry([slides.get(axis, (1, 1)) for axis in range(2, tensor.rank)])
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
    return emit.last(f"{kind}Pool", emit.input, **_geometry(slides))


def _geometry(slides: Sequence[Slide]) -> dict[str, Sequence[int]]:
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
