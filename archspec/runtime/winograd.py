"""Convolutions of 3x3 with a quarter of the multiplications, in ONNX: Winograd's F(4x4, 3x3).

A tile of 4x4 outputs needs the 6x6 inputs around it. With x a tile of inputs and w a kernel, the outputs are
Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A: 36 products per channel instead of 144. With the sums over the channels these are 36 matrix
products. Rounding differs from direct convolution, and a NaN or an infinity affects its whole tile.

Source of the algorithm and the matrices: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
arXiv:1509.09308, section 4.
"""

from __future__ import annotations

from math import prod

import numpy as np

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules import OnnxRule
from archspec.lower.onnx.rules import conv as rules
from archspec.ops import Op
from archspec.ops.conv import Conv

TILE = 4
"""The number of outputs of a tile along one axis."""

READ = 6
"""The number of inputs that a tile reads along one axis."""

INPUT = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
"""Bᵀ, for the inputs."""

KERNEL = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
"""24 G, for the kernels."""

OUTPUT = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
"""Aᵀ, for the outputs."""

_TRANSFORM_COST = 130
"""The cost of transforming an element to or from this form, in multiplications of a matrix product."""

_READ_COST = 20
"""The cost of reading an element of a kernel for a single image, in the same unit."""

MIN_GAIN = 1.2
"""The expected gain above which this form is used. The margin is for its effect on other layers."""


def gain(op: Conv, tensor: TensorType) -> float:
    """The cost of a direct convolution of one image divided by the cost in this form; 0 if this form does not apply.

    `tools/bench_winograd.py` measures it.
    """
    window = op.sliding(tensor)
    plain = (window.kernel, window.stride, window.dilation, op.groups) == ((3, 3), (1, 1), (1, 1), 1)
    if not plain or op.padding_mode != "zeros":
        return 0.0
    (output,) = op.infer((tensor,))
    kernels, tiles = tensor.channels * op.channels, prod(_grid(output))
    transformed = (tensor.channels + op.channels) * tiles
    cost = READ**2 * (kernels * tiles + _TRANSFORM_COST * transformed + _READ_COST * kernels)
    return op.cost((tensor,), (output,)).macs / cost


def overrides(min_gain: float = MIN_GAIN) -> dict[type[Op], OnnxRule]:
    """Rules for `export` that use Winograd's form for convolutions whose expected gain is above `min_gain`."""

    def conv(op: Conv, b: OnnxBuilder) -> str | tuple[str, ...]:
        return winograd_conv(op, b) if gain(op, b.input_type) > min_gain else rules.conv(op, b)

    return {Conv: conv}


def winograd_conv(op: Conv, b: OnnxBuilder) -> str:
    """A Conv transforms the tiles, a MatMul computes all products, and another MatMul transforms them to outputs."""
    rows, columns = _grid(b.output_type)
    matrices = _kernels(op, b), _tiles(op, b)
    value = b.unbatched_step("products", "MatMul", *matrices, shape=(READ**2, None, op.channels, rows * columns))
    value = _reshaped(b, "product_rows", value, (READ**2, None))
    gather = b.floats("gather", np.kron(OUTPUT, OUTPUT))
    value = b.unbatched_step("outputs", "MatMul", gather, value, shape=(TILE**2, None))
    value = _reshaped(b, "output_tiles", value, (TILE, TILE, None))
    value = b.unbatched_step("output_lines", "Transpose", value, shape=(TILE, None, TILE), perm=(0, 2, 1))
    value = _reshaped(b, "lines", value, (TILE, None, columns * TILE))
    value = b.unbatched_step("output_rows", "Transpose", value, shape=(None, TILE, columns * TILE), perm=(1, 0, 2))
    return _finish(b, value, b.input_type.with_sizes(op.channels, rows * TILE, columns * TILE))


def _tiles(op: Conv, b: OnnxBuilder) -> str:
    """Bᵀ x B of every tile, as (36, N, channels, tiles)."""
    grid, spatial = _grid(b.output_type), b.input_type.spatial
    spread = b.floats("spread_kernel", np.kron(INPUT, INPUT).reshape(READ**2, 1, READ, READ))
    before = [pads[0] for pads in op.sliding(b.input_type).pads]
    after = [READ + (tiles - 1) * TILE - size - first for tiles, size, first in zip(grid, spatial, before, strict=True)]
    value = _reshaped(b, "planes", b.input, (None, 1, *spatial))
    value = b.unbatched_step(
        "spread",
        "Conv",
        value,
        spread,
        shape=(None, READ**2, *grid),
        kernel_shape=(READ, READ),
        strides=(TILE, TILE),
        pads=(*before, *after),
    )
    value = b.unbatched_step("turned", "Transpose", value, shape=(READ**2, None, *grid), perm=(1, 0, 2, 3))
    return _reshaped(b, "tiles", value, (READ**2, None, b.input_type.channels, grid[0] * grid[1]))


def _kernels(op: Conv, b: OnnxBuilder) -> str:
    """G w Gᵀ of every kernel, as (36, 1, channels, input channels); a runtime computes it when it loads the model."""
    pairs = op.channels * b.input_type.channels
    (weight,) = b.weights("weight")
    spread = b.floats("kernel", np.kron(KERNEL, KERNEL).T / 24**2)
    value = _reshaped(b, "kernel_rows", weight, (pairs, 9))
    value = b.unbatched_step("spread_kernels", "MatMul", value, spread, shape=(pairs, READ**2))
    value = b.unbatched_step("turned_kernels", "Transpose", value, shape=(READ**2, pairs), perm=(1, 0))
    return _reshaped(b, "kernels", value, (READ**2, 1, op.channels, b.input_type.channels))


def _finish(b: OnnxBuilder, value: str, covered: TensorType) -> str:
    """The rows of the tiles as images, cropped to the output and with the bias added."""
    nodes = [("Reshape", [b.integers("covered", (-1, *covered.sizes))], covered)]
    if covered != b.output_type:
        bounds = (0, 0), b.output_type.spatial, (2, 3)
        nodes.append(("Slice", [b.integers("bounds", bound) for bound in bounds], b.output_type))
    if bias := b.weights("bias"):
        nodes.append(("Add", [_reshaped(b, "bias", bias[0], (b.output_type.channels, 1, 1))], b.output_type))
    for name, constants, type in nodes[:-1]:
        value = b.step(name.lower(), name, value, *constants, type=type)
    name, constants, _ = nodes[-1]
    return b.result(name, value, *constants)


def _grid(output: TensorType) -> tuple[int, int]:
    """The number of tiles that cover the outputs, vertically and horizontally."""
    height, width = output.spatial
    return -(-height // TILE), -(-width // TILE)


def _reshaped(b: OnnxBuilder, label: str, value: str, shape: tuple[int | None, ...]) -> str:
    """A value in another shape; None is the axis that contains the batch."""
    sizes = b.integers("shape", [-1 if size is None else size for size in shape])
    return b.unbatched_step(label, "Reshape", value, sizes, shape=shape)
