"""Convolutions and poolings that slide, in ONNX.

All padding is written out as numbers, and so are the rows that a last window hangs over the end where `ceil` lets it:
what `auto_pad` and `ceil_mode` mean at the edges has changed with the versions of ONNX, and differs between runtimes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.unpool import max_pool_with_indices
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.geometry import Pads, extent
from archspec.ops.pool import AvgPool, MaxPool
from archspec.ops.sliding import Sliding


def conv(op: Conv, emit: Emit) -> str:
    """Conv."""
    window = op.sliding(emit.type)
    return emit.last("Conv", emit.input, *emit.weights("weight", "bias"), **_geometry(window), **_groups(op.groups))


def conv_transpose(op: ConvTranspose, emit: Emit) -> str:
    """ConvTranspose. ONNX Runtime refuses an output padding as large as the stride, which a dilation makes legal."""
    window = op.sliding(emit.type)
    axes = zip(window.stride, window.pads, op.added(emit.type), strict=True)
    zeros, crops, extra = zip(*(_ending(*axis) for axis in axes), strict=True)
    value = pad(emit, zeros)
    weights, geometry = emit.weights("weight", "bias"), _geometry(replace(window, pads=crops))
    added = {"output_padding": extra} if any(extra) else {}
    return emit.last("ConvTranspose", value, *weights, **geometry, **_groups(op.groups), **added)


def max_pool(op: MaxPool, emit: Emit) -> str | tuple[str, ...]:
    """MaxPool. ONNX Runtime refuses padding as large as the kernel, though dilation makes the window larger: then the
    input is padded before, with what never wins. So it is where the input is padded already; see `_apart`.
    """
    window = op.sliding(emit.type)
    pads = _longer(window.pads, _overhang(op, window, emit))
    value = emit.input
    too_much = any(max(pair) >= kernel for pair, kernel in zip(pads, window.kernel, strict=True))
    if too_much or emit.maker(value) == "Pad":
        value, pads = pad(emit, pads, float("-inf")), _none(pads)
    geometry = _apart(emit, value, _geometry(replace(window, pads=pads)))
    return max_pool_with_indices(emit, value, geometry) if op.indices else emit.last("MaxPool", value, **geometry)


def avg_pool(op: AvgPool, emit: Emit) -> str:
    """AveragePool. Padding counts in the mean or not, overhanging rows never do: where there are both, and padding
    counts, the input is padded before. So it is where the input is padded already; see `_apart`.
    """
    window = op.sliding(emit.type)
    value, pads, counted = emit.input, window.pads, op.count_include_pad and any(map(any, window.pads))
    overhang = _overhang(op, window, emit)
    if counted and (any(overhang) or emit.maker(value) == "Pad"):
        value, pads, counted = pad(emit, pads), _none(pads), False
    geometry = _apart(emit, value, _geometry(replace(window, pads=_longer(pads, overhang))))
    return emit.last("AveragePool", value, **geometry, **({"count_include_pad": 1} if counted else {}))


def pad(emit: Emit, pads: Sequence[Pads], value: float = 0.0) -> str:
    """The input with rows of one value around its spatial axes; the input itself if there are none."""
    if not any(map(any, pads)):
        return emit.input
    sizes = (size + sum(pair) for size, pair in zip(emit.type.spatial, pads, strict=True))
    constants = [emit.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if value:
        constants.append(emit.numbers("padding", value))
    return emit.step("pad", "Pad", emit.input, *constants, type=emit.type.with_sizes(emit.type.channels, *sizes))


def onnx_pads(pads: Sequence[Pads]) -> list[int]:
    """Padding as ONNX lists it: before every axis, then after every axis."""
    return [before for before, _ in pads] + [after for _, after in pads]


def _ending(stride: int, pads: Pads, added: int) -> tuple[Pads, Pads, int]:
    """Zeros around the input, rows to crop and output padding, for one axis of a transposed convolution.

    Output padding as large as the stride becomes rows not cropped. Where none are left to crop, zeros after the input
    make the output longer by a stride each, and add nothing to it.
    """
    before, after = pads
    if added < stride:
        return (0, 0), pads, added
    zeros = max(0, -((after - added) // stride))
    return (0, zeros), (before, after - added + zeros * stride), 0


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


def _geometry(window: Sliding) -> dict[str, Sequence[int]]:
    """The attributes of a window; what is ONNX's default is left out."""
    given: dict[str, Sequence[int]] = {"kernel_shape": window.kernel}
    if any(step > 1 for step in window.stride):
        given["strides"] = window.stride
    if any(map(any, window.pads)):
        given["pads"] = onnx_pads(window.pads)
    if any(step > 1 for step in window.dilation):
        given["dilations"] = window.dilation
    return given


def _apart(emit: Emit, value: str, geometry: dict[str, Sequence[int]]) -> dict[str, Sequence[int] | str]:
    """The attributes of a pooling that stays apart from the Pad before it.

    ONNX Runtime makes padding of the pooling's own of it: zeros that may be the largest then never win, and as many as
    the kernel is long are refused. What says `auto_pad` it leaves as it is; VALID is what no padding means anyway.
    """
    alone = "pads" in geometry or emit.maker(value) != "Pad"
    return {**geometry, **({} if alone else {"auto_pad": "VALID"})}


def _groups(groups: int) -> dict[str, int]:
    return {"group": groups} if groups > 1 else {}
